package trace

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/render/table"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// deviates says whether a replica is not like the others, or not as expected.
func deviates(g *report.Grid) bool {
	return slices.ContainsFunc(g.Rows, deviant)
}

func deviant(r report.GridRow) bool {
	return r.Stale || r.Error != "" || r.Ready == report.HopBroken || slices.ContainsFunc(r.Cells, func(c report.Cell) bool { return c.Deviant })
}

// mostRows is as many replicas as a person compares by eye.
const mostRows = 12

// grid is a row for each replica and a column for each question. Only what
// deviates is coloured, and only such columns are shown unless all are asked for.
func (o Options) grid(p prose.Writer, t *report.Trace) error {
	g := t.Grid
	columns := o.columnsShown(g)
	out := table.Table{Gap: 2, Columns: []table.Column{
		{Title: "REPLICA", Yield: 1, Min: 12, Middle: true}, {Title: "NODE", Yield: 2, Min: 6}, {Title: "READY"}, {Title: "VERSION"}, {Title: "COREFILE"},
	}}
	for _, c := range columns {
		out.Columns = append(out.Columns, table.Column{Title: columnTitle(t.Ladder, g.Columns[c]), Yield: 3, Min: 8})
	}
	if len(columns) > 0 {
		out.Rows = append(out.Rows, expectedRow(g, columns))
	}
	shown, left := o.rowsShown(g.Rows)
	for _, r := range shown {
		out.Rows = append(out.Rows, table.Row{Cells: cells(r, columns, p.Style)})
		if r.Error != "" {
			out.Rows = append(out.Rows, table.Row{Line: &table.Cell{Text: "  " + r.Error, Tone: term.Warn}})
		}
	}
	if left > 0 {
		out.Rows = append(out.Rows, table.Row{Line: &table.Cell{Text: fmt.Sprintf("%s %d more replicas: -o wide", p.Style.Ellipsis(), left), Tone: term.Dim}})
	}
	return out.Write(p.Out, p.Style)
}

func (o Options) columnsShown(g *report.Grid) []int {
	var columns []int
	for i := range g.Columns {
		bad := slices.ContainsFunc(g.Rows, func(r report.GridRow) bool { return i < len(r.Cells) && r.Cells[i].Deviant })
		if o.Wide || bad {
			columns = append(columns, i)
		}
	}
	return columns
}

// rowsShown leaves out replicas that are like the others where there are many.
func (o Options) rowsShown(rows []report.GridRow) ([]report.GridRow, int) {
	if o.Wide || len(rows) <= mostRows {
		return rows, 0
	}
	var shown []report.GridRow
	for _, pass := range []bool{true, false} {
		for _, r := range rows {
			if deviant(r) == pass && len(shown) < mostRows {
				shown = append(shown, r)
			}
		}
	}
	return shown, len(rows) - len(shown)
}

// columnTitle is "1 A" for a question of the first rung.
func columnTitle(rungs []report.Rung, c report.GridColumn) string {
	for _, r := range rungs {
		if strings.EqualFold(r.Name, c.Name) {
			return fmt.Sprintf("%d %s", r.N, c.Type)
		}
	}
	return c.Type + " " + c.Name
}

func expectedRow(g *report.Grid, columns []int) table.Row {
	row := []table.Cell{{Text: "expected", Tone: term.Dim}, {}, {}, {}, {}}
	for _, c := range columns {
		text := g.Columns[c].Expected
		if text == "" {
			text = "?"
		}
		row = append(row, table.Cell{Text: text, Tone: term.Dim})
	}
	return table.Row{Cells: row}
}

func cells(r report.GridRow, columns []int, style term.Style) []table.Cell {
	ready := map[report.HopState]table.Cell{
		report.HopOK: {Text: "yes"}, report.HopBroken: {Text: "no", Tone: term.Bad}, report.HopUnknown: {Text: "?", Tone: term.Warn},
	}[r.Ready]
	config := table.Cell{Text: r.ConfigHash}
	if r.Stale {
		config = table.Cell{Text: strings.TrimSpace(r.ConfigHash + " old"), Tone: term.Bad}
	}
	row := []table.Cell{{Text: r.Replica.Name}, {Text: r.Node}, ready, {Text: r.Version}, config}
	for _, c := range columns {
		cell := table.Cell{Text: "?", Tone: term.Dim}
		if c < len(r.Cells) {
			cell = table.Cell{Text: r.Cells[c].Text}
			if r.Cells[c].Deviant {
				cell = table.Cell{Text: style.Sign("✗ ", "x ") + r.Cells[c].Text, Tone: term.Bad}
			}
		}
		row = append(row, cell)
	}
	return row
}

// corefile is the part of the Corefile that answers, an arrow at its line.
func corefile(p prose.Writer, e *report.Excerpt) {
	p.Out.WriteString(p.Style.Paint(term.Dim, p.Style.Text(e.Object.Long()+" "+e.Key)))
	p.Blank()
	digits := 1
	for _, l := range e.Lines {
		digits = max(digits, len(fmt.Sprint(l.N)))
	}
	last := 0
	for _, l := range e.Lines {
		if last > 0 && l.N > last+1 {
			p.Out.WriteString(p.Style.Paint(term.Dim, "   "+strings.Repeat(" ", digits)+p.Style.Ellipsis()))
			p.Blank()
		}
		last = l.N
		arrow, tone := "   ", term.Plain
		if l.Arrow {
			arrow, tone = p.Style.Sign(" → ", "-> "), term.Bold
		}
		number := fmt.Sprintf("%s%*d  ", arrow, digits, l.N)
		text := p.Style.Text(strings.ReplaceAll(l.Text, "\t", "    "))
		if p.Style.Width > 0 {
			text = p.Style.Cut(text, max(10, p.Style.Width-term.Width(number)))
		}
		p.Out.WriteString(p.Style.Paint(term.Dim, number) + p.Style.Paint(tone, text))
		p.Blank()
	}
}
