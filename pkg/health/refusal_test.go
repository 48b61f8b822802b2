package health

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

func TestAStatefulSetIsRefusedInEventsAlone(t *testing.T) {
	sts := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "db", Namespace: "shop", UID: "sts-db"}, Spec: appsv1.StatefulSetSpec{Replicas: new(int32(2))}, Status: appsv1.StatefulSetStatus{Replicas: 1, ReadyReplicas: 1}}
	refused := event(sts, "FailedCreate", `create Pod db-1 in StatefulSet db failed error: pods "db-1" is forbidden: exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4`, time.Minute, 3)
	if got := names(of(sts, refused).state(t).Problems); !slices.Equal(got, []string{"quota"}) {
		t.Errorf("got %v", got)
	}
	created := event(sts, "SuccessfulCreate", "create Pod db-1 in StatefulSet db successful", time.Second, 1)
	if got := names(of(sts, refused, created).state(t).Problems); len(got) > 0 {
		t.Errorf("a pod was created since, but got %v", got)
	}
}

func TestAHolderThatIsBeingDeletedLetsGoByItself(t *testing.T) {
	oldSet, newSet := replicaSet("web-1", "1", "redis:7", 1), replicaSet("web-2", "2", "redis:8", 0)
	leaving := pod(named("old"), claims("data"), ownedBy(oldSet, "ReplicaSet"))
	leaving.DeletionTimestamp = new(ago(-10 * time.Second))
	attaching := pod(named("new"), claims("data"), ownedBy(newSet, "ReplicaSet"), waits("ContainerCreating", ""), begun(time.Minute))
	multi := event(attaching, "FailedAttachVolume", `Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) old`, time.Minute, 1)
	ps := of(attaching, multi, leaving, deployment(), oldSet, newSet).state(t).Problems
	if len(ps) != 1 || ps[0].Terminal || !strings.Contains(ps[0].Message, "being deleted") {
		t.Errorf("got %+v", ps)
	}
}

func TestATerminatingNamespaceSaysWhatRemains(t *testing.T) {
	ns := &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: "shop", DeletionTimestamp: new(ago(time.Hour))},
		Spec:       corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{corev1.FinalizerKubernetes}},
		Status: corev1.NamespaceStatus{Phase: corev1.NamespaceTerminating, Conditions: []corev1.NamespaceCondition{
			{Type: corev1.NamespaceDeletionDiscoveryFailure, Status: corev1.ConditionTrue, Message: "unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1"}}},
	}
	s := of(ns).state(t)
	if s.Level != Warning || s.Status != "Terminating" || len(s.Problems) != 1 || !strings.Contains(s.Problems[0].Message, "namespace controller") || !strings.Contains(s.Problems[0].Message, "metrics.k8s.io") {
		t.Errorf("got %+v", s)
	}
}

func TestMetadataAloneSaysNothingButThatItIsDeleted(t *testing.T) {
	secret := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metav1.ObjectMeta{Name: "s", Namespace: "shop"}}
	if s := of(secret).state(t); s.Level != None {
		t.Errorf("got %+v", s)
	}
	gone := secret.DeepCopy()
	gone.DeletionTimestamp = new(ago(time.Hour))
	gone.Finalizers = []string{"foregroundDeletion"}
	if s := of(gone).state(t); s.Level != Warning || !strings.Contains(s.Problems[0].Message, "garbage collector") {
		t.Errorf("got %+v", s)
	}
}

func TestARouteIsJudgedByTheConditionsOfEachParent(t *testing.T) {
	route := custom("ignored", "", "", 0)
	route.SetKind("HTTPRoute")
	conditions := route.Object["status"].(map[string]any)["conditions"].([]any)
	refs := map[string]any{"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound", "message": "service api not found"}
	route.Object["status"] = map[string]any{"conditions": conditions[:0], "parents": []any{map[string]any{"conditions": []any{map[string]any{"type": "Accepted", "status": "True"}, refs}}}}
	s := of(route).state(t)
	if s.Level != Broken || s.Problems[0].Evidence[0].Field != "status.parents[0].conditions[1].status" {
		t.Errorf("got %+v", s)
	}
}

func TestPodsThatEveryNodeRefusesAreAFaultOfTheTemplate(t *testing.T) {
	set, pinned := replicaSet("web-1", "1", "nginx:1.25", 0), replicaSet("web-1", "1", "nginx:1.25", 0)
	pinned.Spec.Template.Spec.NodeName = "node-1"
	refused := func(n int, reason string) []source.Object {
		var pods []source.Object
		for i := range n {
			pods = append(pods, pod(named(fmt.Sprint("web-", i)), ownedBy(set, "ReplicaSet"), func(p *corev1.Pod) {
				p.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: reason, Message: "Pod was rejected: " + reason}
			}))
		}
		return pods
	}
	for _, tc := range []struct {
		name    string
		scene   []source.Object
		certain bool
	}{
		{"three alike", append(refused(3, "SysctlForbidden"), set), true},
		{"two: the next may meet another node", append(refused(2, "SysctlForbidden"), set), false},
		{"another pod of it runs", append(refused(3, "AppArmor"), set, pod(named("well"), ownedBy(set, "ReplicaSet"))), false},
		{"the nodes were full at that moment", append(refused(3, "OutOfcpu"), set), false},
		{"the template names the node", append(refused(3, "OutOfcpu"), pinned), true},
		{"a device plugin that has just started", append(refused(3, "UnexpectedAdmissionError"), set), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ps := of(tc.scene...).state(t).Problems
			if len(ps) != 1 || ps[0].Name != "evicted" || ps[0].Terminal != tc.certain {
				t.Errorf("got %+v", ps)
			}
		})
	}
}

func TestOnlyADriverThatIsNotInstalledNeverComes(t *testing.T) {
	starting := pod(waits("ContainerCreating", ""), begun(30*time.Second))
	words := event(starting, "FailedMount", `MountVolume.SetUp failed for volume "v" : kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name disk.example not found in the list of registered CSI drivers`, time.Second, 3)
	drivers := gk("storage.k8s.io", "CSIDriver")
	nodes := gk("storage.k8s.io", "CSINode")
	other := &storagev1.CSINode{ObjectMeta: metav1.ObjectMeta{Name: "node-2"}, Spec: storagev1.CSINodeSpec{Drivers: []storagev1.CSINodeDriver{{Name: "disk.example", NodeID: "2"}}}}
	installed := &storagev1.CSIDriver{ObjectMeta: metav1.ObjectMeta{Name: "disk.example"}}
	for _, tc := range []struct {
		name, says string
		scene      scene
		certain    bool
	}{
		{"not installed", `the cluster has no CSI driver "disk.example"`, of(starting, words).covers(drivers, nodes), true},
		{"installed without a CSIDriver, and its pod on the node not up", `not registered on node node-1`, of(starting, words, other).covers(drivers, nodes), false},
		{"which nodes have it may not be seen", `not registered on node node-1`, of(starting, words).covers(drivers), false},
		{"installed, and its pod on the node not up", `not registered on node node-1`, of(starting, words, installed).covers(drivers), false},
		{"which there are may not be seen", `not registered on node node-1`, of(starting, words), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ps := tc.scene.state(t).Problems
			if len(ps) != 1 || ps[0].Name != "mount-failed" || ps[0].Terminal != tc.certain || !strings.Contains(ps[0].Message, tc.says) {
				t.Errorf("got %+v", ps)
			}
		})
	}
}
