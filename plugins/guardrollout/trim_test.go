package guardrollout

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestOnlyReadyPodsAreTrimmed(t *testing.T) {
	pod := func(ready corev1.ConditionStatus) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubelet"}}},
			Spec: corev1.PodSpec{
				Volumes: []corev1.Volume{
					{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}},
					{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{}}},
				},
				Containers: []corev1.Container{{Name: "app", Env: []corev1.EnvVar{{Name: "A", Value: "b"}}, Ports: []corev1.ContainerPort{{HostPort: 80}}}},
			},
			Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}},
		}
	}
	well, unwell := pod(corev1.ConditionTrue), pod(corev1.ConditionFalse)
	trimmer := newTrimmer()
	trimmer.trim(well)
	trimmer.trim(unwell)
	if len(well.Spec.Volumes) != 1 || well.Spec.Volumes[0].Name != "data" || well.Spec.Containers[0].Env != nil || len(well.Spec.Containers[0].Ports) != 1 {
		t.Errorf("of a ready pod: %+v", well.Spec)
	}
	if len(unwell.Spec.Volumes) != 2 || len(unwell.Spec.Containers[0].Env) != 1 || unwell.ManagedFields != nil {
		t.Errorf("of one that is not: %+v", unwell)
	}
}

func TestPodsOfOneOwnerShareHowTheyAreMade(t *testing.T) {
	pod := func(owner, image string) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Labels:          map[string]string{"app": "web"},
				OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", UID: types.UID(owner), Controller: new(true)}},
			},
			Spec:   corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: image}}},
			Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
		}
	}
	first, alike, patched, other := pod("a", "app:1"), pod("a", "app:1"), pod("a", "app:2"), pod("b", "app:1")
	trimmer := newTrimmer()
	for _, p := range []*corev1.Pod{first, alike, patched, other} {
		trimmer.trim(p)
	}
	if &alike.Spec.Containers[0] != &first.Spec.Containers[0] || &alike.OwnerReferences[0] != &first.OwnerReferences[0] {
		t.Error("what is equal is kept twice")
	}
	if patched.Spec.Containers[0].Image != "app:2" {
		t.Error("a pod that was patched became like the others")
	}
	if other.OwnerReferences[0].UID != "b" || &other.Spec.Containers[0] == &first.Spec.Containers[0] {
		t.Error("pods of two owners were mixed")
	}
}
