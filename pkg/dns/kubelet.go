package dns

import (
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// parseKubelet reads a KubeletConfiguration as far as DNS goes.
func parseKubelet(text string) Kubelet {
	var k Kubelet
	if len(text) > maxText || yaml.Unmarshal([]byte(text), &k) != nil {
		return Kubelet{}
	}
	return k
}

// selectorOf is the selector by which a workload finds its pods.
func selectorOf(o source.Object) labels.Selector {
	var sel *metav1.LabelSelector
	switch o := o.(type) {
	case *appsv1.Deployment:
		sel = o.Spec.Selector
	case *appsv1.StatefulSet:
		sel = o.Spec.Selector
	case *appsv1.DaemonSet:
		sel = o.Spec.Selector
	case *appsv1.ReplicaSet:
		sel = o.Spec.Selector
	case *batchv1.Job:
		sel = o.Spec.Selector
	case *corev1.ReplicationController:
		return labels.SelectorFromSet(o.Spec.Selector)
	}
	if sel == nil {
		return nil
	}
	s, err := metav1.LabelSelectorAsSelector(sel)
	if err != nil || s.Empty() {
		return nil
	}
	return s
}
