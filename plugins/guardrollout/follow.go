package guardrollout

import (
	"context"
	"sync"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/collect"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/source/snapshot"
)

const (
	settle = 100 * time.Millisecond  // changes come in bursts: one judgement for each burst
	pulse  = time.Second             // clocks move on without any change
	share  = 10                      // about one tenth of one processor is spent on judging
	lag    = 800 * time.Millisecond  // and yet a verdict comes within a second of its evidence,
	crowd  = 1000                    // or, where there are more pods than this,
	calm   = 1500 * time.Millisecond // within two,
	slow   = 3 * time.Second         // or a few: to look at so many is dear
)

// guard watches a cluster until nothing more is to be waited for.
type guard struct {
	o       *options
	env     *cli.Env
	session *cli.Session
	cache   *collect.Cache
	watch   *rollout.Watch
	journal *snapshot.Journal
	hand    *hand

	mu      sync.Mutex
	pending []source.Happening
	broken  error // the recording cannot be written; the watch goes on, and says so in the end

	judging sync.Mutex // the loop and what keys do take turns
	view    *index.View
	last    *report.Report
	began   time.Time // the last judgement, once what it needs was read
}

// happened is told everything, in order, by the cache.
func (g *guard) happened(h source.Happening) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pending = append(g.pending, h)
	if g.journal != nil && g.broken == nil {
		g.broken = g.journal.Write(h)
	}
}

func (g *guard) drain() []source.Happening {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.pending
	g.pending = nil
	return all
}

// run judges after each burst of changes, and hands every report to show.
func (g *guard) run(ctx context.Context, show func(*report.Report, time.Time) error) (*report.Report, error) {
	for {
		r, err := g.judge(ctx)
		if err != nil {
			return g.last, err
		}
		if g.hand.act(ctx, r) {
			continue // what was done is judged at once
		}
		if err := show(r, g.env.Now()); err != nil {
			return r, err
		}
		if g.watch.Final(g.o.keepGoing) {
			return r, nil
		}
		if err := g.wait(ctx, time.Since(g.began)); err != nil {
			return r, err
		}
	}
}

func (g *guard) judge(ctx context.Context) (*report.Report, error) {
	view, err := g.cache.View(ctx, g.watch.Needs)
	switch {
	case err != nil && (ctx.Err() != nil || g.view == nil):
		return nil, err
	case err != nil: // the server is away: what is known is judged, the watches resume by themselves
		g.cache.Tick()
		view = index.New(g.cache.Contents())
	}
	g.began = time.Now()
	happened := g.drain()
	g.judging.Lock()
	defer g.judging.Unlock()
	for _, h := range happened {
		g.watch.Happened(h)
	}
	r := g.watch.Observe(view)
	r.Budget = g.session.Budget()
	g.view, g.last = view, r
	return r, nil
}

// pods is how many pods were judged last.
func (g *guard) pods() int {
	n := 0
	for _, r := range g.last.Rollouts {
		n += len(r.Pods)
	}
	return n
}

// wait ends with the next burst of changes. The dearer a judgement is, the
// longer the next one is put off, so that the watch stays a small load.
func (g *guard) wait(ctx context.Context, cost time.Duration) error {
	least, most := settle, lag
	if g.pods() > crowd {
		least, most = calm, slow
	}
	rest := min(most, max(least, (share-1)*cost))
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(pulse):
		return nil
	case <-g.cache.Changed():
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(rest):
		return nil
	}
}
