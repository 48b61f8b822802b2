package back

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/cause"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// scene is a workload with its revisions, the first one the oldest, and how
// many pods of each are ready and not.
type scene struct {
	kind      string
	replicas  int32
	revisions []revision
	current   int // which revision's template it has; the last where it is 0
	change    []func(source.Object)
	more      []source.Object
}

type revision struct {
	image          string
	ready, unready int
	edit           func(*corev1.PodTemplateSpec)
}

func template(r revision) corev1.PodTemplateSpec {
	t := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: r.image}}},
	}
	if r.edit != nil {
		r.edit(&t)
	}
	return t
}

func meta(name, uid string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(uid), Generation: 4, ResourceVersion: "77", CreationTimestamp: metav1.NewTime(now.Add(-time.Hour))}
}

func owned(m metav1.ObjectMeta, kind, uid string) metav1.ObjectMeta {
	m.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind, Name: "x", UID: types.UID(uid), Controller: new(true)}}
	return m
}

func (s scene) objects() []source.Object {
	current := s.current
	if current == 0 {
		current = len(s.revisions)
	}
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	var w source.Object
	switch s.kind {
	case "Deployment":
		d := &appsv1.Deployment{ObjectMeta: meta("web", "u"), Spec: appsv1.DeploymentSpec{Replicas: &s.replicas, Selector: selector, Template: template(s.revisions[current-1])}}
		d.Annotations = map[string]string{workload.RevisionAnnotation: fmt.Sprint(current)}
		d.Status.ObservedGeneration = 4
		w = d
	case "StatefulSet":
		d := &appsv1.StatefulSet{ObjectMeta: meta("web", "u"), Spec: appsv1.StatefulSetSpec{Replicas: &s.replicas, Selector: selector, Template: template(s.revisions[current-1])}}
		d.Status.ObservedGeneration, d.Status.UpdateRevision = 4, fmt.Sprint("web-", current)
		w = d
	case "DaemonSet":
		d := &appsv1.DaemonSet{ObjectMeta: meta("web", "u"), Spec: appsv1.DaemonSetSpec{Selector: selector, Template: template(s.revisions[current-1])}}
		d.Status.ObservedGeneration, d.Status.DesiredNumberScheduled = 4, s.replicas
		w = d
	}
	for _, c := range s.change {
		c(w)
	}
	objects := append([]source.Object{w}, s.more...)
	pods := 0
	for i, r := range s.revisions {
		hash, owner := fmt.Sprint("web-", i+1), "u"
		if s.kind == "Deployment" {
			owner = fmt.Sprint("rs-", i+1)
		}
		objects = append(objects, s.keeper(i, hash, owner))
		for n := range r.ready + r.unready {
			p := &corev1.Pod{ObjectMeta: owned(meta(fmt.Sprint("web-", pods), fmt.Sprint("pod-", pods)), s.kind, owner)}
			pods++
			p.Labels = map[string]string{"app": "web", appsv1.ControllerRevisionHashLabelKey: hash}
			p.Spec.NodeName = fmt.Sprint("n", pods)
			if n < r.ready {
				p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(now.Add(-time.Minute))}}
			}
			objects = append(objects, p)
		}
	}
	return objects
}

func (s scene) keeper(i int, hash, owner string) source.Object {
	t := template(s.revisions[i])
	if s.kind == "Deployment" {
		t.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
		rs := &appsv1.ReplicaSet{ObjectMeta: owned(meta(hash, owner), s.kind, "u"), Spec: appsv1.ReplicaSetSpec{Template: t}}
		rs.Labels = map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: hash}
		rs.Annotations = map[string]string{workload.RevisionAnnotation: fmt.Sprint(i + 1)}
		return rs
	}
	patch, _ := json.Marshal(map[string]any{"spec": map[string]any{"template": t}})
	c := &appsv1.ControllerRevision{ObjectMeta: owned(meta(hash, "cr-"+hash), s.kind, "u"), Revision: int64(i + 1), Data: runtime.RawExtension{Raw: patch}}
	c.Labels = map[string]string{appsv1.ControllerRevisionHashLabelKey: hash}
	return c
}

func (s scene) see(t testing.TB, gaps ...source.Gap) (*index.View, *workload.Workload) {
	t.Helper()
	store, known := source.NewStore(now), scheme.New()
	store.SetKinds(scheme.Kinds(), gaps)
	for _, o := range s.objects() {
		gk := o.GetObjectKind().GroupVersionKind().GroupKind()
		if gk.Kind == "" {
			gvks, _, err := known.ObjectKinds(o)
			if err != nil {
				t.Fatal(err)
			}
			gk = gvks[0].GroupKind()
		}
		store.Put(gk, o)
	}
	v := index.New(store.Contents())
	w, ok := workload.Of(v, object.New("apps/v1", s.kind, "shop", "web"))
	if !ok {
		t.Fatalf("no %s/web", s.kind)
	}
	return v, w
}

// failing is a Deployment whose third revision crashes, while the second serves.
func failing(change ...func(source.Object)) scene {
	return scene{kind: "Deployment", replicas: 3, revisions: []revision{{image: "web:1"}, {image: "web:2", ready: 3}, {image: "web:3", unready: 1}}, change: change}
}

func crash() cause.Cause {
	return cause.Cause{Finding: finding.Finding{Code: "rollout/crash-app", Severity: finding.Error, Message: "it crashes", Object: object.New("v1", "Pod", "shop", "web-3")}, Terminal: true, Class: cause.OfRevision}
}

func of(class cause.Class, terminal bool) cause.Cause {
	c := crash()
	c.Code, c.Class, c.Terminal = "rollout/x", class, terminal
	return c
}

// plain is an object as a fresh read returns it.
func plain(t testing.TB, o source.Object, kind string) *unstructured.Unstructured {
	t.Helper()
	text, err := json.Marshal(o)
	u := &unstructured.Unstructured{}
	if err == nil {
		err = utiljson.Unmarshal(text, &u.Object)
	}
	if err != nil {
		t.Fatal(err)
	}
	u.SetAPIVersion("apps/v1")
	u.SetKind(kind)
	return u
}
