package guardrollout

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/collect"
	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

func run(ctx context.Context, env *cli.Env, o options) error {
	switch {
	case o.Explain != "":
		return env.Explain(rollout.Docs(), o.Explain, o.Color)
	case o.PrintRBAC:
		return printRBAC(env)
	case o.replay != "":
		return o.runReplay(ctx, env)
	}
	if o.record != "" {
		o.Trim = nil // a recording is whole
	}
	session, err := env.Open(ctx, &o.Shared)
	if err != nil {
		return err
	}
	if err := o.settle(ctx, env, session); err != nil {
		return errors.Join(err, session.Close())
	}
	switch {
	case o.preflight:
		err = o.runPreflight(ctx, env, session)
	case session.Watcher == nil:
		err = o.runMoment(ctx, env, session)
	default:
		return o.runLive(ctx, env, session)
	}
	return errors.Join(err, session.Close())
}

// judgement are the options of the judgement.
func (o *options) judgement(env *cli.Env) rollout.Options {
	return rollout.Options{
		Timeout: o.timeout, StableFor: o.stableFor, WaitTerminated: o.terminated, Await: o.await,
		StayPaused: env.Streams.Interactive(), ToRevision: o.toRevision, Learn: o.Learn,
	}
}

// runMoment judges the one moment of a snapshot.
func (o *options) runMoment(ctx context.Context, env *cli.Env, session *cli.Session) error {
	watch := rollout.New(session.Now(), o.targets, o.judgement(env))
	view, err := collect.View(ctx, session, watch.Needs)
	if err != nil {
		return err
	}
	r := watch.Observe(view)
	r.Budget = session.Budget()
	if err := o.sink(env, o.output).End(r); err != nil {
		return err
	}
	return o.exit(r)
}

// runPreflight says what stands against rolling the targets, or the manifests.
func (o *options) runPreflight(ctx context.Context, env *cli.Env, session *cli.Session) error {
	proposed, err := o.proposals(ctx, env, session)
	if err != nil {
		return err
	}
	r, err := o.before(ctx, session, proposed)
	if err != nil {
		return err
	}
	r.Budget = session.Budget()
	if err := o.sink(env, o.output).End(r); err != nil {
		return err
	}
	return o.FailOn.Judge(r)
}

// before judges what stands against rolling.
func (o *options) before(ctx context.Context, src source.Source, proposed rollout.Proposals) (*report.Report, error) {
	view, err := collect.View(ctx, src, func(v *index.View) ([]source.Query, []source.LogQuery) {
		return rollout.PreflightNeeds(v, o.targets, proposed, o.headroom), nil
	})
	if err != nil {
		return nil, err
	}
	return rollout.Preflight(view, o.targets, proposed, o.headroom), nil
}

// exit is the exit code that the end of a watch asks for, worst first.
func (o *options) exit(r *report.Report) error {
	codes := map[int]bool{}
	for _, rollout := range r.Rollouts {
		codes[codeOf(rollout)] = true
	}
	for _, code := range []int{cli.ExitRollbackFail, cli.ExitRolledBack, cli.ExitProblem, cli.ExitSuperseded, cli.ExitTimedOut, cli.ExitAvailability, cli.ExitUnknown} {
		if codes[code] && (code != cli.ExitProblem || o.FailOn != cli.FailNever) {
			return &cli.Exit{Code: code}
		}
	}
	// What was said before the rollout is advice; how it went is what counts.
	during := *r
	during.Findings = slices.DeleteFunc(slices.Clone(r.Findings), func(f finding.Finding) bool { return strings.HasPrefix(f.Code, "preflight/") })
	return o.FailOn.Judge(&during)
}

func codeOf(r *report.Rollout) int {
	switch r.Phase {
	case report.PhaseFailed:
		return cli.ExitProblem
	case report.PhaseTimedOut:
		return cli.ExitTimedOut
	case report.PhaseSuperseded, report.PhaseDeleted:
		return cli.ExitSuperseded
	case report.PhaseReturned:
		return cli.ExitRolledBack
	case report.PhaseLost:
		return cli.ExitRollbackFail
	case report.PhaseUnknown:
		return cli.ExitUnknown
	}
	if r.Lost() {
		return cli.ExitAvailability
	}
	return cli.ExitOK
}

// settle finds the targets and makes sure that they are there.
func (o *options) settle(ctx context.Context, env *cli.Env, session *cli.Session) error {
	namespace, err := env.Namespace(&o.Shared, false)
	if err != nil {
		return err
	}
	switch {
	case len(o.files) > 0:
		if err := o.fromFiles(env, namespace); err != nil || o.preflight || o.await {
			return err
		}
		return o.present(ctx, session)
	case o.selector != "" || len(o.targets) == 0:
		return o.selected(ctx, session, namespace)
	}
	for i := range o.targets {
		o.targets[i].Namespace = namespace
	}
	return o.present(ctx, session)
}
