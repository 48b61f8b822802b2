// Package tree writes a report for people: the verdict in a sentence, what it
// rests on and what to do, the tree, and what the answer cost.
package tree

import (
	"bufio"
	"io"

	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/render/table"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Options are what -o wide, --no-headers and --all choose.
type Options struct {
	Wide      bool // the column of details
	NoHeaders bool
	All       bool // every finding, every gap
}

// Render writes the report. Nothing is wider than style.Width except commands,
// which stay whole so that they can be copied.
func (o Options) Render(w io.Writer, r *report.Report, style term.Style) error {
	out := bufio.NewWriter(w)
	p := prose.Writer{Out: out, Style: style, All: o.All}
	verdict(p, r)
	if len(r.Tree) > 0 {
		p.Blank()
		if err := o.table(r.Tree, style).Write(out, style); err != nil {
			return err
		}
	}
	p.Budget(r)
	return out.Flush()
}

func (o Options) table(forest []*report.Node, style term.Style) table.Table {
	t := table.Table{
		NoHeaders: o.NoHeaders,
		Gap:       2,
		Columns: []table.Column{
			{Yield: 2, Min: 28, Middle: true},
			{Title: "READY", Yield: 5, Min: 5, Drop: 4},
			{Title: "STATUS", Yield: 4, Min: 12},
			{Title: "AGE", Yield: 6, Min: 4, Drop: 3},
			{Title: "WHY", Yield: 1, Min: 16, Drop: 2},
		},
	}
	if o.Wide {
		t.Columns = append(t.Columns, table.Column{Title: "DETAIL", Yield: 3, Min: 16, Drop: 1})
	}
	t.Rows = rows{style: style, wide: o.Wide}.forest(forest)
	return t
}
