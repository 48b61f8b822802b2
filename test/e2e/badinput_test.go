package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// account makes a ServiceAccount that may do only what the rules say in the
// namespace, and returns the path of its kubeconfig.
func account(t *testing.T, namespace, name string, rules ...string) string {
	t.Helper()
	err := lab.Apply(t.Context(), namespace, Documents(
		`{apiVersion: v1, kind: ServiceAccount, metadata: {name: `+name+`}}`,
		`{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: `+name+`}, rules: [`+strings.Join(rules, ", ")+`]}`,
		`{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: `+name+`}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: `+name+`}, subjects: [{kind: ServiceAccount, name: `+name+`}]}`))
	if err != nil {
		t.Fatal(err)
	}
	token := strings.TrimSpace(kubectl(t, "-n", namespace, "create", "token", name))
	file := filepath.Join(t.TempDir(), name+".kubeconfig")
	admin := kubectl(t, "config", "view", "--raw", "--minify", "-o", `jsonpath={.clusters[0].cluster.server}{"\n"}{.clusters[0].cluster.certificate-authority-data}{"\n"}{.clusters[0].cluster.certificate-authority}`)
	parts := append(strings.Split(admin, "\n"), "", "")
	text := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}], users: [{name: u, user: {token: %q}}],
  clusters: [{name: c, cluster: {server: %q, certificate-authority-data: %q, certificate-authority: %q}}]}`, token, parts[0], parts[1], parts[2])
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestWhatMayNotBeSeenIsSaid(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "forbidden")
	if err := lab.Apply(t.Context(), namespace, Documents(Service("web"), secret("login"), Deployment("web", `containers: [{name: web, image: "nginx:1.25", envFrom: [{secretRef: {name: login}}]}]`))); err != nil {
		t.Fatal(err)
	}
	kubectl(t, "-n", namespace, "rollout", "status", "deployment/web")
	const apps, core = `{apiGroups: [apps], resources: ["*"], verbs: [get, list, watch]}`, `{apiGroups: [""], resources: [%s], verbs: [get, list, watch]}`
	tests := []struct {
		name, account string
		rules         []string
		ask           string
		exit          int
		hidden        string // a resource that must be named as not seen
		row           string // a row that is drawn all the same
	}{
		{"secrets", "no-secrets", []string{apps, fmt.Sprintf(core, "pods, services, events, configmaps, serviceaccounts")}, "deployment/web", 0, "secrets", "Pod/web-*"},
		{"services", "no-services", []string{apps, fmt.Sprintf(core, "pods, secrets, events")}, "deployment/web", 0, "services", "Pod/web-*"},
		{"pods", "no-pods", []string{apps, fmt.Sprintf(core, "services, secrets, events")}, "deployment/web", 0, "pods", "ReplicaSet/web-*"},
		{"the pods that the verdict on a Service depends on", "blind-service", []string{fmt.Sprintf(core, "services")}, "service/web", 3, "pods", "Service/web"},
		{"the object itself", "nothing", nil, "deployment/web", 3, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			kubeconfig := account(t, namespace, test.account, test.rules...)
			args := []string{"-n", namespace, "--kubeconfig", kubeconfig, test.ask}
			text := lab.Ask(t, args...)
			if text.Exit != test.exit {
				t.Errorf("exit code %d instead of %d\n%s%s", text.Exit, test.exit, text.Stdout, text.Stderr)
			}
			if *show {
				t.Log("\n" + text.Stdout + text.Stderr)
			}
			if test.hidden == "" {
				if !strings.Contains(text.Stderr, "forbidden") && !strings.Contains(text.Stderr, "not allowed") {
					t.Errorf("the error does not say that it is forbidden: %s", text.Stderr)
				}
				return
			}
			if footer := text.Stdout[strings.LastIndex(strings.TrimSpace(text.Stdout), "\n")+1:]; !strings.Contains(footer, "not seen:") || !strings.Contains(footer, test.hidden) || !strings.Contains(footer, "forbidden") {
				t.Errorf("the last line does not say that %s are forbidden: %s", test.hidden, footer)
			}
			if err := hasRow(lab.AskJSON(t, args...).Report, test.row); err != nil {
				t.Errorf("%v\n%s", err, text.Stdout)
			}
		})
	}
}

func TestABadQuestionGetsAHelpfulAnswer(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "badinput")
	if err := lab.Apply(t.Context(), namespace, Documents(configMap("settings"), configMap("setups"))); err != nil {
		t.Fatal(err)
	}
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	if err := os.WriteFile(nowhere, []byte(`{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c}}], clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		exit int
		says []string
	}{
		{"a name that is close", []string{"configmap/setings"}, 1, []string{"setings", "does not exist", "settings"}},
		{"a kind that is close", []string{"deploymnt/web"}, 1, []string{"deploymnt", "deployment"}},
		{"a kind that is nothing like", []string{"qqqq/web"}, 1, []string{"qqqq"}},
		{"no name", []string{"configmap"}, 1, []string{"configmap"}},
		{"a namespace that does not exist", []string{"-n", "no-such-namespace", "configmap/settings"}, 1, []string{"no-such-namespace"}},
		{"a format that does not exist", []string{"configmap/settings", "-o", "xml"}, 1, []string{"xml", "json"}},
		{"a relation that does not exist", []string{"configmap/settings", "--relations", "volume-configmp"}, 1, []string{"volume-configmp", "volume-configmap"}},
		{"no server", []string{"--kubeconfig", nowhere, "configmap/settings"}, 1, []string{"127.0.0.1:1"}},
		{"a context that does not exist", []string{"--context", "elsewhere", "configmap/settings"}, 1, []string{"elsewhere"}},
		{"a page that does not exist", []string{"--explain", "tree/omm"}, 1, []string{"tree/omm", "tree/oom"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			started := time.Now()
			a := lab.Ask(t, append([]string{"-n", namespace}, test.args...)...)
			if *show {
				t.Log(a.Stderr)
			}
			if a.Exit != test.exit || a.Stdout != "" {
				t.Errorf("exit code %d instead of %d, output %q", a.Exit, test.exit, a.Stdout)
			}
			for _, word := range test.says {
				if !strings.Contains(a.Stderr, word) {
					t.Errorf("%q is not in: %s", word, a.Stderr)
				}
			}
			if lines := strings.Count(strings.TrimSpace(a.Stderr), "\n"); lines > 2 {
				t.Errorf("more than one clear sentence: %s", a.Stderr)
			}
			if took := time.Since(started); took > 15*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestStrangersWordsDoNotReachTheTerminal(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "hostile")
	const escape = "\x1b]0;owned\x07\x1b[31mred\x1b[0m\u202e\r\nEVIL"
	quoted := strings.NewReplacer("\x1b", `\u001b`, "\x07", `\u0007`, "\u202e", `\u202e`, "\r", `\r`, "\n", `\n`).Replace(escape)
	if err := lab.Apply(t.Context(), namespace, Documents(
		`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}, "annotations": {"note": "`+quoted+`", "meta.helm.sh/release-name": "`+quoted+`"}},
  "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "web", "image": "busybox:1.36", "env": [{"name": "TEXT", "value": "`+quoted+`"}],
  "command": ["sh", "-c", "echo \"$TEXT\"; echo \"$TEXT\" > /dev/termination-log; exit 3"]}]}}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := lab.Until(t.Context(), 90*time.Second, func(a Answer) error { return expect{code: "tree/crash-app"}.differs(a.Report) }, "-n", namespace, "pod/web"); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"tree", "wide", "name", "json", "yaml", "dot", "mermaid"} {
		a := lab.Ask(t, "-n", namespace, "pod/web", "--relations", "all", "-o", format)
		for _, bad := range []string{"\x1b", "\x07", "\u202e", "\r"} {
			if strings.Contains(a.Stdout+a.Stderr, bad) {
				t.Errorf("-o %s lets %q through", format, bad)
			}
		}
		for _, line := range strings.Split(a.Stdout, "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "EVIL") {
				t.Errorf("-o %s lets a stranger begin a line: %s", format, line)
			}
		}
	}
}

func TestAManifestInARemovedVersionIsToldTheCurrentOne(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "removed")
	old, today := filepath.Join(t.TempDir(), "old.yaml"), filepath.Join(t.TempDir(), "today.yaml")
	write := func(file, text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(old, strings.Replace(Deployment("web", nginx), "apps/v1", "extensions/v1beta1", 1))
	write(today, Deployment("web", nginx))
	if err := lab.Apply(t.Context(), namespace, Deployment("web", nginx)); err != nil {
		t.Fatal(err)
	}
	kubectl(t, "-n", namespace, "rollout", "status", "deployment/web")
	a := lab.AskJSON(t, "-n", namespace, "-f", old)
	if err := (expect{code: "tree/removed-api", says: "apps/v1"}).differs(a.Report); err != nil {
		t.Errorf("%v\n%s", err, a.Report.Outline())
	}
	if *show {
		t.Log("\n" + lab.Ask(t, "-n", namespace, "-f", old).Stdout)
	}
	if err := (expect{verdict: "ok", code: "none"}).differs(lab.AskJSON(t, "-n", namespace, "-f", today).Report); err != nil {
		t.Errorf("the same in the current version: %v", err)
	}
}
