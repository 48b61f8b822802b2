// Package endpoints writes a report about Services for people: the verdict,
// for one Service the slices and the pods side by side, for many a line each,
// what was found with the way out, and what the answer cost.
package endpoints

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Options are what -o wide and --no-headers choose.
type Options struct {
	Wide      bool // every endpoint, every finding, every gap, and more columns
	NoHeaders bool
}

// Render writes the report. Nothing is wider than style.Width except commands,
// which stay whole so that they can be copied.
func (o Options) Render(w io.Writer, r *report.Report, style term.Style) error {
	out := bufio.NewWriter(w)
	p := prose.Writer{Out: out, Style: style, All: o.Wide, Long: severalNamespaces(r.Services), More: "-o wide"}
	write := o.many
	if len(r.Services) == 1 {
		write = o.one
	}
	if err := write(p, r); err != nil {
		return err
	}
	p.Budget(r)
	return out.Flush()
}

// one writes a single Service: the answer and what it rests on, then the
// picture, then what else was found.
func (o Options) one(p prose.Writer, r *report.Report) error {
	s, findings := r.Services[0], r.Findings
	summary := r.Summary
	if s.Summary != "" && !strings.HasPrefix(summary, s.Object.String()) {
		summary = s.Summary // the report's own counts Services that are not shown
	}
	p.Verdict(r.Verdict, summary, findings)
	if first, ok := prose.Headline(r); ok {
		findings = findings[1:]
		p.Root(first, summary)
		p.Blank()
	}
	facts(p, s)
	if len(s.Endpoints) > 0 {
		p.Blank()
		lessons(p, s, "EndpointSlice", "readiness")
		if err := o.endpointTable(s, p.Style).Write(p.Out, p.Style); err != nil {
			return err
		}
	}
	otherLessons(p, s)
	if len(findings) > 0 {
		p.Blank()
		p.Findings(findings)
	}
	return nil
}

// many writes a line a Service, the worst first, and the findings below.
func (o Options) many(p prose.Writer, r *report.Report) error {
	p.Verdict(r.Verdict, tally(r), r.Findings)
	if len(r.Services) > 0 {
		p.Blank()
		if err := o.serviceTable(r, p.Long, p.Style).Write(p.Out, p.Style); err != nil {
			return err
		}
	}
	if told := worthTelling(r, o.Wide); len(told) > 0 {
		p.Blank()
		p.Findings(told)
	}
	return nil
}

// worthTelling leaves remarks out of a list: -o wide and the single Service
// have them.
func worthTelling(r *report.Report, all bool) []finding.Finding {
	if all {
		return r.Findings
	}
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f finding.Finding) bool { return f.Severity == finding.Info })
}

// tally is the sentence above a list.
func tally(r *report.Report) string {
	if len(r.Services) == 0 {
		return strings.TrimSpace(strings.ReplaceAll(r.Summary, "\n", " "))
	}
	if r.Summary != "" && !strings.Contains(r.Summary, "\n") {
		return r.Summary
	}
	count := map[report.Verdict]int{}
	for _, s := range r.Services {
		count[s.Verdict]++
	}
	var parts []string
	for _, v := range []report.Verdict{report.Broken, report.Unknown, report.Progressing} {
		if count[v] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[v], v))
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("All %d Services reach their pods.", len(r.Services))
	}
	return fmt.Sprintf("Of %d Services, %s.", len(r.Services), strings.Join(parts, ", "))
}

func severalNamespaces(services []*report.Service) bool {
	return slices.ContainsFunc(services, func(s *report.Service) bool {
		return s.Object.Namespace != services[0].Object.Namespace
	})
}
