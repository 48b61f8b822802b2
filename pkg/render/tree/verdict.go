package tree

import (
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// verdict writes the summary, then what it rests on. Where something is
// broken, the sentence speaks of the first finding, whose evidence and fix
// follow it directly.
func (o Options) verdict(p prose, r *report.Report) {
	findings := r.Findings
	for line := range strings.SplitSeq(r.Summary, "\n") {
		if line == "" {
			continue
		}
		verdict := verdictOf(line, r)
		sign, tone := verdictSign(verdict, p.style), verdictTone(verdict)
		if worst, any := finding.Worst(findings); verdict == report.OK && any && worst != finding.Info && !strings.Contains(r.Summary, "\n") {
			sign, tone = p.style.Sign("! ", "WARNING: "), term.Warn // it works, and yet something is to be said
		}
		p.paragraph(sign, tone, p.style.Text(line), term.Bold)
	}
	if first, ok := headline(r); ok {
		findings = findings[1:]
		if !strings.Contains(r.Summary, first.Message) {
			p.paragraph("    ", term.Plain, p.style.Text(claim([]finding.Finding{first})), term.Plain)
		}
		evidenceInFull(p, first.Evidence)
		fixes(p, first.Fix)
		p.paragraph("    more  ", term.Dim, p.style.Text("--explain "+first.Code), term.Dim)
	}
	o.findings(p, findings)
}

func headline(r *report.Report) (finding.Finding, bool) {
	if len(r.Findings) == 0 || r.Verdict != report.Broken {
		return finding.Finding{}, false
	}
	first := r.Findings[0]
	return first, first.Severity == finding.Error && first.CausedBy == nil
}

// verdictOf one line of the summary: where there is a line a target, it is the
// state of the target that the line begins with.
func verdictOf(line string, r *report.Report) report.Verdict {
	if !strings.Contains(r.Summary, "\n") {
		return r.Verdict
	}
	verdict, longest := r.Verdict, 0
	report.Walk(r.Tree, func(n *report.Node, _ int) {
		if n.Asked && len(n.Title) > longest && strings.HasPrefix(line, n.Title) {
			longest = len(n.Title)
			verdict = ofHealth(n.Health)
		}
	})
	return verdict
}

func ofHealth(h report.Health) report.Verdict {
	switch h {
	case report.Failing:
		return report.Broken
	case report.InProgress:
		return report.Progressing
	case report.Unseen:
		return report.Unknown
	default:
		return report.OK
	}
}

func verdictSign(v report.Verdict, style term.Style) string {
	switch v {
	case report.OK:
		return style.Sign("✓ ", "OK: ")
	case report.Broken:
		return style.Sign("✗ ", "BROKEN: ")
	case report.Progressing:
		return style.Sign("… ", "PROGRESSING: ")
	default:
		return style.Sign("? ", "UNKNOWN: ")
	}
}

func verdictTone(v report.Verdict) term.Tone {
	switch v {
	case report.OK:
		return term.Good
	case report.Broken:
		return term.Bad
	case report.Progressing:
		return term.Busy
	default:
		return term.Warn
	}
}

// enoughForFact is the room that a fact wants beside its object's name.
const enoughForFact = 60

// evidenceInFull writes a fact a line, each object named once: in front of its
// first fact, or on a line of its own where the screen is narrow.
func evidenceInFull(p prose, facts []finding.Evidence) {
	for i, e := range facts {
		lead := "    " + p.style.Text(e.Object.String()) + "   "
		known := i > 0 && facts[i-1].Object == e.Object
		switch narrow := p.style.Width > 0 && p.style.Width-term.Width(lead) < enoughForFact; {
		case narrow:
			if !known {
				p.paragraph("", term.Plain, strings.TrimRight(lead, " "), term.Plain)
			}
			lead = "      "
		case known:
			lead = strings.Repeat(" ", term.Width(lead))
		}
		if field := e.Field; field != "" && strings.Contains(e.Value, "\n") {
			p.paragraph(lead, term.Plain, p.style.Text(field)+" =", term.Plain)
			p.paragraph("      ", term.Plain, strings.TrimRight(p.style.Lines(e.Value), "\n"), term.Dim)
			continue
		}
		p.paragraph(lead, term.Plain, p.style.Text(fact(e)), term.Plain)
	}
}

func fact(e finding.Evidence) string {
	if e.Field == "" {
		return e.Value
	}
	return e.Field + " = " + e.Value
}

// fixes writes commands whole, whatever the screen, and what they do behind
// them where there is room.
func fixes(p prose, all []finding.Fix) {
	const lead = "    fix   "
	for _, f := range all {
		command, description := p.style.Text(f.Command), p.style.Text(f.Description)
		if command == "" {
			p.paragraph(lead, term.Good, description, term.Plain)
			continue
		}
		p.w.WriteString(p.style.Paint(term.Good, lead) + p.style.Paint(term.Bold, command))
		switch used := len(lead) + term.Width(command) + 6; {
		case description == "":
			p.blank()
		case p.style.Width <= 0 || used+2+term.Width(description) <= p.style.Width:
			p.w.WriteString(p.style.Paint(term.Dim, "      ("+description+")"))
			p.blank()
		default:
			p.blank()
			p.paragraph(strings.Repeat(" ", len(lead)), term.Plain, "("+description+")", term.Dim)
		}
	}
}
