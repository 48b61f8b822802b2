package workload

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/index"
)

// RevisionAnnotation numbers the revisions of a Deployment
// (pkg/controller/deployment/util, RevisionAnnotation).
const RevisionAnnotation = "deployment.kubernetes.io/revision"

func (w *Workload) deploymentSpec(d *appsv1.Deployment) {
	w.Template, w.Selector = &d.Spec.Template, selectorOf(d.Spec.Selector)
	w.Observed, w.Paused = d.Status.ObservedGeneration, d.Spec.Paused
	w.Replicas = int(deref(d.Spec.Replicas, 1))
	w.Goal = w.Replicas
	w.MinReady = time.Duration(d.Spec.MinReadySeconds) * time.Second
	if seconds := deref(d.Spec.ProgressDeadlineSeconds, 600); seconds < 1<<31-1 { // the largest means never
		w.Deadline = time.Duration(seconds) * time.Second
	}
	w.Strategy = Strategy{Type: string(cmp.Or(d.Spec.Strategy.Type, appsv1.RollingUpdateDeploymentStrategyType))}
	if w.Strategy.Type == string(appsv1.RollingUpdateDeploymentStrategyType) {
		w.Strategy.Surge, w.Strategy.MaxUnavailable = fenceposts(d.Spec.Strategy.RollingUpdate, w.Replicas)
	}
}

func (w *Workload) deployment(v *index.View, d *appsv1.Deployment) {
	w.deploymentSpec(d)
	for it := range v.Owned(d.UID) {
		rs, ok := it.Object.(*appsv1.ReplicaSet)
		if !ok || !controls(d.UID, rs) {
			continue
		}
		number, _ := strconv.ParseInt(rs.Annotations[RevisionAnnotation], 10, 64)
		hash := rs.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
		w.Revisions = append(w.Revisions, Revision{Number: number, Hash: hash, Object: it, Template: &rs.Spec.Template})
		w.addPods(v, rs.UID, func(*corev1.Pod) string { return hash })
	}
	w.finish(w.newSet())
}

// fenceposts are maxSurge, rounded up, and maxUnavailable, rounded down; they
// are never both 0 (pkg/controller/deployment/util, ResolveFenceposts).
func fenceposts(r *appsv1.RollingUpdateDeployment, replicas int) (surge, unavailable int) {
	quarter := intstr.FromString("25%")
	up, down := &quarter, &quarter
	if r != nil && r.MaxSurge != nil {
		up = r.MaxSurge
	}
	if r != nil && r.MaxUnavailable != nil {
		down = r.MaxUnavailable
	}
	surge, unavailable = scaled(up, replicas, true), scaled(down, replicas, false)
	if surge == 0 && unavailable == 0 {
		unavailable = 1
	}
	return surge, min(unavailable, replicas)
}

func scaled(value *intstr.IntOrString, of int, up bool) int {
	n, err := intstr.GetScaledValueFromIntOrPercent(value, of, up)
	if err != nil {
		return 0
	}
	return max(0, n)
}

// newSet is the ReplicaSet that carries the Deployment's template: the oldest
// such one (pkg/controller/deployment/util, FindNewReplicaSet).
func (w *Workload) newSet() string {
	var found *Revision
	for i := range w.Revisions {
		r := &w.Revisions[i]
		if !index.SameTemplate(r.Template, w.Template) {
			continue
		}
		if found == nil || r.created().Before(found.created()) {
			found = r
		}
	}
	if found == nil {
		return ""
	}
	return found.Object.Ref.Name
}

func (r Revision) created() time.Time { return r.Object.Object.GetCreationTimestamp().Time }

func (w *Workload) statefulSetSpec(s *appsv1.StatefulSet) {
	w.Template, w.Selector = &s.Spec.Template, selectorOf(s.Spec.Selector)
	w.Observed = s.Status.ObservedGeneration
	w.Replicas = int(deref(s.Spec.Replicas, 1))
	w.MinReady = time.Duration(s.Spec.MinReadySeconds) * time.Second
	w.Strategy = Strategy{
		Type:     string(cmp.Or(s.Spec.UpdateStrategy.Type, appsv1.RollingUpdateStatefulSetStrategyType)),
		Parallel: s.Spec.PodManagementPolicy == appsv1.ParallelPodManagement, MaxUnavailable: 1,
	}
	w.Goal = w.Replicas
	if r := s.Spec.UpdateStrategy.RollingUpdate; r != nil && !w.OnDelete() {
		w.Strategy.Partition = int(max(0, deref(r.Partition, 0)))
		w.Goal = max(0, w.Replicas-w.Strategy.Partition)
		// The field is kept only where the server has the feature on
		// (pkg/registry/apps/statefulset, dropStatefulSetDisabledFields). It is
		// rounded down (pkg/controller/statefulset, getStatefulSetMaxUnavailable),
		// whatever the API's own documentation says.
		if r.MaxUnavailable != nil {
			w.Strategy.MaxUnavailable = max(1, scaled(r.MaxUnavailable, w.Replicas, false))
		}
	}
}

func (w *Workload) statefulSet(v *index.View, s *appsv1.StatefulSet) {
	w.statefulSetSpec(s)
	w.revisions(v, s.UID, func(c *appsv1.ControllerRevision) string { return c.Name })
	w.addPods(v, s.UID, hashLabel)
	current := ""
	if w.Observed >= w.Generation {
		current = s.Status.UpdateRevision
	}
	w.finish(current)
}

func (w *Workload) daemonSetSpec(d *appsv1.DaemonSet) {
	w.Template, w.Selector = &d.Spec.Template, selectorOf(d.Spec.Selector)
	w.Observed = d.Status.ObservedGeneration
	w.Replicas = int(d.Status.DesiredNumberScheduled)
	w.Goal = w.Replicas
	w.MinReady = time.Duration(d.Spec.MinReadySeconds) * time.Second
	w.Strategy = Strategy{Type: string(cmp.Or(d.Spec.UpdateStrategy.Type, appsv1.RollingUpdateDaemonSetStrategyType))}
	if w.Strategy.Type == string(appsv1.RollingUpdateDaemonSetStrategyType) {
		one, none := intstr.FromInt32(1), intstr.FromInt32(0)
		unavailable, surge := &one, &none
		if r := d.Spec.UpdateStrategy.RollingUpdate; r != nil {
			unavailable, surge = cmp.Or(r.MaxUnavailable, unavailable), cmp.Or(r.MaxSurge, surge)
		}
		// Both are rounded up (pkg/controller/daemon/util, UnavailableCount, SurgeCount).
		w.Strategy.MaxUnavailable, w.Strategy.Surge = scaled(unavailable, w.Replicas, true), scaled(surge, w.Replicas, true)
		if w.Strategy.MaxUnavailable == 0 && w.Strategy.Surge == 0 && w.Replicas > 0 {
			w.Strategy.MaxUnavailable = 1 // pkg/controller/daemon, updatedDesiredNodeCounts
		}
	}
}

func (w *Workload) daemonSet(v *index.View, d *appsv1.DaemonSet) {
	w.daemonSetSpec(d)
	w.revisions(v, d.UID, func(c *appsv1.ControllerRevision) string { return c.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] })
	w.addPods(v, d.UID, hashLabel)
	w.finish(w.newestRevision())
}

// newestRevision is the ControllerRevision of the highest number, if it carries
// the template (pkg/controller/daemon, constructHistory).
func (w *Workload) newestRevision() string {
	var newest *Revision
	for i := range w.Revisions {
		if newest == nil || w.Revisions[i].Number > newest.Number {
			newest = &w.Revisions[i]
		}
	}
	if newest == nil || w.Observed < w.Generation && !index.SameTemplate(newest.Template, w.Template) {
		return ""
	}
	return newest.Object.Ref.Name
}

func (w *Workload) revisions(v *index.View, owner types.UID, hash func(*appsv1.ControllerRevision) string) {
	for it := range v.Owned(owner) {
		if c, ok := it.Object.(*appsv1.ControllerRevision); ok && controls(owner, c) {
			w.Revisions = append(w.Revisions, Revision{Number: c.Revision, Hash: hash(c), Object: it, Template: templateOf(c)})
		}
	}
}

// templateOf reads the template out of a revision's patch: it holds nothing
// else (pkg/controller/statefulset and pkg/controller/daemon, getPatch).
func templateOf(c *appsv1.ControllerRevision) *corev1.PodTemplateSpec {
	var patch struct {
		Spec struct {
			Template *corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	}
	if json.Unmarshal(c.Data.Raw, &patch) != nil {
		return nil
	}
	return patch.Spec.Template
}

func hashLabel(p *corev1.Pod) string { return p.Labels[appsv1.ControllerRevisionHashLabelKey] }

func (w *Workload) addPods(v *index.View, owner types.UID, hash func(*corev1.Pod) string) {
	for it := range v.Owned(owner) {
		if p, ok := it.Object.(*corev1.Pod); ok && controls(owner, p) {
			w.Pods = append(w.Pods, Pod{Pod: p, Hash: hash(p)})
		}
	}
}

// finish puts what was gathered in order. current is the name of the object
// that keeps the current revision.
func (w *Workload) finish(current string) {
	slices.SortStableFunc(w.Revisions, func(a, b Revision) int {
		return cmp.Or(cmp.Compare(b.Number, a.Number), b.created().Compare(a.created()), cmp.Compare(a.Object.Ref.Name, b.Object.Ref.Name))
	})
	for i := range w.Revisions {
		if w.Revisions[i].Object.Ref.Name == current {
			w.Current = &w.Revisions[i]
		}
	}
	slices.SortFunc(w.Pods, func(a, b Pod) int { return cmp.Compare(a.Name, b.Name) })
	for i := range w.Pods {
		w.Pods[i].New = w.Current != nil && w.Pods[i].Hash == w.Current.Hash
	}
}

func controls(owner types.UID, o metav1.Object) bool {
	ref, ok := index.Controller(o)
	return ok && owner != "" && ref.UID == owner
}

// selectorOf selects nothing where the selector is missing or malformed.
func selectorOf(s *metav1.LabelSelector) labels.Selector {
	sel, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return labels.Nothing()
	}
	return sel
}

func deref(n *int32, otherwise int32) int32 {
	if n == nil {
		return otherwise
	}
	return *n
}
