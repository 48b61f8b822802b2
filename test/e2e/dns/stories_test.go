package dns

import (
	"path/filepath"
	"regexp"
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
	for _, c := range []struct {
		args []string
		most int
	}{{[]string{"--probe=false"}, 14}, {nil, 26}} { // what is read; and with what is asked live
		a, err := lab.askJSON(t.Context(), append(c.args, "redis", "-n", ns, "--from", "pod/client")...)
		if err != nil {
			t.Fatal(err)
		}
		if n := a.Report.Budget.Requests; n > c.most {
			t.Errorf("%v: %d requests", c.args, n)
		}
	}
}

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
