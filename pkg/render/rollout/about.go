package rollout

import (
	"slices"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// circle are the objects that a rollout consists of, so that a finding about
// one of them finds its rollout.
type circle map[object.Ref]bool

func circleOf(ro *report.Rollout) circle {
	c := circle{ro.Object.Key(): true}
	for _, pod := range ro.Pods {
		c[pod.Object.Key()] = true
	}
	for _, rev := range []*report.Revision{ro.From, ro.To} {
		if rev != nil && rev.Name != "" {
			for _, kind := range []string{"ReplicaSet", "ControllerRevision"} {
				c[object.Ref{Group: "apps", Kind: kind, Namespace: ro.Object.Namespace, Name: rev.Name}] = true
			}
		}
	}
	for _, tail := range ro.Logs {
		c[tail.Pod.Key()] = true
	}
	return c
}

func (c circle) has(f finding.Finding) bool {
	return c[f.Object.Key()] || f.CausedBy != nil && c[f.CausedBy.Object.Key()] ||
		slices.ContainsFunc(f.Evidence, func(e finding.Evidence) bool { return c[e.Object.Key()] })
}

// About are the findings that speak of a rollout: of the workload, its pods or
// the Services that it stands behind.
func About(r *report.Report, ro *report.Rollout) []finding.Finding {
	if len(r.Rollouts) == 1 {
		return r.Findings
	}
	if len(r.Findings) == 0 || len(ro.Codes) == 0 && slices.ContainsFunc(r.Rollouts, func(other *report.Rollout) bool { return len(other.Codes) > 0 }) {
		return nil // where codes are told at all, this one has none
	}
	c := circleOf(ro)
	for _, pr := range ro.Proof {
		c[pr.Service.Key()] = true
	}
	var about []finding.Finding
	for _, f := range r.Findings {
		if (len(ro.Codes) == 0 || slices.Contains(ro.Codes, f.Code)) && c.has(f) {
			about = append(about, f)
		}
	}
	return about
}
