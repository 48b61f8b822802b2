// Package rollout rolls real workloads on a real cluster, well and badly, and
// reads what guard-rollout says of it.
package rollout

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

var lab = e2e.Lab{Plugin: "guard_rollout"}

func TestMain(m *testing.M) { os.Exit(e2e.Main(m, &lab)) }

// Report is the document of -o json.
type Report struct {
	e2e.Report
	Rollouts []struct {
		Object  e2e.Object `json:"object"`
		Phase   string     `json:"phase"`
		Verdict string     `json:"verdict"`
		Summary string     `json:"summary"`
		Counts  struct {
			Desired, Updated, Ready, Available, Failing, Old, Floor int
		} `json:"counts"`
		From, To *struct {
			Number  int
			Changes []string
		}
		Availability []struct {
			Service           e2e.Object
			Verdict           string
			Min, Max, Floor   int
			BelowFloor        []struct{ From, To time.Time } `json:"belowFloor"`
			UnobservedSeconds float64                        `json:"unobservedSeconds"`
			MinAt             time.Time                      `json:"minAt"`
		} `json:"availability"`
		Probes []struct {
			Target       string
			Sent, Failed int
		} `json:"probes"`
		Logs []struct {
			Container string
			Lines     []string
		} `json:"logs"`
		WayBack *struct {
			To      *struct{ Number int }
			Refused string
			Command string
			Done    string
			Diff    []string
		} `json:"wayBack"`
	} `json:"rollouts"`
}

// watching is a run of the program beside the test.
type watching struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr safe
	ended          chan struct{}
	Took           time.Duration
}

type safe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// watch starts the program.
func watch(t *testing.T, args ...string) *watching {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 6*time.Minute)
	w := &watching{t: t, cmd: lab.Command(ctx, args...), ended: make(chan struct{})}
	w.cmd.Stdout, w.cmd.Stderr = &w.stdout, &w.stderr
	began := time.Now()
	if err := w.cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	go func() {
		defer cancel()
		_ = w.cmd.Wait()
		w.Took = time.Since(began)
		close(w.ended)
	}()
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		<-w.ended
	})
	return w
}

// end waits for the program's end and reads its document, the last line.
func (w *watching) end(patience time.Duration) (Report, int) {
	w.t.Helper()
	select {
	case <-w.ended:
	case <-time.After(patience):
		w.t.Fatalf("it did not end within %s:\n%s%s", patience, w.stdout.String(), w.stderr.String())
	}
	var r Report
	lines := strings.Split(strings.TrimSpace(w.stdout.String()), "\n")
	text := lines[len(lines)-1]
	if strings.HasPrefix(w.stdout.String(), "{\n") {
		text = w.stdout.String()
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		w.t.Fatalf("no document: %v\n%s%s", err, w.stdout.String(), w.stderr.String())
	}
	return r, w.cmd.ProcessState.ExitCode()
}

// until waits until the program has printed a text.
func (w *watching) until(text string, patience time.Duration) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(w.stdout.String(), text); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("%q was not printed within %s:\n%s%s", text, patience, w.stdout.String(), w.stderr.String())
		}
	}
}

// kubectl runs kubectl in a namespace.
func kubectl(t *testing.T, namespace string, args ...string) string {
	t.Helper()
	out, err := tryKubectl(t.Context(), namespace, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tryKubectl(ctx context.Context, namespace string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, lab.KubectlPath, append([]string{"--kubeconfig", lab.Kubeconfig, "-n", namespace}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// shell runs a printed command as a user would paste it.
func shell(t *testing.T, command string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+lab.Kubeconfig, "PATH="+filepath.Dir(lab.KubectlPath)+":"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v: %s", command, err, out)
	}
}

// apply applies manifests to a namespace.
func apply(t *testing.T, namespace, manifests string) {
	t.Helper()
	if err := lab.Apply(t.Context(), namespace, manifests); err != nil {
		t.Fatal(err)
	}
}

// rolled waits until a workload is rolled out, by kubectl's own word.
func rolled(t *testing.T, namespace, what string) {
	t.Helper()
	kubectl(t, namespace, "rollout", "status", what, "--timeout=120s")
}

func (r Report) find(code string) (e2e.Finding, error) {
	f, ok := r.Find(code)
	if !ok {
		return f, errors.New(code + " was not found")
	}
	return f, nil
}
