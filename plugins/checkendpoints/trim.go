package checkendpoints

import (
	"maps"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// trimmer keeps of a pod that is ready what it offers and where it is: of ten
// thousand pods nearly all are. What is wrong with another one may be told by
// any of its fields. Pods of one kind come one after the other, so what is the
// same in two of them is kept once.
type trimmer struct {
	mu         sync.Mutex // guards the rest, which is what the last pod had
	labels     map[string]string
	containers []corev1.Container
}

func (t *trimmer) trim(o source.Object) {
	switch o := o.(type) {
	case *corev1.Pod:
		if ready(o) {
			t.pod(o)
		}
	case *discoveryv1.EndpointSlice:
		o.ManagedFields = nil
	}
}

func (t *trimmer) pod(pod *corev1.Pod) {
	pod.Annotations, pod.ManagedFields = nil, nil
	spec := &pod.Spec
	spec.Volumes, spec.Tolerations, spec.Affinity, spec.TopologySpreadConstraints = nil, nil, nil, nil
	spec.EphemeralContainers, spec.ImagePullSecrets, spec.SecurityContext, spec.DNSConfig = nil, nil, nil, nil
	offering(spec.InitContainers)
	offering(spec.Containers)
	status := &pod.Status
	status.ContainerStatuses, status.InitContainerStatuses, status.HostIPs, status.StartTime = nil, nil, nil, nil
	conditions := make([]corev1.PodCondition, 0, 2)
	for _, c := range status.Conditions {
		if c.Type == corev1.PodReady || c.Type == corev1.ContainersReady {
			conditions = append(conditions, c)
		}
	}
	status.Conditions = conditions

	t.mu.Lock()
	defer t.mu.Unlock()
	if maps.Equal(pod.Labels, t.labels) {
		pod.Labels = t.labels
	}
	if slices.EqualFunc(spec.Containers, t.containers, alike) {
		spec.Containers = t.containers
	}
	t.labels, t.containers = pod.Labels, spec.Containers
}

// offering leaves of containers what they are called and what they offer.
func offering(containers []corev1.Container) {
	for i, c := range containers {
		containers[i] = corev1.Container{Name: c.Name, Image: c.Image, Ports: c.Ports, RestartPolicy: c.RestartPolicy, ReadinessProbe: c.ReadinessProbe}
	}
}

// alike says that two trimmed containers tell the same. Of the probe of a pod
// that is ready it only matters whether there is one.
func alike(a, b corev1.Container) bool {
	return a.Name == b.Name && a.Image == b.Image && slices.Equal(a.Ports, b.Ports) &&
		(a.ReadinessProbe == nil) == (b.ReadinessProbe == nil) && a.RestartPolicy == nil && b.RestartPolicy == nil
}

func ready(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil
		}
	}
	return false
}
