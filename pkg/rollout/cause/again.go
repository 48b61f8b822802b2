package cause

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// certainAgain: one pod that ended is replaced and forgotten. Where its successor
// ends alike, and the successor of that one, the next will, too: no pod of the
// template stays.
func (j *judgement) certainAgain(group []symptom) []symptom {
	var ended []symptom
	for _, s := range group {
		if s.pod.Status.Phase == corev1.PodFailed && s.class == OfRevision {
			ended = append(ended, s)
		}
	}
	if succession(ended) < health.InARow || health.NotAdmitted(ended[0].pod.Pod) && j.admittedElsewhere() {
		return group
	}
	for i := range group {
		if s := &group[i]; s.pod.Status.Phase == corev1.PodFailed && s.class == OfRevision {
			s.problem = s.problem.Certain()
			s.problem.Message += "; the pods before it ended alike, one after the other"
		}
	}
	return group
}

// succession is how many pods there are in a row of which each was made after the
// one before it had ended. Objects carry whole seconds, and a successor is often
// made within the same one.
func succession(ended []symptom) int {
	slices.SortFunc(ended, func(a, b symptom) int { return a.pod.CreationTimestamp.Compare(b.pod.CreationTimestamp.Time) })
	row, made, last := 0, time.Time{}, time.Time{}
	for _, s := range ended {
		if at := s.pod.CreationTimestamp.Time; row == 0 || at.After(made) && !at.Before(last) {
			row, made, last = row+1, at, lifeEnd(s.pod.Pod)
		}
	}
	return row
}

// lifeEnd is when a pod ended, as far as it is recorded: one that its node does
// not admit ended as it came, and one that is evicted is replaced at once, however
// long its containers take.
func lifeEnd(pod *corev1.Pod) time.Time {
	if c := condition(pod, corev1.DisruptionTarget); c != nil && c.Status == corev1.ConditionTrue {
		return c.LastTransitionTime.Time
	}
	last := started(pod)
	note := func(t time.Time) {
		if t.After(last) {
			last = t
		}
	}
	for _, c := range pod.Status.Conditions {
		note(c.LastTransitionTime.Time)
	}
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if t := s.State.Terminated; t != nil {
			note(t.FinishedAt.Time)
		}
	}
	return last
}

// admittedElsewhere says that some node runs a pod of the new revision.
func (j *judgement) admittedElsewhere() bool {
	return slices.ContainsFunc(j.fresh(), func(p workload.Pod) bool { return p.Live() && p.Status.Phase == corev1.PodRunning && p.Ready() })
}
