package junit

import (
	"fmt"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// ofRollout is a case for the rollout and one for each proof of availability.
// What was asked for and has not come to its end is proven of nothing.
func ofRollout(ro *report.Rollout) []target {
	t := target{object: ro.Object, verdict: ro.Verdict, summary: ro.Summary, seconds: ro.Elapsed}
	if t.verdict == report.Progressing {
		t.verdict = report.Unknown
	}
	for _, pod := range ro.Pods {
		t.of = append(t.of, pod.Object)
	}
	for _, rev := range []*report.Revision{ro.From, ro.To} {
		if rev != nil && rev.Name != "" {
			t.of = append(t.of, object.New("apps/v1", "ReplicaSet", ro.Object.Namespace, rev.Name), object.New("apps/v1", "ControllerRevision", ro.Object.Namespace, rev.Name))
		}
	}
	all := []target{t}
	for _, pr := range ro.Proof {
		all = append(all, ofProof(ro, pr))
	}
	return all
}

func ofProof(ro *report.Rollout, pr report.Proof) target {
	name := pr.Service.String()
	if pr.Port != "" {
		name += ":" + pr.Port
	}
	if pr.Family != "" {
		name += " " + pr.Family
	}
	t := target{object: pr.Service, verdict: report.OK, summary: pr.Summary, name: fmt.Sprintf("availability of %s while %s rolls", name, ro.Object)}
	switch pr.Verdict {
	case report.Held, report.HeldWithGaps:
	case report.BrokenProof:
		t.verdict = report.Broken
	default:
		t.verdict, t.skipped = report.Unknown, true
		if pr.Why != "" {
			t.summary = "not provable: " + pr.Why
		}
	}
	return t
}
