package tree

import (
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// verdict writes the summary, then what it rests on. Where something is
// broken, the sentence speaks of the first finding, whose evidence and fix
// follow it directly.
func verdict(p prose.Writer, r *report.Report) {
	findings := r.Findings
	about := findings
	if strings.Contains(r.Summary, "\n") {
		about = nil // which of the targets a warning speaks of is not told here
	}
	for line := range strings.SplitSeq(r.Summary, "\n") {
		if line != "" {
			p.Verdict(verdictOf(line, r), line, about)
		}
	}
	if first, ok := prose.Headline(r); ok {
		findings = findings[1:]
		p.Root(first, r.Summary)
	}
	p.Findings(findings)
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
