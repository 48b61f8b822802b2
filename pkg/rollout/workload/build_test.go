package workload

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }

func viewOf(t testing.TB, objects ...source.Object) *index.View {
	t.Helper()
	store, known := source.NewStore(now), scheme.New()
	store.SetKinds(scheme.Kinds(), nil)
	for _, o := range objects {
		gvks, _, err := known.ObjectKinds(o)
		if err != nil {
			t.Fatal(err)
		}
		store.Put(gvks[0].GroupKind(), o)
	}
	return index.New(store.Contents())
}

func read(t testing.TB, kind string, objects ...source.Object) *Workload {
	t.Helper()
	w, ok := Of(viewOf(t, objects...), object.New("apps/v1", kind, "shop", "web"))
	if !ok {
		t.Fatalf("no %s/web", kind)
	}
	return w
}

func meta(name, uid string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(uid), Generation: 2, CreationTimestamp: ago(time.Hour)}
}

func owned(m metav1.ObjectMeta, kind, uid string) metav1.ObjectMeta {
	m.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind, Name: "owner", UID: types.UID(uid), Controller: new(true)}}
	return m
}

// template is one container of the image.
func template(image string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: image}}},
	}
}

func deployment(replicas int32, image string, change ...func(*appsv1.Deployment)) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: meta("web", "d"), Spec: appsv1.DeploymentSpec{
		Replicas: &replicas, Template: template(image), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
	}, Status: appsv1.DeploymentStatus{ObservedGeneration: 2}}
	for _, c := range change {
		c(d)
	}
	return d
}

func replicaSet(name, number, image string, age time.Duration) *appsv1.ReplicaSet {
	rs := &appsv1.ReplicaSet{ObjectMeta: owned(meta(name, name), "Deployment", "d"), Spec: appsv1.ReplicaSetSpec{Template: template(image)}}
	rs.CreationTimestamp = ago(age)
	rs.Annotations = map[string]string{RevisionAnnotation: number}
	rs.Labels = map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: "h" + name}
	rs.Spec.Template.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = "h" + name
	return rs
}

func pod(name, ownerKind, owner, hash string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: owned(meta(name, "pod-"+name), ownerKind, owner)}
	p.Labels = map[string]string{appsv1.ControllerRevisionHashLabelKey: hash}
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: ago(time.Minute)}}
	return p
}

func statefulSet(replicas int32, image string, change ...func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
	s := &appsv1.StatefulSet{ObjectMeta: meta("web", "s"), Spec: appsv1.StatefulSetSpec{
		Replicas: &replicas, Template: template(image), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
	}, Status: appsv1.StatefulSetStatus{ObservedGeneration: 2, CurrentRevision: "web-1", UpdateRevision: "web-2"}}
	for _, c := range change {
		c(s)
	}
	return s
}

func daemonSet(desired int32, image string, change ...func(*appsv1.DaemonSet)) *appsv1.DaemonSet {
	d := &appsv1.DaemonSet{ObjectMeta: meta("web", "ds"), Spec: appsv1.DaemonSetSpec{Template: template(image), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}},
		Status: appsv1.DaemonSetStatus{ObservedGeneration: 2, DesiredNumberScheduled: desired}}
	for _, c := range change {
		c(d)
	}
	return d
}

func controllerRevision(t testing.TB, name, hash, ownerKind, owner string, number int64, image string) *appsv1.ControllerRevision {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"template": template(image)}})
	if err != nil {
		t.Fatal(err)
	}
	c := &appsv1.ControllerRevision{ObjectMeta: owned(meta(name, name), ownerKind, owner), Revision: number, Data: runtime.RawExtension{Raw: patch}}
	c.Labels = map[string]string{appsv1.ControllerRevisionHashLabelKey: hash}
	return c
}

func newPods(w *Workload) []string {
	var names []string
	for _, p := range w.Pods {
		if p.New {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names
}
