package endpoints

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

// Walkthrough 1.4: all is written as it should be, and the program listens
// elsewhere. Only asking tells.
func TestNginxListensOnAnotherPort(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "ep-story-nginx")
	apply(t, namespace, docs(e2e.Deployment("nginx", `containers: [{name: nginx, image: "nginx:1.25", ports: [{containerPort: 8080}]}]`), e2e.Service("nginx", "ports: [{port: 80, targetPort: 8080}]")))
	kubectl(t, "-n", namespace, "wait", "--timeout=60s", "--for=condition=Available", "deployment/nginx")
	answer, err := lab.until(t.Context(), 20*time.Second, func(a Answer) error {
		if a.Report.Verdict != "ok" || a.Exit != 0 || len(a.Report.Services[0].Endpoints) != 1 {
			return fmt.Errorf("what is stored looks perfect, and the verdict is %s", a.Report.Verdict)
		}
		return nil
	}, "-n", namespace, "nginx")
	if err != nil {
		t.Fatalf("%v\n%s", err, answer.Report.Outline())
	}
	probed, err := lab.askJSON(t.Context(), "-n", namespace, "nginx", "--probe")
	if err != nil {
		t.Fatal(err)
	}
	found, ok := probed.Report.Find("endpoints/nothing-listening")
	if !ok || probed.Exit != 2 || !strings.Contains(fmt.Sprintf("%+v", found), "80") {
		t.Fatalf("exit %d\n%s", probed.Exit, probed.Report.Outline())
	}
	if found.Severity != "error" || !strings.Contains(found.Message, "8080") {
		t.Errorf("%+v", found)
	}
	if observed := probed.Report.Services[0].Endpoints[0].Observed; observed == "" {
		t.Error("the row does not say what was observed")
	}
	if err := lab.shell(t.Context(), found.Fix[0].Command); err != nil {
		t.Fatal(err)
	}
	mended, err := lab.until(t.Context(), 20*time.Second, func(a Answer) error {
		if len(a.Report.Errors()) > 0 {
			return fmt.Errorf("it is still broken")
		}
		return nil
	}, "-n", namespace, "nginx", "--probe")
	if err != nil {
		t.Errorf("%v\n%s", err, mended.Report.Outline())
	}
	people, err := lab.ask(t.Context(), "-n", namespace, "nginx")
	if err != nil || !strings.Contains(people.Stdout, "ENDPOINT") || !strings.Contains(people.Stdout, "POD IP") {
		t.Errorf("no two columns side by side: %v\n%s", err, people.Stdout)
	}
}

// Walkthrough 2.5: a NodePort.
func TestANodePortIsTold(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "ep-story-nodeport")
	apply(t, namespace, docs(e2e.Deployment("backend", app), e2e.Service("backend", "type: NodePort", "ports: [{port: 9090, targetPort: 8080}]")))
	kubectl(t, "-n", namespace, "wait", "--timeout=60s", "--for=condition=Available", "deployment/backend")
	node := kubectl(t, "-n", namespace, "get", "svc", "backend", "-o", "jsonpath={.spec.ports[0].nodePort}")
	answer, err := lab.ask(t.Context(), "-n", namespace, "backend")
	if err != nil || answer.Exit != 0 {
		t.Fatalf("%v %+v", err, answer)
	}
	for _, want := range []string{"9090", "8080", node, "NodePort"} {
		if !strings.Contains(answer.Stdout, want) {
			t.Errorf("%q is not told in\n%s", want, answer.Stdout)
		}
	}
}

// Walkthrough 3: the label comes later, and who watches sees it come.
func TestLabelsAddedLaterAreSeenToArrive(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "ep-story-labels")
	apply(t, namespace, docs(`{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {terminationGracePeriodSeconds: 1, `+app+`}}`, service("8080")))
	kubectl(t, "-n", namespace, "wait", "--timeout=60s", "--for=condition=Ready", "pod/web")

	watch := lab.command(t.Context(), "-n", namespace, "web", "-w")
	out, err := watch.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	awaitLine(t, lines, "✗ ")
	kubectl(t, "-n", namespace, "label", "pod", "web", "app=web")
	awaitLine(t, lines, "✓ ")
	kubectl(t, "-n", namespace, "delete", "svc", "web")
	for range lines {
	}
	if err := watch.Wait(); err == nil || watch.ProcessState.ExitCode() != 5 {
		t.Errorf("after the Service was deleted: %v", err)
	}
}

func awaitLine(t *testing.T, lines <-chan string, prefix string) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	var seen []string
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				t.Fatalf("it ended before %q:\n%s", prefix, strings.Join(seen, "\n"))
			}
			if seen = append(seen, line); strings.HasPrefix(line, prefix) {
				return
			}
		case <-deadline:
			t.Fatalf("%q does not come:\n%s", prefix, strings.Join(seen, "\n"))
		}
	}
}

// Walkthrough 5: the first frontend manifest selects the backend's pods too,
// and its load balancer never comes.
func TestTheRealisticApplication(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "ep-story-shop")
	part := func(name string, port int) string {
		return e2e.Deployment(name, fmt.Sprintf(`containers: [{name: %s, image: "netapp:v1", env: [{name: LISTEN, value: ":%d"}], ports: [{containerPort: %d}]}]`, name, port, port),
			"replicas: 2", "selector: {matchLabels: {app: web, service: "+name+"}}", labelled("app: web, service: "+name))
	}
	apply(t, namespace, docs(part("frontend", 80), part("backend", 8080),
		e2e.Service("nginx", "type: LoadBalancer", "selector: {app: web}", "ports: [{port: 80}]"),
		e2e.Service("app", "selector: {app: web, service: backend}", "ports: [{port: 8080}]")))
	kubectl(t, "-n", namespace, "wait", "--timeout=60s", "--for=condition=Available", "deployment/frontend", "deployment/backend")
	answer, err := lab.until(t.Context(), 20*time.Second, func(a Answer) error {
		if len(a.Report.Services) != 2 || a.Report.Services[0].Object.Name != "nginx" {
			return fmt.Errorf("the worst is not first")
		}
		return nil
	}, "-n", namespace)
	if err != nil {
		t.Errorf("%v\n%s", err, answer.Report.Outline())
	}
	for _, code := range []string{"endpoints/selector-overlap", "endpoints/lb-pending"} {
		if _, ok := answer.Report.Find(code); !ok {
			t.Errorf("no %s\n%s", code, answer.Report.Outline())
		}
	}
}

// What may not be seen is unknown, and never missing.
func TestWithoutTheRightToSeePodsThereIsNoVerdict(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "ep-rights")
	apply(t, namespace, docs(web(), selects("app: Web"),
		`{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: narrow}, rules: [{apiGroups: ["", discovery.k8s.io], resources: [services, endpointslices], verbs: [get, list]}]}`,
		`{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: narrow}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: narrow}, subjects: [{kind: User, name: narrow-`+namespace+`}]}`))
	as := []string{"-n", namespace, "web", "--as", "narrow-" + namespace}
	answer, err := lab.until(t.Context(), 20*time.Second, func(a Answer) error {
		if a.Exit != 3 || a.Report.Verdict != "unknown" {
			return fmt.Errorf("exit %d, verdict %s", a.Exit, a.Report.Verdict)
		}
		return nil
	}, as...)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, answer.Report.Outline(), answer.Stderr)
	}
	for _, f := range answer.Report.Errors() {
		t.Errorf("it is accused of %s: %s", f.Code, f.Message)
	}
	pods := false
	for _, g := range answer.Report.Gaps {
		pods = pods || g.Resource == "pods" && g.Reason == "forbidden"
	}
	if !pods {
		t.Errorf("pods are not among the gaps: %+v", answer.Report.Gaps)
	}
	none, err := lab.ask(t.Context(), "-n", namespace, "web", "--as", "nobody-"+namespace)
	if err != nil || none.Exit != 3 || !strings.Contains(none.Stderr, "cannot be seen") {
		t.Errorf("without any rights: %v %+v", err, none)
	}
}

// A probe that RBAC refuses says nothing about the pod.
func TestRefusedProbesAccuseNobody(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "ep-refused")
	apply(t, namespace, docs(web(), service("8080"),
		`{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: viewer}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}, subjects: [{kind: User, name: viewer-`+namespace+`}]}`))
	kubectl(t, "-n", namespace, "wait", "--timeout=60s", "--for=condition=Available", "deployment/web")
	answer, err := lab.askJSON(t.Context(), "-n", namespace, "web", "--probe", "--as", "viewer-"+namespace)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Report.Errors()) > 0 || answer.Exit == 2 {
		t.Errorf("exit %d\n%s", answer.Exit, answer.Report.Outline())
	}
}

// The real path, from a client pod, through the Service's own address.
func TestTheRealPathIsTriedFromAClient(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "ep-path")
	apply(t, namespace, docs(web(), service("8080"), e2e.Pod("client", `containers: [{name: c, image: "busybox:1.36", command: [sleep, "100000"]}]`),
		e2e.Pod("mute", `containers: [{name: c, image: "registry.k8s.io/pause:3.10"}]`)))
	kubectl(t, "-n", namespace, "wait", "--timeout=60s", "--for=condition=Ready", "pod", "--all")
	for client, observed := range map[string]bool{"client": true, "mute": false} {
		// Pods are ready before the slices say so.
		answer, err := lab.until(t.Context(), 20*time.Second, func(a Answer) error {
			if a.Report.Verdict != "ok" || len(a.Report.Errors()) > 0 {
				return fmt.Errorf("%s", a.Report.Outline())
			}
			return nil
		}, "-n", namespace, "web", "--probe-from", "pod/"+client)
		if err != nil {
			t.Fatalf("%s: %v", client, err)
		}
		if e := answer.Report.Services[0].Endpoints; len(e) != 1 || (e[0].Observed != "") != observed {
			t.Errorf("%s: %+v", client, e)
		}
	}
}

// A dump of what was seen gives the same answer without a cluster.
func TestASnapshotIsJudgedAsTheClusterWas(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "ep-snapshot")
	apply(t, namespace, docs(web(), selects("app: Web")))
	kubectl(t, "-n", namespace, "wait", "--timeout=60s", "--for=condition=Available", "deployment/web")
	dump := filepath.Join(t.TempDir(), "dump.tar.gz")
	live, err := lab.askJSON(t.Context(), "-n", namespace, "web", "--save-snapshot", dump)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dump); err != nil {
		t.Fatal(err)
	}
	later, err := lab.askJSON(t.Context(), "-n", namespace, "web", "--snapshot", dump)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(live.Report.Findings, later.Report.Findings); diff != "" || later.Exit != live.Exit {
		t.Errorf("exit %d and %d (-live +later)\n%s", live.Exit, later.Exit, diff)
	}
}

func TestEveryFormatIsWritten(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "ep-formats")
	apply(t, namespace, docs(web(), selects("app: Web")))
	kubectl(t, "-n", namespace, "wait", "--timeout=60s", "--for=condition=Available", "deployment/web") // before that it is not broken, only new
	for format, want := range map[string]string{
		"table": "✗ ", "wide": "✗ ", "name": "service/web\n", "json": `"kind": "CheckEndpoints"`, "yaml": "kind: CheckEndpoints",
		"junit": "<testsuites", "sarif": `"version": "2.1.0"`,
	} {
		answer, err := lab.ask(t.Context(), "-n", namespace, "-o", format)
		if err != nil || !strings.Contains(answer.Stdout, want) || answer.Exit != 2 {
			t.Errorf("-o %s: %v, exit %d\n%s%s", format, err, answer.Exit, answer.Stdout, answer.Stderr)
		}
	}
	if answer, err := lab.ask(t.Context(), "-n", namespace, "-o", "name", "--fail-on", "never"); err != nil || answer.Exit != 0 {
		t.Errorf("--fail-on never: %v %+v", err, answer)
	}
	if answer, err := lab.ask(t.Context(), "-n", namespace, "wep"); err != nil || answer.Exit != 1 || !strings.Contains(answer.Stderr, "did you mean web?") {
		t.Errorf("a typo: %v %+v", err, answer)
	}
}
