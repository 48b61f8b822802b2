// Package workload reads Deployments, StatefulSets and DaemonSets as one shape:
// what is rolled out, in which revisions, by which pods, under which promises.
package workload

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Kinds are the kinds that can be rolled out.
var Kinds = []string{"Deployment", "StatefulSet", "DaemonSet"}

// Workload is one Deployment, StatefulSet or DaemonSet with what belongs to it.
type Workload struct {
	Ref      object.Ref
	Object   source.Object
	Template *corev1.PodTemplateSpec
	Selector labels.Selector

	Generation, Observed int64

	Replicas int // that the spec asks for; of a DaemonSet, the nodes that it selects
	Goal     int // pods of the new revision in the end: a partition keeps some old, OnDelete all
	Strategy Strategy
	Paused   bool
	MinReady time.Duration
	Deadline time.Duration // progressDeadlineSeconds; 0 where there is none

	Revisions []Revision // newest first
	Current   *Revision  // the one that carries the template; nil until the controller has made it
	Pods      []Pod      // by name
}

// Strategy is how pods are replaced, with its numbers resolved as the
// controllers resolve them.
type Strategy struct {
	Type           string // "RollingUpdate", "Recreate", "OnDelete"
	Surge          int    // pods more than Replicas
	MaxUnavailable int    // pods fewer than Replicas
	Partition      int    // StatefulSet: ordinals below it stay on the old revision
	Parallel       bool   // StatefulSet: podManagementPolicy Parallel
}

// Revision is one version of the template that the cluster keeps.
type Revision struct {
	Number   int64
	Hash     string // by which its pods are known
	Object   index.Item
	Template *corev1.PodTemplateSpec // nil where it cannot be read
}

// Pod is one pod of a workload.
type Pod struct {
	*corev1.Pod
	Hash string
	New  bool // of the current revision
}

// Of reads a workload from the view; false where the view does not hold it, or
// holds no more than its metadata. All who ask one view share the answer: it
// must not be changed.
func Of(v *index.View, ref object.Ref) (*Workload, bool) {
	w := index.Memo(v, inView{ref}, func() *Workload { return of(v, ref) })
	return w, w != nil
}

// inView is the key under which a view keeps a workload.
type inView struct{ ref object.Ref }

func of(v *index.View, ref object.Ref) *Workload {
	it, ok := v.Get(ref)
	if !ok {
		return nil
	}
	w := &Workload{Ref: it.Ref, Object: it.Object, Generation: it.Object.GetGeneration()}
	switch o := it.Object.(type) {
	case *appsv1.Deployment:
		w.deployment(v, o)
	case *appsv1.StatefulSet:
		w.statefulSet(v, o)
	case *appsv1.DaemonSet:
		w.daemonSet(v, o)
	default:
		return nil
	}
	return w
}

// Floor is how many pods the strategy keeps available at every moment.
func (w *Workload) Floor() int {
	if w.Strategy.Type == string(appsv1.RecreateDeploymentStrategyType) {
		return 0
	}
	return max(0, w.Replicas-w.Strategy.MaxUnavailable)
}

// Done says whether the controller reports the rollout of the newest spec as
// complete, as kubectl rollout status reads it (kubectl pkg/polymorphichelpers).
func (w *Workload) Done() bool {
	if w.Observed < w.Generation {
		return false
	}
	switch o := w.Object.(type) {
	case *appsv1.Deployment:
		return int(o.Status.UpdatedReplicas) >= w.Replicas && o.Status.Replicas <= o.Status.UpdatedReplicas && o.Status.AvailableReplicas >= o.Status.UpdatedReplicas
	case *appsv1.StatefulSet:
		if w.OnDelete() {
			return int(o.Status.AvailableReplicas) >= w.Replicas
		}
		// That the two revisions are equal proves nothing: they are so at once
		// when half a rollout is undone.
		return int(o.Status.UpdatedReplicas) >= w.Goal && int(o.Status.ReadyReplicas) >= w.Replicas && int(o.Status.AvailableReplicas) >= w.Replicas
	case *appsv1.DaemonSet:
		if w.OnDelete() {
			return int(o.Status.NumberAvailable) >= w.Replicas
		}
		return int(o.Status.UpdatedNumberScheduled) >= w.Replicas && int(o.Status.NumberAvailable) >= w.Replicas
	}
	return false
}

// Told is what the controller itself counts, for where its pods may not be
// seen. How many of the available pods are new it does not tell: as few as
// there can be.
func (w *Workload) Told() (updated, ready, available, old int) {
	var all, serving, well int32
	switch o := w.Object.(type) {
	case *appsv1.Deployment:
		all, serving, well, updated = o.Status.Replicas, o.Status.ReadyReplicas, o.Status.AvailableReplicas, int(o.Status.UpdatedReplicas)
	case *appsv1.StatefulSet:
		all, serving, well, updated = o.Status.Replicas, o.Status.ReadyReplicas, o.Status.AvailableReplicas, int(o.Status.UpdatedReplicas)
	case *appsv1.DaemonSet:
		all, serving, well, updated = o.Status.CurrentNumberScheduled, o.Status.NumberReady, o.Status.NumberAvailable, int(o.Status.UpdatedNumberScheduled)
	}
	old = max(0, int(all)-updated)
	return updated, max(0, int(serving)-old), max(0, int(well)-old), old
}

// OnDelete says whether pods are replaced only when somebody deletes them.
func (w *Workload) OnDelete() bool { return w.Strategy.Type == "OnDelete" }

// Previous is the revision that is replaced: the newest old one that still has
// pods, or else the newest old one.
func (w *Workload) Previous() *Revision {
	var newest *Revision
	for i := range w.Revisions {
		r := &w.Revisions[i]
		if w.Current != nil && r.Hash == w.Current.Hash {
			continue
		}
		if slices.ContainsFunc(w.Pods, func(p Pod) bool { return p.Hash == r.Hash && p.DeletionTimestamp == nil }) {
			return r
		}
		if newest == nil {
			newest = r
		}
	}
	return newest
}

// Live says whether a pod runs or will: it is neither ended nor going.
func (p Pod) Live() bool {
	return p.DeletionTimestamp == nil && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed
}

// Ready says whether the pod's condition Ready is true.
func (p Pod) Ready() bool { return p.readySince() != nil }

func (p Pod) readySince() *metav1.Time {
	for i := range p.Status.Conditions {
		if c := &p.Status.Conditions[i]; c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			return &c.LastTransitionTime
		}
	}
	return nil
}

// AvailableAt says whether the pod has been ready for minReadySeconds
// (k8s.io/kubernetes pkg/api/v1/pod, IsPodAvailable).
func (p Pod) AvailableAt(now time.Time, minReady time.Duration) bool {
	since := p.readySince()
	return since != nil && p.Live() && (minReady == 0 || !since.IsZero() && !since.Add(minReady).After(now))
}
