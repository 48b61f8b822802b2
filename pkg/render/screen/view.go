package screen

import (
	"bytes"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/render/rollout"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// View is the page, and the last rows of the screen below it.
func (m *model) View() tea.View {
	m.style.Width = m.width
	foot := m.foot()
	room := max(1, m.height-len(foot))
	rows := m.fit(m.page(room), room)
	for len(rows) < room {
		rows = append(rows, "")
	}
	v := tea.NewView(strings.Join(append(rows, foot...), "\n"))
	v.AltScreen = true
	return v
}

// page is what is looked at: help, a plan, a list or one rollout.
func (m *model) page(room int) []string {
	switch {
	case m.help:
		return m.helpRows()
	case m.plan != nil:
		return m.planRows()
	case m.report == nil:
		return []string{m.style.Paint(term.Dim, m.style.Fit("Looking"+m.style.Ellipsis()))}
	}
	o, r := m.opts, m.report
	switch {
	case m.several():
		o.Height, o.Selected = room, m.selected
	case len(r.Rollouts) > 1:
		r = only(r, m.selected)
	}
	var b bytes.Buffer
	if err := o.Render(&b, r, m.style); err != nil {
		return []string{m.style.Fit(m.style.Text("cannot be drawn: " + err.Error()))}
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

// only is the report about one of several rollouts.
func only(r *report.Report, target object.Ref) *report.Report {
	one := *r
	for _, ro := range r.Rollouts {
		if ro.Object.Key() == target.Key() {
			one.Rollouts, one.Findings = []*report.Rollout{ro}, rollout.About(r, ro)
			one.Verdict, one.Summary = ro.Verdict, ro.Summary
		}
	}
	return &one
}

// fit shows the part of the page that is scrolled to.
func (m *model) fit(rows []string, room int) []string {
	if len(rows) <= room {
		m.scroll = 0
		return rows
	}
	m.scroll = min(m.scroll, len(rows)-room+1)
	rows = rows[m.scroll:]
	if len(rows) <= room {
		return rows
	}
	shown := room - 1
	note := fmt.Sprintf("%s %d more rows", m.style.Ellipsis(), len(rows)-shown)
	if m.keys {
		note += ": " + m.style.Sign("↓", "j")
	}
	return append(rows[:shown:shown], m.style.Paint(term.Dim, m.style.Fit(note)))
}

// mostSaid rows are left to an answer.
const mostSaid = 6

// foot is what a key led to, and the keys.
func (m *model) foot() []string {
	var rows []string
	switch {
	case m.plan != nil:
		rows = append(rows, m.style.Paint(term.Bold, m.style.Fit(m.style.Text("Roll back "+m.selected.String()+" like this? y/N"))))
	case m.busy != "":
		rows = append(rows, m.style.Paint(term.Busy, m.style.Fit(m.style.Text(m.busy+" …"))))
	case m.said != "":
		for _, row := range term.Wrap(m.style.Text(m.said), max(10, m.width)) {
			rows = append(rows, m.style.Paint(m.tone, m.style.Fit(row)))
		}
		rows = rows[:min(len(rows), mostSaid)]
	}
	if m.keys && m.plan == nil {
		rows = append(rows, m.keyRow())
	}
	return rows[:min(len(rows), max(0, m.height-1))]
}

type hint struct {
	key, what string
	on        bool
}

func (m *model) hints() []hint {
	logs := []hint{{"l", "logs", m.opts.Logs}, {"e", "events", m.opts.Events}, {"d", "diff", m.opts.Diff}}
	acts := []hint{{"p", "pause", false}, {"r", "roll back", false}}
	leave := []hint{{"q", "leave", false}, {"?", "help", m.help}}
	switch {
	case m.several():
		choose := []hint{{m.style.Sign("↑↓", "j k"), "choose", false}, {"Enter", "open", false}}
		return append(append(choose, leave...), append(acts, logs...)...)
	case m.single:
		leave = append(leave, hint{"Esc", "all", false})
	}
	return append(append(logs, acts...), leave...)
}

// keyRow is as many hints as fit, the way out first; help has them all.
func (m *model) keyRow() string {
	all := m.hints()
	shown, used := make([]bool, len(all)), 0
	for _, wayOut := range []bool{true, false} {
		for i, h := range all {
			size := term.Width(h.key+" "+h.what) + 2
			if (h.key == "q" || h.key == "?") == wayOut && used+size-2 <= m.width {
				shown[i] = true
				used += size
			}
		}
	}
	var row []string
	for i, h := range all {
		switch {
		case !shown[i]:
		case h.on: // a sign besides the tone
			row = append(row, m.style.Paint(term.Bold, strings.ToUpper(h.key)+" "+h.what))
		default:
			row = append(row, m.style.Paint(term.Dim, h.key+" "+h.what))
		}
	}
	return strings.Join(row, "  ")
}

func (m *model) helpRows() []string {
	keys := [][2]string{
		{"l", "the logs of failing containers"},
		{"e", "the events, folded"},
		{"d", "what going back would change"},
		{"p", "pause the roll, or let it go on"},
		{"r", "roll back: shows what would change, and asks"},
		{"up down", "choose among several, or scroll (also j k)"},
		{"Enter", "open the chosen one; Esc shows all again"},
		{"q", "leave; nothing is stopped"},
		{"Ctrl-C", "interrupt; nothing is stopped either"},
		{"?", "back to the picture"},
	}
	rows := []string{m.style.Paint(term.Bold, "Keys")}
	for _, k := range keys {
		for i, text := range term.Wrap(k[1], max(10, m.width-11)) {
			name := k[0]
			if i > 0 {
				name = ""
			}
			rows = append(rows, "  "+m.style.Paint(term.Bold, fmt.Sprintf("%-9s", name))+text)
		}
	}
	marks := []string{
		m.style.Sign("█ ", "# ") + "available  " + m.style.Sign("░ ", ". ") + "not yet",
		"of a Service over time: ! below the floor, ? not observed",
	}
	rows = append(rows, "", m.style.Paint(term.Bold, "Signs"))
	for _, text := range marks {
		for _, row := range term.Wrap(text, max(10, m.width-2)) {
			rows = append(rows, "  "+row)
		}
	}
	return rows
}

func (m *model) planRows() []string {
	rows := []string{m.style.Paint(term.Bold, m.style.Fit(m.style.Text("The way back of "+m.selected.String()))), ""}
	for _, line := range m.plan.Lines {
		tone := rollout.DiffTone(line)
		for i, row := range term.Wrap(m.style.Text(line), max(10, m.width-4)) {
			if i > 0 {
				row = "  " + row
			}
			rows = append(rows, "  "+m.style.Paint(tone, m.style.Cut(row, max(1, m.width-2))))
		}
	}
	return rows
}
