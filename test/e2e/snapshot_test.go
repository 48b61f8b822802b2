package e2e

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The cluster and its own dump must give the same picture, so what is asked
// about stands still: healthy things, and things that stay broken in one way.
func TestASnapshotSaysTheSameAsTheCluster(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "snapshot")
	if err := lab.Apply(t.Context(), namespace, Documents(append(shop(),
		Pod("bare", asleep), Deployment("keyless", `containers: [{name: web, image: "nginx:1.25", envFrom: [{configMapRef: {name: absent}}]}]`),
		`{apiVersion: v1, kind: Secret, metadata: {name: login}, stringData: {password: hunter2}}`)...)); err != nil {
		t.Fatal(err)
	}
	for _, settled := range []string{"rollout status deployment/frontend", "rollout status deployment/backend", "rollout status statefulset/redis", "wait pod/bare --for=condition=Ready"} {
		kubectl(t, append([]string{"-n", namespace}, strings.Fields(settled)...)...)
	}
	if _, err := lab.Until(t.Context(), time.Minute, func(a Answer) error {
		return expect{verdict: "broken", code: "tree/reference-missing"}.differs(a.Report)
	}, "-n", namespace, "deployment/keyless"); err != nil {
		t.Fatal(err)
	}
	blind := account(t, namespace, "blind", `{apiGroups: [apps], resources: ["*"], verbs: [get, list]}`, `{apiGroups: [""], resources: [pods, configmaps, events], verbs: [get, list]}`)
	for name, args := range map[string]string{
		"a Deployment":                   "deployment/frontend",
		"a StatefulSet with its claim":   "statefulset/redis",
		"a Service and what it leads to": "service/app",
		"a bare pod":                     "pod/bare",
		"something broken":               "deployment/keyless",
		"a ConfigMap and its users":      "configmap/nginx-conf",
		"an Ingress, taught":             "ingress/shop --learn",
		"a claim, by every relation":     "pvc/data-redis-0 --relations all",
		"several objects":                "deployment/frontend statefulset/redis",
		"a selector":                     "pods -l app=web",
		"a Secret":                       "secret/login",
		"a whole namespace":              "namespace/" + namespace,
		"forbidden lists":                "deployment/frontend --kubeconfig " + blind,
		"nothing but problems":           "deployment/keyless --only-problems",
	} {
		t.Run(name, func(t *testing.T) {
			for _, format := range []string{"tree", "wide", "json", "dot"} {
				sameFromSnapshot(t, namespace, append(strings.Fields(args), "-o", format))
			}
		})
	}
}

func sameFromSnapshot(t *testing.T, namespace string, args []string) {
	t.Helper()
	args = append([]string{"-n", namespace}, args...)
	file := filepath.Join(t.TempDir(), "dump.yaml.gz")
	live := lab.Ask(t, append(args, "--save-snapshot", file)...)
	dump := lab.Ask(t, append(withoutKubeconfig(args), "--snapshot", file)...)
	if live.Exit != dump.Exit {
		t.Errorf("%s: exit code %d live, %d from the dump\n%s", strings.Join(args, " "), live.Exit, dump.Exit, dump.Stderr)
	}
	if diff := cmp.Diff(withoutBudget(live.Stdout), withoutBudget(dump.Stdout)); diff != "" {
		t.Errorf("%s differs (-live +dump):\n%s", strings.Join(args, " "), diff)
	}
}

// A dump is read without any cluster.
func withoutKubeconfig(args []string) []string {
	var rest []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--kubeconfig" {
			i++
			continue
		}
		rest = append(rest, args[i])
	}
	return append(rest, "--kubeconfig", "/nonexistent")
}

var budgets = regexp.MustCompile(`(?m)^(\d+ requests?, [\d.]+ s|from a snapshot[^·\n]*|snapshot[^·\n]*)?( ?· )?(?:not seen|$)|"budget": \{[^}]*\}`)

func withoutBudget(out string) string { return budgets.ReplaceAllString(out, "") }
