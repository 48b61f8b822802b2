package arch

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/test/licence"
)

// why is the reason for each module that go.mod asks for itself. Those that are
// linked into no binary serve the tests.
var why = map[string]string{
	"charm.land/bubbletea/v2":                  "the live screen of guard-rollout: keys, redraw, restore of the terminal",
	"github.com/clipperhouse/displaywidth":     "how wide a text is on a terminal, in graphemes",
	"github.com/coredns/caddy":                 "reads a Corefile as CoreDNS itself does",
	"github.com/google/go-cmp":                 "shows what differs",
	"github.com/rogpeppe/go-internal":          "runs the golden sessions (testscript)",
	"github.com/santhosh-tekuri/jsonschema/v6": "holds -o json against docs/schema",
	"github.com/spf13/cobra":                   "commands and completion, as kubectl's",
	"github.com/spf13/pflag":                   "flags, as kubectl's",
	"go.yaml.in/yaml/v2":                       "dumps: reads YAML with its line numbers and writes it in a fixed order",
	"go.uber.org/goleak":                       "finds what a test started and did not end",
	"golang.org/x/net":                         "DNS messages, and names that are not ASCII",
	"golang.org/x/sync":                        "several requests at a time, with a limit",
	"golang.org/x/sys":                         "the console of Windows",
	"golang.org/x/term":                        "whether there is a terminal, and how wide",
	"google.golang.org/protobuf":               "the fields of a message on the wire, to pass over those that nobody reads",
	"k8s.io/api":                               "the Go types of the built-in kinds",
	"k8s.io/apimachinery":                      "metadata, selectors, decoding, protobuf",
	"k8s.io/cli-runtime":                       "kubectl's own flags for cluster, context and namespace",
	"k8s.io/client-go":                         "kubeconfig, authentication, transport, discovery, exec and port-forward",
	"k8s.io/endpointslice":                     "the controller's own code, against which check-endpoints is tested",
	"k8s.io/klog/v2":                           "-v, and the log of client-go",
	"k8s.io/streaming":                         "the streams of exec and port-forward",
	"k8s.io/utils":                             "IP addresses as Kubernetes parses them",
	"sigs.k8s.io/yaml":                         "YAML of API objects",
}

// mod is a module and where its source is.
type mod struct{ path, version, dir string }

func (m mod) less(o mod) int { return strings.Compare(m.path+" "+m.version, o.path+" "+o.version) }

// The binaries are Apache-2.0; whoever ships them must be able to. The page
// lists what they hold on every platform, and why.
func TestEveryModuleHasAReasonAndAPermissiveLicence(t *testing.T) {
	linked := linkedModules(t)
	if len(linked) < 10 {
		t.Fatalf("only %d modules found", len(linked))
	}
	var direct, others strings.Builder
	wanted := modules(t, "list", "-m", "-f", "{{if not (or .Main .Indirect)}}{{.Path}} {{.Version}} {{.Dir}}{{end}}", "all")
	for _, m := range wanted {
		if why[m.path] == "" {
			t.Errorf("%s is asked for in go.mod; say why in %s", m.path, "test/arch/licences_test.go")
		}
		ids, err := licence.Of(m.dir)
		if err != nil && slices.Contains(linked, m) {
			t.Errorf("%s: %v", m.path, err)
		}
		reason := why[m.path]
		if !slices.Contains(linked, m) {
			reason += " (tests only)"
		}
		fmt.Fprintf(&direct, "| `%s` | %s | %s |\n", m.path, reason, strings.Join(ids, ", "))
	}
	for path := range why {
		if !slices.ContainsFunc(wanted, func(m mod) bool { return m.path == path }) {
			t.Errorf("%s has a reason, but go.mod does not ask for it", path)
		}
	}
	for _, m := range linked {
		ids, err := licence.Of(m.dir)
		if err != nil {
			t.Errorf("%s: %v", m.path, err)
		}
		if !slices.ContainsFunc(wanted, func(w mod) bool { return w == m }) {
			fmt.Fprintf(&others, "| `%s` | %s |\n", m.path, strings.Join(ids, ", "))
		}
	}
	keep(t, filepath.Join(root, "docs", "dependencies.md"), fmt.Sprintf(dependenciesPage, direct.String(), others.String()))
}

const dependenciesPage = `<!-- Written by ` + "`go test ./test/arch -update`" + `; do not edit. -->

# Dependencies

The product's go.mod asks for these. Versions are there; with each release comes a bill of materials that has them too.

| module | why | licence |
|---|---|---|
%s
With them these come into the binaries, on one platform or another:

| module | licence |
|---|---|
%s
Linters, krew and goreleaser are pinned in [tools](../tools), the test cluster in [test/cluster](../test/cluster), each in a
module of its own: nothing of theirs is in a binary. A test fails when a licence is not known to be permissive, or a
module has no reason.
`

// linkedModules are those of the binaries of every platform that is released.
func linkedModules(t *testing.T) []mod {
	t.Helper()
	found := map[mod]bool{}
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Setenv("GOOS", goos)
		for _, m := range modules(t, "list", "-deps", "-tags", buildTag, "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}", "./cmd/...") {
			found[m] = true
		}
	}
	t.Setenv("GOOS", "")
	return slices.SortedFunc(maps.Keys(found), mod.less)
}

// modules are those that a go command lists, each once.
func modules(t *testing.T, args ...string) []mod {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v: %s", strings.Join(args, " "), err, stderr.String())
	}
	var all []mod
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 3 {
			all = append(all, mod{f[0], f[1], f[2]})
		}
	}
	slices.SortFunc(all, mod.less)
	return slices.Compact(all)
}

// keep holds a written page against what it should say, or writes it anew.
func keep(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err == nil && string(got) == want {
		return
	}
	if !*update {
		t.Errorf("%s is not what go.mod and the code say; write it anew with: go test ./test/arch -update", path)
		return
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
