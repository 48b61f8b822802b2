// Package dns holds what trace-dns predicts against what real resolvers send and
// real DNS servers answer, provokes what goes wrong, and reads what trace-dns
// says of it.
package dns

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
	"time"

	"github.com/leadsman-dev/leadsman/test/cluster"
	"github.com/leadsman-dev/leadsman/test/e2e"
)

// Lab is the cluster and the program under test.
type Lab struct {
	*cluster.Cluster
	bin string // kubectl-trace_dns
}

// Report is the document of -o json.
type Report struct {
	e2e.Report
	Trace  Trace `json:"trace"`
	Budget struct {
		Requests int `json:"requests"`
	} `json:"budget"`
}

// Trace is the part of the document that only trace-dns has.
type Trace struct {
	Client     e2e.Object `json:"client"`
	Domain     Known      `json:"domain"`
	Libc       Known      `json:"libc"`
	ResolvConf ResolvConf `json:"resolvConf"`
	Path       []Hop      `json:"path"`
	Ladder     []Rung     `json:"ladder"`
	Resolvers  []struct {
		Libc   string `json:"libc"`
		Ladder []Rung `json:"ladder"`
	} `json:"resolvers"`
	Grid struct {
		Rows []struct {
			Replica    e2e.Object `json:"replica"`
			Ready      string     `json:"ready"`
			Version    string     `json:"version"`
			ConfigHash string     `json:"configHash"`
			Stale      bool       `json:"stale"`
			Error      string     `json:"error"`
			Cells      []struct {
				Text    string `json:"text"`
				Deviant bool   `json:"deviant"`
			} `json:"cells"`
		} `json:"rows"`
	} `json:"grid"`
	Cost  string   `json:"cost"`
	Notes []string `json:"notes"`
}

// Known is a value and how it is known.
type Known struct{ Value, Claim, Why string }

// ResolvConf is the client's resolv.conf.
type ResolvConf struct {
	Nameservers []string    `json:"nameservers"`
	Search      []string    `json:"search"`
	Options     []string    `json:"options"`
	Claim       string      `json:"claim"`
	Predicted   *ResolvConf `json:"predicted"`
	Differs     []string    `json:"differs"`
}

// Hop is a step of the path.
type Hop struct{ Title, State, Claim, Why string }

// Rung is a name that the resolver sends.
type Rung struct {
	N         int        `json:"n"`
	Name      string     `json:"name"`
	Types     []string   `json:"types"`
	State     string     `json:"state"`
	Why       string     `json:"why"`
	By        string     `json:"by"`
	Line      int        `json:"line"`
	Agreement string     `json:"agreement"`
	Object    e2e.Object `json:"object"`
	Answers   []struct {
		Type     string   `json:"type"`
		Rcode    string   `json:"rcode"`
		Records  []string `json:"records"`
		Claim    string   `json:"claim"`
		Expected string   `json:"expected"`
	} `json:"answers"`
}

// Answer is what one run printed.
type Answer struct {
	Stdout, Stderr string
	Exit           int
	Report         Report // of -o json
}

// open finds the cluster and builds the program, unless LEADSMAN_DNS_BIN
// names it.
func open(ctx context.Context) (lab *Lab, remove func(), err error) {
	c, err := cluster.Connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	lab = &Lab{Cluster: c, bin: os.Getenv("LEADSMAN_DNS_BIN")}
	if lab.bin != "" {
		return lab, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "leadsman-dns-")
	if err != nil {
		return nil, nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	lab.bin = filepath.Join(dir, "kubectl-trace_dns")
	build := exec.CommandContext(ctx, "go", "build", "-tags", "kustomize_disable_go_plugin_support", "-gcflags=k8s.io/...=-l", "-gcflags=k8s.io/apimachinery/pkg/labels=", "-gcflags=google.golang.org/protobuf/...=-l", "-trimpath", "-ldflags", "-s -w", "-o", lab.bin, "./cmd/kubectl-trace_dns")
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
		return Answer{}, fmt.Errorf("run trace-dns %s: %w", strings.Join(args, " "), err)
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

// each calls do for 0 to count-1, at most limit at a time, and returns the
// errors.
func each(limit, count int, do func(int) error) error {
	errs := make([]error, count)
	gate := make(chan struct{}, limit)
	var group sync.WaitGroup
	for i := range count {
		group.Go(func() {
			gate <- struct{}{}
			errs[i] = do(i)
			<-gate
		})
	}
	group.Wait()
	return errors.Join(errs...)
}
