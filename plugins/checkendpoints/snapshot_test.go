package checkendpoints

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/pkg/cli"
)

// dump is what kubectl get -n shop svc,pods,endpointslices -o yaml writes, cut short.
const dump = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop, uid: s1, creationTimestamp: "2026-01-01T00:00:00Z"}, spec: {type: ClusterIP, clusterIP: 10.96.0.7, selector: {app: Web}, ports: [{port: 80, targetPort: 8080, protocol: TCP}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: web-1, namespace: shop, uid: p1, labels: {app: web}, creationTimestamp: "2026-01-01T00:00:00Z"}, spec: {nodeName: n1, containers: [{name: web, image: nginx, ports: [{containerPort: 8080}]}]},
   status: {phase: Running, podIP: 10.244.1.3, podIPs: [{ip: 10.244.1.3}], conditions: [{type: Ready, status: "True", lastTransitionTime: "2026-01-01T00:00:10Z"}]}}
- {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: web-x, namespace: shop, uid: e1, labels: {kubernetes.io/service-name: web, endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io}}, addressType: IPv4, ports: [], endpoints: []}
`

func onDump(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dump.yaml")
	if err := os.WriteFile(path, []byte(dump), 0o600); err != nil {
		t.Fatal(err)
	}
	env, written := environment()
	code = cli.Run(t.Context(), Command, append([]string{"kubectl-check_endpoints", "--snapshot", path}, args...), env.Streams)
	return code, written.String()
}

func TestADumpOfOneNamespaceNeedsNoNamespace(t *testing.T) {
	for _, args := range [][]string{{}, {"web"}, {"-A"}, {"-n", "shop"}, {"-n", "shop", "web"}} {
		code, out := onDump(t, args...)
		if code != cli.ExitProblem || !strings.Contains(out, "endpoints/label-case") || !strings.Contains(out, "kubectl -n shop set selector service/web app=web") {
			t.Errorf("%v: exit %d\n%s", args, code, out)
		}
	}
}

func TestWhatADumpDoesNotHoldIsNotMissing(t *testing.T) {
	if code, out := onDump(t, "wep"); code != cli.ExitError || !strings.Contains(out, "did you mean web?") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out := onDump(t, "-n", "elsewhere", "web"); code == cli.ExitOK || code == cli.ExitProblem {
		t.Errorf("exit %d\n%s", code, out)
	}
}
