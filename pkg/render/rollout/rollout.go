// Package rollout writes a report about rollouts: for people as a picture of
// old and new side by side, for a pipe as lines that tell what changed, for
// programs as a stream of events, for GitHub as annotations.
package rollout

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Options are what flags, and on a screen keys, choose.
type Options struct {
	Wide   bool // every pod, every finding, every gap, the hand-over old → new
	Learn  bool // what the words mean
	Events bool // the folded events
	Logs   bool // all that was kept of failing containers' logs
	Diff   bool // what going back would change, before it is needed

	Live     bool       // a frame of a screen: the picture without the closing words
	Height   int        // rows for several rollouts; 0 is unlimited
	Selected object.Ref // marked, and kept in view
}

// Render writes the report, or one frame of it. On a screen nothing is wider
// than style.Width except commands, which stay whole so that they can be copied.
func (o Options) Render(w io.Writer, r *report.Report, style term.Style) error {
	out := bufio.NewWriter(w)
	p := prose.Writer{Out: out, Style: style, All: o.Wide, Long: severalNamespaces(r.Rollouts), More: "-o wide"}
	switch {
	case o.Live && len(r.Rollouts) == 1:
		o.frame(p, r)
	case o.Live:
		o.list(p, r)
	case len(r.Rollouts) == 1:
		o.one(p, r)
	default:
		o.many(p, r)
	}
	if !o.Live {
		p.Budget(r)
	}
	return out.Flush()
}

// frame is the moving picture of one rollout.
func (o Options) frame(p prose.Writer, r *report.Report) {
	ro := r.Rollouts[0]
	if ro.Phase.Final() {
		p.Verdict(r.Verdict, summaryOf(r, ro), during(r.Findings))
	}
	o.picture(p, ro)
	o.problems(p, r.Findings, mostProblems)
	o.details(p, ro)
	if o.Diff {
		wayBack(p, ro)
	}
	if r.Budget == (report.Budget{}) {
		p.Budget(r) // the gaps
	}
}

// one is the last word about one rollout: the answer and what it rests on, the
// picture, what else was found, the way back, and what was not proven.
func (o Options) one(p prose.Writer, r *report.Report) {
	ro, findings := r.Rollouts[0], r.Findings
	summary := summaryOf(r, ro)
	marking := findings
	if ro.Phase != report.PhaseBefore {
		marking = during(findings)
	}
	p.Verdict(r.Verdict, summary, marking)
	if first, ok := headline(r, ro); ok {
		findings = findings[1:]
		p.Root(first, summary)
	}
	p.Blank()
	if ro.Phase == report.PhaseBefore {
		o.before(p, ro, findings)
		return
	}
	o.picture(p, ro)
	o.details(p, ro)
	if o.tellsBack(ro) {
		p.Blank()
		wayBack(p, ro)
	}
	if len(findings) > 0 {
		p.Blank()
		p.Findings(findings)
	}
	o.limits(p, r.Rollouts)
	o.lessons(p, ro)
}

// headline is the finding that the summary speaks of. A warning is it, too,
// where it kept a rollout from finishing.
func headline(r *report.Report, ro *report.Rollout) (finding.Finding, bool) {
	if first, ok := prose.Headline(r); ok || len(r.Findings) == 0 {
		return first, ok
	}
	first := r.Findings[0]
	ended := ro.Phase == report.PhaseFailed || ro.Phase == report.PhaseTimedOut
	return first, ended && first.Severity == finding.Warning && first.CausedBy == nil && !advice(first)
}

// advice was given before the rollout; how it went is what counts.
func advice(f finding.Finding) bool { return strings.HasPrefix(f.Code, "preflight/") }

func during(findings []finding.Finding) []finding.Finding {
	return slices.DeleteFunc(slices.Clone(findings), advice)
}

// many is the last word about several rollouts.
func (o Options) many(p prose.Writer, r *report.Report) {
	marking := r.Findings
	if !all(r.Rollouts, report.PhaseBefore) {
		marking = during(marking)
	}
	p.Verdict(r.Verdict, tally(r), marking)
	if len(r.Rollouts) > 0 {
		p.Blank()
		o.rows(p, r)
	}
	if told := o.worthTelling(r.Findings); len(told) > 0 {
		p.Blank()
		p.Findings(told)
	} else if len(r.Rollouts) > 0 && all(r.Rollouts, report.PhaseBefore) {
		p.Blank()
		nothingToObject(p)
	}
	for _, ro := range r.Rollouts {
		if o.tellsBack(ro) {
			p.Blank()
			p.Paragraph("", term.Plain, p.Style.Text(nameOf(p, ro.Object)), term.Bold)
			wayBack(p, ro)
		}
	}
	o.limits(p, r.Rollouts)
	if o.Learn && len(r.Rollouts) > 0 {
		o.lessons(p, r.Rollouts[0])
	}
}

// list is a frame of several rollouts.
func (o Options) list(p prose.Writer, r *report.Report) {
	head := lines(p, func(p prose.Writer) { p.Paragraph("", term.Plain, p.Style.Text(tally(r)), term.Bold) })
	write(p, head)
	if o.Height > 0 {
		o.Height = max(1, o.Height-len(head))
	}
	o.rows(p, r)
}

func (o Options) tellsBack(ro *report.Rollout) bool {
	b := ro.Back
	return b != nil && (o.Diff || b.Done != "" || ro.Phase.Final() && ro.Phase != report.PhaseComplete)
}

// worthTelling leaves remarks out where there are many rollouts.
func (o Options) worthTelling(findings []finding.Finding) []finding.Finding {
	if o.Wide {
		return findings
	}
	return slices.DeleteFunc(slices.Clone(findings), func(f finding.Finding) bool { return f.Severity == finding.Info })
}

func summaryOf(r *report.Report, ro *report.Rollout) string {
	if r.Summary != "" {
		return r.Summary
	}
	return ro.Summary
}

func all(rollouts []*report.Rollout, phase report.Phase) bool {
	return !slices.ContainsFunc(rollouts, func(ro *report.Rollout) bool { return ro.Phase != phase })
}

func severalNamespaces(rollouts []*report.Rollout) bool {
	return slices.ContainsFunc(rollouts, func(ro *report.Rollout) bool { return ro.Object.Namespace != rollouts[0].Object.Namespace })
}

func nameOf(p prose.Writer, r object.Ref) string {
	if p.Long && r.Namespace != "" {
		return r.Namespace + "/" + r.Name
	}
	return r.Name
}

// lines are what draw writes, row by row.
func lines(p prose.Writer, draw func(prose.Writer)) []string {
	var b bytes.Buffer
	p.Out = bufio.NewWriter(&b)
	draw(p)
	p.Out.Flush() // to memory: it cannot fail
	if b.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

func write(p prose.Writer, rows []string) {
	for _, row := range rows {
		p.Out.WriteString(row)
		p.Blank()
	}
}
