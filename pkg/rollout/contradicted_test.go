package rollout

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

func TestPodsOutweighAStatusThatLags(t *testing.T) {
	pod := func(fresh, ready bool) workload.Pod {
		status := map[bool]corev1.ConditionStatus{true: corev1.ConditionTrue, false: corev1.ConditionFalse}[ready]
		return workload.Pod{New: fresh, Pod: &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}}}}
	}
	current := &workload.Revision{Hash: "h2"}
	for name, c := range map[string]struct {
		current  *workload.Revision
		onDelete bool
		pods     []workload.Pod
		want     bool
	}{
		"all new pods are ready":                  {current: current, pods: []workload.Pod{pod(true, true), pod(true, true)}},
		"one is not ready any more":               {current: current, pods: []workload.Pod{pod(true, true), pod(true, false)}, want: true},
		"one is an old one":                       {current: current, pods: []workload.Pod{pod(true, true), pod(false, true)}, want: true},
		"an old one, which only a person deletes": {current: current, onDelete: true, pods: []workload.Pod{pod(true, true), pod(false, true)}},
		"which are new may not be seen":           {pods: []workload.Pod{pod(false, true), pod(false, true)}},
		"the pods may not be seen":                {current: current},
	} {
		w := &workload.Workload{Current: c.current, Goal: 2, Pods: c.pods}
		if c.onDelete {
			w.Strategy.Type = "OnDelete"
		}
		if got := contradicted(w); got != c.want {
			t.Errorf("%s: contradicted = %v", name, got)
		}
	}
}
