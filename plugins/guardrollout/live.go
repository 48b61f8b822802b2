package guardrollout

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/collect"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/source/snapshot"
)

// runLive watches a cluster.
func (o *options) runLive(ctx context.Context, env *cli.Env, session *cli.Session) error {
	// A watch lives long beside other programs: memory matters more than speed.
	defer debug.SetGCPercent(debug.SetGCPercent(80))
	opening, err := o.opening(env)
	if err != nil {
		return err
	}
	g := &guard{o: o, env: env, session: session, watch: rollout.New(env.Now(), o.targets, o.judgement(env))}
	if o.record != "" {
		if g.journal, err = snapshot.CreateJournal(o.record, env.Streams.Out); err != nil {
			return err
		}
	}
	g.cache = collect.NewCache(session.Watcher, g.happened)
	g.hand = newHand(g)
	g.cache.Tell(opening)
	ctx, stop := context.WithCancelCause(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { g.preflight(ctx) })
	beside.Go(func() {
		if err := g.probe(ctx); err != nil {
			stop(err)
		}
	})
	r, err := g.show(ctx)
	g.cache.Tell(source.Note{About: aboutEnd, Document: []byte("{}")}) // so that a recording is as long as the watch was
	stop(nil)
	beside.Wait()
	g.cache.Close()
	if err != nil {
		return errors.Join(err, g.keep())
	}
	return errors.Join(o.exit(r), g.keep())
}

// show watches to the end, and once more where somebody agreed to go back.
func (g *guard) show(ctx context.Context) (*report.Report, error) {
	for {
		r, err := g.o.show(ctx, g.env, g.hand.actions(), g.run)
		if err != nil {
			return r, err
		}
		again, err := g.hand.ask(ctx, r)
		if err != nil || !again {
			return r, err
		}
	}
}

// keep closes the recording and writes the snapshot that was asked for. The
// watches have ended, so that nobody writes broken any more.
func (g *guard) keep() error {
	err := g.broken
	if g.journal != nil {
		err = errors.Join(err, g.journal.Close())
	}
	if g.o.SaveSnapshot != "" {
		err = errors.Join(err, snapshot.Save(g.o.SaveSnapshot, g.cache.Contents()))
	}
	return err
}

// preflight says, beside the watch and once, what stands against rolling. That
// it cannot be told does not stop the watch.
func (g *guard) preflight(ctx context.Context) {
	r, err := g.o.before(ctx, g.session.Watcher, rollout.Proposals{})
	if err != nil {
		return
	}
	for _, rollouts := range r.Rollouts {
		var found = r.Findings[:0:0]
		for _, f := range r.Findings {
			if f.Object.Key() == rollouts.Object.Key() {
				found = append(found, f)
			}
		}
		g.cache.Tell(rollout.Before(rollouts.Object, found))
	}
}
