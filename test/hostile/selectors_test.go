package hostile

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/term"
	"github.com/leadsman-dev/leadsman/plugins/checkendpoints"
	"github.com/leadsman-dev/leadsman/plugins/explaintree"
	"github.com/leadsman-dev/leadsman/plugins/guardrollout"
)

// seconds are what an answer cost.
var seconds = regexp.MustCompile(`[0-9.]+ m?s\b`)

type fields = map[string]any

// selecting is a dump in which all that selects pods does so by these words.
func selecting(key, value, operator string) string {
	meta := func(name string) fields {
		return fields{"name": name, "namespace": "shop", "uid": name, "labels": fields{key: value, "app": "web"}}
	}
	expression := fields{"matchLabels": fields{"app": "web"}, "matchExpressions": []any{fields{"key": key, "operator": operator, "values": []any{value}}}}
	template := fields{"metadata": fields{"labels": fields{key: value, "app": "web"}}, "spec": fields{"containers": []any{fields{"name": "app", "image": "x"}}}}
	objects := []any{
		fields{"apiVersion": "v1", "kind": "Service", "metadata": meta("web"), "spec": fields{"clusterIP": "10.0.0.1", "selector": fields{key: value}, "ports": []any{fields{"port": 80}}}},
		fields{"apiVersion": "v1", "kind": "Pod", "metadata": meta("web-1"), "spec": fields{"nodeName": "n", "containers": []any{fields{"name": "app"}}}, "status": fields{"phase": "Running", "podIP": "10.1.0.1"}},
		fields{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta("web"), "spec": fields{"selector": expression, "template": template}},
		fields{"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta("web"), "spec": fields{"selector": expression, "minAvailable": value}},
		fields{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta("web"), "spec": fields{"podSelector": expression, "ingress": []any{fields{"from": []any{fields{"namespaceSelector": expression}}}}}},
	}
	asked := []any{}
	for _, k := range scheme.Kinds() {
		asked = append(asked, fields{"group": k.Group, "kind": k.Kind})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	_ = e.Encode(fields{"apiVersion": "leadsman.dev/v1alpha1", "kind": "Snapshot", "now": "2026-03-04T11:00:00Z", "asked": asked})
	_ = e.Encode(fields{"apiVersion": "v1", "kind": "List", "items": objects})
	return b.String()
}

// FuzzSelectors runs whole commands on selectors of strangers, in the objects
// and behind -l: they answer, always the same, and let nothing through.
func FuzzSelectors(f *testing.F) {
	for _, seed := range [][4]string{
		{"app=web", "app", "web", "In"}, {"app in (web,api),!x", "a/b", "", "NotIn"}, {"x notin (", "", "\x1b[2J", "Exists"},
		{"a==b,,", strings.Repeat("k", 300), "-", "DoesNotExist"}, {"a>1", "k8s.io/\u202e", "50%", "Gt"}, {"=", "a", "\n::error::x", ""}, {"!", "a", "b", "Nope\x00"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	commands := map[string]cli.Plugin{
		"kubectl-check_endpoints -A -o wide": checkendpoints.Command, "kubectl-guard_rollout -n shop": guardrollout.Command, "kubectl-explain_tree deploy/web -n shop -o wide": explaintree.Command,
	}
	f.Fuzz(func(t *testing.T, flag, key, value, operator string) {
		dump := selecting(key, value, operator)
		for line, plugin := range commands {
			args := append(strings.Fields(line), "--snapshot", "-")
			if !strings.Contains(line, "explain_tree") {
				args = append(args, "-l", flag)
			}
			say := func() (int, string) {
				var out bytes.Buffer
				code := cli.Run(context.Background(), plugin, args, term.Streams{In: strings.NewReader(dump), Out: &out, Err: &out})
				return code, out.String()
			}
			code, out := say()
			if again, other := say(); again != code || seconds.ReplaceAllString(other, "") != seconds.ReplaceAllString(out, "") {
				t.Errorf("%s: two answers:\n%s\n%s", line, out, other)
			}
			if !slices.Contains([]int{cli.ExitOK, cli.ExitError, cli.ExitProblem, cli.ExitUnknown}, code) || out == "" {
				t.Errorf("%s: exit code %d: %s", line, code, out)
			}
			if sign := invisible(out); sign != "" {
				t.Errorf("%s: %s gets through", line, sign)
			}
			if len(out) > 64<<10+100*(len(flag)+len(key)+len(value)+len(operator)) {
				t.Errorf("%s: %d bytes", line, len(out))
			}
		}
	})
}
