package tree

import (
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/render/table"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// rows turns nodes into rows of the table, guides included.
type rows struct {
	style term.Style
	wide  bool
}

func (r rows) forest(roots []*report.Node) []table.Row {
	var all []table.Row
	for i, n := range roots {
		if i > 0 && (len(n.Children) > 0 || len(roots[i-1].Children) > 0) {
			all = append(all, table.Row{Line: &table.Cell{}})
		}
		all = r.node(all, n, "", "")
	}
	return all
}

// node appends the row of n and those below it. lead is the guide of its own
// row, below what continues it on the rows of its children.
func (r rows) node(all []table.Row, n *report.Node, lead, below string) []table.Row {
	all = append(all, table.Row{Cells: r.cells(n, lead)})
	all = r.learn(all, n, below)
	for i, c := range n.Children {
		if i < len(n.Children)-1 {
			all = r.node(all, c, below+r.style.Sign("├─ ", "|- "), below+r.style.Sign("│  ", "|  "))
		} else {
			all = r.node(all, c, below+r.style.Sign("└─ ", "`- "), below+"   ")
		}
	}
	return all
}

func (r rows) cells(n *report.Node, lead string) []table.Cell {
	title := table.Cell{Lead: lead, Text: n.Title}
	switch {
	case n.Change == report.Removed, n.Folded > 0:
		title.Tone = term.Dim
	case n.Asked, n.Change != report.Same:
		title.Tone = term.Bold
	}
	if n.Asked {
		title.Lead += r.style.Sign("▸ ", "> ")
	}
	cells := []table.Cell{title, {Text: n.Ready}, r.status(n), {Text: n.Age}, {Text: r.why(n)}}
	if n.Ready == "" && n.Folded == 0 {
		cells[1].Text = "-"
	}
	if r.wide {
		cells = append(cells, table.Cell{Text: n.Wide, Tone: term.Dim})
	}
	return cells
}

// status puts a sign before the words, never in their place.
func (r rows) status(n *report.Node) table.Cell {
	sign, words, tone := "", "-", term.Plain
	switch n.Health {
	case report.Healthy:
		words, tone = "ok", term.Good
	case report.Failing:
		sign, words, tone = r.style.Sign("✗ ", "x "), "broken", term.Bad
	case report.Warned:
		sign, words, tone = "! ", "warning", term.Warn
	case report.InProgress:
		sign, words, tone = r.style.Sign("… ", "~ "), "in progress", term.Busy
	case report.Unseen:
		sign, words, tone = "? ", "unknown", term.Warn
	}
	switch {
	case n.Status != "":
		words = n.Status
	case n.Folded > 0 && sign == "":
		return table.Cell{} // its title says it
	}
	if n.Change == report.Removed {
		tone = term.Dim
	}
	return table.Cell{Text: sign + words, Tone: tone}
}

// why starts with what must survive when the column is cut.
func (r rows) why(n *report.Node) string {
	var parts []string
	if n.Change != report.Same {
		parts = append(parts, "("+string(n.Change)+")")
	}
	if n.Above {
		above := r.style.Sign("↑ shown above", "(shown above)")
		if n.Why != "" {
			above += ";"
		}
		parts = append(parts, above)
	}
	if n.Guessed {
		parts = append(parts, "(guessed)")
	}
	if n.Why != "" {
		parts = append(parts, n.Why)
	}
	return strings.Join(parts, " ")
}

func (r rows) learn(all []table.Row, n *report.Node, below string) []table.Row {
	if n.Learn == "" {
		return all
	}
	if len(n.Children) > 0 {
		below += r.style.Sign("│  ", "|  ")
	} else {
		below += "   "
	}
	room := 0
	if r.style.Width > 0 {
		room = max(20, r.style.Width-term.Width(below))
	}
	for _, line := range term.Wrap(r.style.Text(n.Learn), room) {
		all = append(all, table.Row{Line: &table.Cell{Lead: below, Text: line, Tone: term.Dim}})
	}
	return all
}
