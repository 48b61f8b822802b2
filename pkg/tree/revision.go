package tree

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// revisionAnnotation numbers the revisions of a Deployment
// (pkg/controller/deployment/util, RevisionAnnotation).
const revisionAnnotation = "deployment.kubernetes.io/revision"

func revisionOf(it index.Item) int64 {
	if c, ok := it.Object.(*appsv1.ControllerRevision); ok {
		return c.Revision
	}
	n, err := strconv.ParseInt(it.Object.GetAnnotations()[revisionAnnotation], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// deploymentOf is the Deployment that owns a ReplicaSet.
func deploymentOf(v *index.View, rs *appsv1.ReplicaSet) (*appsv1.Deployment, bool) {
	ref, ok := index.Controller(rs)
	if !ok {
		return nil, false
	}
	owner, ok := v.ByUID(ref.UID)
	if !ok {
		return nil, false
	}
	d, ok := owner.Object.(*appsv1.Deployment)
	return d, ok
}

// current says whether a ReplicaSet carries its Deployment's template. Like the
// controller it compares the templates, not the revision numbers, which lag
// behind.
func current(d *appsv1.Deployment, rs *appsv1.ReplicaSet) bool {
	return index.SameTemplate(&d.Spec.Template, &rs.Spec.Template)
}

// replicaSetWhy says which revision a ReplicaSet is, what it is for, and what
// sets it apart from the current one.
func (b *builder) replicaSetWhy(rs *appsv1.ReplicaSet) string {
	d, ok := deploymentOf(b.v, rs)
	if !ok {
		return ""
	}
	revision := "revision " + rs.Annotations[revisionAnnotation]
	switch {
	case rs.Annotations[revisionAnnotation] == "":
		revision = "revision not yet numbered"
	case current(d, rs):
		return revision + ", current"
	}
	if what := difference(&rs.Spec.Template, &d.Spec.Template); what != "" {
		return revision + ": " + what
	}
	return revision
}

// keptForRollback says that a ReplicaSet is an old revision without pods.
func (b *builder) keptForRollback(rs *appsv1.ReplicaSet) bool {
	d, ok := deploymentOf(b.v, rs)
	return ok && !current(d, rs) && rs.Status.Replicas == 0 && rs.Spec.Replicas != nil && *rs.Spec.Replicas == 0
}

// controllerRevisionWhy says which revision of a StatefulSet or DaemonSet it is.
func (b *builder) controllerRevisionWhy(c *appsv1.ControllerRevision) string {
	why := fmt.Sprintf("revision %d", c.Revision)
	owner, ok := b.ownerOf(c.OwnerReferences)
	if !ok {
		return why
	}
	switch o := owner.Object.(type) {
	case *appsv1.StatefulSet:
		switch {
		case o.Status.UpdateRevision == c.Name && o.Status.CurrentRevision != c.Name:
			return why + ", being rolled out" + countOf(b.podsWith(owner, c.Name))
		case o.Status.UpdateRevision == c.Name:
			return why + ", current"
		case o.Status.CurrentRevision == c.Name:
			return why + ", being replaced" + countOf(b.podsWith(owner, c.Name)) + b.revisionDifference(c, &o.Spec.Template)
		}
		return why + b.revisionDifference(c, &o.Spec.Template)
	case *appsv1.DaemonSet:
		if b.newestRevision(owner) == c.Name {
			return why + ", current"
		}
		return why + countOf(b.podsWith(owner, c.Labels[appsv1.DefaultDaemonSetUniqueLabelKey])) + b.revisionDifference(c, &o.Spec.Template)
	}
	return why
}

func countOf(pods int) string {
	if pods == 1 {
		return " (1 pod)"
	}
	return fmt.Sprintf(" (%d pods)", pods)
}

// podsWith counts an owner's pods of one revision.
func (b *builder) podsWith(owner index.Item, hash string) int {
	n := 0
	for _, child := range b.g.Owned(owner.Ref) {
		if child.Ref.Kind == "Pod" && child.Object.GetLabels()[appsv1.ControllerRevisionHashLabelKey] == hash {
			n++
		}
	}
	return n
}

func (b *builder) newestRevision(owner index.Item) string {
	newest, name := int64(-1), ""
	for _, child := range b.g.Owned(owner.Ref) {
		if c, ok := child.Object.(*appsv1.ControllerRevision); ok && c.Revision > newest {
			newest, name = c.Revision, c.Name
		}
	}
	return name
}

// revisionDifference reads the template out of a revision's patch
// (pkg/controller/statefulset, getPatch keeps spec.template alone).
func (b *builder) revisionDifference(c *appsv1.ControllerRevision, now *corev1.PodTemplateSpec) string {
	var patch struct {
		Spec struct {
			Template corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(c.Data.Raw, &patch); err != nil || len(patch.Spec.Template.Spec.Containers) == 0 {
		return ""
	}
	if what := difference(&patch.Spec.Template, now); what != "" {
		return ": " + what
	}
	return ""
}

// difference names what an old template has that the new one has not: images
// first, then everything else by name.
func difference(old, now *corev1.PodTemplateSpec) string {
	var parts []string
	byName := map[string]corev1.Container{}
	for _, c := range now.Spec.Containers {
		byName[c.Name] = c
	}
	for _, c := range old.Spec.Containers {
		other, ok := byName[c.Name]
		if !ok {
			parts = append(parts, "container "+c.Name)
			continue
		}
		if c.Image != other.Image {
			parts = append(parts, c.Image)
		}
		parts = append(parts, containerDifference(c, other)...)
	}
	if unhashed := index.Unhashed(now).Labels; !maps.Equal(old.Labels, unhashed) && !maps.Equal(index.Unhashed(old).Labels, unhashed) {
		parts = append(parts, "labels")
	}
	return strings.Join(parts, ", ")
}

func containerDifference(old, now corev1.Container) []string {
	var parts []string
	if env := changedEnv(old.Env, now.Env); len(env) > 0 {
		parts = append(parts, "env "+strings.Join(env, ", "))
	}
	for _, field := range []struct {
		name  string
		equal bool
	}{
		{"command", slices.Equal(old.Command, now.Command) && slices.Equal(old.Args, now.Args)},
		{"resources", equality.Semantic.DeepEqual(old.Resources, now.Resources)},
		{"probes", equality.Semantic.DeepEqual([]*corev1.Probe{old.ReadinessProbe, old.LivenessProbe, old.StartupProbe}, []*corev1.Probe{now.ReadinessProbe, now.LivenessProbe, now.StartupProbe})},
		{"ports", equality.Semantic.DeepEqual(old.Ports, now.Ports)},
		{"mounts", equality.Semantic.DeepEqual(old.VolumeMounts, now.VolumeMounts)},
	} {
		if !field.equal {
			parts = append(parts, field.name)
		}
	}
	return parts
}

func changedEnv(old, now []corev1.EnvVar) []string {
	names := map[string]corev1.EnvVar{}
	for _, e := range old {
		names[e.Name] = e
	}
	var changed []string
	for _, e := range now {
		if before, ok := names[e.Name]; !ok || !equality.Semantic.DeepEqual(before, e) {
			changed = append(changed, e.Name)
		}
		delete(names, e.Name)
	}
	changed = append(changed, slices.Sorted(maps.Keys(names))...)
	slices.Sort(changed)
	return changed
}

func (b *builder) ownerOf(refs []metav1.OwnerReference) (index.Item, bool) {
	for _, o := range refs {
		if it, ok := b.v.ByUID(o.UID); ok {
			return it, true
		}
	}
	return index.Item{}, false
}

// goodRevision is a ReplicaSet of a Deployment, not the current one, that one
// could go back to: one that serves, or else the newest before the current.
func goodRevision(g interface {
	Owned(object.Ref) []index.Item
}, deployment object.Ref, d *appsv1.Deployment) (*appsv1.ReplicaSet, bool) {
	var best *appsv1.ReplicaSet
	for _, it := range g.Owned(deployment) {
		rs, ok := it.Object.(*appsv1.ReplicaSet)
		if !ok || current(d, rs) || rs.Annotations[revisionAnnotation] == "" {
			continue
		}
		if best == nil || rs.Status.ReadyReplicas > best.Status.ReadyReplicas ||
			rs.Status.ReadyReplicas == best.Status.ReadyReplicas && revisionOf(it) > revisionOf(index.Item{Object: best}) {
			best = rs
		}
	}
	return best, best != nil
}
