package checkendpoints

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/endpoints"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
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

func TestAClientIsFoundWhereTheDumpHasIt(t *testing.T) {
	if code, out := onDump(t, "web", "--from", "pod/web-1"); code != cli.ExitProblem || !strings.Contains(out, "endpoints/label-case") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out := onDump(t, "web", "--from", "pod/nobody"); code != cli.ExitError || !strings.Contains(out, "the snapshot has no Pod/nobody") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestWhatADumpDoesNotHoldIsNotMissing(t *testing.T) {
	if code, out := onDump(t, "wep"); code != cli.ExitError || !strings.Contains(out, "did you mean web?") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out := onDump(t, "-n", "elsewhere", "web"); code != cli.ExitUnknown || !strings.Contains(out, "cannot be seen: not in the snapshot\n") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// What the pods answered is kept in a snapshot; without that, there is nothing
// to judge a probe by.
func TestAProbeOfADumpNeedsKeptAnswers(t *testing.T) {
	if code, out := onDump(t, "-n", "shop", "web", "--probe"); code != cli.ExitError || !strings.Contains(out, "holds no answers of probes") {
		t.Errorf("exit %d\n%s", code, out)
	}
	client := object.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: "client"}
	seen := []endpoints.Observation{
		{Service: object.Ref{Version: "v1", Kind: "Service", Namespace: "shop", Name: "web"}, Probe: endpoints.Proxy, Number: 8080, Outcome: endpoints.Refused},
		{Probe: endpoints.Path, From: client, Number: 80, Outcome: endpoints.Answered},
	}
	document, err := json.Marshal(kept{seen})
	if err != nil {
		t.Fatal(err)
	}
	answers := []source.Answers{{About: aboutPrefix + "service/web", Document: document}, {About: "trace-dns web", Document: []byte("{}")}}
	for _, c := range []struct {
		o    options
		want []endpoints.Observation
	}{{options{probe: true}, seen[:1]}, {options{through: client}, seen[1:]}, {options{probe: true, through: client}, seen}} {
		got, err := c.o.recorded(answers)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Error(err, diff)
		}
	}
}
