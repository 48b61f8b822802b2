package rollout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/preflight"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Proposals are the objects that a dry run of manifests returned. A target
// without one is judged as it is.
type Proposals struct {
	Next  map[object.Ref]source.Object // by the key of the reference
	Along []object.Ref                 // all that the manifests name
}

// plan is one target with what is proposed for it.
type plan struct {
	ref  object.Ref
	wl   *workload.Workload // as it is, or, of what does not exist yet, as it is proposed
	opts preflight.Options
}

func plans(v *index.View, targets []object.Ref, proposals Proposals, headroom bool) []plan {
	var all []plan
	for _, ref := range targets {
		p := plan{ref: ref, opts: preflight.Options{Next: proposals.Next[ref.Key()], Along: proposals.Along, Headroom: headroom}}
		wl, ok := workload.Of(v, ref)
		if !ok && p.opts.Next != nil {
			p.opts.New = true
			wl, ok = workload.Proposed(nil, p.opts.Next)
		}
		if ok {
			p.wl = wl
		}
		all = append(all, p)
	}
	return all
}

// PreflightNeeds are the reads that Preflight wants.
func PreflightNeeds(v *index.View, targets []object.Ref, proposals Proposals, headroom bool) []source.Query {
	var queries []source.Query
	for _, p := range plans(v, targets, proposals, headroom) {
		queries = append(queries, source.Query{Kind: p.ref.GroupKind(), Namespace: p.ref.Namespace, Name: p.ref.Name})
		if p.wl != nil {
			queries = append(append(queries, crewOf(p.wl)...), preflight.Needs(v, p.wl, p.opts)...)
		}
	}
	return distinct(queries)
}

// Preflight says what stands against rolling the targets.
func Preflight(v *index.View, targets []object.Ref, proposals Proposals, headroom bool) *report.Report {
	r := &report.Report{APIVersion: report.APIVersion, Kind: "GuardRollout", Verdict: report.OK, Findings: []finding.Finding{}}
	var names, sentences []string
	for _, p := range plans(v, targets, proposals, headroom) {
		rollout := &report.Rollout{Object: p.ref, Phase: report.PhaseBefore, Verdict: report.OK}
		found := p.judge(v, rollout)
		r.Findings = append(r.Findings, found...)
		r.Rollouts = append(r.Rollouts, rollout)
		names, sentences = append(names, p.ref.String()), append(sentences, rollout.Summary)
		switch {
		case rollout.Verdict == report.Broken:
			r.Verdict = report.Broken
		case rollout.Verdict == report.Unknown && r.Verdict == report.OK:
			r.Verdict = report.Unknown
		}
	}
	finding.Sort(r.Findings, place(preflight.Docs()))
	r.Target, r.Summary, r.Gaps = strings.Join(names, ", "), strings.Join(sentences, ". "), gapsOf(v)
	return report.Clean(r)
}

// place ranks findings as their pages stand.
func place(docs []finding.Doc) func(finding.Finding) int {
	return func(f finding.Finding) int {
		return slices.IndexFunc(docs, func(d finding.Doc) bool { return d.Code == f.Code })
	}
}

func (p plan) judge(v *index.View, r *report.Rollout) []finding.Finding {
	if p.wl == nil {
		r.Verdict, r.Summary = report.Unknown, fmt.Sprintf("%s cannot be seen", p.ref)
		return nil
	}
	next := p.wl
	if proposed, ok := workload.Proposed(p.wl, p.opts.Next); ok && !p.opts.New {
		next = proposed
	}
	r.Strategy = strategyWords(next)
	r.Counts = report.Counts{Desired: next.Goal, Floor: next.Floor()}
	if p.wl.Current != nil && !p.opts.New {
		r.From = describeRevision(p.wl.Current)
	}
	r.To = &report.Revision{Changes: preflight.Changes(p.wl, p.opts)}
	for _, c := range next.Template.Spec.Containers {
		r.To.Images = append(r.To.Images, c.Image)
	}
	found := preflight.Judge(v, p.wl, p.opts)
	worst, warnings := "", 0
	for _, f := range found {
		switch f.Severity {
		case finding.Error:
			if worst == "" {
				worst = f.Message
			}
		case finding.Warning:
			warnings++
		}
		r.Codes = append(r.Codes, f.Code)
	}
	switch {
	case worst != "":
		r.Verdict, r.Summary = report.Broken, fmt.Sprintf("%s must not be rolled like this: %s", p.ref, worst)
	case warnings > 0:
		r.Summary = fmt.Sprintf("%s can be rolled, with %s", p.ref, plural(warnings, "warning"))
	default:
		r.Summary = fmt.Sprintf("%s can be rolled: nothing stands against it", p.ref)
	}
	return found
}
