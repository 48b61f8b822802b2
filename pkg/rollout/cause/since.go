package cause

import (
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// evidenceAt is when the evidence of a problem was complete, by the clock of
// whoever wrote it; zero where nobody did.
func (j *judgement) evidenceAt(p workload.Pod, problem health.Problem) time.Time {
	switch name := problem.Name; {
	case strings.HasPrefix(name, "image-"):
		return eventAt(lastEvent(j.v, p.Pod, func(e *corev1.Event) bool { return e.Reason == "Failed" || e.Reason == "InspectFailed" }))
	case p.Status.Phase == corev1.PodFailed:
		return lifeEnd(p.Pod)
	case crashes[name] || name == "init-crash":
		return endedAt(statusOf(p.Pod, problem.Container))
	case strings.HasPrefix(name, "unsched-") || name == "pv-zone":
		if c := condition(p.Pod, corev1.PodScheduled); c != nil && problem.Terminal {
			return c.LastTransitionTime.Add(15 * time.Second)
		}
	case name == "config-object-missing" || name == "mount-object-missing":
		if problem.Terminal {
			return started(p.Pod).Add(30 * time.Second)
		}
	case (name == "readiness-failing" || name == "readiness-gate") && problem.Terminal:
		if d, ok := j.w.Object.(*appsv1.Deployment); ok && j.exceeded() {
			c, _ := progressing(d)
			return c.LastUpdateTime.Time
		}
	case name == "rwo-deadlock" || name == "mount-failed":
		return eventAt(lastEvent(j.v, p.Pod, func(e *corev1.Event) bool { return e.Reason == "FailedAttachVolume" || e.Reason == "FailedMount" }))
	}
	return time.Time{}
}

// endedAt is when a container last ended or, where that it was started once
// more is the proof, when that was.
func endedAt(st *corev1.ContainerStatus) time.Time {
	switch {
	case st == nil:
		return time.Time{}
	case st.State.Terminated != nil:
		return st.State.Terminated.FinishedAt.Time
	case st.State.Running != nil && st.RestartCount == 2:
		return st.State.Running.StartedAt.Time
	case st.LastTerminationState.Terminated != nil:
		return st.LastTerminationState.Terminated.FinishedAt.Time
	}
	return time.Time{}
}

func eventAt(e *corev1.Event) time.Time {
	if e == nil {
		return time.Time{}
	}
	return index.EventTime(e)
}

// lastEvent is the newest event about the object that satisfies want.
func lastEvent(v *index.View, o metav1.Object, want func(*corev1.Event) bool) *corev1.Event {
	if o.GetUID() == "" {
		return nil
	}
	events := v.Events(o.GetUID())
	for i := len(events) - 1; i >= 0; i-- {
		if want(events[i]) {
			return events[i]
		}
	}
	return nil
}
