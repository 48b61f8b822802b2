package cause

import (
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

func (s scene) needs(t *testing.T) ([]source.Query, []source.LogQuery) {
	t.Helper()
	v, w := s.view(t, now)
	return Needs(v, w)
}

func asks(qs []source.Query, kind, name string) bool {
	return slices.ContainsFunc(qs, func(q source.Query) bool { return q.Kind.Kind == kind && q.Name == name })
}

func TestAHundredPodsThatFailAlikeCostNoMoreThanThree(t *testing.T) {
	var many []*corev1.Pod
	for i := range 100 {
		many = append(many, pod(fmt.Sprintf("web-2-%03d", i), 2, ended("Error", 1, 2), onNode(fmt.Sprintf("node-%d", i))))
	}
	few, _ := rolling(many[0]).needs(t)
	qs, logs := rolling(many...).needs(t)
	if len(qs) > len(few) || len(logs) != witnesses {
		t.Errorf("%d queries, %d where one pod fails; %d logs", len(qs), len(few), len(logs))
	}
	if !logs[0].Previous || logs[0].Container != "app" || logs[0].Pod != "web-2-000" {
		t.Errorf("got %+v", logs[0])
	}
}

func TestARolloutThatGoesWellAsksOnlyForEventsAndItsNeighbours(t *testing.T) {
	qs, logs := rolling(pod("web-2-x", 2)).needs(t)
	if len(qs) != 4 || len(logs) != 0 || !asks(qs, "Event", "") {
		t.Errorf("got %v, %v", qs, logs)
	}
	for _, q := range qs {
		if q.Namespace != "shop" {
			t.Errorf("%+v reaches beyond the namespace", q)
		}
	}
}

func TestWhatIsSaidToBeMissingIsLookedFor(t *testing.T) {
	config := pod("web-2-x", 2, waits("CreateContainerConfigError", `secret "web-tls" not found`))
	s := rolling(config)
	template := image("v2")
	template.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "web-config"}}}}
	d := deployment()
	d.Spec.Template = template
	s.objects[0] = d
	set := replicaSet(2, 1)
	set.Spec.Template.Spec = template.Spec
	s.objects[2] = set
	qs, _ := s.needs(t)
	for _, q := range qs {
		if q.Kind.Kind == "Secret" && !q.Metadata {
			t.Errorf("a Secret is read in full: %+v", q)
		}
	}
	if !asks(qs, "Secret", "web-tls") || !asks(qs, "ConfigMap", "web-config") {
		t.Errorf("got %v", qs)
	}
	quotas, _ := refusal(2, overQuota).needs(t)
	if !asks(quotas, "ResourceQuota", "") {
		t.Errorf("got %v", quotas)
	}
	pending, _ := rolling(pod("web-2-x", 2, unscheduled(nodesAvailable+"3 Insufficient cpu.", time.Minute))).needs(t)
	if !asks(pending, "Node", "") {
		t.Errorf("got %v", pending)
	}
	slow, _ := rolling(pod("web-2-x", 2, unready)).needs(t)
	if !asks(slow, "Node", "node-1") || asks(slow, "Node", "") {
		t.Errorf("got %v", slow)
	}
}

func TestTheTrappedPodsLastWordsAreRead(t *testing.T) {
	_, logs := ordered(statefulSet(), dbPod("db-0", 1), dbPod("db-1", 1, ended("Error", 1, 4))).needs(t)
	if len(logs) != 1 || logs[0].Pod != "db-1" {
		t.Errorf("got %v", logs)
	}
	_, logs = rolling(pod("web-2-x", 2)).with(pod("web-1-c", 1, ended("Error", 1, 4))).needs(t)
	if len(logs) != 0 {
		t.Errorf("old pods are not asked: %v", logs)
	}
}

func TestARefusalFromBeforeIsNoVerdict(t *testing.T) {
	d := daemonSet(2)
	d.Status.CurrentNumberScheduled = 1
	denied := func(at time.Duration) source.Object {
		return event(d, "FailedCreate", `Error creating: admission webhook "check" denied the request: no`, at, 2)
	}
	moved := agent("agent-a", 2, func(p *corev1.Pod) { p.Status.Conditions[0].LastTransitionTime = ago(2 * time.Second) })
	if c := find(everywhere(d, moved).with(denied(30*time.Minute)).judge(t), "webhook-denied"); c == nil || c.Terminal {
		t.Errorf("pods came since: %+v", c)
	}
	if c := find(everywhere(d, moved).with(denied(3*time.Second)).judge(t), "webhook-denied"); c == nil || !c.Terminal {
		t.Errorf("it is news: %+v", c)
	}
}

// A login that is missing explains why a registry refuses; one that is there
// is read as metadata alone.
func TestTheLoginOfARefusedImageIsLookedFor(t *testing.T) {
	login := func(p *corev1.Pod) { p.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "login"}} }
	refused := rolling(pod("web-2-x", 2, waits("ImagePullBackOff", backOff+": 401 Unauthorized"), login))
	qs, _ := refused.needs(t)
	if !asks(qs, "Secret", "login") || !slices.ContainsFunc(qs, func(q source.Query) bool { return q.Name == "login" && q.Metadata }) {
		t.Errorf("it is not asked for: %v", qs)
	}
	if qs, _ := rolling(pod("web-2-x", 2, login)).needs(t); asks(qs, "Secret", "login") {
		t.Errorf("it is asked for of a pod that runs: %v", qs)
	}
}
