// Package secrets plants secret values wherever one can come in, and searches
// all that the plugins print, save and record for them.
package secrets

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/term"
	"github.com/leadsman-dev/leadsman/plugins/checkendpoints"
	"github.com/leadsman-dev/leadsman/plugins/explaintree"
	"github.com/leadsman-dev/leadsman/plugins/guardrollout"
	"github.com/leadsman-dev/leadsman/plugins/tracedns"
)

// planted are the secrets: hunter and two digits, as they stand or in base64.
var planted = regexp.MustCompile(`hunter[0-9]{2}`)

// found are the secrets in a text.
func found(text string) []string {
	all := planted.FindAllString(text, -1)
	for _, word := range regexp.MustCompile(`[A-Za-z0-9+/]{8,}={0,2}`).FindAllString(text, -1) {
		if plain, err := base64.StdEncoding.DecodeString(word); err == nil {
			all = append(all, planted.FindAllString(string(plain), -1)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func cluster(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("testdata/cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	container, err := os.ReadFile("testdata/container.yaml")
	if err != nil {
		t.Fatal(err)
	}
	inline, err := yaml.YAMLToJSON(container)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "CONTAINER", string(inline))
}

// dump is the cluster as a snapshot that is complete, with a log.
func dump(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("apiVersion: leadsman.dev/v1alpha1\nkind: Snapshot\nnow: \"2026-03-04T11:00:00Z\"\nkinds: {others: [{group: example.com, version: v1, kind: Database, resource: databases, namespaced: true, listable: true}]}\nasked:\n- {group: example.com, kind: Database}\n")
	for _, k := range scheme.Kinds() {
		fmt.Fprintf(&b, "- {group: %q, kind: %s}\n", k.Group, k.Kind)
	}
	for _, of := range []string{"web-2-a, uid: pod-web-a, previous: true", "web-2-a, uid: pod-web-a", "crash, uid: pod-crash, previous: true", "crash, uid: pod-crash"} {
		fmt.Fprintf(&b, "---\n{apiVersion: leadsman.dev/v1alpha1, kind: ContainerLog, namespace: shop, container: app, lines: 50, pod: %s, text: %q}\n", of, log)
	}
	return b.String() + "---\n" + cluster(t)
}

const log = `starting with colour=banana
connecting to postgres://shop:hunter50@db/x
Authorization: Bearer hunter51abcdef
{"level":"error","password":"hunter52"}
-----BEGIN PRIVATE KEY-----
hunter53hunter53
hunter54hunter54
-----END PRIVATE KEY-----
cannot log in: token=hunter55
`

var plugins = map[string]cli.Plugin{
	"kubectl-explain_tree": explaintree.Command, "kubectl-check_endpoints": checkendpoints.Command,
	"kubectl-guard_rollout": guardrollout.Command, "kubectl-trace_dns": tracedns.Command,
}

// output is what a command and, with -v, its clients write.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// run gives back all that a command prints.
func run(ctx context.Context, home string, args ...string) string {
	var out output
	env := func(name string) string { return map[string]string{"HOME": home, "LANG": "C.UTF-8"}[name] }
	code := cli.Run(ctx, plugins[args[0]], args, term.Streams{In: strings.NewReader(""), Out: &out, Err: &out, Getenv: env})
	return fmt.Sprintf("exit code %d\n%s", code, out.String())
}

// sessions are what one may ask about the cluster, in every format.
func sessions() map[string][]string {
	all := map[string][]string{}
	for question, formats := range map[string]string{
		"kubectl-explain_tree deploy/web -n shop --relations all":       "tree wide json yaml name dot mermaid html",
		"kubectl-explain_tree pod/sick pod/crash pod/lost -n shop":      "tree wide json yaml name dot mermaid html",
		"kubectl-explain_tree secret/db configmap/settings -n shop":     "tree wide json yaml",
		"kubectl-check_endpoints web sick -n shop":                      "table wide json yaml name html junit sarif",
		"kubectl-guard_rollout deploy/web -n shop":                      "text wide ndjson json yaml html junit",
		"kubectl-guard_rollout deploy/web -n shop --annotations github": "text",
		"kubectl-guard_rollout deploy/web -n shop --preflight":          "text wide json yaml html junit",
		"kubectl-trace_dns redis --from deploy/web -n shop":             "text wide json yaml html mermaid",
		"kubectl-trace_dns x.cluster.example --from pod/sick -n shop":   "text wide json yaml html mermaid",
	} {
		for format := range strings.FieldsSeq(formats) {
			args := strings.Fields(question)
			if format != "text" && format != "table" && format != "tree" {
				args = append(args, "-o", format)
			}
			all[question+" "+format] = append(args, "--learn")
		}
	}
	return all
}

func TestNothingSecretIsPrintedOfADumpOrSavedAgain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "dump.yaml")
	if err := os.WriteFile(path, []byte(dump(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	shown := ""
	for name, args := range sessions() {
		t.Run(name, func(t *testing.T) {
			saved := filepath.Join(t.TempDir(), "saved.yaml")
			out := run(t.Context(), dir, append(args, "--snapshot", path, "--save-snapshot", saved)...)
			if strings.HasPrefix(out, "exit code 1\n") {
				t.Fatal(out)
			}
			if secrets := found(out); len(secrets) > 0 {
				t.Errorf("it prints %v:\n%s", secrets, out)
			}
			text, err := os.ReadFile(saved)
			if err != nil {
				t.Fatal(err)
			}
			if secrets := found(string(text)); len(secrets) > 0 {
				t.Errorf("it saves %v", secrets)
			}
			shown += out + string(text)
		})
	}
	// Who redacts all would pass as well.
	for _, plain := range []string{"colour=banana", "redis:6379", "cannot log in"} {
		if !strings.Contains(shown, plain) {
			t.Errorf("%q is no secret, and is nowhere", plain)
		}
	}
}
