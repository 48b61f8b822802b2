package workload

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

func TestFencepostsAreResolvedAsTheControllerDoes(t *testing.T) {
	for _, tc := range []struct {
		name               string
		surge, unavailable string // "" is not set
		replicas           int
		wantSurge, wantUn  int
	}{
		{"one replica with the defaults surges, and none is taken away", "", "", 1, 1, 0},
		{"ten replicas: up and down", "", "", 10, 3, 2},
		{"percentages round up for surge and down for unavailable", "10%", "10%", 3, 1, 0},
		{"both would be 0: one is taken away", "0", "5%", 3, 0, 1},
		{"more than there are", "1", "9", 3, 1, 3},
		{"no replicas", "", "", 0, 0, 0},
		{"text that is no percentage counts as 0", "x", "1", 3, 0, 1},
	} {
		r := &appsv1.RollingUpdateDeployment{}
		if tc.surge != "" {
			r.MaxSurge = new(intstr.Parse(tc.surge))
		}
		if tc.unavailable != "" {
			r.MaxUnavailable = new(intstr.Parse(tc.unavailable))
		}
		w := read(t, "Deployment", deployment(int32(tc.replicas), "netapp:v1", func(d *appsv1.Deployment) { d.Spec.Strategy.RollingUpdate = r }))
		if w.Strategy.Surge != tc.wantSurge || w.Strategy.MaxUnavailable != tc.wantUn || w.Floor() != tc.replicas-tc.wantUn {
			t.Errorf("%s: surge %d, unavailable %d, floor %d", tc.name, w.Strategy.Surge, w.Strategy.MaxUnavailable, w.Floor())
		}
	}
	recreate := read(t, "Deployment", deployment(3, "netapp:v1", func(d *appsv1.Deployment) { d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType }))
	if recreate.Floor() != 0 {
		t.Errorf("Recreate keeps none, not %d", recreate.Floor())
	}
}

func TestTheNewReplicaSetIsTheOldestThatCarriesTheTemplate(t *testing.T) {
	old, twin, other := replicaSet("a", "1", "netapp:v2", time.Hour), replicaSet("b", "3", "netapp:v2", time.Minute), replicaSet("c", "2", "netapp:v1", time.Minute)
	w := read(t, "Deployment", deployment(3, "netapp:v2"), twin, other, old,
		pod("p1", "ReplicaSet", "a", ""), pod("p2", "ReplicaSet", "c", ""), pod("p3", "ReplicaSet", "stranger", ""))
	if w.Current == nil || w.Current.Object.Ref.Name != "a" {
		t.Fatalf("current is %v", w.Current)
	}
	if diff := cmp.Diff([]string{"p1"}, newPods(w)); diff != "" || len(w.Pods) != 2 {
		t.Errorf("%d pods, %s", len(w.Pods), diff)
	}
	if p := w.Previous(); p == nil || p.Object.Ref.Name != "c" {
		t.Errorf("the previous one is %v, not the one that has pods", p)
	}
	if w := read(t, "Deployment", deployment(3, "netapp:v9"), old); w.Current != nil {
		t.Error("no set carries the template yet")
	}
}

func TestAStatefulSetReachesDownToItsPartition(t *testing.T) {
	rolling := func(partition int32, unavailable string) func(*appsv1.StatefulSet) {
		return func(s *appsv1.StatefulSet) {
			s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: &partition}
			if unavailable != "" {
				s.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable = new(intstr.Parse(unavailable))
			}
		}
	}
	onDelete := func(s *appsv1.StatefulSet) {
		s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType
	}
	for _, tc := range []struct {
		name        string
		set         *appsv1.StatefulSet
		goal, floor int
	}{
		{"all of them", statefulSet(5, "netapp:v2"), 5, 4},
		{"those from the partition on", statefulSet(5, "netapp:v2", rolling(3, "")), 2, 4},
		{"none where the partition is beyond", statefulSet(5, "netapp:v2", rolling(9, "")), 0, 4},
		{"a percentage is rounded down", statefulSet(5, "netapp:v2", rolling(0, "50%")), 5, 3},
		{"to one at least", statefulSet(5, "netapp:v2", rolling(0, "5%")), 5, 4},
		{"OnDelete: all in the end", statefulSet(5, "netapp:v2", onDelete), 5, 4},
	} {
		w := read(t, "StatefulSet", tc.set)
		if w.Goal != tc.goal || w.Floor() != tc.floor {
			t.Errorf("%s: goal %d, floor %d", tc.name, w.Goal, w.Floor())
		}
	}
}

func TestWhileTheControllerLagsNoPodIsNew(t *testing.T) {
	one, two := controllerRevision(t, "web-1", "web-1", "StatefulSet", "s", 1, "netapp:v1"), controllerRevision(t, "web-2", "web-2", "StatefulSet", "s", 2, "netapp:v2")
	objects := func(observed int64) *Workload {
		return read(t, "StatefulSet", statefulSet(2, "netapp:v2", func(s *appsv1.StatefulSet) { s.Status.ObservedGeneration = observed }), one, two,
			pod("web-0", "StatefulSet", "s", "web-1"), pod("web-1", "StatefulSet", "s", "web-2"))
	}
	if w := objects(1); w.Current != nil || newPods(w) != nil {
		t.Errorf("the status is of an earlier spec, and yet %v is current", w.Current)
	}
	if diff := cmp.Diff([]string{"web-1"}, newPods(objects(2))); diff != "" {
		t.Error(diff)
	}
	was, is := controllerRevision(t, "web-a", "a", "DaemonSet", "ds", 1, "netapp:v1"), controllerRevision(t, "web-b", "b", "DaemonSet", "ds", 2, "netapp:v2")
	lagging := func(d *appsv1.DaemonSet) { d.Status.ObservedGeneration = 1 }
	if w := read(t, "DaemonSet", daemonSet(2, "netapp:v3", lagging), was, is); w.Current != nil {
		t.Error("no revision carries the template yet")
	}
	w := read(t, "DaemonSet", daemonSet(2, "netapp:v2", lagging), was, is, pod("x", "DaemonSet", "ds", "b"), pod("y", "DaemonSet", "ds", "a"))
	if diff := cmp.Diff([]string{"x"}, newPods(w)); diff != "" {
		t.Error(diff)
	}
}

func TestADaemonSetRoundsUp(t *testing.T) {
	half := func(d *appsv1.DaemonSet) {
		d.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateDaemonSet{MaxUnavailable: new(intstr.Parse("30%"))}
	}
	surging := func(d *appsv1.DaemonSet) {
		d.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateDaemonSet{MaxUnavailable: new(intstr.Parse("0")), MaxSurge: new(intstr.Parse("1"))}
	}
	onDelete := func(d *appsv1.DaemonSet) {
		d.Spec.UpdateStrategy.Type = appsv1.OnDeleteDaemonSetStrategyType
	}
	for name, tc := range map[string]struct {
		ds    *appsv1.DaemonSet
		floor int
	}{
		"one by default":          {daemonSet(5, "netapp:v1"), 4},
		"30% of 5 is 2":           {daemonSet(5, "netapp:v1", half), 3},
		"with a surge all remain": {daemonSet(5, "netapp:v1", surging), 5},
		"OnDelete takes none":     {daemonSet(5, "netapp:v1", onDelete), 5},
		"no node, no pod":         {daemonSet(0, "netapp:v1"), 0},
	} {
		if w := read(t, "DaemonSet", tc.ds); w.Floor() != tc.floor {
			t.Errorf("%s: floor %d", name, w.Floor())
		}
	}
}

func TestDoneIsReadAsKubectlRolloutStatusReadsIt(t *testing.T) {
	dep := func(observed int64, updated, all, available int32) *appsv1.Deployment {
		return deployment(3, "netapp:v2", func(d *appsv1.Deployment) {
			d.Status = appsv1.DeploymentStatus{ObservedGeneration: observed, UpdatedReplicas: updated, Replicas: all, AvailableReplicas: available}
		})
	}
	sts := func(updated, ready, available int32, current string, change ...func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
		return statefulSet(3, "netapp:v2", append(change, func(s *appsv1.StatefulSet) {
			s.Status = appsv1.StatefulSetStatus{ObservedGeneration: 2, Replicas: 3, UpdatedReplicas: updated, ReadyReplicas: ready, AvailableReplicas: available, CurrentRevision: current, UpdateRevision: "web-2"}
		})...)
	}
	partition := func(s *appsv1.StatefulSet) {
		s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: new(int32(2))}
	}
	onDelete := func(s *appsv1.StatefulSet) {
		s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType
	}
	ds := func(updated, available int32) *appsv1.DaemonSet {
		return daemonSet(3, "netapp:v2", func(d *appsv1.DaemonSet) {
			d.Status.UpdatedNumberScheduled, d.Status.NumberAvailable = updated, available
		})
	}
	paused := dep(2, 3, 3, 3)
	paused.Spec.Paused = true
	for _, tc := range []struct {
		name string
		w    *Workload
		want bool
	}{
		{"complete", read(t, "Deployment", dep(2, 3, 3, 3)), true},
		{"the controller lags", read(t, "Deployment", dep(1, 3, 3, 3)), false},
		{"not all updated", read(t, "Deployment", dep(2, 2, 3, 3)), false},
		{"old ones are left", read(t, "Deployment", dep(2, 3, 4, 4)), false},
		{"not all available", read(t, "Deployment", dep(2, 3, 3, 2)), false},
		{"paused, and nothing left to do", read(t, "Deployment", paused), true},
		{"a StatefulSet complete", read(t, "StatefulSet", sts(3, 3, 3, "web-2")), true},
		{"a StatefulSet half way", read(t, "StatefulSet", sts(1, 3, 3, "web-1")), false},
		{"half a rollout undone: the revisions agree, the pods do not", read(t, "StatefulSet", sts(2, 3, 3, "web-2")), false},
		{"a partition reached", read(t, "StatefulSet", sts(1, 3, 3, "web-1", partition)), true},
		{"a partition reached, one not ready", read(t, "StatefulSet", sts(1, 2, 2, "web-1", partition)), false},
		{"OnDelete rolls nothing by itself", read(t, "StatefulSet", sts(0, 3, 3, "web-1", onDelete)), true},
		{"minReadySeconds not yet over", read(t, "StatefulSet", sts(3, 3, 2, "web-2")), false},
		{"a DaemonSet complete", read(t, "DaemonSet", ds(3, 3)), true},
		{"a DaemonSet half way", read(t, "DaemonSet", ds(2, 3)), false},
		{"a DaemonSet not available", read(t, "DaemonSet", ds(3, 2)), false},
	} {
		if got := tc.w.Done(); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestAPodIsAvailableAfterMinReadySeconds(t *testing.T) {
	ready := Pod{Pod: pod("p", "ReplicaSet", "a", "")} // for a minute
	going := Pod{Pod: pod("p", "ReplicaSet", "a", "")}
	going.DeletionTimestamp = new(ago(0))
	unready := Pod{Pod: pod("p", "ReplicaSet", "a", "")}
	unready.Status.Conditions[0].Status = corev1.ConditionFalse
	undated := Pod{Pod: pod("p", "ReplicaSet", "a", "")}
	undated.Status.Conditions[0].LastTransitionTime = metav1.Time{}
	for _, tc := range []struct {
		name string
		pod  Pod
		min  time.Duration
		want bool
	}{
		{"long enough", ready, time.Minute, true}, {"too young", ready, 61 * time.Second, false}, {"at once", ready, 0, true},
		{"going", going, 0, false}, {"not ready", unready, 0, false}, {"nobody knows since when", undated, time.Second, false}, {"no matter since when", undated, 0, true},
	} {
		if got := tc.pod.AvailableAt(now, tc.min); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestWhatCannotBeReadIsNoWorkload(t *testing.T) {
	v := viewOf(t, pod("web", "ReplicaSet", "a", ""))
	for _, ref := range []object.Ref{object.New("v1", "Pod", "shop", "web"), object.New("apps/v1", "Deployment", "shop", "web")} {
		if w, ok := Of(v, ref); ok {
			t.Errorf("%s: %v", ref, w)
		}
	}
	broken := controllerRevision(t, "web-2", "web-2", "StatefulSet", "s", 2, "netapp:v2")
	broken.Data.Raw = []byte("{")
	w := read(t, "StatefulSet", statefulSet(1, "netapp:v2", func(s *appsv1.StatefulSet) {
		s.Spec.Selector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "x", Operator: "Like"}}}
	}), broken)
	if w.Current == nil || w.Current.Template != nil || !w.Selector.Empty() && fmt.Sprint(w.Selector) != "" {
		t.Errorf("%+v", w)
	}
}

func TestAProposedWorkloadKeepsThePodsOfTheLiveOne(t *testing.T) {
	live := read(t, "Deployment", deployment(3, "netapp:v2"), replicaSet("a", "1", "netapp:v1", time.Hour), replicaSet("b", "2", "netapp:v2", time.Minute), pod("p1", "ReplicaSet", "a", ""), pod("p2", "ReplicaSet", "b", ""))
	for _, tc := range []struct {
		name    string
		next    *appsv1.Deployment
		current string
		pods    []string
	}{
		{"a new template has no set yet", deployment(5, "netapp:v3"), "", nil},
		{"the same one keeps its set", deployment(5, "netapp:v2"), "b", []string{"p2"}},
		{"an earlier one has its set back", deployment(5, "netapp:v1"), "a", []string{"p1"}},
	} {
		w, ok := Proposed(live, tc.next)
		if !ok || w.Replicas != 5 || len(w.Pods) != 2 {
			t.Fatalf("%s: %+v", tc.name, w)
		}
		current := ""
		if w.Current != nil {
			current = w.Current.Object.Ref.Name
		}
		if diff := cmp.Diff(tc.pods, newPods(w)); diff != "" || current != tc.current {
			t.Errorf("%s: %q %s", tc.name, current, diff)
		}
	}
	if diff := cmp.Diff([]string{"p2"}, newPods(live)); diff != "" {
		t.Errorf("the live one was changed: %s", diff)
	}
	if w, ok := Proposed(nil, deployment(2, "netapp:v1")); !ok || w.Ref != object.New("apps/v1", "Deployment", "shop", "web") || w.Current != nil {
		t.Errorf("a first deploy: %+v", w)
	}
	silent := deployment(2, "netapp:v1")
	silent.Spec.Replicas = nil
	if w, ok := Proposed(live, silent); !ok || w.Replicas != live.Replicas || silent.Spec.Replicas != nil {
		t.Errorf("a manifest that leaves replicas out: %+v, %v", w, ok)
	}
	if _, ok := Proposed(live, statefulSet(1, "netapp:v1")); ok {
		t.Error("a StatefulSet does not take a Deployment's place")
	}
	if _, ok := Proposed(live, pod("web", "", "", "")); ok {
		t.Error("a pod is not rolled out")
	}
	one := read(t, "DaemonSet", daemonSet(4, "netapp:v1"))
	if w, ok := Proposed(one, daemonSet(0, "netapp:v2")); !ok || w.Replicas != 4 {
		t.Errorf("the nodes of the live one remain: %+v", w)
	}
}
