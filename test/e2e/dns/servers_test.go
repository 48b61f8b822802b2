package dns

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

// A namespace of its own has its own CoreDNS, so that nobody else is harmed
// when it breaks.
type servers struct {
	t         *testing.T
	namespace string
	address   string // the Service's clusterIP
}

const goodCorefile = `.:53 {
    errors
    log
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 5
    reload 2s 1s
}
`

// ownServers starts two replicas with a Corefile, a Service for them, and a
// client that asks them.
func ownServers(t *testing.T, prefix, corefile string, ready bool) *servers {
	t.Helper()
	ns := lab.Namespace(t, prefix)
	binding := fmt.Sprintf(`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":%q},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"system:coredns"},"subjects":[{"kind":"ServiceAccount","name":"dns","namespace":%q}]}`, ns, ns)
	t.Cleanup(func() {
		_, _ = lab.Kubectl(context.Background(), "delete", "clusterrolebinding", ns, "--ignore-not-found")
	})
	s := &servers{t: t, namespace: ns}
	apply(t, ns, binding, `{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"dns"}}`,
		configMap("dns", corefile), replicas("dns", "dns", 2),
		e2e.Service("dns", `selector: {k8s-app: own-dns}`, `ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]`),
		e2e.Service("redis"))
	s.address = strings.TrimSpace(kubectl(t, "-n", ns, "get", "service", "dns", "-o", "jsonpath={.spec.clusterIP}"))
	apply(t, ns, s.client("client", s.address))
	if ready {
		kubectl(t, "-n", ns, "rollout", "status", "deployment/dns", "--timeout=90s")
	}
	kubectl(t, "-n", ns, "wait", "--for=condition=Ready", "pod/client", "--timeout=90s")
	return s
}

func (s *servers) client(name, server string) string {
	return e2e.Pod(name, fmt.Sprintf("dnsPolicy: None\ndnsConfig: {nameservers: [%q], searches: [%s.svc.cluster.local, svc.cluster.local, cluster.local], options: [{name: ndots, value: \"5\"}]}\ncontainers: [{name: c, image: \"resolver:glibc\"}]", server, s.namespace))
}

func configMap(name, corefile string) string {
	doc, _ := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name}, "data": map[string]string{"Corefile": corefile}})
	return string(doc)
}

func replicas(name, config string, count int) string {
	return e2e.Deployment(name, fmt.Sprintf(`
serviceAccountName: dns
dnsPolicy: Default
containers:
- name: coredns
  image: registry.k8s.io/coredns/coredns:v1.15.0
  args: [-conf, /etc/coredns/Corefile]
  ports: [{name: dns, containerPort: 53, protocol: UDP}, {name: dns-tcp, containerPort: 53, protocol: TCP}, {name: metrics, containerPort: 9153}]
  livenessProbe: {httpGet: {path: /health, port: 8080}, initialDelaySeconds: 60}
  readinessProbe: {httpGet: {path: /ready, port: 8181}, periodSeconds: 1}
  volumeMounts: [{name: config, mountPath: /etc/coredns}]
volumes: [{name: config, configMap: {name: %s}}]`, config), fmt.Sprintf("replicas: %d", count),
		"metadata: {labels: {app: "+name+", k8s-app: own-dns}}", "selector: {matchLabels: {app: "+name+"}}")
}

// sees asks until the answer is as expected.
func (s *servers) sees(ask, code, says string, exit int) Answer {
	s.t.Helper()
	f := fault{code: code, says: says, exit: exit}
	args := append(strings.Fields(strings.ReplaceAll(ask, "NS", s.namespace)), "-n", s.namespace)
	if !strings.Contains(ask, "--from") {
		args = append(args, "--from", "pod/client")
	}
	a, err := lab.until(s.t.Context(), 60*time.Second, f.differs, args...)
	if err != nil {
		text, _ := lab.ask(s.t.Context(), args...)
		s.t.Errorf("%s: %v\n%s\n%s%s", ask, err, a.Report.Outline(), text.Stdout, text.Stderr)
	}
	return a
}

func (s *servers) patch(object, patch string) {
	s.t.Helper()
	kubectl(s.t, "-n", s.namespace, "patch", object, "--type=merge", "-p", patch)
}

func TestServersWithoutEndpointsAreNamed(t *testing.T) {
	t.Parallel()
	s := ownServers(t, "dns-path", goodCorefile, true)
	s.sees("redis", "", "redis", 0)
	s.patch("service/dns", `{"spec":{"selector":{"k8s-app":"typo"}}}`)
	s.sees("redis", "dns/dns-selector-mismatch", "", 2)
	s.patch("service/dns", `{"spec":{"selector":{"k8s-app":"own-dns"}}}`)
	s.sees("redis", "", "", 0)
	s.patch("service/dns", `{"spec":{"ports":[{"name":"dns","port":53,"protocol":"UDP"}]}}`)
	s.sees("redis", "dns/dns-tcp-port-missing", "", 0)
	kubectl(t, "-n", s.namespace, "scale", "deployment/dns", "--replicas=0")
	s.sees("redis", "dns/dns-no-ready-endpoints", "", 2)
	apply(t, s.namespace, s.client("lost", "10.96.0.253"))
	kubectl(t, "-n", s.namespace, "wait", "--for=condition=Ready", "pod/lost", "--timeout=60s")
	s.sees("redis --from pod/lost", "dns/nameserver-unknown", "10.96.0.253", 2)
}

func TestOneBrokenReplicaIsNamed(t *testing.T) {
	t.Parallel()
	s := ownServers(t, "dns-one", goodCorefile, true)
	other := strings.Replace(goodCorefile, "    prometheus", "    template ANY ANY redis.NS.svc.cluster.local {\n        rcode NXDOMAIN\n    }\n    prometheus", 1)
	apply(t, s.namespace, configMap("other", strings.ReplaceAll(other, "NS", s.namespace)), replicas("other", "other", 1))
	kubectl(t, "-n", s.namespace, "rollout", "status", "deployment/other", "--timeout=60s")
	a := s.sees("redis", "dns/replica-divergent", "other-", 2)
	deviant := 0
	for _, row := range a.Report.Trace.Grid.Rows {
		for _, c := range row.Cells {
			if c.Deviant {
				deviant++
				if !strings.HasPrefix(row.Replica.Name, "other-") {
					t.Errorf("%s is called deviant", row.Replica.Name)
				}
			}
		}
	}
	if deviant == 0 {
		t.Error("no cell deviates")
	}
}

func TestBrokenCorefilesAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		corefile  string
		ask, code string
		ready     bool
		exit      int
		says      string
	}{
		"syntax":      {strings.Replace(goodCorefile, "cache 5", "cahce 5", 1), "redis", "dns/corefile-error", false, 2, "cahce"},
		"no-block":    {strings.Replace(goodCorefile, ".:53", "cluster.local:53", 1), "example.com", "dns/no-server-block", true, 2, "example.com"},
		"loop":        {strings.Replace(goodCorefile, "forward . /etc/resolv.conf", "forward . 127.0.0.1\n    loop", 1), "redis", "dns/forward-loop", false, 2, ""},
		"upstream":    {strings.Replace(goodCorefile, "forward . /etc/resolv.conf", "forward . 192.0.2.77", 1), "example.com", "dns/upstream-timeout", true, 2, "192.0.2.77"},
		"rewritten":   {strings.Replace(goodCorefile, "    cache 5", "    rewrite name redis.NS.svc.cluster.local kubernetes.default.svc.cluster.local\n    cache 5", 1), "redis", "dns/rewrite-applied", true, 0, ""},
		"pods-off":    {strings.Replace(goodCorefile, "pods insecure", "pods disabled", 1), "10-1-2-3.NS.pod.cluster.local", "dns/pod-record-disabled", true, 2, ""},
		"empty-off":   {strings.Replace(goodCorefile, "pods insecure", "ignore empty_service", 1), "redis", "dns/empty-service-ignored", true, 2, ""},
		"namespaces":  {strings.Replace(goodCorefile, "pods insecure", "namespaces kube-system", 1), "redis", "dns/namespace-or-label-filter", true, 2, ""},
		"no-fallback": {strings.Replace(goodCorefile, "        fallthrough in-addr.arpa ip6.arpa\n", "", 1), "198.51.100.7", "dns/fallthrough-missing", true, 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := ownServers(t, "dns-core-"+name, "", false)
			apply(t, s.namespace, configMap("dns", strings.ReplaceAll(c.corefile, "NS", s.namespace)))
			kubectl(t, "-n", s.namespace, "rollout", "restart", "deployment/dns")
			if c.ready {
				kubectl(t, "-n", s.namespace, "rollout", "status", "deployment/dns", "--timeout=90s")
			}
			s.sees(c.ask, c.code, c.says, c.exit)
		})
	}
}

func TestServersWithoutRightsAreNamed(t *testing.T) {
	t.Parallel()
	s := ownServers(t, "dns-rights", goodCorefile, true)
	kubectl(t, "delete", "clusterrolebinding", s.namespace)
	kubectl(t, "-n", s.namespace, "delete", "pod", "-l", "k8s-app=own-dns", "--wait=false")
	s.sees("redis", "dns/replica-unsynced", "has not read the API server", 2)
}

func TestTwentyServersAreAskedAtOnce(t *testing.T) {
	s := ownServers(t, "dns-twenty", goodCorefile, true)
	kubectl(t, "-n", s.namespace, "scale", "deployment/dns", "--replicas=20")
	kubectl(t, "-n", s.namespace, "rollout", "status", "deployment/dns", "--timeout=180s")
	best := time.Hour
	for range 3 {
		began := time.Now()
		a, err := lab.askJSON(t.Context(), "redis", "-n", s.namespace, "--from", "pod/client")
		if err != nil || a.Exit != 0 || len(a.Report.Trace.Grid.Rows) != 20 || !strings.Contains(a.Report.Trace.Ladder[0].Agreement, "all 20") {
			t.Fatalf("%v\n%s", err, a.Stdout)
		}
		best = min(best, time.Since(began))
	}
	t.Logf("%v", best)
	if best > 2*time.Second {
		t.Errorf("20 servers take %v", best)
	}
}
