package dns

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	sel := index.PodSelector(it.Object)
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

// fromTemplate is a pod as a workload would make it that has none: it is scaled
// to zero, or has not run yet.
func fromTemplate(it index.Item) *corev1.Pod {
	t := index.PodTemplate(it.Object)
	if t == nil || len(t.Spec.Containers) == 0 {
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
