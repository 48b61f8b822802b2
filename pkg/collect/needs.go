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
// is then known. The queries of one round are read in parallel; discovery is
// under way beside the first.
func View(ctx context.Context, src source.Source, needs Needs) (*index.View, error) {
	c := &collector{src: src, store: source.NewStore(src.Now()), logs: map[source.LogQuery]bool{}}
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		kinds, gaps := src.Kinds(gctx)
		c.store.SetKinds(kinds, gaps)
		return nil
	})
	group.Go(func() error {
		_, err := c.round(gctx, needs)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for range rounds {
		view, err := c.round(ctx, needs)
		if err != nil || view != nil {
			return view, err
		}
	}
	return index.New(c.store.Contents()), nil
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
