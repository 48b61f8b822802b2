package guardrollout

import (
	"reflect"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// trimmer drops what the judgement does not read of that which comes in
// thousands: who wrote which field, and of a pod that is ready, how its
// containers are made. What is wrong with another one may be told by any of its
// fields. Of a workload all is kept: it says who superseded a rollout. Pods of
// one owner are made alike, so what is the same in them is kept once.
type trimmer struct {
	mu    sync.Mutex
	makes map[types.UID]made // by owner
}

// made is what the pods of an owner have in common.
type made struct {
	labels           map[string]string
	owners           []metav1.OwnerReference
	init, containers []corev1.Container
}

func newTrimmer() *trimmer { return &trimmer{makes: map[types.UID]made{}} }

func (t *trimmer) trim(o source.Object) {
	switch o := o.(type) {
	case *corev1.Pod:
		o.ManagedFields = nil
		if ready(o) {
			trimReady(o)
			t.share(o)
		}
	case *corev1.Event:
		o.ManagedFields, o.Labels, o.Annotations = nil, nil, nil
		o.ReportingInstance, o.Source.Host = "", ""
	case *corev1.Node, *discoveryv1.EndpointSlice:
		o.SetManagedFields(nil)
	}
}

func ready(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// trimReady keeps the claims, which another pod may wait for, and the ports.
func trimReady(pod *corev1.Pod) {
	pod.Annotations = nil
	spec := &pod.Spec
	spec.Volumes = slices.Clip(slices.DeleteFunc(spec.Volumes, func(v corev1.Volume) bool { return v.PersistentVolumeClaim == nil }))
	spec.Tolerations, spec.Affinity, spec.TopologySpreadConstraints, spec.SecurityContext = nil, nil, nil, nil
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i, c := range containers {
			containers[i] = corev1.Container{
				Name: c.Name, Image: c.Image, Ports: c.Ports, RestartPolicy: c.RestartPolicy, Resources: c.Resources,
				ReadinessProbe: c.ReadinessProbe, LivenessProbe: c.LivenessProbe, StartupProbe: c.StartupProbe,
			}
		}
	}
}

// share lets a pod have in common with the first one of its owner what is equal
// in both.
func (t *trimmer) share(pod *corev1.Pod) {
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	m, known := t.makes[owner.UID]
	if !known {
		t.makes[owner.UID] = made{pod.Labels, pod.OwnerReferences, pod.Spec.InitContainers, pod.Spec.Containers}
		return
	}
	unite(&pod.Labels, m.labels)
	unite(&pod.OwnerReferences, m.owners)
	unite(&pod.Spec.InitContainers, m.init)
	unite(&pod.Spec.Containers, m.containers)
}

// unite goes by how values were read: a quantity that is written otherwise is
// kept for itself.
func unite[T any](of *T, with T) {
	if reflect.DeepEqual(*of, with) {
		*of = with
	}
}
