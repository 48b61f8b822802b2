package collect

import (
	"context"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Needs are the reads that a judgement still wants, given what is known. It is
// asked again after each round, first of all with an empty view.
type Needs func(*index.View) ([]source.Query, []source.LogQuery)

// View reads what needs asks for until nothing new is wanted, and returns what
// is then known. The queries of one round are read in parallel.
func View(ctx context.Context, src source.Source, needs Needs) (*index.View, error) {
	c := &collector{src: src, store: source.NewStore(src.Now()), logs: map[source.LogQuery]bool{}}
	view := index.New(c.store.Contents())
	for range rounds {
		queries, logs := needs(view)
		queries, logs = c.fresh(queries), c.freshLogs(logs)
		if len(queries)+len(logs) == 0 {
			break
		}
		if err := c.readAll(ctx, queries, logs); err != nil {
			return nil, err
		}
		view = index.New(c.store.Contents())
	}
	return view, nil
}
