// Package junit writes a report as a JUnit document, which every CI system
// shows: a test case for each target, failed where something is broken.
package junit

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

type suites struct {
	name, time string
	tally
	suites []suite
}

type suite struct {
	name string // the namespace
	tally
	cases []test
}

type tally struct{ tests, failures, errors, skipped int }

type test struct {
	name, class, time       string
	failure, fault, skipped *outcome
	out                     string
}

type outcome struct{ message, kind, text string }

// Render writes the report. A broken target is a failure, an unknown one an
// error: nothing was proven. Warnings and remarks stand in system-out.
func Render(w io.Writer, r *report.Report, _ term.Style) error {
	doc := suites{name: safe(r.Kind), time: fmt.Sprintf("%.3f", r.Budget.Seconds)}
	for _, t := range targets(r) {
		doc.add(safe(t.object.Namespace), t.test())
	}
	_, err := io.WriteString(w, doc.xml())
	return err
}

func (d *suites) add(namespace string, t test) {
	at := slices.IndexFunc(d.suites, func(s suite) bool { return s.name == namespace })
	if at < 0 {
		d.suites = append(d.suites, suite{name: namespace})
		at = len(d.suites) - 1
	}
	s := &d.suites[at]
	s.cases = append(s.cases, t)
	s.count(t)
	d.count(t)
}

func (n *tally) count(t test) {
	n.tests++
	if t.failure != nil {
		n.failures++
	}
	if t.fault != nil {
		n.errors++
	}
	if t.skipped != nil {
		n.skipped++
	}
}

// target is one thing that was asked about, with what was found about it.
type target struct {
	object   object.Ref
	verdict  report.Verdict
	summary  string
	findings []finding.Finding

	name    string       // instead of the object's
	of      []object.Ref // what it consists of besides the object
	seconds float64
	skipped bool // it could not be judged, and need not be
}

// targets are the Services of the report, or its rollouts and what was proven of each, or the objects of its tree that were
// asked about, or the report as a whole. A finding goes to each target that it
// or its evidence speaks of, and else to a case of its own object.
func targets(r *report.Report) []target {
	all := asked(r)
	about := map[object.Ref][]int{} // positions in all
	file := func(i int) {
		for _, of := range append([]object.Ref{all[i].object}, all[i].of...) {
			about[of.Key()] = append(about[of.Key()], i)
		}
	}
	for i := range all {
		file(i)
	}
	for _, f := range r.Findings {
		concerned := map[int]bool{}
		for _, ref := range spokenOf(f) {
			for _, i := range about[ref] {
				concerned[i] = true
			}
		}
		if len(all) == 1 || len(concerned) == 0 && len(r.Rollouts) == 1 { // whatever it is about, it was found for this one
			concerned[0] = true
		}
		for i := range concerned {
			all[i].findings = append(all[i].findings, f)
		}
		if len(concerned) == 0 {
			verdict := report.OK
			if f.Severity == finding.Error {
				verdict = report.Broken
			}
			all = append(all, target{object: f.Object, verdict: verdict, summary: f.Message, findings: []finding.Finding{f}})
			file(len(all) - 1)
		}
	}
	return all
}

func asked(r *report.Report) []target {
	var all []target
	for _, s := range r.Services {
		all = append(all, target{object: s.Object, verdict: s.Verdict, summary: s.Summary})
	}
	report.Walk(r.Tree, func(n *report.Node, _ int) {
		if n.Asked && !n.Above {
			all = append(all, target{object: n.Object, verdict: ofHealth(n.Health), summary: n.Why})
		}
	})
	for _, ro := range r.Rollouts {
		all = append(all, ofRollout(ro)...)
	}
	if len(r.Rollouts) == 0 && len(all) < 2 {
		one := target{object: object.Ref{Kind: r.Kind, Name: r.Target}, verdict: r.Verdict, summary: r.Summary}
		if len(all) == 1 {
			one.object = all[0].object
		}
		return []target{one}
	}
	return all
}

func ofHealth(h report.Health) report.Verdict {
	switch h {
	case report.Failing:
		return report.Broken
	case report.InProgress:
		return report.Progressing
	case report.Unseen:
		return report.Unknown
	}
	return report.OK
}

// spokenOf are the objects that a finding is about, or speaks of.
func spokenOf(f finding.Finding) []object.Ref {
	refs := []object.Ref{f.Object.Key()}
	if f.CausedBy != nil {
		refs = append(refs, f.CausedBy.Object.Key())
	}
	for _, e := range f.Evidence {
		refs = append(refs, e.Object.Key())
	}
	return refs
}

func (t target) test() test {
	name := t.name
	if name == "" {
		name = t.object.String()
	}
	c := test{name: safe(name), class: safe(strings.Trim(t.object.Namespace+"."+t.object.Kind, "."))}
	kind := "unknown"
	var lines []string
	for _, f := range t.findings {
		if kind == "unknown" {
			kind = f.Code
		}
		lines = append(lines, tell(f)...)
	}
	text := strings.Join(lines, "\n")
	if t.seconds > 0 {
		c.time = fmt.Sprintf("%.3f", t.seconds)
	}
	o := &outcome{message: safe(t.summary), kind: safe(kind), text: text}
	switch {
	case t.skipped:
		c.skipped, c.out = o, text
	case t.verdict == report.Broken:
		c.failure = o
	case t.verdict == report.Unknown:
		c.fault = o
	default:
		c.out = text
	}
	return c
}

func tell(f finding.Finding) []string {
	lines := []string{safe(fmt.Sprintf("%s %s %s: %s", f.Severity, f.Code, f.Object, f.Message))}
	for _, e := range f.Evidence {
		lines = append(lines, safe(fmt.Sprintf("  %s %s = %s", e.Object, e.Field, e.Value)))
	}
	for _, fix := range f.Fix {
		text := fix.Command
		if text == "" {
			text = fix.Description
		}
		lines = append(lines, safe("  "+fix.Word()+": "+text))
	}
	return lines
}

// safe shows what a terminal or XML would act on as its code.
func safe(text string) string { return term.Escape(text) }
