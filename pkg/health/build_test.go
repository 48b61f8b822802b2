package health

import (
	"fmt"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }

// scene is what is known, and the object under examination, which comes first.
type scene struct {
	objects []source.Object
	covered []schema.GroupKind // kinds of which everything was read
	logs    []source.LogText
}

func of(objects ...source.Object) scene { return scene{objects: objects} }

func (s scene) covers(kinds ...schema.GroupKind) scene {
	s.covered = append(slices.Clone(s.covered), kinds...)
	return s
}

func (s scene) log(pod *corev1.Pod, container, text string, previous bool) scene {
	q := source.LogQuery{Namespace: pod.Namespace, Pod: pod.Name, UID: string(pod.UID), Container: container, Previous: previous}
	s.logs = append(slices.Clone(s.logs), source.LogText{Query: q, Text: text})
	return s
}

func (s scene) view(t testing.TB) (*index.View, index.Item) {
	t.Helper()
	store, subject := s.store(t)
	v := index.New(store.Contents())
	it, ok := v.Get(subject)
	if !ok {
		t.Fatalf("no %s in the view", subject)
	}
	return v, it
}

func (s scene) store(t testing.TB) (*source.Store, object.Ref) {
	t.Helper()
	store := source.NewStore(now)
	store.SetKinds(scheme.Kinds(), nil)
	known := scheme.New()
	var subject object.Ref
	for i, o := range s.objects {
		gvk := o.GetObjectKind().GroupVersionKind()
		if gvk.Kind == "" {
			gvks, _, err := known.ObjectKinds(o)
			if err != nil {
				t.Fatal(err)
			}
			gvk = gvks[0]
		}
		store.Put(gvk.GroupKind(), o)
		if i == 0 {
			subject = object.Of(gvk, o)
		}
	}
	for _, k := range s.covered {
		store.Cover(source.Query{Kind: k})
	}
	for _, l := range s.logs {
		store.PutLog(l)
	}
	return store, subject
}

func (s scene) state(t testing.TB) State {
	t.Helper()
	v, it := s.view(t)
	return Of(v, it)
}

func names(ps []Problem) []string {
	var out []string
	for _, p := range ps {
		out = append(out, p.Name)
	}
	return out
}

type podOption func(*corev1.Pod)

// pod is a ready pod "web" of one container "app" that has run for an hour.
func pod(options ...podOption) *corev1.Pod {
	yes := true
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", UID: "pod-web", CreationTimestamp: ago(time.Hour)},
		Spec: corev1.PodSpec{NodeName: "node-1", RestartPolicy: corev1.RestartPolicyAlways, Containers: []corev1.Container{{
			Name: "app", Image: "nginx:1.2525",
			Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}},
		}}},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, StartTime: new(ago(time.Hour)),
			Conditions: []corev1.PodCondition{
				{Type: corev1.PodReady, Status: corev1.ConditionTrue}, {Type: corev1.ContainersReady, Status: corev1.ConditionTrue, LastTransitionTime: ago(time.Hour)},
				{Type: corev1.PodScheduled, Status: corev1.ConditionTrue},
			},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "app", Ready: true, Started: &yes, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: ago(time.Hour)}}}},
		},
	}
	for _, o := range options {
		o(p)
	}
	return p
}

func named(name string) podOption {
	return func(p *corev1.Pod) { p.Name, p.UID = name, types.UID("pod-"+name) }
}

func notReadyPod(p *corev1.Pod) {
	p.Status.Conditions[0].Status, p.Status.Conditions[1].Status = corev1.ConditionFalse, corev1.ConditionFalse
	p.Status.ContainerStatuses[0].Ready = false
}

func waits(reason, message string) podOption {
	return func(p *corev1.Pod) {
		notReadyPod(p)
		p.Status.Phase = corev1.PodPending
		p.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	}
}

func begun(d time.Duration) podOption {
	return func(p *corev1.Pod) { p.Status.StartTime, p.CreationTimestamp = new(ago(d)), ago(d) }
}

// ended is a container in its back-off after it ended with this code.
func ended(reason string, code, restarts int32) podOption {
	return func(p *corev1.Pod) {
		waits("CrashLoopBackOff", "back-off 40s restarting failed container")(p)
		p.Status.Phase = corev1.PodRunning
		p.Status.ContainerStatuses[0].RestartCount = restarts
		p.Status.ContainerStatuses[0].LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: reason, ExitCode: code, StartedAt: ago(40 * time.Second), FinishedAt: ago(30 * time.Second)}}
	}
}

// longAgo makes the container ready again since two hours after it ended.
func longAgo(p *corev1.Pod) {
	p.Status.ContainerStatuses[0].State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: ago(2 * time.Hour)}}
	p.Status.ContainerStatuses[0].Ready = true
	p.Status.Conditions[0].Status, p.Status.Conditions[1].Status = corev1.ConditionTrue, corev1.ConditionTrue
}

func asInit(sidecar bool) podOption {
	return func(p *corev1.Pod) {
		c := p.Spec.Containers[0]
		c.Name = "setup"
		if sidecar {
			c.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
		}
		st := p.Status.ContainerStatuses[0]
		st.Name = "setup"
		p.Spec.InitContainers, p.Status.InitContainerStatuses = []corev1.Container{c}, []corev1.ContainerStatus{st}
		p.Status.ContainerStatuses[0] = corev1.ContainerStatus{Name: "app", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "PodInitializing"}}}
	}
}

func unscheduled(message string, since time.Duration) podOption {
	return func(p *corev1.Pod) {
		p.Spec.NodeName, p.Status.Phase, p.Status.ContainerStatuses = "", corev1.PodPending, nil
		p.CreationTimestamp = ago(since)
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: message, LastTransitionTime: ago(since)}}
	}
}

func ownedBy(o source.Object, kind string) podOption {
	return func(p *corev1.Pod) { own(p, o, "apps/v1", kind) }
}

func own(child, owner metav1.Object, apiVersion, kind string) {
	child.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: owner.GetName(), UID: owner.GetUID(), Controller: new(true)}})
}

func claims(name string) podOption {
	return func(p *corev1.Pod) {
		p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}})
	}
}

func event(about metav1.Object, reason, message string, at time.Duration, times int32) *corev1.Event {
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: fmt.Sprintf("%s.%s.%d", about.GetName(), reason, at), Namespace: about.GetNamespace()},
		InvolvedObject: corev1.ObjectReference{UID: about.GetUID(), Name: about.GetName(), Namespace: about.GetNamespace()},
		Reason:         reason, Message: message, Count: times, LastTimestamp: ago(at), FirstTimestamp: ago(at + 2*time.Minute),
	}
}

func deployment(options ...func(*appsv1.Deployment)) *appsv1.Deployment {
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", UID: "deploy-web", Generation: 3, CreationTimestamp: ago(time.Hour)},
		Spec:       appsv1.DeploymentSpec{Replicas: new(int32(2))},
		Status:     appsv1.DeploymentStatus{ObservedGeneration: 3, Replicas: 2, UpdatedReplicas: 2, ReadyReplicas: 2, AvailableReplicas: 2},
	}
	for _, o := range options {
		o(d)
	}
	return d
}

func replicaSet(name, revision, image string, ready int32) *appsv1.ReplicaSet {
	rs := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", UID: types.UID("rs-" + name), CreationTimestamp: ago(time.Hour), Annotations: map[string]string{"deployment.kubernetes.io/revision": revision}},
		Spec:       appsv1.ReplicaSetSpec{Replicas: new(int32(1))},
		Status:     appsv1.ReplicaSetStatus{Replicas: ready, ReadyReplicas: ready, AvailableReplicas: ready},
	}
	rs.Spec.Template.Spec.Containers = []corev1.Container{{Name: "app", Image: image}}
	own(rs, deployment(), "apps/v1", "Deployment")
	return rs
}

// refusedSet is a ReplicaSet whose pods the API server refuses, or once refused.
func refusedSet(message string, replicas int32) *appsv1.ReplicaSet {
	rs := replicaSet("web-1", "1", "nginx:1.25", replicas)
	rs.Status.Conditions = []appsv1.ReplicaSetCondition{{Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: message, LastTransitionTime: ago(5 * time.Minute)}}
	return rs
}

func node(status corev1.ConditionStatus) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1", UID: "node-1"}, Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status, Message: "Kubelet stopped posting node status.", LastTransitionTime: ago(3 * time.Minute)}}}}
}

func claim(phase corev1.PersistentVolumeClaimPhase) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "data", Namespace: "shop", UID: "pvc-data", CreationTimestamp: ago(time.Hour)}, Status: corev1.PersistentVolumeClaimStatus{Phase: phase}}
}

func job(t batchv1.JobConditionType, reason string) *batchv1.Job {
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "report", Namespace: "shop", UID: "job-report"},
		Status:     batchv1.JobStatus{Failed: 2, Conditions: []batchv1.JobCondition{{Type: t, Status: corev1.ConditionTrue, Reason: reason, Message: "Job has reached the specified backoff limit"}}},
	}
}

func custom(condition, status, reason string, since time.Duration) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "example.com/v1", "kind": "Widget", "metadata": map[string]any{"name": "w", "namespace": "shop"},
		"status": map[string]any{"conditions": []any{map[string]any{"type": condition, "status": status, "reason": reason, "message": "no such size", "lastTransitionTime": now.Add(-since).Format(time.RFC3339)}}},
	}}
}

// overlooked is a pod that no scheduler has looked at.
func overlooked(scheduler string) podOption {
	return func(p *corev1.Pod) {
		p.Spec.NodeName, p.Spec.SchedulerName = "", scheduler
		p.Status = corev1.PodStatus{Phase: corev1.PodPending}
	}
}

func cron(schedule string) *batchv1.CronJob {
	return &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "report", Namespace: "shop", UID: "cron-report"}, Spec: batchv1.CronJobSpec{Schedule: schedule}}
}
