package prose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// As many findings as a person reads before the tree.
const (
	mostCauses       = 5
	mostConsequences = 3
	mostObjects      = 3
	mostGaps         = 8
)

// Findings writes those that the headline left, equal ones together.
func (p Writer) Findings(all []finding.Finding) {
	causes, consequences, left := 0, 0, 0
	for _, group := range Grouped(all) {
		count, most := &causes, mostCauses
		if group[0].CausedBy != nil {
			count, most = &consequences, mostConsequences
		}
		if *count++; *count > most && !p.All {
			left += len(group)
			continue
		}
		sign, tone := SeveritySign(group[0].Severity, p.Style)
		p.Paragraph(sign, tone, p.Style.Text(group[0].Code+"  "+p.claim(group)), term.Plain)
		if group[0].CausedBy == nil {
			p.details(group[0])
		}
	}
	if left > 0 {
		p.Paragraph("", term.Plain, fmt.Sprintf("and %d more: %s or -o json", left, p.more()), term.Dim)
	}
}

// Grouped puts findings that say the same of several objects together, in
// the order of the first of each.
func Grouped(all []finding.Finding) [][]finding.Finding {
	type said struct {
		code, message string
		severity      finding.Severity
		cause         finding.Cause
	}
	var groups [][]finding.Finding
	at := map[said]int{}
	for _, f := range all {
		key := said{code: f.Code, message: f.Message, severity: f.Severity}
		if f.CausedBy != nil {
			key.cause = *f.CausedBy
		}
		i, ok := at[key]
		if !ok {
			i = len(groups)
			at[key], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], f)
	}
	return groups
}

// claim is "Pod/a, Pod/b and 3 more: message".
func (p Writer) claim(group []finding.Finding) string {
	var names []string
	for _, f := range group[:min(len(group), mostObjects)] {
		names = append(names, p.name(f.Object))
	}
	text := strings.Join(names, ", ")
	if more := len(group) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	text += ": " + group[0].Message
	if cause := group[0].CausedBy; cause != nil {
		text += fmt.Sprintf(" (follows from %s of %s)", cause.Code, p.name(cause.Object))
	}
	return text
}

// details are the evidence in one line, and the fixes.
func (p Writer) details(f finding.Finding) {
	var facts []string
	for i, e := range f.Evidence {
		text := fact(e)
		before := f.Object
		if i > 0 {
			before = f.Evidence[i-1].Object
		}
		if e.Object != before {
			text = p.name(e.Object) + " " + text
		}
		facts = append(facts, text)
	}
	if len(facts) > 0 {
		p.Paragraph("    ", term.Plain, p.Style.Text(strings.Join(facts, " · ")), term.Dim)
	}
	p.fixes(f.Fix)
}

// SeveritySign is the mark of a severity, and its tone.
func SeveritySign(s finding.Severity, style term.Style) (string, term.Tone) {
	switch s {
	case finding.Error:
		return style.Sign("✗ ", "ERROR: "), term.Bad
	case finding.Warning:
		return style.Sign("! ", "WARNING: "), term.Warn
	default:
		return style.Sign("· ", "INFO: "), term.Dim
	}
}

// unread says which documents of a dump could not be read, and where: what was
// in them is not only unseen, a person must mend it.
func (p Writer) unread(all []report.Gap) []report.Gap {
	var rest []report.Gap
	for _, g := range all {
		if g.Reason != "malformed" {
			rest = append(rest, g)
			continue
		}
		p.Paragraph(p.Style.Sign("! ", "WARNING: "), term.Warn, p.Style.Text("not read: "+g.Resource+": "+g.Detail), term.Plain)
	}
	return rest
}

// Budget is the last line: what the answer cost and what it did not see.
func (p Writer) Budget(r *report.Report) {
	cost := fmt.Sprintf("%d requests, %.2f s", r.Budget.Requests, r.Budget.Seconds)
	switch {
	case r.Budget.Recorded:
		cost = "from a recording"
	case r.Budget.Snapshot:
		cost = "from a snapshot"
	case r.Budget.Requests == 1:
		cost = fmt.Sprintf("1 request, %.2f s", r.Budget.Seconds)
	}
	said := []string{cost}
	if r.Budget == (report.Budget{}) { // a frame of a live view has no cost of its own
		said = nil
	}
	if gaps := p.gaps(p.unread(r.Gaps)); gaps != "" {
		said = append(said, "not seen: "+gaps)
	}
	if len(said) > 0 {
		p.Paragraph("", term.Plain, p.Style.Text(strings.Join(said, " · ")), term.Dim)
	}
}

// gaps names each once, by reason: "secrets, services (forbidden)". Namespaces
// are told only where they differ.
func (p Writer) gaps(all []report.Gap) string {
	var reasons []string
	told := map[string][]string{}
	count, several := 0, severalNamespaces(all)
	for _, g := range all {
		text := plainResource(g.Resource)
		if g.Name != "" {
			text += "/" + g.Name
		}
		if several && g.Namespace != "" {
			text += " in " + g.Namespace
		}
		if slices.Contains(told[g.Reason], text) {
			continue
		}
		if count++; count > mostGaps && !p.All {
			continue
		}
		if told[g.Reason] == nil {
			reasons = append(reasons, g.Reason)
		}
		told[g.Reason] = append(told[g.Reason], text)
	}
	for i, reason := range reasons {
		reasons[i] = fmt.Sprintf("%s (%s)", strings.Join(told[reason], ", "), reason)
	}
	text := strings.Join(reasons, ", ")
	if more := count - mostGaps; more > 0 && !p.All {
		text += fmt.Sprintf(" and %d more (%s or -o json)", more, p.more())
	}
	return text
}

func severalNamespaces(all []report.Gap) bool {
	seen := ""
	for _, g := range all {
		if g.Namespace != "" && seen != "" && g.Namespace != seen {
			return true
		}
		seen = max(seen, g.Namespace)
	}
	return false
}

// plainResource leaves out the group where it is one of Kubernetes' own, whose
// resources everybody knows by name.
func plainResource(resource string) string {
	name, group, ok := strings.Cut(resource, ".")
	if !ok || strings.Contains(group, ".") && !strings.HasSuffix(group, ".k8s.io") {
		return resource
	}
	return name
}
