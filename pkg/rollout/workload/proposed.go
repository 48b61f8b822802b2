package workload

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Proposed is the workload as it would be with the object next in place of the
// live one: the shape is next's, the pods and revisions are the live one's.
// live is nil where the object does not exist yet. It is false where next is
// not of a kind that can be rolled out, or of another kind than live.
func Proposed(live *Workload, next source.Object) (*Workload, bool) {
	w := &Workload{Object: next}
	if next == nil {
		return nil, false
	}
	w.Generation = next.GetGeneration()
	kind := ""
	switch o := next.(type) {
	case *appsv1.Deployment:
		kind = "Deployment"
		if o.Spec.Replicas == nil && live != nil {
			o = o.DeepCopy() // what a manifest leaves out, it leaves as it is
			o.Spec.Replicas = new(int32(live.Replicas))
		}
		w.deploymentSpec(o)
	case *appsv1.StatefulSet:
		kind = "StatefulSet"
		if o.Spec.Replicas == nil && live != nil {
			o = o.DeepCopy()
			o.Spec.Replicas = new(int32(live.Replicas))
		}
		w.statefulSetSpec(o)
	case *appsv1.DaemonSet:
		kind = "DaemonSet"
		if o.Status.DesiredNumberScheduled == 0 && live != nil {
			o = o.DeepCopy() // a dry-run's answer may come without the status
			o.Status.DesiredNumberScheduled = int32(live.Replicas)
		}
		w.daemonSetSpec(o)
	default:
		return nil, false
	}
	w.Ref = object.New("apps/v1", kind, next.GetNamespace(), next.GetName())
	if live == nil {
		return w, true
	}
	if live.Ref.Kind != kind {
		return nil, false
	}
	w.Ref, w.Observed = live.Ref, live.Observed
	w.Revisions, w.Pods = slices.Clone(live.Revisions), slices.Clone(live.Pods)
	w.finish(w.carrier(live))
	return w, true
}

// carrier is the revision that would carry the proposed template: the live
// one's where nothing changes, an older one where it goes back to that.
func (w *Workload) carrier(live *Workload) string {
	switch {
	case live.Current != nil && index.SameTemplate(live.Template, w.Template):
		return live.Current.Object.Ref.Name
	case w.Ref.Kind == "Deployment":
		return w.newSet()
	}
	for _, r := range w.Revisions { // newest first
		if index.SameTemplate(r.Template, w.Template) {
			return r.Object.Ref.Name
		}
	}
	return ""
}
