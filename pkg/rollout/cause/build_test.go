package cause

import (
	"fmt"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }

// scene is a rollout that began five minutes ago, as it is seen now: the
// workload first, then all else.
type scene struct {
	objects []source.Object
	covered []source.Query
	logs    []source.LogText
}

func of(objects ...source.Object) scene { return scene{objects: objects} }

func (s scene) with(objects ...source.Object) scene {
	s.objects = slices.Concat(s.objects, objects)
	return s
}

func (s scene) covers(kinds ...schema.GroupKind) scene {
	for _, k := range kinds {
		s.covered = append(slices.Clone(s.covered), source.Query{Kind: k})
	}
	return s
}

func (s scene) log(p *corev1.Pod, text string) scene {
	q := source.LogQuery{Namespace: p.Namespace, Pod: p.Name, UID: string(p.UID), Container: "app", Previous: true}
	s.logs = append(slices.Clone(s.logs), source.LogText{Query: q, Text: text})
	return s
}

func (s scene) view(t testing.TB, at time.Time) (*index.View, *workload.Workload) {
	t.Helper()
	store, subject := s.store(t, at)
	v := index.New(store.Contents())
	w, ok := workload.Of(v, subject)
	if !ok {
		t.Fatalf("no %s in the view", subject)
	}
	return v, w
}

func (s scene) store(t testing.TB, at time.Time) (*source.Store, object.Ref) {
	t.Helper()
	store := source.NewStore(at)
	store.SetKinds(scheme.Kinds(), nil)
	known := scheme.New()
	var subject object.Ref
	for i, o := range s.objects {
		gvks, _, err := known.ObjectKinds(o)
		if err != nil {
			t.Fatal(err)
		}
		store.Put(gvks[0].GroupKind(), o)
		if i == 0 {
			subject = object.Of(gvks[0], o)
		}
	}
	for _, q := range s.covered {
		store.Cover(q)
	}
	for _, l := range s.logs {
		store.PutLog(l)
	}
	return store, subject
}

// judge is what is said of a scene at first sight.
func (s scene) judge(t testing.TB) []Cause {
	t.Helper()
	v, w := s.view(t, now)
	return NewMemory(now.Add(-5*time.Minute)).Judge(v, w)
}

// seen is what is said of the last of several scenes, each seen after a while.
func seen(t testing.TB, pause time.Duration, scenes ...scene) []Cause {
	t.Helper()
	m := NewMemory(now.Add(-5 * time.Minute))
	var causes []Cause
	for i, s := range scenes {
		v, w := s.view(t, now.Add(time.Duration(i)*pause))
		causes = m.Judge(v, w)
	}
	return causes
}

func find(causes []Cause, name string) *Cause {
	for i := range causes {
		if causes[i].Code == domain+name {
			return &causes[i]
		}
	}
	return nil
}

func codes(causes []Cause) []string {
	var out []string
	for _, c := range causes {
		out = append(out, c.Code)
	}
	return out
}

// image is the template of the test's workloads.
func image(tag string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{RestartPolicy: corev1.RestartPolicyAlways, Containers: []corev1.Container{{Name: "app", Image: "netapp:" + tag}}},
	}
}

func meta(name string, uid types.UID) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: "shop", UID: uid, Generation: 2, CreationTimestamp: ago(time.Hour)}
}

var selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}

// deployment is web on its way from v1 (set web-1) to v2 (set web-2).
func deployment(options ...func(*appsv1.Deployment)) *appsv1.Deployment {
	d := &appsv1.Deployment{
		ObjectMeta: meta("web", "deploy-web"),
		Spec:       appsv1.DeploymentSpec{Replicas: new(int32(2)), Selector: selector, Template: image("v2")},
		Status:     appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 3, UpdatedReplicas: 1, ReadyReplicas: 2, AvailableReplicas: 2},
	}
	for _, o := range options {
		o(d)
	}
	return d
}

func own(child, owner metav1.Object, kind string) {
	child.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind, Name: owner.GetName(), UID: owner.GetUID(), Controller: new(true)}})
}

func replicaSet(revision, replicas int, options ...func(*appsv1.ReplicaSet)) *appsv1.ReplicaSet {
	name := fmt.Sprintf("web-%d", revision)
	rs := &appsv1.ReplicaSet{
		ObjectMeta: meta(name, types.UID("rs-"+name)),
		Spec:       appsv1.ReplicaSetSpec{Replicas: new(int32(replicas)), Template: image(fmt.Sprintf("v%d", revision))},
		Status:     appsv1.ReplicaSetStatus{Replicas: int32(replicas)},
	}
	rs.Annotations = map[string]string{workload.RevisionAnnotation: fmt.Sprint(revision)}
	rs.Labels = map[string]string{"app": "web", appsv1.DefaultDeploymentUniqueLabelKey: fmt.Sprint("h", revision)}
	rs.Spec.Template.Labels = map[string]string{"app": "web", appsv1.DefaultDeploymentUniqueLabelKey: fmt.Sprint("h", revision)}
	own(rs, deployment(), "Deployment")
	for _, o := range options {
		o(rs)
	}
	return rs
}

type podOption func(*corev1.Pod)

// pod is a ready pod of a revision that has run for a minute.
func pod(name string, revision int, options ...podOption) *corev1.Pod {
	yes := true
	p := &corev1.Pod{ObjectMeta: meta(name, types.UID("pod-"+name)), Spec: image(fmt.Sprintf("v%d", revision)).Spec}
	p.Labels = map[string]string{"app": "web"}
	p.CreationTimestamp = ago(time.Minute)
	p.Spec.NodeName = "node-1"
	p.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, StartTime: new(ago(time.Minute)),
		Conditions: []corev1.PodCondition{
			{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: ago(50 * time.Second)},
			{Type: corev1.ContainersReady, Status: corev1.ConditionTrue, LastTransitionTime: ago(50 * time.Second)},
			{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: ago(time.Minute)},
		},
		ContainerStatuses: []corev1.ContainerStatus{{Name: "app", Ready: true, Started: &yes, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: ago(55 * time.Second)}}}},
	}
	own(p, replicaSet(revision, 1), "ReplicaSet")
	for _, o := range options {
		o(p)
	}
	return p
}

func unready(p *corev1.Pod) {
	p.Status.Conditions[0].Status, p.Status.Conditions[1].Status = corev1.ConditionFalse, corev1.ConditionFalse
	p.Status.ContainerStatuses[0].Ready = false
}

func waits(reason, message string) podOption {
	return func(p *corev1.Pod) {
		unready(p)
		p.Status.Phase = corev1.PodPending
		p.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	}
}

// ended is a container in its back-off after it ended so.
func ended(reason string, code, restarts int32) podOption {
	return func(p *corev1.Pod) {
		waits("CrashLoopBackOff", "back-off 40s restarting failed container")(p)
		p.Status.Phase = corev1.PodRunning
		p.Status.ContainerStatuses[0].RestartCount = restarts
		p.Status.ContainerStatuses[0].LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: reason, ExitCode: code, StartedAt: ago(20 * time.Second), FinishedAt: ago(15 * time.Second)}}
	}
}

// upAgain makes the container run and be ready since then.
func upAgain(d time.Duration) podOption {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses[0].State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: ago(d)}}
		p.Status.ContainerStatuses[0].Ready = true
		p.Status.Conditions[0].Status, p.Status.Conditions[1].Status = corev1.ConditionTrue, corev1.ConditionTrue
	}
}

func unscheduled(message string, since time.Duration) podOption {
	return func(p *corev1.Pod) {
		p.Spec.NodeName, p.Status.Phase, p.Status.ContainerStatuses = "", corev1.PodPending, nil
		p.CreationTimestamp = ago(since)
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: message, LastTransitionTime: ago(since)}}
	}
}

func onNode(name string) podOption { return func(p *corev1.Pod) { p.Spec.NodeName = name } }

// leaving is a pod whose grace ended so long ago.
func leaving(d time.Duration, finalizers ...string) podOption {
	return func(p *corev1.Pod) {
		p.DeletionTimestamp, p.DeletionGracePeriodSeconds, p.Finalizers = new(ago(d)), new(int64(30)), finalizers
	}
}

func event(about metav1.Object, reason, message string, at time.Duration, times int32) *corev1.Event {
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: fmt.Sprintf("%s.%s.%d", about.GetName(), reason, at), Namespace: "shop"},
		InvolvedObject: corev1.ObjectReference{UID: about.GetUID(), Name: about.GetName(), Namespace: "shop"},
		Reason:         reason, Message: message, Count: times, LastTimestamp: ago(at), FirstTimestamp: ago(at + 2*time.Minute),
	}
}

// rolling is the Deployment between two revisions: one old pod that serves well
// and these new ones.
func rolling(fresh ...*corev1.Pod) scene {
	s := of(deployment(), replicaSet(1, 2), replicaSet(2, max(1, len(fresh))), pod("web-1-a", 1), pod("web-1-b", 1))
	for _, p := range fresh {
		s = s.with(p)
	}
	return s
}

// eager is a rolling Deployment that may take an old pod away at once.
func eager(fresh ...*corev1.Pod) scene {
	s := rolling(fresh...)
	s.objects[0] = deployment(func(d *appsv1.Deployment) {
		one := intstr.FromInt32(1)
		d.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{MaxUnavailable: &one, MaxSurge: &one}
	})
	return s
}

func nodeNamed(name string, ready corev1.ConditionStatus, options ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("node-" + name)}, Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready, LastTransitionTime: ago(3 * time.Minute)}}}}
	for _, o := range options {
		o(n)
	}
	return n
}

func large(n *corev1.Node) {
	n.Status.Allocatable = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("8"), corev1.ResourceMemory: resource.MustParse("32Gi")}
}

func cordoned(n *corev1.Node) { n.Spec.Unschedulable = true }

func statefulSet(options ...func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
	s := &appsv1.StatefulSet{
		ObjectMeta: meta("db", "sts-db"),
		Spec:       appsv1.StatefulSetSpec{Replicas: new(int32(2)), Selector: selector, Template: image("v2")},
		Status:     appsv1.StatefulSetStatus{ObservedGeneration: 2, Replicas: 2, ReadyReplicas: 2, CurrentRevision: "db-h1", UpdateRevision: "db-h2"},
	}
	for _, o := range options {
		o(s)
	}
	return s
}

func revisionOf(owner metav1.Object, kind string, number int64) *appsv1.ControllerRevision {
	hash := fmt.Sprint("h", number)
	r := &appsv1.ControllerRevision{ObjectMeta: meta(owner.GetName()+"-"+hash, types.UID(owner.GetName()+hash)), Revision: number}
	r.Labels = map[string]string{appsv1.DefaultDaemonSetUniqueLabelKey: hash}
	own(r, owner, kind)
	return r
}

// member is a pod of a StatefulSet or DaemonSet.
func member(owner metav1.Object, kind, name string, revision int, options ...podOption) *corev1.Pod {
	p := pod(name, revision, options...)
	hash := fmt.Sprint("h", revision)
	if kind == "StatefulSet" {
		hash = owner.GetName() + "-" + hash
	}
	p.Labels[appsv1.ControllerRevisionHashLabelKey] = hash
	own(p, owner, kind)
	return p
}

// ordered is the StatefulSet db with its revisions and pods.
func ordered(s *appsv1.StatefulSet, pods ...*corev1.Pod) scene {
	sc := of(s, revisionOf(s, "StatefulSet", 1), revisionOf(s, "StatefulSet", 2))
	for _, p := range pods {
		sc = sc.with(p)
	}
	return sc
}

func dbPod(name string, revision int, options ...podOption) *corev1.Pod {
	return member(statefulSet(), "StatefulSet", name, revision, options...)
}

func daemonSet(desired int32) *appsv1.DaemonSet {
	return &appsv1.DaemonSet{
		ObjectMeta: meta("agent", "ds-agent"),
		Spec:       appsv1.DaemonSetSpec{Selector: selector, Template: image("v2")},
		Status:     appsv1.DaemonSetStatus{ObservedGeneration: 2, DesiredNumberScheduled: desired, CurrentNumberScheduled: desired, UpdatedNumberScheduled: 1},
	}
}

func everywhere(d *appsv1.DaemonSet, pods ...*corev1.Pod) scene {
	sc := of(d, revisionOf(d, "DaemonSet", 1), revisionOf(d, "DaemonSet", 2))
	for _, p := range pods {
		sc = sc.with(p)
	}
	return sc
}

func agent(name string, revision int, options ...podOption) *corev1.Pod {
	return member(daemonSet(1), "DaemonSet", name, revision, options...)
}

// overlooked is a pod that no scheduler has looked at.
func overlooked(scheduler string, since time.Duration) podOption {
	return func(p *corev1.Pod) {
		p.Spec.NodeName, p.Spec.SchedulerName = "", scheduler
		p.CreationTimestamp = ago(since)
		p.Status = corev1.PodStatus{Phase: corev1.PodPending}
	}
}
