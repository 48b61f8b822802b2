package workload

import (
	"cmp"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// restartedAt is what kubectl rollout restart writes (kubectl
// pkg/polymorphichelpers, defaultObjectRestarter).
const restartedAt = "kubectl.kubernetes.io/restartedAt"

// pod compares what belongs to the pod rather than to one container.
func (d *differ) pod(old, new *corev1.PodTemplateSpec) {
	a, b := &old.Spec, &new.Spec
	if after := new.Annotations[restartedAt]; after != "" && after != old.Annotations[restartedAt] {
		d.add("restarted")
	}
	for _, t := range []*corev1.PodTemplateSpec{old, new} { // both are copies
		if new.Annotations[restartedAt] != "" {
			delete(t.Annotations, restartedAt)
		}
	}
	if a.Resources != nil || b.Resources != nil {
		d.add(resources("pod ", orEmpty(a.Resources), orEmpty(b.Resources))...)
	}
	d.add(changedNames("volume", byName(a.Volumes, volumeName), byName(b.Volumes, volumeName))...)
	d.add(pairs("label", old.Labels, new.Labels)...)
	d.add(changedNames("annotation", old.Annotations, new.Annotations)...) // values may be anything
	d.add(one("service account", a.ServiceAccountName, b.ServiceAccountName)...)
	d.add(pairs("node selector", a.NodeSelector, b.NodeSelector)...)
	d.add(differs("tolerations", a.Tolerations, b.Tolerations)...)
	d.add(differs("affinity", a.Affinity, b.Affinity)...)
	d.add(differs("topology spread", a.TopologySpreadConstraints, b.TopologySpreadConstraints)...)
	d.add(one("priority class", a.PriorityClassName, b.PriorityClassName)...)
	d.add(one("grace period", seconds(a.TerminationGracePeriodSeconds), seconds(b.TerminationGracePeriodSeconds))...)
	d.add(differs("pod security context", a.SecurityContext, b.SecurityContext)...)
	d.add(differs("image pull secrets", a.ImagePullSecrets, b.ImagePullSecrets)...)
}

func orEmpty(r *corev1.ResourceRequirements) corev1.ResourceRequirements {
	if r == nil {
		return corev1.ResourceRequirements{}
	}
	return *r
}

func volumeName(v corev1.Volume) string { return v.Name }

func seconds(n *int64) string {
	if n == nil {
		return ""
	}
	return fmt.Sprintf("%d s", *n)
}

// one is a single value before and after.
func one(what, old, new string) []string {
	if old == new {
		return nil
	}
	return []string{fmt.Sprintf("%s %s → %s", what, cmp.Or(clip(old, 40), "none"), cmp.Or(clip(new, 40), "none"))}
}

func differs(what string, old, new any) []string {
	if equality.Semantic.DeepEqual(old, new) {
		return nil
	}
	return []string{what + " changed"}
}

// changedNames names what was added, removed or changed, without its content.
func changedNames[T any](what string, before, after map[string]T) []string {
	names := differing(before, after)
	if len(names) > 2 {
		return []string{fmt.Sprintf("%d %ss (%s)", len(names), what, clip(strings.Join(names, ", "), 40))}
	}
	var words []string
	for _, name := range names {
		_, had := before[name]
		_, has := after[name]
		words = append(words, fmt.Sprintf("%s %s %s", what, clip(name, 50), verb(had, has)))
	}
	return words
}

func verb(had, has bool) string {
	switch {
	case !had:
		return "added"
	case !has:
		return "removed"
	}
	return "changed"
}

// pairs are labels and their like: what they hold is no secret.
func pairs(what string, before, after map[string]string) []string {
	names := differing(before, after)
	if len(names) > 2 {
		return changedNames(what, before, after)
	}
	var words []string
	for _, name := range names {
		old, had := before[name]
		new, has := after[name]
		switch {
		case had && has:
			words = append(words, fmt.Sprintf("%s %s %s → %s", what, clip(name, 40), shown(old), shown(new)))
		case has:
			words = append(words, fmt.Sprintf("%s %s=%s added", what, clip(name, 40), shown(new)))
		default:
			words = append(words, fmt.Sprintf("%s %s removed", what, clip(name, 40)))
		}
	}
	return words
}
