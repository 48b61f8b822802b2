package rollout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/render/table"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// As much as a person looks at while it moves.
const (
	mostPods   = 8
	mostLines  = 4 // of a log, unless all are asked for
	mostEvents = 20
)

// details are the pods that are not where they should be, the last words of
// those that fail, and what happened.
func (o Options) details(p prose.Writer, ro *report.Rollout) {
	o.pods(p, ro)
	o.logs(p, ro)
	if o.Events {
		happened(p, ro.Events)
	}
}

func (o Options) pods(p prose.Writer, ro *report.Rollout) {
	var shown []report.RolloutPod
	left := 0
	for _, pod := range ro.Pods {
		told := pod.New && pod.State != report.PodAvailable || pod.State == report.PodFailing
		switch {
		case !told && !o.Wide:
		case len(shown) >= mostPods && !o.Wide:
			left++
		default:
			shown = append(shown, pod)
		}
	}
	if len(shown) == 0 {
		return
	}
	t := table.Table{NoHeaders: true, Gap: 2, Columns: []table.Column{{}, {Yield: 3, Min: 12, Middle: true}, {}, {Yield: 1, Min: 8}, {}, {Yield: 2, Min: 4, Middle: true}}}
	for _, pod := range shown {
		mark, tone := podSign(pod.State, p.Style)
		state := string(pod.State)
		if !pod.New {
			state = "old, " + state
		}
		restarts := ""
		switch {
		case pod.Restarts == 1:
			restarts = "1 restart"
		case pod.Restarts > 1:
			restarts = fmt.Sprintf("%d restarts", pod.Restarts)
		}
		node := pod.Node
		if p.Style.Width > 0 && p.Style.Width < 60 {
			restarts, node = "", ""
		}
		waits := pod.Waiting
		if waits == "" {
			waits = pod.Problem
		}
		t.Rows = append(t.Rows, table.Row{Cells: []table.Cell{{Text: mark, Tone: tone}, {Text: pod.Object.Name}, {Text: state, Tone: tone}, {Text: waits}, {Text: restarts, Tone: term.Dim}, {Text: node, Tone: term.Dim}}})
	}
	if left > 0 {
		t.Rows = append(t.Rows, table.Row{Line: &table.Cell{Text: fmt.Sprintf("%s and %d more", p.Style.Ellipsis(), left), Tone: term.Dim}})
	}
	_ = t.Write(p.Out, p.Style) // p.Out keeps the error for its Flush
}

func podSign(s report.PodState, style term.Style) (string, term.Tone) {
	switch s {
	case report.PodAvailable:
		return style.Sign("✓", "+"), term.Good
	case report.PodFailing:
		return style.Sign("✗", "x"), term.Bad
	case report.PodTerminating, report.PodEnded:
		return "-", term.Dim
	}
	return style.Sign("…", "~"), term.Busy
}

// logs are the ends of failing containers' logs. A bar stands before each line,
// which also keeps a CI system from reading a command at its start.
func (o Options) logs(p prose.Writer, ro *report.Rollout) {
	if ro.Phase == report.PhaseComplete && !o.Logs && !o.Wide {
		return // what once failed does so no more
	}
	for i, tail := range ro.Logs {
		if i > 0 && !o.Logs && !o.Wide {
			p.Paragraph("", term.Plain, fmt.Sprintf("and the logs of %d more", len(ro.Logs)-1), term.Dim)
			return
		}
		title := "log of " + tail.Pod.Name + ", container " + tail.Container
		if tail.Previous {
			title += " (the run before)"
		}
		p.Paragraph("", term.Plain, p.Style.Fit(p.Style.Text(title)), term.Dim)
		text := tail.Lines
		if !o.Logs && !o.Wide && len(text) > mostLines {
			text = text[len(text)-mostLines:]
		}
		for _, row := range text {
			row = p.Style.Text(strings.ReplaceAll(strings.TrimRight(row, "\r\n"), "\t", "    "))
			if p.Style.Width > 0 {
				row = p.Style.Cut(row, max(1, p.Style.Width-4))
			}
			p.Out.WriteString(p.Style.Paint(term.Dim, "  "+p.Style.Sign("│ ", "| ")) + row)
			p.Blank()
		}
	}
	if o.Logs && len(ro.Logs) == 0 {
		p.Paragraph("", term.Plain, "no log was needed so far", term.Dim)
	}
}

func happened(p prose.Writer, events []report.Happened) {
	if len(events) == 0 {
		p.Paragraph("", term.Plain, "no events so far", term.Dim)
		return
	}
	if n := len(events) - mostEvents; n > 0 && !p.All {
		p.Paragraph("", term.Plain, fmt.Sprintf("%s %d earlier events", p.Style.Ellipsis(), n), term.Dim)
		events = events[n:]
	}
	for _, e := range events {
		mark, tone := "  ", term.Dim
		if e.Type != "Normal" {
			mark, tone = "! ", term.Warn
		}
		p.Out.WriteString(p.Style.Paint(tone, mark))
		flow(p, p.Style.Paint(term.Dim, e.At.Format(hourMinuteSecond)), 2+len(hourMinuteSecond), []piece{{text: eventWords(e), gap: 1}}, "")
	}
}

// eventWords is "BackOff Pod/web-1 and 3 more: Back-off … (12 times)".
func eventWords(e report.Happened) string {
	text := e.Reason + " " + e.Object.String()
	if e.Objects > 1 {
		text += fmt.Sprintf(" and %d more", e.Objects-1)
	}
	text += ": " + e.Message
	if e.Times > 1 {
		text += fmt.Sprintf(" (%d times)", e.Times)
	}
	return text
}

// before is the picture of --preflight: what would change, and what speaks
// against it.
func (o Options) before(p prose.Writer, ro *report.Rollout, findings []finding.Finding) {
	o.picture(p, ro)
	o.details(p, ro)
	if len(findings) > 0 {
		p.Blank()
		p.Findings(findings)
	} else if ro.Verdict == report.OK {
		nothingToObject(p)
	}
	if o.Diff {
		wayBack(p, ro)
	}
	o.lessons(p, ro)
}

func nothingToObject(p prose.Writer) {
	p.Paragraph("", term.Plain, "No check has anything to object to.", term.Plain)
}

// wayBack says what can be done about a rollout, or what was done.
func wayBack(p prose.Writer, ro *report.Rollout) {
	b := ro.Back
	const lead = "way back  "
	if b == nil {
		p.Paragraph(lead, term.Bold, "none is known", term.Dim)
		return
	}
	head := lead
	say := func(text string, tone term.Tone) {
		if text == "" {
			return
		}
		p.Paragraph(head, term.Bold, p.Style.Text(text), tone)
		head = strings.Repeat(" ", len(lead))
	}
	gone := b.Done != "" && b.To != nil // the command would do it once more
	if !gone {
		say(b.Done, term.Bold)
	}
	if b.To != nil {
		text := label("to revision", b.To)
		if gone {
			text = b.Done
		}
		if len(b.To.Images) > 0 {
			text += " (" + strings.Join(b.To.Images, ", ") + ")"
		}
		if b.Why != "" {
			text += ": " + b.Why
		}
		say(text, term.Plain)
	} else {
		say(b.Why, term.Plain)
	}
	if b.Refused != "" && ro.Phase == report.PhaseLost {
		say("tried, and did not succeed: "+b.Refused, term.Warn)
	} else if b.Refused != "" {
		say("not by this program: "+b.Refused, term.Warn)
	}
	for _, row := range diffRows(p.Style, b.Diff) {
		p.Out.WriteString(strings.Repeat(" ", len(lead)) + row)
		p.Blank()
	}
	if b.Command != "" && !gone {
		p.Out.WriteString(p.Style.Paint(term.Good, "    fix   ") + p.Style.Paint(term.Bold, p.Style.Text(b.Command)))
		p.Blank()
	}
	if b.Needs != "" && !gone {
		p.Paragraph("    needs ", term.Dim, p.Style.Text(b.Needs), term.Dim)
	}
	if b.Done+b.Why+b.Refused+b.Command == "" && b.To == nil {
		say("none is known", term.Dim)
	}
}

// diffRows leave room for an indent of ten.
func diffRows(style term.Style, diff []string) []string {
	rows := make([]string, 0, len(diff))
	for _, line := range diff {
		text := style.Text(line)
		if style.Width > 0 {
			text = style.Cut(text, max(10, style.Width-10))
		}
		rows = append(rows, style.Paint(DiffTone(line), text))
	}
	return rows
}

// DiffTone tells what comes from what goes; the sign at the start says it too.
func DiffTone(line string) term.Tone {
	switch {
	case strings.HasPrefix(line, "+"):
		return term.Good
	case strings.HasPrefix(line, "-"):
		return term.Bad
	}
	return term.Plain
}

// mostLimits is how many limits are told: those that hold of every proof come
// first, those with a number of their own may be as many as there are Services.
const mostLimits = 8

// limits say in one line what the proof does not show.
func (o Options) limits(p prose.Writer, rollouts []*report.Rollout) {
	var told []string
	for _, ro := range rollouts {
		for _, pr := range ro.Proof {
			for _, limit := range pr.Limits {
				if !slices.Contains(told, limit) {
					told = append(told, limit)
				}
			}
		}
	}
	if more := len(told) - mostLimits; more > 0 && !o.Wide {
		told = append(told[:mostLimits], fmt.Sprintf("and %d more: -o wide or -o json", more))
	}
	if len(told) > 0 {
		p.Paragraph("", term.Plain, p.Style.Text("limits of the proof: "+strings.Join(told, " · ")), term.Dim)
	}
}

func (o Options) lessons(p prose.Writer, ro *report.Rollout) {
	if !o.Learn || len(ro.Learn) == 0 {
		return
	}
	p.Blank()
	widest := 0
	for _, l := range ro.Learn {
		widest = max(widest, term.Width(p.Style.Text(l.Term)))
	}
	for _, l := range ro.Learn {
		name := p.Style.Text(l.Term)
		p.Paragraph(name+strings.Repeat(" ", widest+2-term.Width(name)), term.Bold, p.Style.Text(l.Text), term.Plain)
	}
}
