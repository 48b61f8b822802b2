package dns

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// none is a Deployment that has no pod.
func none(s *scene, spec corev1.PodSpec) *index.View {
	s.ask.From = object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "default", Name: "zero"}
	spec.Containers = []corev1.Container{{Name: "c", Image: "debian:12"}}
	d := &appsv1.Deployment{ObjectMeta: meta("default", "zero")}
	d.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "zero"}}
	d.Spec.Template = corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "zero"}}, Spec: spec}
	store := s.store()
	store.Put(schema.GroupKind{Group: "apps", Kind: "Deployment"}, d)
	return index.New(store.Contents())
}

func TestAWorkloadWithoutPodsIsJudgedByItsTemplate(t *testing.T) {
	for title, c := range map[string]struct {
		spec    corev1.PodSpec
		verdict report.Verdict
		code    string
	}{
		"with the cluster's DNS": {corev1.PodSpec{}, report.OK, ""},
		"on the node's network":  {corev1.PodSpec{HostNetwork: true}, report.Broken, "dns/hostnet-clusterfirst"},
	} {
		t.Run(title, func(t *testing.T) {
			s := newScene()
			v := none(s, c.spec)
			r, err := Explain(v, s.ask, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != c.verdict || !strings.Contains(strings.Join(r.Trace.Notes, " "), "Deployment/zero has no pod now") || !strings.Contains(way(r.Trace), "unknown deployment zero") {
				t.Errorf("%s %v %s", r.Summary, r.Trace.Notes, way(r.Trace))
			}
			if c.code != "" && (r.Findings[0].Code != c.code || r.Findings[0].Object != s.ask.From) {
				t.Errorf("%+v", r.Findings)
			}
			if p := Live(v, s.ask, s.seen); p.Client.Name != "" || len(p.Servers) != 2 && c.code == "" {
				t.Errorf("%+v", p)
			}
		})
	}
}

func TestAClientThatCannotBeAskedIsSaidToBe(t *testing.T) {
	for says, change := range map[string]func(*scene){
		"Pod/backend-1 has ended (Succeeded)":                       func(s *scene) { s.client.Status.Phase = corev1.PodSucceeded },
		"Pod/backend-1 does not run (Pending)":                      func(s *scene) { s.client.Status.Phase = corev1.PodPending },
		"Pod/backend-1 could not be asked itself (no such program)": func(s *scene) { s.seen.Pod, s.seen.ResolvConf = s.client.UID, &Text{Err: "no such program"} },
	} {
		s := newScene()
		change(s)
		if r := s.explain(t); !strings.Contains(strings.Join(r.Trace.Notes, "\n"), says) {
			t.Errorf("%q is not said: %v", says, r.Trace.Notes)
		}
	}
}

func TestAContainerThatIsNotThereIsNoClient(t *testing.T) {
	s := newScene()
	s.ask.Container = "sidecar"
	if _, err := Explain(s.view(), s.ask, Options{}); err == nil || err.Error() != `Pod/backend-1 has no container "sidecar": choose with -c one of main` {
		t.Error(err)
	}
}

func TestAnAddressOfTheClusterWithoutANameIsNoFault(t *testing.T) {
	s := newScene()
	s.ask.Name = "10.244.9.9"
	s.say("coredns-a", "9.9.244.10.in-addr.arpa.", PTR, NXDomain)
	if r := s.explain(t); r.Verdict != report.OK || !strings.Contains(r.Summary, "10.244.9.9 has no name: no Service has this address") {
		t.Errorf("%s %+v", r.Summary, r.Findings)
	}
}
