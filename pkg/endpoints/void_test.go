package endpoints

import (
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// What is known of those that should fill a void is told with it.
func TestAVoidIsToldWithWhatShouldFillIt(t *testing.T) {
	gone := func(s *scene) { s.pods = nil }
	nobody := both(gone, func(s *scene) { s.deploy = nil })
	last := func(change func(*corev1.Pod)) func(*scene) {
		return func(s *scene) {
			s.pods = s.pods[:1]
			change(s.pods[0])
		}
	}
	elsewhere := func(change func(*corev1.Pod)) func(*scene) {
		return both(func(s *scene) { s.deploy = nil }, func(s *scene) { s.each(func(p *corev1.Pod) { p.Namespace = "other"; change(p) }) })
	}
	for name, c := range map[string]struct {
		change   func(*scene)
		code     string
		severity finding.Severity
		says     string
	}{
		"a workload that has just been made": {both(gone, func(s *scene) { s.deploy.CreationTimestamp = ago(5 * time.Second) }), "selector-no-match", finding.Info, "still being made"},
		"a workload that should have pods":   {gone, "selector-no-match", finding.Error, "would make its pods"},
		"a pod without labels": {both(nobody, func(s *scene) {
			p := pod("plain", "10.244.1.9", "n1")
			p.Labels, p.OwnerReferences = map[string]string{"topology.kubernetes.io/zone": "zone-1"}, nil
			s.add(p)
		}), "selector-no-match", finding.Error, "nobody gave Pod/plain a label"},
		"nothing": {nobody, "selector-no-match", finding.Error, "no pod carries"},
		"pods elsewhere that have a label in common": {elsewhere(func(p *corev1.Pod) { p.Spec.Containers[0].Ports = nil }), "selector-no-match", finding.Error, "may be what is meant, or another application"},
		"pods elsewhere that have other ports":       {elsewhere(func(p *corev1.Pod) { p.Spec.Containers[0].Ports[0].Name = "metrics" }), "selector-no-match", finding.Error, "a pod of Deployment/web of namespace other"},
		"pods elsewhere that are alike":              {elsewhere(func(*corev1.Pod) {}), "wrong-namespace", finding.Error, "most likely meant (they have port http, they are of Deployment/web)"},
		"a workload of its name":                     {selector("name", "frontend"), "selector-no-match", finding.Error, "the pods of Deployment/web, which has its name, carry app=web"},
		"the only pods there are":                    {both(selector("role", "zebra"), func(s *scene) { s.svc.Name = "front" }), "selector-no-match", finding.Error, "the only pods of the namespace, of Deployment/web, carry app=web"},
		"evicted pods": {last(func(p *corev1.Pod) {
			p.Status.Phase, p.Status.Reason, p.OwnerReferences = corev1.PodFailed, "Evicted", nil
		}), "selector-no-match", finding.Error, "Evicted"},
		"a pod that a finalizer keeps": {last(func(p *corev1.Pod) {
			p.Status.Phase, p.DeletionTimestamp, p.Finalizers = corev1.PodSucceeded, new(ago(time.Minute)), []string{"example.com/hold"}
		}), "selector-no-match", finding.Error, "example.com/hold"},
		"pods that have done their work": {last(func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }), "only-completed-pods", finding.Info, "run to its end"},
		"a CronJob between two runs": {both(nobody, func(s *scene) {
			s.add(&batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "report", Namespace: "shop"}, Spec: batchv1.CronJobSpec{JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{
				Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}}}}}}})
		}), "only-completed-pods", finding.Info, "CronJob/report"},
	} {
		s := healthy()
		c.change(s)
		r := s.judge(t)
		if f := find(r.Findings, code(c.code)); f == nil || f.Severity != c.severity || !strings.Contains(f.Message, c.says) {
			t.Errorf("%s: %s", name, told(r))
		}
	}
}

// Nobody waits for the answer to a copy of a request.
func TestACopyThatGoesNowhereIsNoOutage(t *testing.T) {
	const mirror = "{name: web, namespace: shop, port: 80, filters: [{type: RequestMirror, requestMirror: {backendRef: {name: %, namespace: shop, port: 80}}}]}"
	for to, want := range map[string]finding.Severity{"web": "", "shadow": finding.Warning} {
		s := healthy()
		manifest(route(strings.Replace(mirror, "%", to, 1), "") + grant)(s)
		s.opts.All = true
		r := s.judge(t)
		switch f := find(r.Findings, code("route-backend-missing")); {
		case f == nil && want != "":
			t.Errorf("to %s: %s", to, told(r))
		case f != nil && f.Severity != want:
			t.Errorf("to %s: %s %s", to, f.Severity, f.Message)
		}
	}
}

// The API server copies the topology of its node to each pod: that two pods run
// in two zones tells no application from another.
func TestPodsAreNotToldApartByWhereTheyRun(t *testing.T) {
	s := healthy()
	s.svc.Spec.Selector = map[string]string{"app": "web"}
	s.pods[0].Labels = map[string]string{"app": "web", "topology.kubernetes.io/zone": "zone-1", "track": "stable"}
	other := s.pods[1]
	other.Labels = map[string]string{"app": "web", "topology.kubernetes.io/zone": "zone-2", "track": "canary"}
	own(other, "apps/v1", "ReplicaSet", "canary-7f9", "rs-canary")
	other.Spec.Containers[0].Ports = nil
	f := find(s.judge(t).Findings, code("selector-overlap"))
	if f == nil {
		t.Fatal(told(s.judge(t)))
	}
	for _, fix := range f.Fix {
		if strings.Contains(fix.Command, "zone") {
			t.Errorf("pods are told apart by their zone: %s", fix.Command)
		}
	}
}

// Published addresses hide that nobody serves: that is an outage, with the pods'
// own reason; while some are ready it is a risk.
func TestPublishedWithoutAnyReadyIsAnOutage(t *testing.T) {
	for ready, want := range map[bool]finding.Severity{true: finding.Warning, false: finding.Error} {
		s := healthy()
		s.svc.Spec.PublishNotReadyAddresses = true
		unready(s.pods[0])
		if !ready {
			unready(s.pods[1])
		}
		if f := find(s.judge(t).Findings, code("unready-published")); f == nil || f.Severity != want {
			t.Errorf("one ready: %v: %s", ready, told(s.judge(t)))
		}
	}
}

// A short word that is another Service's is no misspelling, unless nothing says
// that this Service means what it wants.
func TestAShortWordOfAnotherServiceMayBeMeantAllTheSame(t *testing.T) {
	for name, meant := range map[string]bool{"wbe": false, "front": true} {
		s := healthy()
		other := s.svc.DeepCopy()
		other.Name, other.UID = "web2", "svc-web2"
		s.add(other)
		s.svc.Name, s.svc.Spec.Selector = name, map[string]string{"app": "wbe"}
		if f := find(s.judge(t).Findings, code("label-typo")); (f != nil) != meant {
			t.Errorf("%s: %s", name, told(s.judge(t)))
		}
	}
}
