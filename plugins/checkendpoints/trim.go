package checkendpoints

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// trim keeps of a pod that is ready what it offers and where it is: of ten
// thousand pods nearly all are. What is wrong with another one may be told by
// any of its fields.
func trim(o source.Object) {
	pod, ok := o.(*corev1.Pod)
	if !ok || !ready(pod) {
		return
	}
	pod.Annotations, pod.ManagedFields = nil, nil
	spec := &pod.Spec
	spec.Volumes, spec.Tolerations, spec.Affinity, spec.TopologySpreadConstraints = nil, nil, nil, nil
	spec.EphemeralContainers, spec.ImagePullSecrets, spec.SecurityContext, spec.DNSConfig = nil, nil, nil, nil
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			c := containers[i]
			containers[i] = corev1.Container{
				Name: c.Name, Image: c.Image, Ports: c.Ports, RestartPolicy: c.RestartPolicy,
				ReadinessProbe: c.ReadinessProbe, LivenessProbe: c.LivenessProbe, StartupProbe: c.StartupProbe,
			}
		}
	}
}

func ready(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil
		}
	}
	return false
}
