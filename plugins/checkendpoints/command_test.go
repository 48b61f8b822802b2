package checkendpoints

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/endpoints"
	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/probe"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

func environment() (*cli.Env, *bytes.Buffer) {
	var out bytes.Buffer
	return &cli.Env{
		Streams: term.Streams{In: strings.NewReader(""), Out: &out, Err: &out},
		Config:  genericclioptions.NewConfigFlags(true), Display: "kubectl check-endpoints", Now: func() time.Time { return time.Unix(1000, 0) },
	}, &out
}

func TestServicesAreNamedAsKubectlNamesThem(t *testing.T) {
	o, err := parseNamed("web", "svc/api", "service/db", "Services/cache")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"web", "api", "db", "cache"}, o.names); diff != "" {
		t.Error(diff)
	}
}

func parseNamed(args ...string) (options, error) {
	env, _ := environment()
	var got options
	cmd := command(env, func(_ context.Context, o options) error { got = o; return nil })
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(context.Background())
	return got, err
}

func TestClientsAreNamedWithOrWithoutNamespace(t *testing.T) {
	for arg, want := range map[string]object.Ref{
		"pod/x":      {Version: "v1", Kind: "Pod", Name: "x"},
		"x":          {Version: "v1", Kind: "Pod", Name: "x"},
		"po/x":       {Version: "v1", Kind: "Pod", Name: "x"},
		"shop/pod/x": {Version: "v1", Kind: "Pod", Namespace: "shop", Name: "x"},
	} {
		o, err := parseNamed("web", "--from", arg)
		if err != nil || o.client != want {
			t.Errorf("%s: %+v %v", arg, o.client, err)
		}
	}
}

func TestWhatExcludesEachOtherIsRefused(t *testing.T) {
	for name, args := range map[string][]string{
		"another kind":             {"deployment/web"},
		"an empty name":            {"service/"},
		"a path":                   {"a/b/c"},
		"a name and a selector":    {"web", "-l", "app=web"},
		"a name in all namespaces": {"web", "-A"},
		"a file and a name":        {"web", "-f", "x.yaml"},
		"a file and a selector":    {"-l", "a=b", "-f", "x.yaml"},
		"a snapshot to follow":     {"--snapshot", "x", "-w"},
		"following as JSON":        {"-w", "-o", "json"},
		"following with probes":    {"-w", "--probe"},
		"an unknown format":        {"-o", "dot"},
		"a client of another kind": {"--from", "deployment/web"},
		"a client without a name":  {"--probe-from", "pod/"},
		"no patience":              {"--probe", "--probe-timeout", "0s"},
	} {
		if _, err := parseNamed(args...); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestAPageNeedsNoCluster(t *testing.T) {
	env, out := environment()
	cmd := Command(env)
	cmd.SetArgs([]string{"--print-rbac", "whatever/is/named"})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"endpointslices", "pods/proxy", "pods/portforward", "httproutes"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	if strings.Contains(out.String(), "secrets") {
		t.Error("secrets are none of its business")
	}
}

func TestAManifestIsAskedAboutByNamespace(t *testing.T) {
	service := func(namespace, name string) source.Query {
		return source.Query{Kind: schema.GroupKind{Kind: "Service"}, Namespace: namespace, Name: name}
	}
	got, err := asksOf([]source.Query{service("a", "web"), {Kind: schema.GroupKind{Group: "apps", Kind: "Deployment"}, Name: "web"}, service("b", "db"), service("a", "api")}, object.Ref{}, "x.yaml")
	want := []endpoints.Ask{{Names: []string{"web", "api"}, Namespace: "a"}, {Names: []string{"db"}, Namespace: "b"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if _, err := asksOf(nil, object.Ref{}, "x.yaml"); err == nil {
		t.Error("a manifest without a Service is taken")
	}
}

func TestOnlyWhatSpeaksOfThePortIsAnObservation(t *testing.T) {
	for _, c := range []struct {
		probe  endpoints.Probe
		result probe.Result
		want   endpoints.Outcome
	}{
		{endpoints.Proxy, probe.Result{Outcome: probe.Answered}, endpoints.Answered},
		{endpoints.Proxy, probe.Result{Outcome: probe.Answered, TLS: true}, endpoints.AnsweredTLS},
		{endpoints.Listeners, probe.Result{Outcome: probe.Answered}, endpoints.Listed},
		{endpoints.Forward, probe.Result{Outcome: probe.Refused}, endpoints.Refused},
		{endpoints.Path, probe.Result{Outcome: probe.TimedOut}, endpoints.TimedOut},
		{endpoints.Listeners, probe.Result{Outcome: probe.TimedOut}, endpoints.Failed},
		{endpoints.Proxy, probe.Result{Outcome: probe.Forbidden}, endpoints.NotAllowed},
		{endpoints.Proxy, probe.Result{Outcome: probe.Gone}, endpoints.Failed},
		{endpoints.Path, probe.Result{Outcome: probe.Unable}, endpoints.NoMeans},
	} {
		if got := outcome(c.probe, c.result); got != c.want {
			t.Errorf("%s %s is %s, want %s", c.probe, c.result.Outcome, got, c.want)
		}
	}
}

func TestOnlyProblemsKeepsWhatWarns(t *testing.T) {
	ref := func(name string) object.Ref { return object.Ref{Kind: "Service", Name: name} }
	r := &report.Report{
		Services: []*report.Service{
			{Object: ref("broken"), Verdict: report.Broken},
			{Object: ref("warned"), Verdict: report.OK, Codes: []string{"endpoints/partial-ready"}},
			{Object: ref("remarked"), Verdict: report.OK, Codes: []string{"endpoints/no-readiness-probe"}},
			{Object: ref("well"), Verdict: report.OK},
		},
		Findings: []finding.Finding{
			{Code: "endpoints/partial-ready", Severity: finding.Warning},
			{Code: "endpoints/no-readiness-probe", Severity: finding.Info},
		},
	}
	onlyProblems(r)
	if len(r.Services) != 2 || len(r.Findings) != 1 {
		t.Errorf("%d Services, %d findings", len(r.Services), len(r.Findings))
	}
}

func TestOnlyReadyPodsAreTrimmed(t *testing.T) {
	pod := func(status corev1.ConditionStatus) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "x", Labels: map[string]string{"app": "web"}, Annotations: map[string]string{"a": "b"}},
			Spec: corev1.PodSpec{
				NodeName: "n1", Volumes: []corev1.Volume{{Name: "v"}},
				Containers: []corev1.Container{{Name: "c", Env: []corev1.EnvVar{{Name: "A"}}, Ports: []corev1.ContainerPort{{ContainerPort: 80}}, ReadinessProbe: &corev1.Probe{}}},
			},
			Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}},
		}
	}
	well, ill := pod(corev1.ConditionTrue), pod(corev1.ConditionFalse)
	trim := new(trimmer).trim
	again := pod(corev1.ConditionTrue)
	trim(well)
	trim(again)
	trim(ill)
	trim(&corev1.Service{})
	if &well.Spec.Containers[0] != &again.Spec.Containers[0] || again.Labels["app"] != "web" {
		t.Error("what two pods have in common is kept twice")
	}
	if c := well.Spec.Containers[0]; c.Env != nil || well.Spec.Volumes != nil || len(c.Ports) != 1 || c.ReadinessProbe == nil || well.Labels["app"] != "web" || well.Spec.NodeName != "n1" {
		t.Errorf("%+v", well)
	}
	if ill.Spec.Volumes == nil || ill.Spec.Containers[0].Env == nil {
		t.Error("what a pod that is not ready suffers from may be told by any field")
	}
}
