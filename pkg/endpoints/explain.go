package endpoints

import (
	"fmt"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// Explain judges Services and puts what is found into a report: the verdict of
// each and of all, the worst first.
func Explain(v *index.View, services []object.Ref, opts Options) *report.Report {
	result := Judge(v, services, opts)
	r := &report.Report{
		APIVersion: report.APIVersion, Kind: "CheckEndpoints", Target: askedFor(services),
		Findings: result.Findings, Gaps: gaps(v), Services: result.Services,
	}
	if r.Findings == nil {
		r.Findings = []finding.Finding{}
	}
	r.Verdict, r.Summary = overall(result)
	return report.Clean(r)
}

// askedFor names what was asked for: the Services, or how many there were.
func askedFor(services []object.Ref) string {
	if len(services) > 5 {
		return fmt.Sprintf("%d Services", len(services))
	}
	var names []string
	for _, s := range services {
		names = append(names, s.Long())
	}
	return strings.Join(names, ", ")
}

// overall is the verdict of all: the worst of any. Findings about other
// objects, such as an Ingress that leads to nothing, count too.
func overall(r Result) (report.Verdict, string) {
	doors := 0
	for _, f := range r.Findings {
		if f.Object.Kind != "Service" && f.Severity == finding.Error && f.CausedBy == nil {
			doors++
		}
	}
	count := map[report.Verdict]int{}
	for _, s := range r.Services {
		count[s.Verdict]++
	}
	verdict := report.OK
	switch {
	case count[report.Broken] > 0 || doors > 0:
		verdict = report.Broken
	case count[report.Unknown] > 0:
		verdict = report.Unknown
	case count[report.Progressing] > 0:
		verdict = report.Progressing
	}
	switch {
	case len(r.Services) == 0:
		return verdict, "There is no Service to check."
	case len(r.Services) == 1 && verdict == r.Services[0].Verdict:
		return verdict, r.Services[0].Summary
	case len(r.Services) == 1:
		return verdict, r.Services[0].Summary + " What leads to it is broken: " + firstDoor(r.Findings) + "."
	}
	return verdict, many(r.Services, count, doors, r.Findings)
}

func firstDoor(fs []finding.Finding) string {
	for _, f := range fs {
		if f.Object.Kind != "Service" && f.Severity == finding.Error && f.CausedBy == nil {
			return f.Object.String() + ": " + strings.TrimSuffix(f.Message, ".")
		}
	}
	return ""
}

func many(services []*report.Service, count map[report.Verdict]int, doors int, fs []finding.Finding) string {
	if count[report.OK] == len(services) && doors == 0 {
		return fmt.Sprintf("All %d Services are fine.", len(services))
	}
	var parts []string
	for _, p := range []struct {
		v         report.Verdict
		one, more string
	}{{report.Broken, "is broken", "are broken"}, {report.Unknown, "cannot be judged", "cannot be judged"}, {report.Progressing, "is still starting", "are still starting"}} {
		n, of, words := count[p.v], "", p.more
		if n == 0 {
			continue
		}
		if n == 1 {
			words = p.one
		}
		if len(parts) == 0 {
			of = fmt.Sprintf(" of %d Services", len(services))
		}
		parts = append(parts, fmt.Sprintf("%d%s %s", n, of, words))
	}
	text := strings.Join(parts, ", ") + "."
	if len(parts) == 0 {
		text = fmt.Sprintf("All %d Services are fine.", len(services))
	}
	if doors > 0 {
		text += fmt.Sprintf(" %s beside them: %s.", counted(doors, "fault"), firstDoor(fs))
	}
	return text
}

// gaps are what could not be seen and was wanted.
func gaps(v *index.View) []report.Gap {
	out := []report.Gap{}
	said := map[report.Gap]bool{}
	for _, g := range v.Gaps {
		if g.Reason == "not served" {
			continue // a kind that the server does not have hides nothing
		}
		gap := report.Gap{Resource: g.Resource, Namespace: g.Namespace, Name: g.Name, Reason: string(g.Reason)}
		if g.Reason == "not in the snapshot" {
			gap.Name = ""
		}
		if said[gap] {
			continue
		}
		said[gap] = true
		gap.Detail = g.Detail
		out = append(out, gap)
	}
	return out
}
