package collect

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Needs are the reads that a judgement still wants, given what is known. It is
// asked again after each round, first of all with an empty view.
type Needs func(*index.View) ([]source.Query, []source.LogQuery)

// View reads what needs asks for until nothing new is wanted, and returns what
// is then known.
func View(ctx context.Context, src source.Source, needs Needs) (*index.View, error) {
	return NewReader(src, needs).View(ctx)
}

// Reader collects for a judgement, and can read again what it doubts.
type Reader struct {
	c     *collector
	needs Needs
	kinds bool // discovery was asked
}

// NewReader has read nothing yet.
func NewReader(src source.Source, needs Needs) *Reader {
	return &Reader{c: &collector{src: src, store: source.NewStore(src.Now()), logs: map[source.LogQuery]bool{}}, needs: needs}
}

// View reads what is wanted and not known yet. The queries of one round are
// read in parallel; discovery is under way beside the first.
func (r *Reader) View(ctx context.Context) (*index.View, error) {
	group, gctx := errgroup.WithContext(ctx)
	if !r.kinds {
		r.kinds = true
		group.Go(func() error {
			kinds, gaps := r.c.src.Kinds(gctx)
			r.c.store.SetKinds(kinds, gaps)
			return nil
		})
	}
	group.Go(func() error {
		_, err := r.c.round(gctx, r.needs)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for range rounds {
		view, err := r.c.round(ctx, r.needs)
		if err != nil || view != nil {
			return view, err
		}
	}
	return index.New(r.c.store.Contents()), nil
}

// Again reads these anew, whatever is known, as of now.
func (r *Reader) Again(ctx context.Context, queries []source.Query) error {
	for _, q := range queries {
		r.c.store.Forget(q)
	}
	r.c.store.SetNow(r.c.src.Now())
	return r.c.readAll(ctx, queries, nil)
}

// round reads what is wanted now. Where nothing is, it returns what is known.
func (c *collector) round(ctx context.Context, needs Needs) (*index.View, error) {
	view := index.New(c.store.Contents())
	queries, logs := needs(view)
	queries, logs = c.fresh(queries), c.freshLogs(logs)
	if len(queries)+len(logs) == 0 {
		return view, nil
	}
	return nil, c.readAll(ctx, queries, logs)
}
