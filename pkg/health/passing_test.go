package health

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

func TestAPullIsCertainToFailOnItsSecondAttempt(t *testing.T) {
	p := pod(waits("ErrImagePull", "rpc error: nginx:1.2525: not found"), begun(2*time.Minute))
	failed := func(words string, at time.Duration, times int32) *corev1.Event {
		return event(p, "Failed", `Failed to pull image "nginx:1.2525": not found`+words, at, times)
	}
	tests := map[string]struct {
		events  []*corev1.Event
		certain bool
	}{
		"the first took two minutes":                 {[]*corev1.Event{failed("", 3*time.Second, 1)}, false},
		"the second was counted":                     {[]*corev1.Event{failed("", 3*time.Second, 2)}, true},
		"the second had an event of its own":         {[]*corev1.Event{failed(" (a)", 13*time.Second, 1), failed(" (b)", 3*time.Second, 1)}, true},
		"nothing was heard since, for long":          {[]*corev1.Event{failed("", time.Minute, 1)}, true},
		"there are no events, and it began long ago": {nil, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := of(p)
			for _, e := range test.events {
				s.objects = append(s.objects, e)
			}
			ps := s.state(t).Problems
			if len(ps) != 1 || ps[0].Name != "image-not-found" || ps[0].Terminal != test.certain {
				t.Errorf("got %+v", ps)
			}
		})
	}
}

func TestAContainerThatWentWithItsNodeDidNotCrash(t *testing.T) {
	if got := names(of(pod(ended("Unknown", 255, 3))).state(t).Problems); len(got) > 0 {
		t.Errorf("got %v", got)
	}
	if got := names(of(pod(ended("Error", 255, 3))).state(t).Problems); len(got) != 1 || got[0] != "crash-app" {
		t.Errorf("got %v", got)
	}
}

func TestAPodThatItsNodeShutDownUnderIsReplaced(t *testing.T) {
	set := replicaSet("web-1", "1", "nginx:1.25", 1)
	for _, reason := range []string{"Terminated", "NodeShutdown", "NodeAffinity", "OutOfcpu"} {
		p := pod(ended("Error", 137, 0), ownedBy(set, "ReplicaSet"), func(p *corev1.Pod) {
			p.Status.Phase, p.Status.Reason = corev1.PodFailed, reason
			p.Status.ContainerStatuses[0].State = p.Status.ContainerStatuses[0].LastTerminationState
		})
		ps := of(p, set, deployment(func(*appsv1.Deployment) {})).state(t).Problems
		if len(ps) != 1 || ps[0].Name != "evicted" || ps[0].Terminal || ps[0].Node != "node-1" {
			t.Errorf("%s: %+v", reason, ps)
		}
	}
}
