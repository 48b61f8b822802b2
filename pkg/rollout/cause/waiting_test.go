package cause

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

func TestWhatAPodWaitsForIsSaidInWords(t *testing.T) {
	probe := func(p *corev1.Pod) {
		p.Spec.Containers[0].ReadinessProbe = &corev1.Probe{PeriodSeconds: 3, FailureThreshold: 2}
	}
	startup := func(p *corev1.Pod) {
		p.Spec.Containers[0].StartupProbe = &corev1.Probe{PeriodSeconds: 10, FailureThreshold: 3}
		p.Status.ContainerStatuses[0].Started = new(false)
	}
	runsFor := func(d time.Duration) podOption {
		return func(p *corev1.Pod) {
			unready(p)
			p.Status.ContainerStatuses[0].State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: ago(d)}}
		}
	}
	readyFor := func(d time.Duration) podOption {
		return func(p *corev1.Pod) { p.Status.Conditions[0].LastTransitionTime = ago(d) }
	}
	hook := func(p *corev1.Pod) {
		p.Spec.Containers[0].Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{}}
	}
	stopped := func(p *corev1.Pod) {
		p.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}
	}
	migrating := func(p *corev1.Pod) {
		waits("PodInitializing", "")(p)
		p.Spec.InitContainers = []corev1.Container{{Name: "done"}, {Name: "migrate"}}
		p.Status.InitContainerStatuses = []corev1.ContainerStatus{
			{Name: "done", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}},
			{Name: "migrate", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: ago(9 * time.Second)}}},
		}
	}
	gate := func(p *corev1.Pod) {
		p.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "shop.example/attached"}}
		p.Status.Conditions[0].Status = corev1.ConditionFalse
	}
	gated := func(p *corev1.Pod) {
		unscheduled("", time.Second)(p)
		p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "kueue"}}
	}
	fresh := func(p *corev1.Pod) { unscheduled("", time.Second)(p); p.Status.Conditions = nil }
	evicted := func(p *corev1.Pod) { p.Status.Phase, p.Status.Reason = corev1.PodFailed, "Evicted"; unready(p) }
	creating := waits("ContainerCreating", "")
	tests := []struct {
		options []podOption
		event   string
		want    string
	}{
		{nil, "", ""},
		{[]podOption{readyFor(12 * time.Second)}, "", "minReadySeconds, 12 s of 30 s"},
		{[]podOption{fresh}, "", "the scheduler"},
		{[]podOption{gated}, "", "scheduling gate kueue"},
		{[]podOption{unscheduled(nodesAvailable+"3 Insufficient cpu.", time.Minute)}, "", "not scheduled: no node has enough free cpu"},
		{[]podOption{creating}, "", "scheduled, starting container app"},
		{[]podOption{creating}, "Pulling", "scheduled, pulling image netapp:v2"},
		{[]podOption{creating}, "Pulled", "scheduled, starting container app"},
		{[]podOption{migrating}, "", "init container migrate, running for 9 s"},
		{[]podOption{waits("ImagePullBackOff", "not found")}, "", "image netapp:v2 (ImagePullBackOff)"},
		{[]podOption{waits("CreateContainerConfigError", `configmap "web-config" not found`)}, "", "ConfigMap/web-config, which does not exist"},
		{[]podOption{ended("Error", 1, 3)}, "", "container app to start again: it ended with exit 1 15 s ago, restarted 3 times"},
		{[]podOption{startup, runsFor(4 * time.Second)}, "", "startup probe, 4 s of ~30 s"},
		{[]podOption{probe, runsFor(4 * time.Second)}, "", "readiness probe, 4 s of ~6 s"},
		{[]podOption{probe, runsFor(-3 * time.Second)}, "", "readiness probe, 0 s of ~6 s"}, // clocks differ
		{[]podOption{probe, runsFor(20 * time.Second)}, "", "readiness probe, failing: 20 s, where ~6 s are granted"},
		{[]podOption{runsFor(time.Second)}, "", "the kubelet to report container app ready"},
		{[]podOption{gate}, "", "readiness gate shop.example/attached"},
		{[]podOption{hook, leaving(-22 * time.Second)}, "", "terminating, 8 s of 30 s grace, preStop"},
		{[]podOption{leaving(12 * time.Second)}, "", "terminating, 12 s past its 30 s grace"},
		{[]podOption{stopped, leaving(12*time.Second, "shop.example/keep")}, "", `terminating, 12 s past its 30 s grace, held by finalizer "shop.example/keep"`},
		{[]podOption{evicted}, "", "ended (Evicted), another takes its place"},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) {
			p := pod("web-2-x", 2, test.options...)
			s := rolling(p)
			s.objects[0] = deployment(func(d *appsv1.Deployment) { d.Spec.MinReadySeconds = 30 })
			if test.event != "" {
				e := event(p, test.event, "", time.Second, 1)
				e.InvolvedObject.FieldPath = "spec.containers{app}"
				s = s.with(e)
			}
			v, w := s.view(t, now)
			if got := Waiting(v, w, podNamed(w, "web-2-x")); got != test.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func podNamed(w *workload.Workload, name string) workload.Pod {
	for _, p := range w.Pods {
		if p.Name == name {
			return p
		}
	}
	return workload.Pod{}
}
