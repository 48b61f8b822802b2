package e2e

import (
	"bufio"
	"context"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// stream collects what a running program prints, line by line.
type stream struct {
	t    *testing.T
	cmd  *exec.Cmd
	mu   sync.Mutex
	text strings.Builder
	err  strings.Builder
	read chan struct{}
}

func follow(t *testing.T, args ...string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	s := &stream{t: t, cmd: lab.Command(ctx, args...), read: make(chan struct{})}
	pipe, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stderr = &s.err
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.read)
		for lines := bufio.NewScanner(pipe); lines.Scan(); {
			s.mu.Lock()
			s.text.WriteString(lines.Text() + "\n")
			s.mu.Unlock()
		}
	}()
	return s
}

func (s *stream) printed() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// until waits for a text that was not printed before from.
func (s *stream) until(text string, from int) {
	s.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !strings.Contains(s.printed()[from:], text) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%q was not shown in 30 s:\n%s", text, s.printed())
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// end waits for the program's end and returns its exit code.
func (s *stream) end() int {
	s.t.Helper()
	select {
	case <-s.read:
	case <-time.After(20 * time.Second):
		s.t.Fatalf("it does not end:\n%s", s.printed())
	}
	_ = s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode()
}

func TestWatchShowsTheReplacementOfAPodAndEndsOnInterrupt(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "watch")
	if err := lab.Apply(t.Context(), namespace, Deployment("web", nginx)); err != nil {
		t.Fatal(err)
	}
	kubectl(t, "-n", namespace, "rollout", "status", "deployment/web")
	name := func() string {
		return strings.TrimSpace(kubectl(t, "-n", namespace, "get", "pods", "-l", "app=web", "--sort-by=.metadata.creationTimestamp", "-o", "jsonpath={.items[-1:].metadata.name}"))
	}
	before := name()
	s := follow(t, "-n", namespace, "deployment/web", "-w")
	s.until(before, 0)
	seen := len(s.printed())
	kubectl(t, "-n", namespace, "delete", "pod", before, "--wait=false")
	eventually(t, 20*time.Second, func() error {
		if name() == before {
			return context.DeadlineExceeded
		}
		return nil
	})
	s.until(name(), seen)
	s.until("1/1", strings.LastIndex(s.printed(), name()))
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := s.end(); code != 130 {
		t.Errorf("exit code %d after an interrupt\n%s", code, s.err.String())
	}
	if strings.Contains(s.printed(), "\x1b") {
		t.Error("a pipe gets escape sequences")
	}
	if *show {
		t.Log("\n" + s.printed() + s.err.String())
	}
}

func TestWatchSaysThatTheObjectWasDeleted(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "watch-deleted")
	if err := lab.Apply(t.Context(), namespace, Documents(configMap("settings"), Deployment("web", `{volumes: [{name: a, configMap: {name: settings}}], containers: [{name: web, image: "nginx:1.25"}]}`))); err != nil {
		t.Fatal(err)
	}
	s := follow(t, "-n", namespace, "configmap/settings", "-w")
	s.until("Deployment/web", 0)
	kubectl(t, "-n", namespace, "delete", "configmap", "settings")
	if code := s.end(); code != 5 {
		t.Errorf("exit code %d after the deletion", code)
	}
	if !strings.Contains(s.printed()+s.err.String(), "deleted") {
		t.Errorf("it does not say that it was deleted: %s", s.err.String())
	}
	if *show {
		t.Log("\n" + s.printed() + s.err.String())
	}
}
