package endpoints

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// workload is what makes pods, with the labels that it gives them.
type workload struct {
	item     index.Item
	template *corev1.PodTemplateSpec
	replicas int32 // wanted; 1 where the kind does not count
	owned    bool  // by another workload, such as a ReplicaSet by its Deployment
}

// crew are the workloads of one namespace, by label pair.
type crew struct {
	all        []*workload
	byTemplate map[pair][]*workload
	byLabel    map[pair][]*workload
	made       func() *workload // memo of beingMade
}

func workloadKinds() []schema.GroupKind {
	return []schema.GroupKind{
		{Group: "apps", Kind: "Deployment"}, {Group: "apps", Kind: "StatefulSet"}, {Group: "apps", Kind: "DaemonSet"},
		{Group: "apps", Kind: "ReplicaSet"}, {Kind: "ReplicationController"}, {Group: "batch", Kind: "CronJob"}, {Group: "batch", Kind: "Job"},
	}
}

// crew of a namespace; the first call sorts out those of all.
func (w *world) crew(namespace string) *crew {
	if w.crews == nil {
		w.crews = map[string]*crew{}
		for _, gk := range workloadKinds() {
			for _, it := range w.v.List(gk, "") {
				if l, ok := asWorkload(it); ok {
					w.enlist(l)
				}
			}
		}
	}
	if c := w.crews[namespace]; c != nil {
		return c
	}
	return &crew{}
}

func (w *world) enlist(l *workload) {
	c := w.crews[l.item.Ref.Namespace]
	if c == nil {
		c = &crew{byTemplate: map[pair][]*workload{}, byLabel: map[pair][]*workload{}}
		w.crews[l.item.Ref.Namespace] = c
	}
	c.all = append(c.all, l)
	for k, v := range l.template.Labels {
		c.byTemplate[pair{k, v}] = append(c.byTemplate[pair{k, v}], l)
	}
	for k, v := range l.item.Object.GetLabels() {
		c.byLabel[pair{k, v}] = append(c.byLabel[pair{k, v}], l)
	}
}

// like are the workloads among which are all whose pods a selector matches.
func (c *crew) like(selector labels.Selector) []*workload {
	if key, value, ok := index.Required(selector); ok {
		return c.byTemplate[pair{key, value}]
	}
	return c.all
}

// beingMade is a workload so new that its pods need not be there yet, though
// nothing keeps them from being made.
func (c *crew) beingMade(of *subject) *workload {
	if c.made == nil {
		c.made = sync.OnceValue(func() *workload {
			i := slices.IndexFunc(c.all, func(l *workload) bool {
				return !l.owned && l.replicas > 0 && l.item.Ref.Kind != "CronJob" && of.recent(l.item.Object.GetCreationTimestamp().Time) &&
					len(of.podsWith(l.item.Ref.Namespace, l.template.Labels)) == 0 && len(health.Of(of.v, l.item).Problems) == 0
			})
			if i < 0 {
				return nil
			}
			return c.all[i]
		})
	}
	return c.made()
}

func asWorkload(it index.Item) (*workload, bool) {
	l := &workload{item: it, replicas: 1, template: index.PodTemplate(it.Object)}
	if l.template == nil {
		return nil, false
	}
	count := func(n *int32) {
		if n != nil {
			l.replicas = *n
		}
	}
	switch o := it.Object.(type) {
	case *appsv1.Deployment:
		count(o.Spec.Replicas)
	case *appsv1.StatefulSet:
		count(o.Spec.Replicas)
	case *appsv1.DaemonSet:
		l.replicas = max(1, o.Status.DesiredNumberScheduled)
	case *appsv1.ReplicaSet:
		count(o.Spec.Replicas)
	case *corev1.ReplicationController:
		count(o.Spec.Replicas)
	}
	_, l.owned = index.Controller(it.Object)
	return l, true
}

// withTemplate are the workloads whose pods would carry every pair.
func (c *crew) withTemplate(pairs map[string]string) []*workload {
	return chosen(c.byTemplate, pairs, func(l *workload) map[string]string { return l.template.Labels })
}

// withLabels are the workloads that carry every pair themselves.
func (c *crew) withLabels(pairs map[string]string) []*workload {
	return chosen(c.byLabel, pairs, func(l *workload) map[string]string { return l.item.Object.GetLabels() })
}

func chosen(by map[pair][]*workload, pairs map[string]string, labels func(*workload) map[string]string) []*workload {
	var rarest []*workload
	first := true
	for k, v := range pairs {
		if ls := by[pair{k, v}]; first || len(ls) < len(rarest) {
			rarest, first = ls, false
		}
	}
	var out []*workload
	for _, l := range rarest {
		if carries(labels(l), pairs) {
			out = append(out, l)
		}
	}
	return out
}

// root is the workload at the top of a pod's owners; a bare pod has none. The
// name of a Deployment that was not read is that of its ReplicaSet without the
// hash, as the Deployment controller composes it.
func (w *world) root(pod *corev1.Pod) object.Ref {
	owner, ok := index.Controller(pod)
	if !ok {
		return object.Ref{}
	}
	if owner.UID != "" && owner.UID == w.lastRoot.owner {
		return w.lastRoot.root
	}
	r, ok := w.roots[owner.UID]
	if !ok || owner.UID == "" {
		r = w.above(owner, pod)
		w.roots[owner.UID] = r
	}
	w.lastRoot = rooted{owner.UID, r}
	return r
}

// rooted is an owner and the workload above it.
type rooted struct {
	owner types.UID
	root  object.Ref
}

func (w *world) above(owner metav1.OwnerReference, pod *corev1.Pod) object.Ref {
	r := object.New(owner.APIVersion, owner.Kind, pod.Namespace, owner.Name)
	for range 8 {
		it, ok := w.v.Get(r)
		if !ok || it.Object.GetUID() != owner.UID {
			break
		}
		next, ok := index.Controller(it.Object)
		if !ok {
			return it.Ref
		}
		owner = next
		r = object.New(owner.APIVersion, owner.Kind, pod.Namespace, owner.Name)
	}
	if hash := pod.Labels[appsv1.DefaultDeploymentUniqueLabelKey]; r.Kind == "ReplicaSet" && hash != "" && strings.HasSuffix(r.Name, "-"+hash) {
		return object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: r.Namespace, Name: strings.TrimSuffix(r.Name, "-"+hash)}
	}
	return r
}

// whose says of pods what they belong to: "2 pods of Deployment/frontend".
func (w *world) whose(pods []*corev1.Pod) (string, object.Ref) {
	var roots []object.Ref
	for _, p := range pods {
		if r := w.root(p); !slices.ContainsFunc(roots, func(o object.Ref) bool { return o.Key() == r.Key() }) {
			roots = append(roots, r)
		}
	}
	text := counted(len(pods), "pod")
	switch {
	case len(pods) == 1 && (len(roots) == 0 || roots[0].IsZero()):
		return podRef(pods[0]).String(), object.Ref{}
	case len(roots) == 1 && !roots[0].IsZero():
		return text + " of " + roots[0].String(), roots[0]
	case len(roots) > 1:
		return fmt.Sprintf("%s of %d workloads", text, len(roots)), object.Ref{}
	}
	return text, object.Ref{}
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// scaler is the autoscaler of a workload, if one was read.
func (w *world) scaler(r object.Ref) (object.Ref, bool) {
	for _, it := range w.v.List(schema.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}, r.Namespace) {
		if h, ok := it.Object.(*autoscalingv2.HorizontalPodAutoscaler); ok && h.Spec.ScaleTargetRef.Kind == r.Kind && h.Spec.ScaleTargetRef.Name == r.Name {
			return it.Ref, true
		}
	}
	for _, it := range w.v.List(schema.GroupKind{Group: "keda.sh", Kind: "ScaledObject"}, r.Namespace) {
		u, ok := it.Object.(*unstructured.Unstructured)
		if !ok {
			continue
		}
		name, _, _ := unstructured.NestedString(u.Object, "spec", "scaleTargetRef", "name")
		kind, _, _ := unstructured.NestedString(u.Object, "spec", "scaleTargetRef", "kind")
		if name == r.Name && (kind == r.Kind || kind == "" && r.Kind == "Deployment") {
			return it.Ref, true
		}
	}
	return object.Ref{}, false
}
