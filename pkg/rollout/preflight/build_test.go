package preflight

import (
	"fmt"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }

// scene is a namespace "shop" in which all is well: a Deployment "web" of three
// ready pods on three nodes, behind a Service. A case changes one thing.
type scene struct {
	dep   *appsv1.Deployment
	set   *appsv1.ReplicaSet
	sts   *appsv1.StatefulSet // in place of the Deployment
	ds    *appsv1.DaemonSet   // in place of the Deployment
	svc   *corev1.Service
	pods  []*corev1.Pod
	nodes []*corev1.Node
	more  []source.Object
	hide  []string // kinds that may not be seen
	opts  Options
}

func template() corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "app", Image: "netapp:v1", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
			ReadinessProbe: &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/readyz", Port: intstr.FromInt32(8080)}}},
		}}},
	}
}

func meta(name, uid string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(uid), Generation: 1, CreationTimestamp: ago(time.Hour)}
}

func own(o metav1.Object, kind, uid string) {
	o.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind, Name: "web", UID: types.UID(uid), Controller: new(true)}})
}

var webSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}

func healthy() *scene {
	s := &scene{}
	s.dep = &appsv1.Deployment{ObjectMeta: meta("web", "d"), Spec: appsv1.DeploymentSpec{Replicas: new(int32(3)), Selector: webSelector, Template: template()},
		Status: appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 3, UpdatedReplicas: 3, ReadyReplicas: 3, AvailableReplicas: 3}}
	s.dep.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{MaxSurge: new(intstr.FromInt32(1)), MaxUnavailable: new(intstr.FromInt32(0))}
	s.svc = &corev1.Service{ObjectMeta: meta("web", "svc"), Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}}}}
	for i := range 3 {
		n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("n%d", i+1), UID: types.UID(fmt.Sprintf("n%d", i+1)), Labels: map[string]string{corev1.LabelHostname: fmt.Sprintf("n%d", i+1)}}}
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		n.Status.Allocatable = list("cpu", "4", "memory", "8Gi", "pods", "110")
		s.nodes = append(s.nodes, n)
	}
	return s
}

// list is a resource list of names and amounts in turn.
func list(pairs ...string) corev1.ResourceList {
	l := corev1.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		l[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return l
}

// run makes the pods of the template as it stands, and the ReplicaSet.
func (s *scene) run() *scene {
	if s.dep == nil || s.opts.New || s.pods != nil {
		return s
	}
	s.set = &appsv1.ReplicaSet{ObjectMeta: meta("web-1", "rs1"), Spec: appsv1.ReplicaSetSpec{Template: *s.dep.Spec.Template.DeepCopy(), Selector: webSelector}}
	own(s.set, "Deployment", "d")
	s.set.Annotations = map[string]string{workload.RevisionAnnotation: "1"}
	s.set.Labels = map[string]string{"app": "web", appsv1.DefaultDeploymentUniqueLabelKey: "one"}
	for i := range int(*s.dep.Spec.Replicas) {
		s.pods = append(s.pods, s.pod(fmt.Sprintf("web-1-%d", i), i, "ReplicaSet", "rs1", &s.dep.Spec.Template))
	}
	return s
}

func (s *scene) pod(name string, i int, ownerKind, owner string, t *corev1.PodTemplateSpec) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: meta(name, "pod-"+name), Spec: *t.Spec.DeepCopy()}
	p.Labels = map[string]string{"app": "web"}
	p.Spec.NodeName = s.nodes[i%len(s.nodes)].Name
	own(p, ownerKind, owner)
	p.Status = corev1.PodStatus{Phase: corev1.PodRunning, StartTime: new(ago(time.Hour)), Conditions: []corev1.PodCondition{
		{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: ago(time.Hour)}, {Type: corev1.PodScheduled, Status: corev1.ConditionTrue}}}
	for _, c := range t.Spec.Containers {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{Name: c.Name, Ready: true, Started: new(true), ImageID: "docker.io/library/x@sha256:1111",
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: ago(time.Hour)}}})
	}
	return p
}

// asStatefulSet puts a StatefulSet of three ready pods in the Deployment's place.
func (s *scene) asStatefulSet() {
	s.sts = &appsv1.StatefulSet{ObjectMeta: meta("web", "s"), Spec: appsv1.StatefulSetSpec{Replicas: new(int32(3)), Selector: webSelector, Template: s.dep.Spec.Template},
		Status: appsv1.StatefulSetStatus{ObservedGeneration: 1, Replicas: 3, UpdatedReplicas: 3, ReadyReplicas: 3, AvailableReplicas: 3, CurrentRevision: "web-1", UpdateRevision: "web-1"}}
	s.dep = nil
	s.more = append(s.more, s.revision("StatefulSet", "s", "web-1"))
	for i := range 3 {
		p := s.pod(fmt.Sprintf("web-%d", i), i, "StatefulSet", "s", &s.sts.Spec.Template)
		p.Labels[appsv1.ControllerRevisionHashLabelKey] = "web-1"
		s.pods = append(s.pods, p)
	}
}

func (s *scene) asDaemonSet() {
	s.ds = &appsv1.DaemonSet{ObjectMeta: meta("web", "ds"), Spec: appsv1.DaemonSetSpec{Selector: webSelector, Template: s.dep.Spec.Template},
		Status: appsv1.DaemonSetStatus{ObservedGeneration: 1, DesiredNumberScheduled: 3, UpdatedNumberScheduled: 3, CurrentNumberScheduled: 3, NumberReady: 3, NumberAvailable: 3}}
	s.dep = nil
	s.more = append(s.more, s.revision("DaemonSet", "ds", "one"))
	for i := range 3 {
		p := s.pod(fmt.Sprintf("web-%d", i), i, "DaemonSet", "ds", &s.ds.Spec.Template)
		p.Labels[appsv1.ControllerRevisionHashLabelKey] = "one"
		s.pods = append(s.pods, p)
	}
}

func (s *scene) revision(kind, owner, hash string) *appsv1.ControllerRevision {
	c := &appsv1.ControllerRevision{ObjectMeta: meta("web-1", "cr1"), Revision: 1}
	own(c, kind, owner)
	c.Labels = map[string]string{appsv1.ControllerRevisionHashLabelKey: hash}
	return c
}

// next proposes the object with one thing changed.
func (s *scene) next(change func(*corev1.PodTemplateSpec)) {
	s.run()
	switch {
	case s.sts != nil:
		n := s.sts.DeepCopy()
		change(&n.Spec.Template)
		s.opts.Next = n
	case s.ds != nil:
		n := s.ds.DeepCopy()
		change(&n.Spec.Template)
		s.opts.Next = n
	default:
		n := s.dep.DeepCopy()
		change(&n.Spec.Template)
		s.opts.Next = n
	}
}

func newer(t *corev1.PodTemplateSpec) { t.Spec.Containers[0].Image = "netapp:v2" }

func (s *scene) view(t testing.TB) (*index.View, *workload.Workload) {
	t.Helper()
	s.run()
	store, known := source.NewStore(now), scheme.New()
	store.SetKinds(scheme.Kinds(), nil)
	var objects []source.Object
	ref := object.New("apps/v1", "Deployment", "shop", "web")
	switch {
	case s.opts.New:
	case s.sts != nil:
		objects, ref.Kind = append(objects, s.sts), "StatefulSet"
	case s.ds != nil:
		objects, ref.Kind = append(objects, s.ds), "DaemonSet"
	default:
		objects = append(objects, s.dep, s.set)
	}
	if s.svc != nil {
		objects = append(objects, s.svc)
	}
	for _, p := range s.pods {
		objects = append(objects, p)
	}
	for _, n := range s.nodes {
		objects = append(objects, n)
	}
	for _, o := range append(objects, s.more...) {
		gvks, _, err := known.ObjectKinds(o)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(s.hide, gvks[0].Kind) {
			store.Put(gvks[0].GroupKind(), o)
		}
	}
	for _, k := range scheme.Kinds() {
		if slices.Contains(s.hide, k.Kind) {
			store.Answer(source.Query{Kind: k.GroupKind()}, source.Result{Gap: &source.Gap{Resource: k.Resource, Kind: k.GroupKind(), Reason: source.Forbidden}})
			continue
		}
		store.Cover(source.Query{Kind: k.GroupKind()})
	}
	v := index.New(store.Contents())
	w, ok := workload.Of(v, ref)
	if !ok && !s.opts.New {
		t.Fatalf("no %s", ref)
	}
	return v, w
}

func (s *scene) judge(t testing.TB) []finding.Finding {
	t.Helper()
	v, w := s.view(t)
	return Judge(v, w, s.opts)
}

// codes are the findings in short: "error quota-headroom".
func codes(fs []finding.Finding) []string {
	var out []string
	for _, f := range fs {
		out = append(out, string(f.Severity)+" "+f.Code[len("preflight/"):])
	}
	return out
}

func app(f func(*corev1.Container)) func(*scene) {
	return func(s *scene) { f(&s.dep.Spec.Template.Spec.Containers[0]) }
}

func asks(requests, limits corev1.ResourceList) func(*scene) {
	return app(func(c *corev1.Container) {
		c.Resources = corev1.ResourceRequirements{Requests: requests, Limits: limits}
	})
}

func quota(name string, hard, used corev1.ResourceList) *corev1.ResourceQuota {
	return &corev1.ResourceQuota{ObjectMeta: meta(name, "q-"+name), Spec: corev1.ResourceQuotaSpec{Hard: hard}, Status: corev1.ResourceQuotaStatus{Hard: hard, Used: used}}
}

func autoscalerOf(name string, least, most int32) *autoscalingv2.HorizontalPodAutoscaler {
	return &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: meta(name, "hpa-"+name), Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
		ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}, MinReplicas: &least, MaxReplicas: most}}
}

func budget(name, least string) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{ObjectMeta: meta(name, "pdb-"+name), Spec: policyv1.PodDisruptionBudgetSpec{Selector: webSelector, MinAvailable: new(intstr.Parse(least))}}
}

func with(objects ...source.Object) func(*scene) {
	return func(s *scene) { s.more = append(s.more, objects...) }
}

func replicas(n int32) func(*scene) { return func(s *scene) { s.dep.Spec.Replicas = &n } }

func unavailable(n int32) func(*scene) {
	return func(s *scene) {
		s.dep.Spec.Strategy.RollingUpdate.MaxUnavailable = new(intstr.FromInt32(n))
	}
}

func hidden(kinds ...string) func(*scene) {
	return func(s *scene) { s.hide = append(s.hide, kinds...) }
}
