package preflight

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// Changes are what would change, in words: of the pod template first, then of
// how it is run. Without a manifest, it is what is still to be rolled out of
// the live spec. Empty means that there is nothing to roll, and nothing else.
func Changes(w *workload.Workload, opts Options) []string {
	if opts.Next == nil {
		return pending(w)
	}
	if opts.New {
		w = nil
	}
	next, ok := workload.Proposed(w, opts.Next)
	if !ok {
		return nil
	}
	if w == nil {
		return created(next)
	}
	words := workload.Difference(w.Template, next.Template)
	if w.Ref.Kind != "DaemonSet" && w.Replicas != next.Replicas {
		words = append(words, fmt.Sprintf("replicas %d → %d", w.Replicas, next.Replicas))
	}
	return append(words, manner(w, next)...)
}

func pending(w *workload.Workload) []string {
	if w == nil || w.Done() && !w.OnDelete() {
		return nil
	}
	before := w.Previous()
	if before == nil {
		return nil
	}
	return workload.Difference(before.Template, w.Template)
}

func created(w *workload.Workload) []string {
	var words []string
	for _, c := range w.Template.Spec.Containers {
		words = append(words, "created with image "+c.Image)
	}
	if w.Ref.Kind != "DaemonSet" {
		words = append(words, plural(w.Replicas, "replica"))
	}
	return words
}

// manner is how the pods are run and replaced.
func manner(a, b *workload.Workload) []string {
	var words []string
	number := func(what string, old, new int) {
		if old != new {
			words = append(words, fmt.Sprintf("%s %d → %d", what, old, new))
		}
	}
	if a.Strategy.Type != b.Strategy.Type {
		words = append(words, fmt.Sprintf("strategy %s → %s", a.Strategy.Type, b.Strategy.Type))
	} else if surge, unavailable := limits(a.Object), limits(b.Object); surge != unavailable {
		words = append(words, fmt.Sprintf("%s → %s", surge, unavailable))
	}
	number("partition", a.Strategy.Partition, b.Strategy.Partition)
	number("minReadySeconds", int(a.MinReady.Seconds()), int(b.MinReady.Seconds()))
	number("progressDeadlineSeconds", int(a.Deadline.Seconds()), int(b.Deadline.Seconds()))
	if a.Paused != b.Paused {
		words = append(words, map[bool]string{true: "paused", false: "resumed"}[b.Paused])
	}
	if old, new := selectorText(a.Object), selectorText(b.Object); old != new {
		words = append(words, fmt.Sprintf("selector %s → %s", old, new))
	}
	return words
}

// limits are maxSurge and maxUnavailable as they are written.
func limits(o any) string {
	surge, unavailable := "", ""
	switch o := o.(type) {
	case *appsv1.Deployment:
		if r := o.Spec.Strategy.RollingUpdate; r != nil {
			surge, unavailable = r.MaxSurge.String(), r.MaxUnavailable.String()
		}
	case *appsv1.DaemonSet:
		if r := o.Spec.UpdateStrategy.RollingUpdate; r != nil {
			surge, unavailable = r.MaxSurge.String(), r.MaxUnavailable.String()
		}
	case *appsv1.StatefulSet:
		if r := o.Spec.UpdateStrategy.RollingUpdate; r != nil && r.MaxUnavailable != nil {
			return "maxUnavailable " + r.MaxUnavailable.String()
		}
		return "maxUnavailable 1"
	}
	return fmt.Sprintf("maxSurge %s, maxUnavailable %s", surge, unavailable)
}

func selectorText(o any) string {
	switch o := o.(type) {
	case *appsv1.Deployment:
		return metav1.FormatLabelSelector(o.Spec.Selector)
	case *appsv1.StatefulSet:
		return metav1.FormatLabelSelector(o.Spec.Selector)
	case *appsv1.DaemonSet:
		return metav1.FormatLabelSelector(o.Spec.Selector)
	}
	return ""
}
