package rollout

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

// fault is a rollout that goes wrong for real.
type fault struct {
	name   string
	kind   string   // "Deployment" if unset
	first  string   // manifests beside the good workload, applied before it
	spec   []string // of the workload
	was    string   // the pod spec before; the good one's if unset
	bad    string   // the pod spec that is rolled out
	rolled []string // what else of the workload's spec comes with it
	then   []string // kubectl commands while it rolls; the first words of a shell line after "kubectl -n NS"
	args   []string
	code   string // of the first finding
	says   string // in its message
	exit   int    // 2 if unset
	within time.Duration
	loses  bool // the new pods are ready for a moment, so that old ones are given up for them
}

func manifest(kind, pod string, spec ...string) string {
	switch kind {
	case "StatefulSet":
		return e2e.StatefulSet("web", pod, spec...)
	case "DaemonSet":
		return e2e.DaemonSet("web", pod, spec...)
	}
	return e2e.Deployment("web", pod, spec...)
}

func TestEveryFaultEndsTheRolloutWithItsName(t *testing.T) {
	for _, f := range slices.Concat(deploymentFaults(), statefulFaults(), daemonFaults()) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.check(t)
		})
	}
}

func (f fault) check(t *testing.T) {
	namespace := lab.Namespace(t, "gr-"+strings.ToLower(f.name))
	if f.first != "" {
		apply(t, namespace, strings.ReplaceAll(f.first, "NAMESPACE", namespace))
	}
	kind := f.kind
	if kind == "" {
		kind = "Deployment"
	}
	spec := f.spec
	if kind != "DaemonSet" {
		spec = append([]string{"replicas: 2"}, spec...)
	}
	was := f.was
	if was == "" {
		was = pod(good)
	}
	apply(t, namespace, e2e.Documents(manifest(kind, was, spec...), e2e.Service("web", "ports: [{port: 80, targetPort: 8080}]")))
	target := strings.ToLower(kind) + "/web"
	if strings.Contains(strings.Join(spec, " "), "OnDelete") { // kubectl rollout status knows no other strategy
		kubectl(t, namespace, "wait", "pod", "-l", "app=web", "--for=condition=Ready", "--timeout=60s")
	} else {
		rolled(t, namespace, target)
	}
	if f.bad != "" {
		apply(t, namespace, manifest(kind, f.bad, append(spec, f.rolled...)...))
	}
	w := watch(t, append([]string{"-n", namespace, target, "-o", "ndjson", "--timeout", "3m", "--stable-for", "8s"}, f.args...)...)
	if len(f.then) > 0 {
		w.until(`"phase":"rolling"`, 20*time.Second)
	}
	for _, line := range f.then {
		shell(t, "kubectl -n "+namespace+" "+line)
	}
	within := f.within
	if within == 0 {
		within = 100 * time.Second
	}
	r, code := w.end(within)
	want := f.exit
	if want == 0 {
		want = 2
	} else if want == exitOK {
		want = 0
	}
	if code != want {
		t.Errorf("exit code %d, want %d", code, want)
	}
	if len(r.Findings) == 0 || r.Findings[0].Code != "rollout/"+f.code {
		t.Errorf("want rollout/%s first:\n%s", f.code, r.Outline())
	} else if !strings.Contains(r.Findings[0].Message, f.says) {
		t.Errorf("%q does not say %q", r.Findings[0].Message, f.says)
	}
	t.Logf("%.1f s: %s", w.Took.Seconds(), r.Outline())
	f.served(t, r)
}

// served: a bad new revision never takes the old one's place in the Service,
// so what is served does not fall below the floor.
func (f fault) served(t *testing.T, r Report) {
	for _, ro := range r.Rollouts {
		for _, a := range ro.Availability {
			if a.Verdict == "broken" && f.kind == "" && !f.loses {
				t.Errorf("%s was broken: %+v", a.Service, a)
			}
		}
	}
}

// exitOK stands for 0 in a fault's exit: it is told, and fails nothing.
const exitOK = -1

const (
	claims   = `volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]`
	recreate = "strategy: {type: Recreate}"
	careful  = "strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}"
)

// crash is the good server that exits soon after it has started.
func crash(after string) string {
	return env("EXIT_AFTER", after, "EXIT_LOG", "cannot reach database payments-db:5432")
}

func deploymentFaults() []fault {
	with2 := func(extra string) string { return pod(good) + "\n" + extra }
	return []fault{
		{name: "image-invalid", bad: pod(with("netapp:v1", "NetApp:Bad!")), code: "image-invalid"},
		{name: "image-not-found", bad: pod(with("netapp:v1", "netapp:v99")), code: "image-not-found", says: "v99"},
		{name: "image-never-pull", bad: pod(with(`image: "netapp:v1"`, `image: "netapp:v98", imagePullPolicy: Never`)), code: "image-never-pull"},
		{name: "config-object-missing", bad: pod(having(`envFrom: [{configMapRef: {name: absent}}]`)), code: "config-object-missing", says: "absent"},
		{name: "config-key-missing", first: `{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: b}}`,
			bad: pod(with(", {name: DRAIN", `, {name: LEVEL, valueFrom: {configMapKeyRef: {name: settings, key: level}}}, {name: DRAIN`)), code: "config-key-missing", says: "level"},
		{name: "mount-object-missing", bad: pod(having(`volumeMounts: [{name: v, mountPath: /v}]`)) + "\nvolumes: [{name: v, secret: {secretName: absent}}]", code: "mount-object-missing", says: "absent"},
		{name: "run-error", bad: pod(having(`command: [/no/such/program]`)), code: "run-error"},
		{name: "crash-app", bad: pod(crash("300ms")), code: "crash-app", says: "payments-db:5432", loses: true},
		{name: "crash-exit0", bad: pod(env("EXIT_AFTER", "200ms", "EXIT_CODE", "0")), code: "crash-exit0", loses: true},
		{name: "oom", bad: pod(with("readinessProbe", `resources: {limits: {memory: 32Mi}}, readinessProbe`, ", {name: DRAIN", ", {name: ALLOCATE_MB, value: \"200\"}, {name: DRAIN")), code: "oom"},
		{name: "init-crash", bad: with2(`initContainers: [{name: migrate, image: "busybox:1", command: [sh, -c, "echo no table users; exit 3"]}]`), code: "init-crash", says: "migrate"},
		{name: "sidecar-crash", bad: with2(`initContainers: [{name: proxy, restartPolicy: Always, image: "busybox:1", command: [sh, -c, "echo no config; exit 4"]}]`), code: "sidecar-crash", says: "proxy", loses: true},
		{name: "liveness-kill", bad: pod(with("readinessProbe", `livenessProbe: {httpGet: {path: /nope/healthz, port: 9999}, periodSeconds: 1, failureThreshold: 1}, readinessProbe`, "periodSeconds: 1}}", "periodSeconds: 1, initialDelaySeconds: 30}}")), code: "liveness-kill"},
		{name: "startup-kill", bad: pod(with("readinessProbe", `startupProbe: {httpGet: {path: /, port: 9999}, periodSeconds: 1, failureThreshold: 2}, readinessProbe`)), code: "startup-kill"},
		{name: "poststart-hook", bad: pod(having(`lifecycle: {postStart: {httpGet: {path: /, port: 9999}}}`)), code: "poststart-hook"},
		{name: "readiness-failing", bad: pod(with("path: /readyz", "path: /readyz2", "port: 8080}, periodSeconds", "port: 9999}, periodSeconds")), rolled: []string{"progressDeadlineSeconds: 15"}, code: "readiness-failing"},
		{name: "unsched-resources", bad: pod(with("readinessProbe", `resources: {requests: {memory: 900Gi}}, readinessProbe`)), code: "unsched-resources"},
		{name: "unsched-affinity", bad: with2(`nodeSelector: {disk: none-such}`), code: "unsched-affinity"},
		{name: "unsched-hostport", bad: pod(with("containerPort: 8080", "containerPort: 8080, hostPort: 18099")), spec: []string{careful}, first: e2e.DaemonSet("holder", `containers: [{name: app, image: "netapp:v1", ports: [{containerPort: 8080, hostPort: 18099}]}]`), code: "unsched-hostport"},
		{name: "sched-gated", bad: with2(`schedulingGates: [{name: example.com/wait}]`), rolled: []string{"progressDeadlineSeconds: 15"}, code: "sched-gated"},
		{name: "pvc-missing", bad: with2(`volumes: [{name: v, persistentVolumeClaim: {claimName: absent}}]`), code: "mount-object-missing", says: "absent"},
		{name: "pvc-pending", first: `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], storageClassName: none-such, resources: {requests: {storage: 1Mi}}}}`,
			bad: with2(`volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]`), code: "pvc-pending", says: "data"},
		{name: "limitrange", first: `{apiVersion: v1, kind: LimitRange, metadata: {name: small}, spec: {limits: [{type: Container, max: {memory: 64Mi}, default: {memory: 64Mi}}]}}`,
			bad: pod(with("readinessProbe", `resources: {limits: {memory: 128Mi}}, readinessProbe`)), code: "limitrange"},
		{name: "podsecurity", then: nil, bad: pod(having(`securityContext: {privileged: true}`)), first: `{apiVersion: v1, kind: Namespace, metadata: {name: NAMESPACE, labels: {pod-security.kubernetes.io/enforce: baseline}}}`, code: "podsecurity"},
		{name: "sa-missing", bad: with2(`serviceAccountName: absent`), code: "sa-missing", says: "absent"},
		{name: "priorityclass-missing", bad: with2(`priorityClassName: absent`), code: "priorityclass-missing", says: "absent"},
		{name: "quota", first: `{apiVersion: v1, kind: ResourceQuota, metadata: {name: two}, spec: {hard: {pods: "2"}}}`, spec: []string{careful},
			bad: pod(env("A", "b")), args: []string{"--timeout", "25s"}, exit: 4, code: "quota"},
		{name: "progress-deadline-of-the-cluster", bad: pod(env("READY_AFTER", "1h")), rolled: []string{"progressDeadlineSeconds: 8"}, code: "readiness-failing"},
		{name: "rwo-deadlock", first: `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadWriteOncePod], resources: {requests: {storage: 1Mi}}}}`,
			spec: []string{"replicas: 1", careful}, was: with2(claims), bad: pod(env("A", "b")) + "\n" + claims, code: "rwo-deadlock"},
		{name: "paused", bad: pod(env("A", "b")), rolled: []string{"paused: true"}, code: "paused"},
		{name: "superseded", bad: pod(env("READY_AFTER", "1h")), then: []string{"set env deployment/web VERSION=3"}, exit: 5, code: "superseded"},
		{name: "deleted", bad: pod(env("READY_AFTER", "1h")), then: []string{"delete deployment web"}, exit: 5, code: "deleted"},
		{name: "recreated", bad: pod(env("READY_AFTER", "1h")), then: []string{"get deployment web -o json | kubectl replace --force -f -"}, exit: 5, code: "recreated"},
		{name: "recreate-strategy-crash", spec: []string{recreate}, bad: pod(crash("300ms")), code: "crash-app", loses: true},
		{name: "after-success", bad: pod(env("EXIT_AFTER", "5s", "EXIT_LOG", "lost the lease")), args: []string{"--stable-for", "60s"}, code: "crash-app", says: "lost the lease", loses: true},
	}
}

func statefulFaults() []fault {
	return []fault{
		{name: "sts-crash", kind: "StatefulSet", bad: pod(crash("300ms")), code: "crash-app", says: "payments-db:5432"},
		{name: "sts-image", kind: "StatefulSet", bad: pod(with("netapp:v1", "netapp:v99")), code: "image-not-found"},
		{name: "sts-sa-missing", kind: "StatefulSet", bad: pod(good) + "\nserviceAccountName: absent", code: "sa-missing"},
		{name: "sts-podsecurity", kind: "StatefulSet", bad: pod(having(`securityContext: {privileged: true}`)), first: `{apiVersion: v1, kind: Namespace, metadata: {name: NAMESPACE, labels: {pod-security.kubernetes.io/enforce: baseline}}}`, code: "podsecurity"},
		{name: "sts-ondelete", kind: "StatefulSet", spec: []string{"updateStrategy: {type: OnDelete}"}, bad: pod(env("A", "b")), exit: exitOK, code: "ondelete"},
	}
}

func daemonFaults() []fault {
	return []fault{
		{name: "ds-crash", kind: "DaemonSet", bad: pod(crash("300ms")), code: "crash-app", says: "payments-db:5432"},
		{name: "ds-image", kind: "DaemonSet", bad: pod(with("netapp:v1", "netapp:v99")), code: "image-not-found"},
		{name: "ds-sa-missing", kind: "DaemonSet", bad: pod(good) + "\nserviceAccountName: absent", code: "sa-missing"},
	}
}
