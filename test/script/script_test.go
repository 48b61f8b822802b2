// Package script runs whole sessions of the real command on small dumps. Each
// .txtar file in testdata is one session and reads like documentation;
// `go test ./test/script -update` rewrites what the commands print.
package script

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/plugins/checkendpoints"
	"github.com/leadsman-dev/leadsman/plugins/explaintree"
	"github.com/leadsman-dev/leadsman/plugins/guardrollout"
	"github.com/leadsman-dev/leadsman/plugins/tracedns"
)

var update = flag.Bool("update", false, "rewrite the expected output of the sessions")

func TestMain(m *testing.M) {
	explainTree := func() { cli.Main(explaintree.Command) }
	testscript.Main(m, map[string]func(){
		"kubectl-explain_tree":          explainTree,
		"kubectl_complete-explain_tree": explainTree, // in real life a symlink
		"kubectl-check_endpoints":       func() { cli.Main(checkendpoints.Command) },
		"kubectl-guard_rollout":         func() { cli.Main(guardrollout.Command) },
		"kubectl-trace_dns":             func() { cli.Main(tracedns.Command) },
	})
}

func TestSessions(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata",
		RequireUniqueNames: true,
		UpdateScripts:      *update,
		Setup:              prepare,
		Cmds:               map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// prepare gives a session the dumps that several share, and an environment in
// which there is no cluster.
func prepare(env *testscript.Env) error {
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("LANG", "C.UTF-8")
	env.Setenv("KUBECONFIG", filepath.Join(env.WorkDir, "no-kubeconfig"))
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "NO_COLOR", "CLICOLOR_FORCE", "COLUMNS", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"} {
		env.Setenv(name, "")
	}
	if err := os.WriteFile(filepath.Join(env.WorkDir, "nothing-else.yaml"), nothingElse(), 0o600); err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(env.WorkDir, "recordings"), os.DirFS("../../pkg/rollout/testdata")); err != nil {
		return err
	}
	return os.CopyFS(env.WorkDir, os.DirFS("testdata/snapshots"))
}

// nothingElse is a recording in which every built-in kind was asked for and
// none was found: beside a small dump it makes that one complete.
func nothingElse() []byte {
	var b bytes.Buffer
	b.WriteString("apiVersion: leadsman.dev/v1alpha1\nkind: Snapshot\nnow: \"2026-03-04T11:00:00Z\"\nasked:\n")
	for _, k := range scheme.Kinds() {
		fmt.Fprintf(&b, "- {group: %q, kind: %s}\n", k.Group, k.Kind)
	}
	return b.Bytes()
}

// exits is a command of the sessions: it runs a program and compares its exit
// code, which exec only tells from zero.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, not %s", got, args[0])
	}
}
