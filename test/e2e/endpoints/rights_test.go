package endpoints

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

// The ClusterRole that --print-rbac prints is enough for everything, probes
// included.
func TestThePrintedRightsAreEnough(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "ep-role")
	role, err := lab.ask(t.Context(), "--print-rbac")
	if err != nil || role.Exit != 0 {
		t.Fatal(err, role.Stderr)
	}
	apply(t, namespace, docs(strings.Replace(role.Stdout, "leadsman-check-endpoints", namespace, 1),
		`{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: `+namespace+`}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: `+namespace+`}, subjects: [{kind: User, name: `+namespace+`}]}`))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if _, err := lab.Kubectl(ctx, "delete", "clusterrole,clusterrolebinding", namespace); err != nil {
			t.Log(err)
		}
	})
	external := `{apiVersion: v1, kind: Service, metadata: {name: far}, spec: {type: ExternalName, externalName: nosuch.default.svc.cluster.local}}`
	apply(t, namespace, docs(web(), service("8080", "externalTrafficPolicy: Local", "type: LoadBalancer"), strings.Replace(selects("role: nobody"), `"name":"web"`, `"name":"empty"`, 1), external,
		policy("ingress: []"), ingress("{name: nosuch, port: {number: 80}}", ""), e2e.Pod("nobody", `containers: [{name: c, image: "registry.k8s.io/pause:3.10"}]`)))
	kubectl(t, "-n", namespace, "wait", "--timeout=60s", "--for=condition=Available", "deployment/web")
	for _, ask := range [][]string{{"web", "--probe", "--from", "pod/nobody"}, {"empty"}, {"far"}, {}} {
		answer, err := lab.askJSON(t.Context(), append([]string{"-n", namespace, "--as", namespace}, ask...)...)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range answer.Report.Gaps {
			if g.Reason == "forbidden" {
				t.Errorf("%v: %s is forbidden", ask, g.Resource)
			}
		}
		if strings.Contains(answer.Stdout, "not allowed") {
			t.Errorf("%v: a probe is forbidden\n%s", ask, answer.Stdout)
		}
	}
}

// kubectl itself finds the plugin by its name.
func TestKubectlDispatches(t *testing.T) {
	t.Parallel()
	if !strings.HasSuffix(lab.bin, "kubectl-check_endpoints") {
		t.Fatalf("%s is not named as kubectl finds it", lab.bin)
	}
	cmd := lab.Command(t.Context(), "check-endpoints", "-n", "kube-system", "kube-dns")
	cmd.Env = append(cmd.Env, "PATH="+strings.TrimSuffix(lab.bin, "/kubectl-check_endpoints"))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Service/kube-dns reaches") {
		t.Errorf("%v\n%s", err, out)
	}
}
