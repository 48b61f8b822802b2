package back

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/rollout/cause"
)

// against says why a failure is none to go back from without being told to: it
// must be certain, and of the new revision's own making.
func against(ask Ask, now, then *corev1.PodTemplateSpec) string {
	var other *cause.Cause
	for i := range ask.Failed {
		c := &ask.Failed[i]
		if c.Severity == finding.Info || c.CausedBy != nil || c.Class == cause.Normal {
			continue
		}
		if own(c.Class, now, then) && (c.Terminal || ask.Outlasted) {
			return ""
		}
		if other == nil {
			other = c
		}
	}
	if other == nil {
		return "what failed is not determined: going back may not mend it"
	}
	why := map[cause.Class]string{
		cause.OfRevision:   "it is not certain yet that it cannot recover",
		cause.OfNode:       "it is due to a node, and the old revision would meet the same",
		cause.OfCapacity:   "there is no room, the old revision asks for as much, and going back makes none",
		cause.Passing:      "it is due to something else that may pass by itself",
		cause.Trapped:      "a pod of another revision is in the way, and only its deletion helps",
		cause.Undetermined: "pods of the old revision fail alike: the new one need not be at fault",
		cause.Held:         "it is held on purpose",
	}[other.Class]
	if other.Class == cause.Undetermined && cause.OnTimeAlone(other.Code) {
		why = "why it makes no progress is not known: going back may not mend it"
	}
	if why == "" {
		why = "what it is due to is not determined"
	}
	return fmt.Sprintf("%s; %s: %s", why, other.Object, other.Message)
}

// own says whether the failure is due to the new revision: where there is no
// room, it is so if it asks for other room than the one before it.
func own(class cause.Class, now, then *corev1.PodTemplateSpec) bool {
	return class == cause.OfRevision || class == cause.OfCapacity && !sameRoom(&now.Spec, &then.Spec)
}

func sameRoom(a, b *corev1.PodSpec) bool {
	return equality.Semantic.DeepEqual(room(a), room(b))
}

// room is what the scheduler, the quota and the storage look at.
func room(s *corev1.PodSpec) corev1.PodSpec {
	return corev1.PodSpec{
		NodeSelector: s.NodeSelector, Affinity: s.Affinity, Tolerations: s.Tolerations, NodeName: s.NodeName,
		TopologySpreadConstraints: s.TopologySpreadConstraints, PriorityClassName: s.PriorityClassName,
		RuntimeClassName: s.RuntimeClassName, SchedulerName: s.SchedulerName, Overhead: s.Overhead, Resources: s.Resources,
		HostNetwork: s.HostNetwork, ResourceClaims: s.ResourceClaims, Volumes: claims(s.Volumes),
		Containers: sizes(s.Containers), InitContainers: sizes(s.InitContainers),
	}
}

func sizes(containers []corev1.Container) []corev1.Container {
	var sized []corev1.Container
	for _, c := range containers {
		ports := slices.DeleteFunc(slices.Clone(c.Ports), func(p corev1.ContainerPort) bool { return p.HostPort == 0 })
		if len(ports) == 0 {
			ports = nil
		}
		sized = append(sized, corev1.Container{Name: c.Name, Resources: c.Resources, Ports: ports, RestartPolicy: c.RestartPolicy})
	}
	return sized
}

func claims(volumes []corev1.Volume) []corev1.Volume {
	var bound []corev1.Volume
	for _, v := range volumes {
		if v.PersistentVolumeClaim != nil || v.Ephemeral != nil {
			bound = append(bound, v)
		}
	}
	return bound
}
