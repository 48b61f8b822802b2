package guardrollout

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// trim drops what the judgement does not read of that which comes in
// thousands: who wrote which field, and of a pod that is ready, how its
// containers are made. What is wrong with another one may be told by any of its
// fields. Of a workload all is kept: it says who superseded a rollout.
func trim(o source.Object) {
	switch o := o.(type) {
	case *corev1.Pod:
		o.ManagedFields = nil
		if ready(o) {
			trimReady(o)
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
