package trace

import (
	"fmt"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/render/table"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// ladder is a line for each name that the resolver may send. The one that ends
// the lookup is lit; names that are not asked are grey. Where the screen is
// narrow, who answers stands below the answer.
func ladder(p prose.Writer, t *report.Trace) error {
	if len(t.Ladder) == 0 {
		return nil
	}
	wide := ladderTable(t.Ladder, false, p.Style)
	if !fits(wide, p.Style.Width) {
		wide = ladderTable(t.Ladder, true, p.Style)
	}
	return wide.Write(p.Out, p.Style)
}

func ladderTable(rungs []report.Rung, narrow bool, style term.Style) table.Table {
	t := table.Table{NoHeaders: true, Gap: ladderGap, Columns: make([]table.Column, 5)}
	t.Columns[2].Yield, t.Columns[2].Min = 2, 12
	t.Columns[1].Yield, t.Columns[1].Min, t.Columns[1].Middle = 1, 30, true
	for _, r := range rungs {
		sign, tone := rungSign(r, style)
		details := detailsOf(r)
		cells := []table.Cell{{Lead: " ", Text: fmt.Sprintf("%s%d", sign, r.N), Tone: tone}, {Text: r.Name, Tone: nameTone(r)}, {Text: answers(r), Tone: answerTone(r)}}
		if !narrow {
			cells = append(cells, table.Cell{Text: details, Tone: term.Plain}, table.Cell{Text: r.Agreement, Tone: term.Dim})
		}
		t.Rows = append(t.Rows, table.Row{Cells: cells})
		if narrow {
			for _, text := range []string{details, r.Agreement} {
				t.Rows = below(t.Rows, text, term.Plain)
			}
		}
		if r.State != report.RungSkipped {
			t.Rows = below(t.Rows, r.Why, term.Dim)
		}
		for _, a := range r.Answers {
			if a.Expected != "" {
				t.Rows = below(t.Rows, a.Type+": "+a.Expected, term.Bad)
			}
		}
	}
	return t
}

const ladderGap = 3

// below adds a line under a rung's name.
func below(rows []table.Row, text string, tone term.Tone) []table.Row {
	if text == "" {
		return rows
	}
	return append(rows, table.Row{Line: &table.Cell{Text: "       " + text, Tone: tone}})
}

// fits says whether no line need be cut.
func fits(t table.Table, width int) bool {
	if width <= 0 {
		return true
	}
	widths := make([]int, len(t.Columns))
	for _, r := range t.Rows {
		for i, c := range r.Cells {
			widths[i] = max(widths[i], term.Width(c.Lead)+term.Width(term.Escape(c.Text)))
		}
	}
	sum := 0
	for _, w := range widths {
		if w > 0 {
			sum += w + ladderGap
		}
	}
	return sum-ladderGap <= width
}

func rungSign(r report.Rung, style term.Style) (string, term.Tone) {
	switch r.State {
	case report.RungStops:
		if answered(r) {
			return style.Sign("✓ ", "+ "), term.Good
		}
		return style.Sign("✗ ", "x "), term.Bad
	case report.RungPassed:
		return style.Sign("↓ ", "v "), term.Dim
	case report.RungUnknown:
		return "? ", term.Warn
	}
	return "  ", term.Dim
}

func answered(r report.Rung) bool {
	for _, a := range r.Answers {
		if len(a.Records) > 0 {
			return true
		}
	}
	return false
}

func nameTone(r report.Rung) term.Tone {
	switch r.State {
	case report.RungStops:
		return term.Bold
	case report.RungSkipped:
		return term.Dim
	}
	return term.Plain
}

func answerTone(r report.Rung) term.Tone {
	switch {
	case r.State == report.RungSkipped, r.State == report.RungPassed:
		return term.Dim
	case r.State == report.RungStops && answered(r):
		return term.Good
	case r.State == report.RungStops:
		return term.Bad
	}
	return term.Plain
}

// mostShown is as many records of one answer as a person reads.
const mostShown = 3

// answers is "A 10.97.34.93   AAAA –", or one word where all types have it.
func answers(r report.Rung) string {
	if r.State == report.RungSkipped {
		return string(report.RungSkipped)
	}
	var parts []string
	same := len(r.Answers) > 0
	for _, a := range r.Answers {
		same = same && len(a.Records) == 0 && a.Rcode == r.Answers[0].Rcode && a.Rcode != ""
		parts = append(parts, a.Type+" "+answer(a))
	}
	if same && len(r.Answers) == len(r.Types) {
		return r.Answers[0].Rcode
	}
	if len(parts) == 0 {
		return strings.Join(r.Types, " ") + " ?"
	}
	return strings.Join(parts, "   ")
}

func answer(a report.RungAnswer) string {
	switch {
	case len(a.Records) > mostShown:
		return fmt.Sprintf("%s and %d more", strings.Join(a.Records[:mostShown], " "), len(a.Records)-mostShown)
	case len(a.Records) > 0:
		return strings.Join(a.Records, " ")
	case a.Rcode == "NODATA" || a.Rcode == "NOERROR":
		return "–"
	case a.Rcode == "":
		return "?"
	}
	return a.Rcode
}

// detailsOf is "kubernetes (Corefile:6)   Service/redis spec.clusterIP".
func detailsOf(r report.Rung) string {
	if r.State == report.RungSkipped {
		return ""
	}
	var parts []string
	switch {
	case r.By != "" && r.Line > 0:
		parts = append(parts, fmt.Sprintf("%s (Corefile:%d)", r.By, r.Line))
	case r.By != "":
		parts = append(parts, r.By)
	}
	if r.Object != nil {
		parts = append(parts, r.Object.String())
	}
	return strings.Join(parts, "   ")
}

// resolvers puts the ladders of several resolvers side by side: a row a name,
// a column a resolver, in each cell the place of the name in its order.
func resolvers(p prose.Writer, all []report.Resolver) error {
	t := table.Table{Gap: 2, Columns: []table.Column{{Title: "NAME", Yield: 1, Min: 20, Middle: true}}}
	for _, r := range all {
		t.Columns = append(t.Columns, table.Column{Title: strings.ToUpper(r.Libc)})
	}
	for _, name := range namesOf(all) {
		row := []table.Cell{{Text: name}}
		for _, r := range all {
			row = append(row, place(r.Ladder, name, p.Style))
		}
		t.Rows = append(t.Rows, table.Row{Cells: row})
	}
	if err := t.Write(p.Out, p.Style); err != nil {
		return err
	}
	for _, r := range all {
		text := fmt.Sprintf("%s · %d queries", r.Outcome, r.Queries)
		if r.Queries == 1 {
			text = r.Outcome + " · 1 query"
		}
		line(p, p.Style.Text(r.Libc), text, "")
	}
	return nil
}

func namesOf(all []report.Resolver) []string {
	var names []string
	seen := map[string]bool{}
	for _, r := range all {
		for _, rung := range r.Ladder {
			if !seen[rung.Name] {
				seen[rung.Name] = true
				names = append(names, rung.Name)
			}
		}
	}
	return names
}

func place(rungs []report.Rung, name string, style term.Style) table.Cell {
	for _, r := range rungs {
		if r.Name == name {
			if r.State == report.RungSkipped {
				return table.Cell{Text: "(" + fmt.Sprint(r.N) + ")", Tone: term.Dim}
			}
			sign, tone := rungSign(r, style)
			return table.Cell{Text: sign + fmt.Sprint(r.N), Tone: tone}
		}
	}
	return table.Cell{Text: "-", Tone: term.Dim}
}
