// Package collect brings in the facts for an answer: it reads what the plan
// wants, plans again with what it learnt, and stops when nothing new is wanted.
package collect

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// rounds bounds the planning: chains of references are short, and a plan that
// still wants more after this many round trips is not getting closer.
const rounds = 12

// atOnce bounds the reads under way, like the live source itself.
const atOnce = 16

// Request says what is asked.
type Request struct {
	Roots  []source.Query // named or selected objects
	Table  *relation.Table
	Choice relation.Choice
	// Extra are the reads that a judgement needs beside the relations', and the
	// logs that it quotes. It is asked again with all that was read so far.
	Extra func(g *relation.Graph, roots []object.Ref) ([]source.Query, []source.LogQuery)
}

// Facts are what was read.
type Facts struct {
	Graph *relation.Graph
	Roots []object.Ref
	Store *source.Store // what the graph was built from
}

// Collect reads the facts. A root that does not exist, or that cannot be seen,
// is an error of type *RootError; every other gap is part of the Facts.
func Collect(ctx context.Context, src source.Source, req Request) (Facts, error) {
	c := &collector{src: src, req: req, store: source.NewStore(src.Now()), logs: map[source.LogQuery]bool{}}
	if err := c.start(ctx); err != nil {
		return Facts{}, err
	}
	roots, err := c.roots(ctx)
	if err != nil {
		return Facts{}, err
	}
	return c.follow(ctx, roots)
}

type collector struct {
	src   source.Source
	req   Request
	store *source.Store
	logs  map[source.LogQuery]bool
}

// start reads the roots while discovery is under way.
func (c *collector) start(ctx context.Context) error {
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		kinds, gaps := c.src.Kinds(gctx)
		c.store.SetKinds(kinds, gaps)
		return nil
	})
	for _, q := range c.req.Roots {
		group.Go(func() error { return c.read(gctx, q) })
	}
	return group.Wait()
}

func (c *collector) read(ctx context.Context, q source.Query) error {
	result, err := c.src.Read(ctx, q)
	if err != nil {
		return err
	}
	c.store.Answer(q, result)
	return nil
}

// RootError says that an object that was asked about is not there, or cannot
// be seen.
type RootError struct {
	Query source.Query
	Gap   *source.Gap // nil: it does not exist
}

func (e *RootError) Error() string {
	what := fmt.Sprintf("%s %q", e.Query.Kind.Kind, e.Query.Name)
	if e.Query.Name == "" {
		what = fmt.Sprintf("%s with labels %q", e.Query.Kind.Kind, e.Query.Labels)
	}
	if e.Query.Namespace != "" {
		what += fmt.Sprintf(" in namespace %q", e.Query.Namespace)
	}
	if e.Gap == nil {
		return what + " does not exist"
	}
	return fmt.Sprintf("%s cannot be seen: %s", what, e.Gap.Why())
}

func (c *collector) roots(ctx context.Context) ([]object.Ref, error) {
	view := index.New(c.store.Contents())
	var roots []object.Ref
	seen := map[object.Ref]bool{}
	for _, q := range c.req.Roots {
		answer, err := c.store.Read(ctx, q)
		if err != nil {
			return nil, err
		}
		if len(answer.Objects) == 0 {
			return nil, &RootError{Query: q, Gap: answer.Gap}
		}
		for _, o := range answer.Objects {
			key := object.Ref{Group: q.Kind.Group, Kind: q.Kind.Kind, Namespace: o.GetNamespace(), Name: o.GetName()}
			if it, ok := view.Get(key); ok && !seen[key] {
				seen[key] = true
				roots = append(roots, it.Ref)
			}
		}
	}
	return roots, nil
}

func (c *collector) follow(ctx context.Context, roots []object.Ref) (Facts, error) {
	choice := c.req.Choice
	choice.Asked = map[object.Ref]bool{}
	for _, r := range roots {
		choice.Asked[r.Key()] = true
	}
	said := relation.Said{}
	for range rounds {
		graph := relation.Build(index.New(c.store.Contents()), c.req.Table, choice, said)
		queries := c.fresh(relation.Plan(graph, choice, roots))
		var logs []source.LogQuery
		if len(queries) == 0 && c.req.Extra != nil {
			extra, wanted := c.req.Extra(graph, roots)
			queries, logs = c.fresh(extra), c.freshLogs(wanted)
		}
		if len(queries)+len(logs) == 0 {
			return Facts{Graph: graph, Roots: roots, Store: c.store}, nil
		}
		if err := c.readAll(ctx, queries, logs); err != nil {
			return Facts{}, err
		}
	}
	graph := relation.Build(index.New(c.store.Contents()), c.req.Table, choice, said)
	return Facts{Graph: graph, Roots: roots, Store: c.store}, nil
}

// fresh are the queries that were not answered yet, each worth its request.
func (c *collector) fresh(queries []source.Query) []source.Query {
	var out []source.Query
	for _, q := range queries {
		if !c.store.Covers(q) {
			out = append(out, q)
		}
	}
	return widened(out)
}

func (c *collector) freshLogs(queries []source.LogQuery) []source.LogQuery {
	var out []source.LogQuery
	for _, q := range queries {
		if !c.logs[q] {
			c.logs[q] = true
			out = append(out, q)
		}
	}
	return out
}

func (c *collector) readAll(ctx context.Context, queries []source.Query, logs []source.LogQuery) error {
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, q := range queries {
		group.Go(func() error { return c.read(gctx, q) })
	}
	for _, q := range logs {
		group.Go(func() error {
			text, gap := c.src.Log(gctx, q)
			c.store.PutLog(source.LogText{Query: q, Text: text, Gap: gap})
			return nil
		})
	}
	return group.Wait()
}
