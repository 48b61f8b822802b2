package index

import (
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// PodTemplate is what a workload of a built-in kind makes its pods of; nil of
// anything else.
func PodTemplate(o source.Object) *corev1.PodTemplateSpec {
	switch o := o.(type) {
	case *appsv1.Deployment:
		return &o.Spec.Template
	case *appsv1.StatefulSet:
		return &o.Spec.Template
	case *appsv1.DaemonSet:
		return &o.Spec.Template
	case *appsv1.ReplicaSet:
		return &o.Spec.Template
	case *batchv1.Job:
		return &o.Spec.Template
	case *batchv1.CronJob:
		return &o.Spec.JobTemplate.Spec.Template
	case *corev1.ReplicationController:
		return o.Spec.Template
	}
	return nil
}

// SameTemplate compares templates without the label that tells their pods apart
// (pkg/controller/deployment/util, EqualIgnoreHash).
func SameTemplate(a, b *corev1.PodTemplateSpec) bool {
	return a != nil && b != nil && equality.Semantic.DeepEqual(Unhashed(a), Unhashed(b))
}

// Unhashed is a template without the label that tells its ReplicaSet. What is
// below is shared, not copied.
func Unhashed(t *corev1.PodTemplateSpec) *corev1.PodTemplateSpec {
	c := *t
	c.Labels = maps.Clone(t.Labels)
	delete(c.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return &c
}

// PodSelector is how a workload of a built-in kind finds its pods; nil of
// anything else, and where the selector is malformed or would select all.
func PodSelector(o source.Object) labels.Selector {
	var selector *metav1.LabelSelector
	switch o := o.(type) {
	case *appsv1.Deployment:
		selector = o.Spec.Selector
	case *appsv1.StatefulSet:
		selector = o.Spec.Selector
	case *appsv1.DaemonSet:
		selector = o.Spec.Selector
	case *appsv1.ReplicaSet:
		selector = o.Spec.Selector
	case *batchv1.Job:
		selector = o.Spec.Selector
	case *corev1.ReplicationController:
		selector = &metav1.LabelSelector{MatchLabels: o.Spec.Selector}
	}
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if selector == nil || err != nil || parsed.Empty() {
		return nil
	}
	return parsed
}

// ClaimOf is the name of the claim behind a volume of a pod, "" where there is
// none. A generic ephemeral volume's is named after pod and volume
// (component-helpers storage/ephemeral, VolumeClaimName).
func ClaimOf(pod *corev1.Pod, volume corev1.Volume) string {
	switch {
	case volume.PersistentVolumeClaim != nil:
		return volume.PersistentVolumeClaim.ClaimName
	case volume.Ephemeral != nil:
		return pod.Name + "-" + volume.Name
	}
	return ""
}
