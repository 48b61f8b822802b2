package endpoints

import (
	"fmt"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/render/table"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// mostRows is as many endpoints as a person compares by eye.
const mostRows = 24

// endpointTable holds the slices and the pods side by side. Where there are
// many, those that agree and are ready are the first to be left out. A narrow
// screen loses columns, and has the reasons below the rows.
func (o Options) endpointTable(s *report.Service, style term.Style) table.Table {
	columns := []table.Column{
		{Title: "PORT", Yield: 6, Min: 4},
		{Title: "ENDPOINT"},
		{Title: "POD", Yield: 1, Min: 12, Middle: true},
		{Title: "POD IP", Drop: 2},
		{Title: "READY"},
		{Title: "NODE", Yield: 2, Min: 6, Drop: 1},
		{Title: "ZONE", Yield: 3, Min: 6},
		{Title: "FROM", Yield: 4, Min: 6, Middle: true},
		{Title: "OBSERVED", Yield: 5, Min: 8},
		{Title: "WHY", Yield: 7, Min: 10},
	}
	shown, left := o.choose(s.Endpoints)
	rows := make([][]table.Cell, len(shown))
	for i, e := range shown {
		rows[i] = endpointCells(e, len(s.Ports) > 1, style)
	}
	below := len(columns) - 1
	dropToFit(columns, rows, style.Width, below, below-2, below-3)

	t := table.Table{NoHeaders: o.NoHeaders, Gap: gap, Columns: columns}
	for i, cells := range rows {
		t.Rows = append(t.Rows, table.Row{Cells: cells})
		if text := why(shown[i]); text != "" && cells[below].Text == "" {
			t.Rows = append(t.Rows, whyBelow(text, cells, style)...)
		}
	}
	if left > 0 {
		text := fmt.Sprintf("%s %d more endpoints: -o wide", style.Ellipsis(), left)
		t.Rows = append(t.Rows, table.Row{Line: &table.Cell{Text: text, Tone: term.Dim}})
	}
	return t
}

// gap is that between columns.
const gap = 2

// dropToFit empties columns, in the given order, until the rows fit: a column
// without content is not shown.
func dropToFit(columns []table.Column, rows [][]table.Cell, width int, order ...int) {
	if width <= 0 {
		return
	}
	for _, drop := range order {
		used := -gap
		for i, c := range columns {
			widest := 0
			for _, cells := range rows {
				widest = max(widest, term.Width(term.Escape(cells[i].Text)))
			}
			if widest > 0 {
				used += gap + max(widest, len(c.Title))
			}
		}
		if used <= width {
			return
		}
		for _, cells := range rows {
			cells[drop].Text = ""
		}
	}
}

func whyBelow(text string, cells []table.Cell, style term.Style) []table.Row {
	const lead = "    "
	var rows []table.Row
	for _, line := range term.Wrap(style.Text(text), max(20, style.Width-len(lead))) {
		rows = append(rows, table.Row{Line: &table.Cell{Lead: lead, Text: line, Tone: cells[len(cells)-1].Tone}})
	}
	return rows
}

// choose keeps the order, and prefers what is not well.
func (o Options) choose(all []report.Endpoint) (shown []report.Endpoint, left int) {
	if o.Wide || len(all) <= mostRows {
		return all, 0
	}
	unwell := 0
	for _, e := range all {
		if !fine(e) {
			unwell++
		}
	}
	roomForUnwell := min(unwell, mostRows)
	roomForFine := mostRows - roomForUnwell
	for _, e := range all {
		room := &roomForUnwell
		if fine(e) {
			room = &roomForFine
		}
		if *room > 0 {
			*room--
			shown = append(shown, e)
		}
	}
	return shown, len(all) - len(shown)
}

func fine(e report.Endpoint) bool {
	return (e.State == report.EndpointMatched || e.State == report.EndpointManual) && e.Ready && !e.Terminating
}

func endpointCells(e report.Endpoint, severalPorts bool, style term.Style) []table.Cell {
	tone := term.Plain
	switch {
	case wrong(e.State):
		tone = term.Bad
	case e.State == report.EndpointUnseen:
		tone = term.Warn
	}
	port, pod := "", "-"
	if severalPorts {
		port = e.ServicePort
	}
	if e.Pod != nil {
		pod = e.Pod.Name
	}
	ready := table.Cell{Text: readiness(e)}
	if !e.Ready && e.State != report.EndpointMissing {
		ready.Tone = term.Warn
	}
	return []table.Cell{
		{Text: port}, {Text: address(e, style), Tone: tone}, {Text: pod}, {Text: or(e.PodIP, "-")}, ready,
		{Text: e.Node}, {Text: e.Zone}, {Text: e.Slice, Tone: term.Dim}, {Text: e.Observed}, {Text: why(e), Tone: tone},
	}
}

// wrong says whether slice and pod contradict each other.
func wrong(s report.EndpointState) bool {
	switch s {
	case report.EndpointMissing, report.EndpointStale, report.EndpointForeign, report.EndpointNoPort:
		return true
	}
	return false
}

// address is what the slice has: "10.244.1.3:8080".
func address(e report.Endpoint, style term.Style) string {
	sign := ""
	if wrong(e.State) {
		sign = style.Sign("✗ ", "x ")
	}
	switch {
	case e.Address == "":
		return sign + "-"
	case e.Port == 0 || e.State == report.EndpointNoPort:
		return sign + e.Address
	}
	text := fmt.Sprintf("%s:%d", e.Address, e.Port)
	if strings.Contains(e.Address, ":") {
		text = fmt.Sprintf("[%s]:%d", e.Address, e.Port)
	}
	if e.Protocol != "" && e.Protocol != "TCP" {
		text += "/" + e.Protocol
	}
	return sign + text
}

// readiness puts the three conditions of a slice into a word.
func readiness(e report.Endpoint) string {
	switch {
	case e.State == report.EndpointMissing && !e.Ready:
		return "-"
	case e.Terminating && e.Serving:
		return "draining" // terminating, and still able to serve
	case e.Terminating:
		return "ending"
	case e.Ready:
		return "yes"
	}
	return "no"
}

func why(e report.Endpoint) string {
	words := map[report.EndpointState]string{
		report.EndpointMissing: "in no slice", report.EndpointStale: "stale", report.EndpointForeign: "another app's pod",
		report.EndpointManual: "made by hand", report.EndpointNoPort: "no such port", report.EndpointUnseen: "not seen",
	}[e.State]
	if e.Ready && !e.Serving && words == "" {
		words = "published, not serving"
	}
	switch {
	case words == "":
		return e.Why
	case e.Why == "" || strings.Contains(e.Why, words):
		return or(e.Why, words)
	}
	return words + ": " + e.Why
}

// serviceTable is a line a Service, in the order of the report.
func (o Options) serviceTable(r *report.Report, long bool, style term.Style) table.Table {
	t := table.Table{
		NoHeaders: o.NoHeaders,
		Gap:       2,
		Columns: []table.Column{
			{Title: "NAMESPACE", Yield: 4, Min: 9, Middle: true},
			{Title: "SERVICE", Yield: 3, Min: 14, Middle: true},
			{Title: "STATUS"},
			{Title: "READY"},
			{Title: "PORTS", Yield: 2, Min: 10},
		},
	}
	if o.Wide {
		t.Columns = append(t.Columns,
			table.Column{Title: "TYPE"}, table.Column{Title: "ADDRESS", Yield: 6, Min: 12}, table.Column{Title: "AGE"}, table.Column{Title: "SELECTOR", Yield: 5, Min: 12})
	}
	t.Columns = append(t.Columns, table.Column{Title: "WHY", Yield: 1, Min: 20})
	warned := map[object.Ref]bool{}
	for _, f := range r.Findings {
		warned[f.Object.Key()] = warned[f.Object.Key()] || f.Severity == finding.Warning
	}
	for _, s := range r.Services {
		t.Rows = append(t.Rows, table.Row{Cells: o.serviceCells(s, warned[s.Object.Key()], long, style)})
	}
	return t
}

func (o Options) serviceCells(s *report.Service, warned, long bool, style term.Style) []table.Cell {
	namespace := ""
	if long {
		namespace = s.Object.Namespace
	}
	status := table.Cell{Text: strings.ReplaceAll(prose.VerdictSign(s.Verdict, style), ": ", "") + string(s.Verdict), Tone: prose.VerdictTone(s.Verdict)}
	if !style.Unicode {
		status.Text = string(s.Verdict)
	}
	if s.Verdict == report.OK && warned {
		status = table.Cell{Text: style.Sign("! ", "") + "warning", Tone: term.Warn}
	}
	cells := []table.Cell{{Text: namespace}, {Text: s.Object.Name}, status, {Text: readyCount(s)}, {Text: portsOf(s)}}
	if o.Wide {
		cells = append(cells, table.Cell{Text: s.Type}, table.Cell{Text: strings.Join(s.Addresses, ",")}, table.Cell{Text: s.Age}, table.Cell{Text: s.Selector})
	}
	reason := ""
	if s.Verdict != report.OK || len(s.Codes) > 0 {
		reason = strings.TrimLeft(strings.TrimPrefix(s.Summary, s.Object.String()), ": ")
	}
	return append(cells, table.Cell{Text: reason})
}

// readyCount is that of the port with the fewest.
func readyCount(s *report.Service) string {
	if len(s.Ports) == 0 {
		return "-"
	}
	worst := s.Ports[0]
	for _, p := range s.Ports[1:] {
		if p.Ready < worst.Ready {
			worst = p
		}
	}
	return fmt.Sprintf("%d/%d", worst.Ready, worst.Total)
}

// portsOf is "80→8080,443→https".
func portsOf(s *report.Service) string {
	var parts []string
	for _, p := range s.Ports {
		text := portTitle(p)
		if target := or(p.Resolved, p.TargetPort); target != "" && target != fmt.Sprint(p.Port) {
			text += "→" + target
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ",")
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
