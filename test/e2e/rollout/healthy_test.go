package rollout

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

// fine is a rollout that looks bad for a while, and goes well.
type fine struct {
	name  string
	kind  string
	first string
	spec  []string
	was   string
	next  string
	after []string // kubectl lines while it rolls
	delay time.Duration
	quiet []string // codes that must not be found; errors never may
}

func TestWhatOnlyLooksBadIsNotFailed(t *testing.T) {
	for _, f := range lookalikes() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.check(t)
		})
	}
}

func (f fine) check(t *testing.T) {
	namespace := lab.Namespace(t, "gr-ok-"+f.name)
	if f.first != "" {
		apply(t, namespace, f.first)
	}
	kind, spec := f.kind, f.spec
	if kind == "" {
		kind = "Deployment"
	}
	if kind != "DaemonSet" {
		spec = append([]string{"replicas: 3"}, spec...)
	}
	was := f.was
	if was == "" {
		was = pod(good)
	}
	target := strings.ToLower(kind) + "/web"
	apply(t, namespace, e2e.Documents(manifest(kind, was, spec...), e2e.Service("web", "ports: [{port: 80, targetPort: 8080}]")))
	if f.was == "" {
		rolled(t, namespace, target)
	}
	if f.next != "" {
		apply(t, namespace, manifest(kind, f.next, spec...))
	}
	w := watch(t, "-n", namespace, target, "-o", "ndjson", "--timeout", "3m", "--stable-for", "3s")
	if len(f.after) > 0 {
		w.until(`"phase":"rolling"`, 20*time.Second)
		time.Sleep(f.delay)
	}
	for _, line := range f.after {
		shell(t, "kubectl -n "+namespace+" "+strings.ReplaceAll(line, "NAMESPACE", namespace))
	}
	r, code := w.end(3 * time.Minute)
	if code != 0 {
		t.Errorf("exit code %d:\n%s", code, r.Outline())
	}
	for _, found := range r.Findings {
		if found.Severity == "error" && strings.HasPrefix(found.Code, "rollout/") || slices.Contains(f.quiet, found.Code) {
			t.Errorf("%s: %s", found.Code, found.Message)
		}
	}
	t.Logf("%.1f s: %s", w.Took.Seconds(), r.Outline())
}

func lookalikes() []fine {
	busy := env("A", "b")
	// The container fails once, and remembers that in a folder of its pod.
	once := pod(`{name: app, image: "busybox:1", command: [sh, -c, "test -f /d/x && exec httpd -f -p 8080; touch /d/x; echo not yet; exit 1"], volumeMounts: [{name: d, mountPath: /d}], readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}}`) + "\nvolumes: [{name: d, emptyDir: {}}]"
	return []fine{
		{name: "plain", next: pod(busy)},
		{name: "slow-start", next: pod(env("READY_AFTER", "9s"))},
		{name: "one-crash", next: once},
		{name: "config-comes-late", next: pod(having(`envFrom: [{configMapRef: {name: late}}]`)), after: []string{"create configmap late --from-literal=a=b"}, delay: 4 * time.Second},
		{name: "account-comes-late", next: pod(busy) + "\nserviceAccountName: default"},
		{name: "node-selector-comes-late", next: pod(busy) + "\nnodeSelector: {gr-late: \"yes\"}", after: []string{"label node --all gr-late=yes"}, delay: 3 * time.Second},
		{name: "scaled-midway", next: pod(env("READY_AFTER", "3s")), after: []string{"scale deployment web --replicas=5"}, delay: time.Second},
		{name: "annotated-midway", next: pod(env("READY_AFTER", "3s")), after: []string{"annotate deployment web note=hello"}, delay: time.Second},
		{name: "new-pod-deleted-midway", next: pod(env("READY_AFTER", "3s")), after: []string{"get pod -l app=web --sort-by=.metadata.creationTimestamp -o name | tail -1 | xargs kubectl -n NAMESPACE delete --wait=false"}, delay: 1 * time.Second},
		{name: "min-ready", spec: []string{"minReadySeconds: 4"}, next: pod(busy)},
		{name: "forward-out-of-a-bad-one", was: pod(crash("300ms")), next: pod(busy)},
		{name: "statefulset", kind: "StatefulSet", next: pod(busy)},
		{name: "statefulset-partition", kind: "StatefulSet", spec: []string{"updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 2}}"}, next: pod(busy)},
		{name: "statefulset-parallel", kind: "StatefulSet", spec: []string{"podManagementPolicy: Parallel"}, next: pod(busy)},
		{name: "daemonset", kind: "DaemonSet", next: pod(busy)},
		{name: "daemonset-surge", kind: "DaemonSet", spec: []string{"updateStrategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}"}, next: pod(busy)},
		{name: "nothing-to-roll"},
		{name: "budget-is-no-hindrance", first: `{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: all}, spec: {minAvailable: 100%, selector: {matchLabels: {app: web}}}}`, next: pod(busy)},
	}
}
