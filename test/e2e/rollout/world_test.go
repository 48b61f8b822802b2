package rollout

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

// account makes a user of the cluster that has the rights of a ClusterRole's
// rules, within one namespace or, for what has none, everywhere.
func account(t *testing.T, namespace, rules string) {
	t.Helper()
	role := strings.ReplaceAll(`{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: NAME}, rules: `+rules+`}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: NAME}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: NAME}, subjects: [{kind: User, name: NAME}]}`, "NAME", namespace)
	apply(t, namespace, role)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if _, err := tryKubectl(ctx, namespace, "delete", "clusterrole,clusterrolebinding", namespace); err != nil {
			t.Log(err)
		}
	})
}

const few = `[{apiGroups: [apps], resources: [deployments, replicasets], verbs: [get, list, watch]}, {apiGroups: [""], resources: [pods], verbs: [get, list, watch]}]`

// Without events, logs, Services and EndpointSlices the rollout is still
// followed, and what is skipped is said.
func TestWhatMayNotBeSeenIsSkippedAndSaid(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "gr-few")
	account(t, namespace, few)
	apply(t, namespace, web("2"))
	rolled(t, namespace, "deployment/web")
	kubectl(t, namespace, "set", "image", "deployment/web", "app=netapp:v2")
	r, code := watch(t, "-n", namespace, "--as", namespace, "deployment/web", "-o", "json", "--stable-for", "1s", "--timeout", "2m").end(2 * time.Minute)
	if code != 0 || r.Rollouts[0].Phase != "complete" {
		t.Errorf("exit code %d:\n%s", code, r.Outline())
	}
	said := ""
	for _, f := range r.Findings {
		if f.Code == "rollout/rbac" {
			said += f.Message + "\n"
		}
	}
	for _, part := range []string{"SKIP: events", "SKIP: services", "SKIP: endpointslices"} {
		if !strings.Contains(said, part) {
			t.Errorf("%q is not said:\n%s", part, said)
		}
	}
	for _, a := range r.Rollouts[0].Availability {
		if a.Verdict != "not-provable" {
			t.Errorf("availability is %s", a.Verdict)
		}
	}
}

func TestATargetThatMayNotBeSeenIsUnknown(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "gr-none")
	apply(t, namespace, web("1"))
	a := lab.Ask(t, "-n", namespace, "--as", "nobody", "deployment/web")
	if a.Exit != 3 || !strings.Contains(a.Stderr, "forbidden") {
		t.Errorf("exit code %d: %s", a.Exit, a.Stderr)
	}
}

func TestANameThatIsNearlyRight(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "gr-name")
	apply(t, namespace, web("1"))
	if a := lab.Ask(t, "-n", namespace, "deploy/wep"); a.Exit != 1 || !strings.Contains(a.Stderr, "did you mean web?") {
		t.Errorf("exit code %d: %s", a.Exit, a.Stderr)
	}
}

// The ClusterRole that --print-rbac prints is enough for everything, a
// rollback and a probe included.
func TestThePrintedRightsAreEnough(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "gr-role")
	role := lab.Ask(t, "--print-rbac").Stdout
	apply(t, namespace, e2e.Documents(strings.Replace(role, "leadsman-guard-rollout", namespace, 1),
		`{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: `+namespace+`}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: `+namespace+`}, subjects: [{kind: User, name: `+namespace+`}]}`))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if _, err := tryKubectl(ctx, namespace, "delete", "clusterrole,clusterrolebinding", namespace); err != nil {
			t.Log(err)
		}
	})
	apply(t, namespace, web("2"))
	rolled(t, namespace, "deployment/web")
	kubectl(t, namespace, "set", "image", "deployment/web", "app=netapp:v99")
	r, code := watch(t, "-n", namespace, "--as", namespace, "deployment/web", "-o", "json", "--probe", "svc/web:80/", "--on-failure=rollback", "--yes", "--stable-for", "1s").end(2 * time.Minute)
	if code != 7 {
		t.Errorf("exit code %d:\n%s %+v", code, r.Outline(), r.Rollouts[0].WayBack)
	}
	for _, g := range r.Gaps {
		if g.Reason == "forbidden" {
			t.Errorf("%s is forbidden", g.Resource)
		}
	}
	if p := r.Rollouts[0].Probes; len(p) != 1 || p[0].Sent == 0 {
		t.Errorf("the probe: %+v", p)
	}
}

// An interrupt ends the watch with 130 and the last word; nothing is changed.
func TestAnInterruptChangesNothing(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "gr-int")
	apply(t, namespace, web("2"))
	rolled(t, namespace, "deployment/web")
	kubectl(t, namespace, "set", "env", "deployment/web", "READY_AFTER=1h")
	before := kubectl(t, namespace, "get", "deployment/web", "-o", "jsonpath={.metadata.generation}")
	w := watch(t, "-n", namespace, "deployment/web", "--on-failure=rollback", "--yes")
	w.until("rolling", 20*time.Second)
	if err := w.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-w.ended:
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
	}
	if code := w.cmd.ProcessState.ExitCode(); code != 130 || !strings.Contains(w.stdout.String(), "rolling out revision 2") {
		t.Errorf("exit code %d:\n%s%s", code, w.stdout.String(), w.stderr.String())
	}
	if after := kubectl(t, namespace, "get", "deployment/web", "-o", "jsonpath={.metadata.generation}"); after != before {
		t.Errorf("generation %s, was %s", after, before)
	}
}

// line is a TCP connection to the API server that can be cut and mended.
type line struct {
	net.Listener
	to string

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func newLine(t *testing.T, to string) *line {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &line{Listener: l, to: to}
	t.Cleanup(func() { l.Close(); w.cut() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(c)
		}
	}()
	return w
}

func (l *line) carry(in net.Conn) {
	out, err := net.Dial("tcp", l.to)
	l.mu.Lock()
	if err != nil || l.down {
		l.mu.Unlock()
		in.Close()
		return
	}
	l.conns = append(l.conns, in, out)
	l.mu.Unlock()
	go func() { _, _ = io.Copy(out, in); out.Close() }()
	_, _ = io.Copy(in, out)
	in.Close()
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

// through is a kubeconfig whose server is reached by the line.
func through(t *testing.T, l *line) string {
	t.Helper()
	text, err := os.ReadFile(lab.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	server := kubectl(t, "default", "config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
	host, _, _ := strings.Cut(strings.TrimPrefix(server, "https://"), ":")
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	name := kubectl(t, "default", "config", "view", "--minify", "-o", "jsonpath={.clusters[0].name}")
	set := exec.CommandContext(t.Context(), lab.KubectlPath, "--kubeconfig", path, "config", "set-cluster", name, "--server=https://"+l.Addr().String(), "--tls-server-name="+host)
	if out, err := set.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// A connection that is lost while it rolls resumes; the seconds that nobody
// watched stand in the proof, and the number of requests stays small.
func TestALostConnectionResumesAndIsCounted(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "gr-lost")
	apply(t, namespace, web("3", careful))
	rolled(t, namespace, "deployment/web")
	server, err := url.Parse(kubectl(t, "default", "config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"))
	if err != nil {
		t.Fatal(err)
	}
	l := newLine(t, server.Host)
	w := watch(t, "-n", namespace, "--kubeconfig", through(t, l), "deployment/web", "-o", "ndjson", "--await", "--stable-for", "2s", "--timeout", "2m")
	w.until(`"phase":"awaited"`, 20*time.Second)
	kubectl(t, namespace, "set", "env", "deployment/web", "READY_AFTER=3s")
	w.until(`"phase":"rolling"`, 20*time.Second)
	l.cut()
	time.Sleep(4 * time.Second)
	l.mend()
	r, code := w.end(2 * time.Minute)
	a := r.Rollouts[0].Availability
	if code != 0 || len(a) != 1 || a[0].UnobservedSeconds < 3.5 || !slices.Contains([]string{"held", "held-with-gaps"}, a[0].Verdict) {
		t.Errorf("exit code %d, %+v\n%s", code, a, r.Outline())
	}
	if a[0].Verdict == "held-with-gaps" {
		if _, err := r.find("rollout/availability-gaps"); err != nil {
			t.Error(err)
		}
	}
	t.Log(fmt.Sprintf("%+v", a), r.Outline())
}
