package dns

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

func TestTheFrontendFindsTheBackend(t *testing.T) {
	t.Parallel()
	ns := lab.Namespace(t, "dns-shop")
	apply(t, ns,
		e2e.Deployment("frontend", client), e2e.Deployment("backend", client, "replicas: 2"),
		e2e.Service("backend", "type: NodePort", "ports: [{port: 9090, targetPort: 8080}]"),
		e2e.StatefulSet("redis", client), e2e.Service("redis", "ports: [{port: 6379}]"))
	kubectl(t, "-n", ns, "rollout", "status", "deployment/frontend", "--timeout=60s")
	kubectl(t, "-n", ns, "rollout", "status", "deployment/backend", "--timeout=60s")
	time.Sleep(time.Second)
	for ask, says := range map[string]string{"backend --from deploy/frontend": "Service/backend", "redis --from deploy/backend": "Service/redis"} {
		f := fault{says: says}
		a, err := lab.until(t.Context(), 20*time.Second, f.differs, append(strings.Fields(ask), "-n", ns)...)
		if err != nil {
			t.Errorf("%s: %v\n%s", ask, err, a.Report.Outline())
		}
		first := a.Report.Trace.Ladder[0]
		if first.State != "stops" || first.By != "kubernetes" || first.Line == 0 || first.Object.String() != says {
			t.Errorf("%s: %+v", ask, first)
		}
	}
	// The story's other ends: the Service is missing, elsewhere, without endpoints.
	kubectl(t, "-n", ns, "delete", "service", "redis")
	gone := fault{code: "dns/service-missing or dns/wrong-namespace", exit: 2, says: "redis"}
	if a, err := lab.until(t.Context(), 60*time.Second, gone.differs, "redis", "-n", ns, "--from", "deploy/backend"); err != nil {
		t.Errorf("%v\n%s", err, a.Report.Outline())
	}
}

func TestAReplaySaysTheSame(t *testing.T) {
	t.Parallel()
	ns := lab.Namespace(t, "dns-replay")
	apply(t, ns, e2e.Pod("client", `containers: [{name: c, image: "resolver:glibc"}]`), e2e.Service("redis"))
	kubectl(t, "-n", ns, "wait", "--for=condition=Ready", "pod/client", "--timeout=60s")
	for _, name := range []string{"redis", "nope", "example.com", "10.96.0.1"} {
		file := filepath.Join(t.TempDir(), "dump.yaml")
		live, err := lab.ask(t.Context(), name, "-n", ns, "--from", "pod/client", "--save-snapshot", file, "-o", "wide", "--libc", "all", "--learn")
		if err != nil {
			t.Fatal(err)
		}
		replayed, err := lab.ask(t.Context(), name, "--from", "pod/client", "--snapshot", file, "-o", "wide", "--libc", "all", "--learn")
		if err != nil {
			t.Fatal(err)
		}
		if a, b := timeless(live.Stdout), timeless(replayed.Stdout); a != b || live.Exit != replayed.Exit {
			t.Errorf("%s: live (%d):\n%s\nreplayed (%d):\n%s%s", name, live.Exit, a, replayed.Exit, b, replayed.Stderr)
		}
	}
}

var budget = regexp.MustCompile(`(?m)^(\d+ requests?, [0-9.]+ s|from a snapshot)( · )?`)

func timeless(text string) string { return budget.ReplaceAllString(text, "") }

func TestOneTraceIsQuickAndCheap(t *testing.T) {
	ns := lab.Namespace(t, "dns-quick")
	apply(t, ns, e2e.Pod("client", `containers: [{name: c, image: "resolver:glibc"}]`), e2e.Service("redis"))
	kubectl(t, "-n", ns, "wait", "--for=condition=Ready", "pod/client", "--timeout=60s")
	best := time.Hour
	for range 5 {
		began := time.Now()
		if _, err := lab.ask(t.Context(), "redis", "-n", ns, "--from", "pod/client"); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(began))
	}
	t.Logf("%v", best)
	if best > 500*time.Millisecond {
		t.Errorf("one trace takes %v", best)
	}
	for format, args := range map[string][]string{"only what is stored": {"--probe=false"}, "with what is asked live": nil} {
		a, err := lab.ask(t.Context(), append(args, "redis", "-n", ns, "--from", "pod/client")...)
		if err != nil {
			t.Fatal(err)
		}
		cost := spent.FindStringSubmatch(a.Stdout)
		if cost == nil {
			t.Fatal(a.Stdout)
		}
		t.Logf("%s: %s", format, cost[0])
		if n, _ := strconv.Atoi(cost[1]); n > 14 {
			t.Errorf("%s: %d requests", format, n)
		}
	}
}

var spent = regexp.MustCompile(`(?m)^(\d+) requests`)

func TestLittleRightsStillGiveAPicture(t *testing.T) {
	t.Parallel()
	ns := lab.Namespace(t, "dns-rights-little")
	apply(t, ns, e2e.Pod("client", `containers: [{name: c, image: "resolver:glibc"}]`), e2e.Service("redis"),
		`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"viewer"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"view"},"subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"someone"}]}`)
	kubectl(t, "-n", ns, "wait", "--for=condition=Ready", "pod/client", "--timeout=60s")
	a, err := lab.askJSON(t.Context(), "redis", "-n", ns, "--from", "pod/client", "--as", "someone")
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Report.Trace.Ladder) == 0 || len(a.Report.Gaps) == 0 || strings.Contains(a.Stdout, "panic") {
		t.Errorf("%s", a.Stdout)
	}
}

func TestAPodWithoutAShellIsAskedFromADebugContainer(t *testing.T) {
	t.Parallel()
	ns := lab.Namespace(t, "dns-debug")
	apply(t, ns, e2e.Service("redis"), e2e.Pod("client", `containers: [{name: c, image: "registry.k8s.io/coredns/coredns:v1.15.0", args: ["-dns.port=1053"]}]`))
	kubectl(t, "-n", ns, "wait", "--for=condition=Ready", "pod/client", "--timeout=60s")
	names := func() []string {
		return strings.Fields(kubectl(t, "-n", ns, "get", "pod", "client", "-o", "jsonpath={.spec.ephemeralContainers[*].name}"))
	}
	a, err := lab.askJSON(t.Context(), "redis", "-n", ns, "--from", "pod/client")
	if err != nil || a.Report.Trace.ResolvConf.Claim != "computed" || len(names()) > 0 {
		t.Fatalf("%v %s %v", err, a.Stdout, names())
	}
	a, err = lab.askJSON(t.Context(), "redis", "-n", ns, "--from", "pod/client", "--debug-container", "busybox:1.36")
	if err != nil || a.Exit != 0 || a.Report.Trace.ResolvConf.Claim != "observed" || len(names()) != 1 {
		t.Errorf("%v %d %s %v", err, a.Exit, a.Stdout, names())
	}
	if !strings.Contains(strings.Join(a.Report.Trace.Notes, " "), "cannot be removed") || !strings.Contains(a.Stderr, "cannot be removed") {
		t.Errorf("it is not said that it stays: %v %s", a.Report.Trace.Notes, a.Stderr)
	}
}

func TestBusyboxIsAskedByItsNslookup(t *testing.T) {
	t.Parallel()
	ns := lab.Namespace(t, "dns-busybox")
	apply(t, ns, e2e.Service("redis"), e2e.Pod("client", client))
	kubectl(t, "-n", ns, "wait", "--for=condition=Ready", "pod/client", "--timeout=60s")
	// What nslookup prints is what the ladder of busybox says.
	a, err := lab.askJSON(t.Context(), "redis", "-n", ns, "--from", "pod/client", "--libc", "busybox")
	if err != nil || a.Exit != 0 {
		t.Fatal(err, a.Stdout, a.Stderr)
	}
	printed, _ := lab.Kubectl(t.Context(), "-n", ns, "exec", "client", "--", "nslookup", "redis")
	for _, rung := range a.Report.Trace.Ladder[:3] {
		name := strings.TrimSuffix(rung.Name, ".")
		failed := strings.Contains(string(printed), "can't find "+name+": NXDOMAIN")
		if found := strings.Contains(string(printed), "Name:\t"+name); found == failed || failed != (rung.Answers[0].Rcode == "NXDOMAIN") {
			t.Errorf("%s: found %v, failed %v, %+v\n%s", name, found, failed, rung, printed)
		}
	}
	if len(a.Report.Findings) != 1 || a.Report.Findings[0].Code != "dns/nslookup-artefact" {
		t.Errorf("%s", a.Report.Outline())
	}
}
