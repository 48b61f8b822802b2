package endpoints

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

// well is what looks broken and is not.
type well struct {
	name      string
	manifests string
	settled   string
	then      []string
	ask       []string // "web" if unset
	empty     bool     // it rightly reaches nothing
}

func healthyThings() []well {
	available := "--for=condition=Available deployment/web"
	behind := unselected("web", "[{name: web, port: 80, targetPort: 8080}]")
	return []well{
		{name: "one-ready-endpoint", manifests: docs(web(), service("8080")), settled: available},
		{name: "named-port", manifests: docs(web("replicas: 2"), service("http")), settled: available},
		{name: "undeclared-port", manifests: docs(e2e.Deployment("web", `containers: [{name: web, image: "netapp:v1"}]`), service("8080")), settled: available},
		{name: "manual-endpoints", manifests: docs(behind, slice("web-hand", "192.0.2.7", "", "name: web, port: 8080"))},
		{name: "scaled-to-zero", manifests: docs(web("replicas: 0"), service("8080")), empty: true},
		{name: "completed-job-beside", settled: available, manifests: docs(web(), service("8080"),
			`{apiVersion: batch/v1, kind: Job, metadata: {name: once}, spec: {template: {metadata: {labels: {app: web}}, spec: {restartPolicy: Never, containers: [{name: web, image: "busybox:1.36", command: ["true"]}]}}}}`)},
		{name: "sidecar-port", settled: available, manifests: docs(
			e2e.Deployment("web", `{initContainers: [{name: proxy, image: "netapp:v1", restartPolicy: Always, ports: [{name: http, containerPort: 8080}]}], containers: [{name: web, image: "busybox:1.36", command: [sleep, "100000"]}]}`), service("http"))},
		{name: "pod-name-selector", settled: "--for=jsonpath={.status.readyReplicas}=1 statefulset/web", manifests: docs(e2e.StatefulSet("web", app), service("8080", "selector: {statefulset.kubernetes.io/pod-name: web-0}"))},
		{name: "headless-unready-published", settled: "--for=jsonpath={.status.readyReplicas}=1 statefulset/web", manifests: docs(e2e.StatefulSet("web", app),
			e2e.Service("web", "clusterIP: None", "publishNotReadyAddresses: true", "ports: [{port: 8080}]"))},
		{name: "policy-that-admits", settled: available, manifests: docs(web(), service("8080"), policy("ingress: [{ports: [{port: 8080}]}]"))},
		{name: "policy-of-addresses", settled: available, manifests: docs(web(), service("8080"), policy("ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24}}]}, {from: [{podSelector: {}}]}]"))},
		{name: "port-renamed", settled: available, manifests: docs(web(), service("8080")),
			then: []string{`patch svc web --type=json -p '[{"op":"replace","path":"/spec/ports/0/name","value":"renamed"}]'`}},
		{name: "ingress-with-the-old-annotation", settled: available, manifests: docs(web(), service("8080"), strings.Replace(ingress("{name: web, port: {name: web}}", ""), "{name: shop}", "{name: shop, annotations: {kubernetes.io/ingress.class: nginx}}", 1))},
		{name: "host-network", settled: available, manifests: docs(e2e.Deployment("web", `{hostNetwork: true, containers: [{name: web, image: "netapp:v1", env: [{name: LISTEN, value: ":28081"}], ports: [{name: http, containerPort: 28081}]}]}`), service("http"))},
		{name: "canary", settled: available, manifests: docs(web("selector: {matchLabels: {app: web, track: stable}}", labelled("app: web, track: stable")),
			e2e.Deployment("canary", app, "selector: {matchLabels: {app: web, track: canary}}", labelled("app: web, track: canary")), service("8080"))},
		{name: "leader-election-endpoints", settled: available, manifests: docs(web(), service("8080"),
			`{apiVersion: v1, kind: Endpoints, metadata: {name: leader, annotations: {control-plane.alpha.kubernetes.io/leader: '{"holderIdentity":"x"}'}}}`)},
		{name: "probed", settled: available, manifests: docs(web(), service("8080")), ask: []string{"web", "--probe"}},
	}
}

func TestHealthyThingsThatLookBrokenAreLeftInPeace(t *testing.T) {
	for _, w := range healthyThings() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			namespace := lab.Namespace(t, "ep-well-"+w.name)
			apply(t, namespace, w.manifests)
			if w.settled != "" {
				kubectl(t, append([]string{"-n", namespace, "wait", "--timeout=90s"}, strings.Fields(w.settled)...)...)
			}
			for _, command := range w.then {
				if err := lab.shell(t.Context(), "kubectl -n "+namespace+" "+command); err != nil {
					t.Fatal(err)
				}
			}
			ask := append([]string{"-n", namespace}, w.ask...)
			if w.ask == nil {
				ask = append(ask, "web")
			}
			answer, err := lab.until(t.Context(), 30*time.Second, w.differs, ask...)
			if err != nil {
				t.Errorf("%v\n%s%s", err, answer.Report.Outline(), answer.Stderr)
			}
		})
	}
}

func (w well) differs(a Answer) error {
	for _, f := range a.Report.Findings {
		if f.Severity != "info" {
			return fmt.Errorf("it is accused of %s", f.Code)
		}
	}
	switch {
	case a.Report.Verdict != "ok":
		return fmt.Errorf("its verdict is %s", a.Report.Verdict)
	case a.Exit != 0:
		return fmt.Errorf("the exit code is %d", a.Exit)
	case len(a.Report.Services) != 1:
		return errors.New("not one Service is told of")
	case !w.empty && len(a.Report.Services[0].Endpoints) == 0:
		return errors.New("no endpoint is shown")
	}
	return nil
}

func TestTheClustersOwnServicesAreWell(t *testing.T) {
	for namespace, service := range map[string]string{"default": "kubernetes", "kube-system": "kube-dns"} {
		answer, err := lab.askJSON(t.Context(), "-n", namespace, service)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Report.Verdict != "ok" || len(answer.Report.Errors()) > 0 || answer.Exit != 0 {
			t.Errorf("%s/%s:\n%s", namespace, service, answer.Report.Outline())
		}
	}
}
