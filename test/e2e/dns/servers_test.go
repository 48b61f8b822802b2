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
