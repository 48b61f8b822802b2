package tracedns

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/collect"
	"github.com/leadsman-dev/leadsman/pkg/dns"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/render/doc"
	"github.com/leadsman-dev/leadsman/pkg/render/html"
	"github.com/leadsman-dev/leadsman/pkg/render/trace"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

func run(ctx context.Context, env *cli.Env, o options) error {
	switch {
	case o.Explain != "":
		return env.Explain(slices.Concat(dns.Docs(), dns.Untold()), o.Explain, o.Color)
	case o.PrintRBAC:
		return printRBAC(env, o.debug != "")
	}
	session, err := env.Open(ctx, &o.Shared)
	if err != nil {
		return err
	}
	if err := o.settle(ctx, env, session); err != nil {
		return err
	}
	if o.watch {
		return o.follow(ctx, env, session)
	}
	r, err := o.answer(ctx, env, session)
	if err != nil {
		return errors.Join(err, session.Close())
	}
	if err := errors.Join(o.write(env.Streams.Out, r, env.Streams.Style(o.Color)), session.Close()); err != nil {
		return err
	}
	// A name that does not exist outside of the cluster is no fault of anything here.
	if err := o.FailOn.Judge(r); err != nil || r.Verdict != report.Broken || o.FailOn == cli.FailNever {
		return err
	}
	return &cli.Exit{Code: cli.ExitProblem}
}

// answer collects, asks, and judges.
func (o *options) answer(ctx context.Context, env *cli.Env, session *cli.Session) (*report.Report, error) {
	src := remember(session)
	if session.Watcher != nil && o.probe {
		r, seen, err := o.answerLive(ctx, src, newAsker(env, o), session)
		if err == nil {
			session.Keep(record(o.ask, seen))
		}
		return r, err
	}
	seen := dns.Observations{}
	if o.probe {
		v, err := facts(ctx, src, o.ask, seen)
		if err != nil {
			return nil, err
		}
		seen = recorded(v, o.ask, session.Replayed())
	}
	v, err := facts(ctx, src, o.ask, seen)
	if err != nil {
		return nil, err
	}
	return o.judge(v, seen, session, 0)
}

// answerLive asks between reading and judging, and again what it doubts.
func (o *options) answerLive(ctx context.Context, src source.Source, live *asker, session *cli.Session) (*report.Report, dns.Observations, error) {
	v, seen, err := o.look(ctx, src, live)
	if err != nil {
		return nil, seen, err
	}
	r, err := o.judge(v, seen, session, live.requests())
	if err != nil {
		return nil, seen, err
	}
	more, any := live.doubt(ctx, v, o.ask, r, seen)
	if !any {
		return r, seen, nil
	}
	if v, err = facts(ctx, src, o.ask, more); err != nil {
		return nil, more, err
	}
	r, err = o.judge(v, more, session, live.requests())
	return r, more, err
}

// look asks live. What was seen may call for other facts, and for other
// questions; those then for facts once more.
func (o *options) look(ctx context.Context, src source.Source, live *asker) (*index.View, dns.Observations, error) {
	seen := dns.Observations{Coming: true}
	v, err := facts(ctx, src, o.ask, seen)
	if err != nil {
		return nil, seen, err
	}
	seen = live.ask(ctx, v, o.ask, seen)
	if o.debug != "" {
		seen = live.debug(ctx, dns.Live(v, o.ask, seen), o, seen)
	}
	for range 2 {
		if v, err = facts(ctx, src, o.ask, seen); err != nil {
			return nil, seen, err
		}
		seen = live.ask(ctx, v, o.ask, seen)
	}
	v, err = facts(ctx, src, o.ask, seen)
	return v, seen, err
}

// facts reads what the judgement needs.
func facts(ctx context.Context, src source.Source, ask dns.Ask, seen dns.Observations) (*index.View, error) {
	return collect.View(ctx, src, func(v *index.View) ([]source.Query, []source.LogQuery) {
		return dns.Needs(v, ask, seen), nil
	})
}

func (o *options) judge(v *index.View, seen dns.Observations, session *cli.Session, asked int) (*report.Report, error) {
	r, err := dns.Explain(v, o.ask, dns.Options{Learn: o.Learn, Seen: seen})
	if err != nil {
		return nil, err
	}
	r.Budget = session.Budget()
	r.Budget.Requests += asked
	return r, nil
}

// write renders a report in the chosen format.
func (o *options) write(w io.Writer, r *report.Report, style term.Style) error {
	switch o.output {
	case "json":
		return doc.JSON(w, r, style)
	case "yaml":
		return doc.YAML(w, r, style)
	case "html":
		return html.Trace(w, r, style)
	case "mermaid":
		return trace.Mermaid(w, r, style)
	}
	return trace.Options{Wide: o.output == "wide", Learn: o.Learn}.Render(w, r, style)
}
