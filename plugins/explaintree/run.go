package explaintree

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/collect"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/render/doc"
	"github.com/leadsman-dev/leadsman/pkg/render/dot"
	"github.com/leadsman-dev/leadsman/pkg/render/html"
	"github.com/leadsman-dev/leadsman/pkg/render/mermaid"
	rendertree "github.com/leadsman-dev/leadsman/pkg/render/tree"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
	"github.com/leadsman-dev/leadsman/pkg/tree"
)

func run(ctx context.Context, env *cli.Env, o options) error {
	switch {
	case o.Explain != "":
		return env.Explain(tree.Docs(), o.Explain, o.Color)
	case o.PrintRBAC:
		return printRBAC(env)
	}
	table, choice, err := o.table(env)
	if err != nil {
		return err
	}
	session, err := env.Open(ctx, &o.Shared)
	if err != nil {
		return err
	}
	roots, err := o.roots(ctx, env, session)
	if err != nil {
		return err
	}
	request := collect.Request{Roots: roots, Table: table, Choice: choice, Extra: tree.Needs}
	if o.watch {
		return o.follow(ctx, env, session, request)
	}
	facts, err := collect.Collect(ctx, session, request)
	if err != nil {
		return errors.Join(explainRoot(ctx, session, err), tree.Refused(o.written))
	}
	r := o.explain(facts, session)
	if err := errors.Join(o.write(env.Streams.Out, r, env.Streams.Style(o.Color)), session.Close()); err != nil {
		return err
	}
	return o.FailOn.Judge(r)
}

// explain judges the facts and shapes the picture as the flags say.
func (o *options) explain(facts collect.Facts, session *cli.Session) *report.Report {
	r := tree.Explain(facts.Graph, facts.Roots, tree.Options{Learn: o.Learn, Written: o.written})
	r.Tree = report.Depth(r.Tree, o.depth)
	if o.onlyProblems {
		r.Tree = report.OnlyProblems(r.Tree)
	}
	r.Budget = session.Budget()
	return r
}

// write renders a report in the chosen format. Documents hold every row; only
// the picture for people is folded.
func (o *options) write(w io.Writer, r *report.Report, style term.Style) error {
	switch o.output {
	case "json":
		return doc.JSON(w, r, style)
	case "yaml":
		return doc.YAML(w, r, style)
	case "name":
		return doc.Names(w, r, style)
	case "dot":
		return dot.Render(w, r, style)
	case "mermaid":
		return mermaid.Render(w, r, style)
	case "html":
		return html.Tree(w, r, style)
	}
	folded := *r
	folded.Tree = report.Fold(r.Tree, o.unfold)
	return rendertree.Options{Wide: o.output == "wide", NoHeaders: o.noHeaders, All: o.unfold}.Render(w, &folded, style)
}

// table is the table of relations with the user's own, and the choice among them.
func (o *options) table(env *cli.Env) (*relation.Table, relation.Choice, error) {
	docs, err := cli.ReadFiles(o.relationFile)
	if err != nil {
		return nil, relation.Choice{}, err
	}
	own, err := env.UserFile("relations.yaml")
	if err != nil {
		return nil, relation.Choice{}, err
	}
	if own != nil {
		docs = append([][]byte{own}, docs...)
	}
	table, err := relation.NewTable(docs...)
	if err != nil {
		return nil, relation.Choice{}, fmt.Errorf("relations of your own: %w", err)
	}
	choice, err := table.Choose(o.relations)
	return table, choice, err
}
