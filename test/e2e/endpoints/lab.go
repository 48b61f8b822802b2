// Package endpoints provokes on a real cluster what goes wrong between a
// Service and its pods, reads what check-endpoints says of it, and runs the
// commands that it prints.
package endpoints

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
	"time"

	"github.com/leadsman-dev/leadsman/test/cluster"
	"github.com/leadsman-dev/leadsman/test/e2e"
)

// Lab is the cluster and the program under test.
type Lab struct {
	*cluster.Cluster
	bin string // kubectl-check_endpoints
}

// Report is the document of -o json.
type Report struct {
	e2e.Report
	Services []Service `json:"services"`
}

// Service is one Service of a report.
type Service struct {
	Object    e2e.Object `json:"object"`
	Verdict   string     `json:"verdict"`
	Summary   string     `json:"summary"`
	Endpoints []struct {
		Address  string `json:"address"`
		Port     int    `json:"port"`
		PodIP    string `json:"podIP"`
		Ready    bool   `json:"ready"`
		State    string `json:"state"`
		Observed string `json:"observed"`
	} `json:"endpoints"`
	Ports []struct {
		Ready, Total int
	} `json:"ports"`
	Findings []string `json:"findings"`
}

// Answer is what one run printed.
type Answer struct {
	Stdout, Stderr string
	Exit           int
	Report         Report // of -o json
}

// open finds the cluster and builds the program, unless LEADSMAN_ENDPOINTS_BIN
// names it.
func open(ctx context.Context) (lab *Lab, remove func(), err error) {
	c, err := cluster.Connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	lab = &Lab{Cluster: c, bin: os.Getenv("LEADSMAN_ENDPOINTS_BIN")}
	if lab.bin != "" {
		return lab, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "leadsman-endpoints-")
	if err != nil {
		return nil, nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	lab.bin = filepath.Join(dir, "kubectl-check_endpoints")
	build := exec.CommandContext(ctx, "go", "build", "-tags", "kustomize_disable_go_plugin_support", "-gcflags=k8s.io/...=-l", "-gcflags=k8s.io/apimachinery/pkg/labels=", "-gcflags=google.golang.org/protobuf/...=-l", "-trimpath", "-ldflags", "-s -w", "-o", lab.bin, "./cmd/kubectl-check_endpoints")
	build.Dir, build.Env = e2e.Root(), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		remove()
		return nil, nil, fmt.Errorf("build the program under test: %w: %s", err, out)
	}
	return lab, remove, nil
}

// command is a run that has not started.
func (l *Lab) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, l.bin, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+l.Kubeconfig, "NO_COLOR=1", "LC_ALL=C.UTF-8")
	return cmd
}

// ask runs the program, whatever its exit code.
func (l *Lab) ask(ctx context.Context, args ...string) (Answer, error) {
	var stdout, stderr bytes.Buffer
	cmd := l.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Answer{}, fmt.Errorf("run check-endpoints %s: %w", strings.Join(args, " "), err)
	}
	return Answer{Stdout: stdout.String(), Stderr: stderr.String(), Exit: cmd.ProcessState.ExitCode()}, nil
}

// askJSON is ask with -o json, read.
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

// until asks again until check is content or the patience ends, and returns
// the last answer with what check had against it.
func (l *Lab) until(ctx context.Context, patience time.Duration, check func(Answer) error, args ...string) (Answer, error) {
	deadline := time.Now().Add(patience)
	for {
		a, err := l.askJSON(ctx, args...)
		if err == nil {
			err = check(a)
		}
		if err == nil || time.Now().After(deadline) || ctx.Err() != nil {
			return a, err
		}
		time.Sleep(700 * time.Millisecond)
	}
}

// shell runs a printed command as a user would paste it.
func (l *Lab) shell(ctx context.Context, command string) error {
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+l.Kubeconfig, "PATH="+filepath.Dir(l.KubectlPath)+":"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, out)
	}
	return nil
}
