package prose

import (
	"fmt"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Verdict writes one sentence of the summary behind the mark of its verdict.
// Where all works, and yet a finding warns, the mark is a warning's.
func (p Writer) Verdict(verdict report.Verdict, sentence string, findings []finding.Finding) {
	sign, tone := VerdictSign(verdict, p.Style), VerdictTone(verdict)
	if worst, any := finding.Worst(findings); verdict == report.OK && any && worst != finding.Info {
		sign, tone = SeveritySign(finding.Warning, p.Style)
	}
	p.Paragraph(sign, tone, p.Style.Text(sentence), term.Bold)
}

// Root writes what the headline rests on, and the way out.
func (p Writer) Root(first finding.Finding, summary string) {
	if !strings.Contains(summary, first.Message) {
		p.Paragraph("    ", term.Plain, p.Style.Text(p.claim([]finding.Finding{first})), term.Plain)
	}
	p.evidenceInFull(first.Evidence)
	p.fixes(first.Fix)
	p.Paragraph("    more  ", term.Dim, p.Style.Text("--explain "+first.Code), term.Dim)
}

// Headline is the finding that the summary of a broken report speaks of.
func Headline(r *report.Report) (finding.Finding, bool) {
	if len(r.Findings) == 0 || r.Verdict != report.Broken {
		return finding.Finding{}, false
	}
	first := r.Findings[0]
	return first, first.Severity == finding.Error && first.CausedBy == nil
}

// VerdictSign is the mark of a verdict.
func VerdictSign(v report.Verdict, style term.Style) string {
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

// VerdictTone is the tone of a verdict.
func VerdictTone(v report.Verdict) term.Tone {
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
func (p Writer) evidenceInFull(facts []finding.Evidence) {
	for i, e := range facts {
		lead := "    " + p.Style.Text(p.name(e.Object)) + "   "
		known := i > 0 && facts[i-1].Object == e.Object
		switch narrow := p.Style.Width > 0 && p.Style.Width-term.Width(lead) < enoughForFact; {
		case narrow:
			if !known {
				p.Paragraph("", term.Plain, strings.TrimRight(lead, " "), term.Plain)
			}
			lead = "      "
		case known:
			lead = strings.Repeat(" ", term.Width(lead))
		}
		if field := e.Field; field != "" && strings.Contains(e.Value, "\n") {
			p.Paragraph(lead, term.Plain, p.Style.Text(field)+" =", term.Plain)
			p.quote(e.Value)
			continue
		}
		p.Paragraph(lead, term.Plain, p.Style.Text(fact(e)), term.Plain)
	}
}

// quote writes a stranger's text of several lines. The bar before each keeps it
// from passing for ours, and a CI system from reading a command at its start.
func (p Writer) quote(text string) {
	lead := "      " + p.Style.Sign("│ ", "| ")
	for _, line := range term.Wrap(strings.TrimRight(p.Style.Lines(text), "\n"), p.room(term.Width(lead))) {
		p.Out.WriteString(p.Style.Paint(term.Dim, lead+line))
		p.Blank()
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
func (p Writer) fixes(all []finding.Fix) {
	for _, f := range all {
		lead := fmt.Sprintf("    %-6s", f.Word())
		command, description := p.Style.Text(f.Command), p.Style.Text(f.Description)
		if command == "" {
			p.Paragraph(lead, term.Good, description, term.Plain)
			continue
		}
		p.Out.WriteString(p.Style.Paint(term.Good, lead) + p.Style.Paint(term.Bold, command))
		switch used := len(lead) + term.Width(command) + 6; {
		case description == "":
			p.Blank()
		case p.Style.Width <= 0 || used+2+term.Width(description) <= p.Style.Width:
			p.Out.WriteString(p.Style.Paint(term.Dim, "      ("+description+")"))
			p.Blank()
		default:
			p.Blank()
			p.Paragraph(strings.Repeat(" ", len(lead)), term.Plain, "("+description+")", term.Dim)
		}
	}
}
