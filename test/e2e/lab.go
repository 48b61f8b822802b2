// Package e2e runs the real programs against a real cluster and reads what
// they print, as a user or a script would.
package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/cluster"
)

// Lab is the cluster and the program under test.
type Lab struct {
	*cluster.Cluster
	Plugin string // as its command is called: "guard_rollout"; explain_tree if unset
	bin    string
}

// Main runs the tests of a package with a Lab. The program is that of
// LEADSMAN_BIN, a file, or is built once.
func Main(m *testing.M, lab *Lab) int {
	flag.Parse()
	if err := parallel(8); err != nil {
		return fail(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	c, err := cluster.Connect(ctx)
	if err != nil {
		return fail(err)
	}
	lab.Cluster = c
	remove, err := lab.build(ctx)
	if err != nil {
		return fail(err)
	}
	defer remove()
	return m.Run()
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// parallel bounds the load that the tests put on the cluster. The tests mostly
// wait, so the number of processors is no measure; -parallel is obeyed.
func parallel(n int) error {
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if chosen {
		return nil
	}
	return flag.Set("test.parallel", fmt.Sprint(n))
}

func (l *Lab) build(ctx context.Context) (remove func(), err error) {
	if l.bin = os.Getenv("LEADSMAN_BIN"); l.bin != "" {
		return func() {}, nil
	}
	return l.buildAnew(ctx)
}

func (l *Lab) buildAnew(ctx context.Context) (remove func(), err error) {
	dir, err := os.MkdirTemp("", "leadsman-e2e-")
	if err != nil {
		return nil, err
	}
	name := "kubectl-" + cmp.Or(l.Plugin, "explain_tree")
	l.bin = filepath.Join(dir, name)
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "kustomize_disable_go_plugin_support", "-gcflags=k8s.io/...=-l", "-gcflags=k8s.io/apimachinery/pkg/labels=", "-gcflags=google.golang.org/protobuf/...=-l", "-trimpath", "-ldflags", "-s -w", "-o", l.bin, "./cmd/"+name)
	cmd.Dir = Root()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("build the program under test: %w: %s", err, out), os.RemoveAll(dir))
	}
	return func() { _ = os.RemoveAll(dir) }, nil
}

// Beside is a second program under test, on the same cluster.
func (l *Lab) Beside(t testing.TB, plugin string) *Lab {
	t.Helper()
	other := &Lab{Cluster: l.Cluster, Plugin: plugin}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	remove, err := other.buildAnew(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remove)
	return other
}

// Root is the top folder of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Answer is what one run printed.
type Answer struct {
	Args           []string
	Stdout, Stderr string
	Exit           int
	Report         Report // of -o json
}

// Command is a run of the program that has not started, as the cluster's
// administrator unless args name another kubeconfig.
func (l *Lab) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, l.bin, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+l.Kubeconfig, "NO_COLOR=1", "TERM=xterm", "COLUMNS=100")
	return cmd
}

// Ask runs the program and returns what it said, whatever its exit code.
func (l *Lab) Ask(t testing.TB, args ...string) Answer {
	t.Helper()
	a, err := l.ask(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// AskJSON is Ask with -o json, read.
func (l *Lab) AskJSON(t testing.TB, args ...string) Answer {
	t.Helper()
	a, err := l.askJSON(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (l *Lab) askJSON(ctx context.Context, args ...string) (Answer, error) {
	a, err := l.ask(ctx, append(args, "-o", "json")...)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal([]byte(a.Stdout), &a.Report); err != nil {
		return a, fmt.Errorf("%s: no JSON document: %w\n%s%s", strings.Join(args, " "), err, a.Stdout, a.Stderr)
	}
	return a, nil
}

func (l *Lab) ask(ctx context.Context, args ...string) (Answer, error) {
	var stdout, stderr bytes.Buffer
	cmd := l.Command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Answer{}, fmt.Errorf("run %s %s: %w", filepath.Base(l.bin), strings.Join(args, " "), err)
	}
	return Answer{Args: args, Stdout: stdout.String(), Stderr: stderr.String(), Exit: cmd.ProcessState.ExitCode()}, nil
}

// Until asks again and again, until check is content with an answer or the
// patience ends, and returns the last answer with what check had against it.
func (l *Lab) Until(ctx context.Context, patience time.Duration, check func(Answer) error, args ...string) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		// A run that has begun may end, so that the last answer is a whole one.
		a, err := l.askJSON(context.WithoutCancel(ctx), args...)
		if err == nil {
			err = check(a)
		}
		if err == nil {
			return a, nil
		}
		select {
		case <-ctx.Done():
			return a, fmt.Errorf("after %s: %w", patience, err)
		case <-time.After(time.Second):
		}
	}
}
