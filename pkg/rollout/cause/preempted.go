package cause

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// roomTaken says where the room went, if the scheduler took it from pods of
// this workload for others of a higher priority. Only its events still say so
// once those pods are gone (kubernetes pkg/scheduler/framework/preemption,
// Executor.PreemptPod).
func (j *judgement) roomTaken(problem health.Problem) health.Problem {
	var last *corev1.Event
	var ref object.Ref
	gone := map[string]bool{}
	for _, it := range j.v.List(schema.GroupKind{Kind: "Event"}, j.w.Ref.Namespace) {
		e, ok := it.Object.(*corev1.Event)
		if !ok || e.Reason != "Preempted" || index.EventTime(e).Before(j.m.start) || !j.names(e.InvolvedObject.Name) {
			continue
		}
		gone[e.InvolvedObject.Name] = true
		if last == nil || index.EventTime(last).Before(index.EventTime(e)) {
			last, ref = e, it.Ref
		}
	}
	if last == nil {
		return problem
	}
	pods := "a pod of this workload"
	if len(gone) > 1 {
		pods = fmt.Sprintf("%d pods of this workload", len(gone))
	}
	problem.Message += fmt.Sprintf("; %s had to make room for a pod of a higher priority", pods)
	problem.Evidence = append(slices.Clone(problem.Evidence), finding.Evidence{Object: ref, Field: "message", Value: last.Message})
	return problem
}

// names says whether a pod of this name would be one of the workload's: what
// makes them puts one more part behind its own name.
func (j *judgement) names(pod string) bool {
	maker := pod[:max(0, strings.LastIndexByte(pod, '-'))]
	if j.w.Ref.Kind != "Deployment" {
		return maker == j.w.Ref.Name
	}
	for _, r := range j.w.Revisions {
		if r.Object.Ref.Name == maker {
			return true
		}
	}
	return false
}
