package dns

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// clientOf is the pod that asks: the one that was named, or the first of a
// workload's pods that runs, or else what the workload's template would make.
func clientOf(v *index.View, ask Ask) (pod *corev1.Pod, template bool) {
	it, ok := v.Get(ask.From)
	if ask.From.IsZero() || !ok {
		return nil, false
	}
	if pod, ok := it.Object.(*corev1.Pod); ok {
		return pod, false
	}
	sel := selectorOf(it.Object)
	if sel == nil {
		pod = fromTemplate(it)
		return pod, pod != nil
	}
	var best *corev1.Pod
	for _, p := range v.Select(podKind, it.Ref.Namespace, sel) {
		pod, ok := p.Object.(*corev1.Pod)
		if ok && (best == nil || score(pod) > score(best)) {
			best = pod
		}
	}
	listed := source.Query{Kind: podKind, Namespace: it.Ref.Namespace, Labels: sel.String()}
	if best == nil && (v.Answered(listed) || v.Answered(source.Query{Kind: podKind, Namespace: it.Ref.Namespace}) || v.Answered(source.Query{Kind: podKind})) {
		best = fromTemplate(it)
		return best, best != nil
	}
	return best, false
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

// fromTemplate is a pod as a workload would make it that has none: it is scaled
// to zero, or has not run yet.
func fromTemplate(it index.Item) *corev1.Pod {
	var t corev1.PodTemplateSpec
	switch o := it.Object.(type) {
	case *appsv1.Deployment:
		t = o.Spec.Template
	case *appsv1.StatefulSet:
		t = o.Spec.Template
	case *appsv1.DaemonSet:
		t = o.Spec.Template
	case *appsv1.ReplicaSet:
		t = o.Spec.Template
	case *batchv1.Job:
		t = o.Spec.Template
	case *batchv1.CronJob:
		t = o.Spec.JobTemplate.Spec.Template
	}
	if len(t.Spec.Containers) == 0 {
		return nil
	}
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: it.Ref.Namespace, Name: it.Ref.Name, Labels: t.Labels}, Spec: t.Spec}
}

// silentClient says why the client was not asked itself.
func (w *world) silentClient() {
	switch c := w.client; {
	case c == nil:
	case w.template:
		w.note("%s has no pod now: what is said holds for a pod that its template makes, and nothing was asked from one.", w.ask.From)
	case c.Status.Phase == corev1.PodSucceeded || c.Status.Phase == corev1.PodFailed:
		w.note("%s has ended (%s): what is said was computed, and nothing was asked from it.", podRef(c), c.Status.Phase)
	case c.Status.Phase == corev1.PodPending:
		w.note("%s does not run (%s): what is said was computed, and nothing was asked from it.", podRef(c), c.Status.Phase)
	case w.seen.ResolvConf != nil && w.seen.ResolvConf.Err != "" && w.seen.Debugger == nil:
		w.note("%s could not be asked itself (%s): its resolv.conf was computed. --debug-container IMAGE asks from a container with a shell.", podRef(c), w.seen.ResolvConf.Err)
	}
}

// container says whether the client has the container that was named.
func (w *world) container() error {
	if w.client == nil || w.ask.Container == "" {
		return nil
	}
	var names []string
	for _, c := range w.client.Spec.Containers {
		names = append(names, c.Name)
	}
	if slices.Contains(names, w.ask.Container) {
		return nil
	}
	return fmt.Errorf("%s has no container %q: choose with -c one of %s", w.clientRef(), w.ask.Container, strings.Join(names, ", "))
}

func score(p *corev1.Pod) int {
	switch {
	case p.DeletionTimestamp != nil || p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded:
		return 0
	case podReady(p):
		return 3
	case p.Status.Phase == corev1.PodRunning:
		return 2
	}
	return 1
}

func podReady(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
