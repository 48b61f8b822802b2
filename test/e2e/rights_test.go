package e2e

import (
	"strings"
	"testing"
)

// The ClusterRole that --print-rbac prints is enough: a ServiceAccount that has
// exactly it is refused nothing, whatever is wrong with what it asks about.
func TestThePrintedRightsAreEnough(t *testing.T) {
	t.Parallel()
	questions := map[string][][]string{
		"explain_tree": {{"deploy/web"}, {"deploy/sick"}, {"svc/web"}, {"pod/waits"}, {"sa/default"}, {"secret/login"}, {"node/lab-n1"}},
		"trace_dns":    {{"web", "--from", "deploy/web"}, {"nosuch", "--from", "deploy/web"}, {"example.com", "--from", "pod/waits"}, {"web", "--from", "pod/waits", "--libc", "all"}},
	}
	for plugin, asked := range questions {
		t.Run(plugin, func(t *testing.T) {
			t.Parallel()
			namespace := lab.Namespace(t, "role")
			program := lab.Beside(t, plugin)
			role := program.Ask(t, "--print-rbac").Stdout
			name := "leadsman-" + strings.ReplaceAll(plugin, "_", "-")
			if err := lab.Apply(t.Context(), namespace, Documents(strings.Replace(role, name, namespace, 1),
				`{apiVersion: v1, kind: ServiceAccount, metadata: {name: reader}}`,
				`{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: `+namespace+`}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: `+namespace+`}, subjects: [{kind: ServiceAccount, name: reader, namespace: `+namespace+`}]}`,
				Service("web"), secret("login"), configMap("settings"),
				Deployment("web", `containers: [{name: web, image: "nginx:1.25", envFrom: [{secretRef: {name: login}}, {configMapRef: {name: settings}}]}]`),
				Deployment("sick", `containers: [{name: web, image: "nginx:1.2525"}]`),
				Pod("waits", `{nodeSelector: {disk: none}, containers: [{name: web, image: "nginx:1.25"}], volumes: [{name: d, persistentVolumeClaim: {claimName: nosuch}}]}`))); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { kubectlAtEnd(t, "delete", "clusterrole,clusterrolebinding", namespace) })
			kubectl(t, "-n", namespace, "rollout", "status", "deployment/web", "--timeout=60s")
			for _, q := range asked {
				a := program.AskJSON(t, append(q, "-n", namespace, "--as", "system:serviceaccount:"+namespace+":reader")...)
				for _, g := range a.Report.Gaps {
					if g.Reason == "forbidden" {
						t.Errorf("%v: %s is forbidden", q, g.Resource)
					}
				}
				if strings.Contains(a.Stdout+a.Stderr, "system:serviceaccount:"+namespace+":reader") { // as the server's refusals name it
					t.Errorf("%v: something is forbidden\n%s%s", q, a.Stderr, a.Stdout)
				}
			}
		})
	}
}
