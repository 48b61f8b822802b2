package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"
	"k8s.io/klog/v2"
)

// Container is where a command runs. Container may be "": the pod's default.
type Container struct {
	Namespace string
	Pod       string
	Container string
}

// output is what a command wrote, and how it ended.
type output struct {
	stdout, stderr string
	code           int
}

// exec runs a command (pods/exec). A command that ran and failed is no error.
func (p *Prober) exec(ctx context.Context, in Container, command ...string) (output, error) {
	c, err := p.once()
	if err != nil {
		return output{}, err
	}
	query := url.Values{"command": command, "stdout": {"true"}, "stderr": {"true"}}
	if in.Container != "" {
		query.Set("container", in.Container)
	}
	target, err := subresource(c.config, in.Namespace, in.Pod, "exec", query)
	if err != nil {
		return output{}, err
	}
	// kubectl pkg/cmd/exec: GET by WebSocket, and POST by SPDY where a server or
	// a proxy on the way does not know that.
	socket, err := remotecommand.NewWebSocketExecutor(c.config, http.MethodGet, target.String())
	if err != nil {
		return output{}, err
	}
	old, err := remotecommand.NewSPDYExecutor(c.config, http.MethodPost, target)
	if err != nil {
		return output{}, err
	}
	executor, err := remotecommand.NewFallbackExecutor(socket, old, notUpgraded)
	if err != nil {
		return output{}, err
	}
	p.requests.Add(1)
	ctx = klog.NewContext(ctx, klog.Logger{}) // a stream that is left is no error to be logged
	return within(ctx, func() (output, error) {
		stdout, stderr := &bounded{}, &bounded{}
		err := executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: stdout, Stderr: stderr})
		out := output{stdout: stdout.String(), stderr: stderr.String()}
		var exit utilexec.CodeExitError
		if errors.As(err, &exit) {
			out.code, err = exit.Code, nil
		}
		return out, err
	})
}

// bounded keeps the first bytes and drops the rest: a command's output is a stranger's.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(data []byte) (int, error) {
	if room := mostProc - b.Len(); room > 0 {
		b.Buffer.Write(data[:min(room, len(data))])
	}
	return len(data), nil
}

var _ io.Writer = (*bounded)(nil)

// mostProc is room for some 50,000 connections of /proc/net/tcp.
const mostProc = 8 << 20

// execFailed sorts what kept a command from running.
func execFailed(err error) Result {
	r := judgeUpgrade(err)
	if r.Outcome == Gone && strings.Contains(err.Error(), "executable file not found") {
		r.Outcome = Unable
	}
	if r.Outcome == Unable && noSuchProgram(err.Error()) {
		r.Detail = "the image has no shell or tools"
	}
	return r
}

// noSuchProgram knows the words of runc, crun and gVisor.
func noSuchProgram(words string) bool {
	return strings.Contains(words, "executable file not found") || strings.Contains(words, "no such file or directory")
}

// Listeners are the TCP ports on which the processes of a pod listen, read from
// /proc/net/tcp and tcp6 of its network namespace.
func (p *Prober) Listeners(ctx context.Context, in Container) ([]Listener, Result) {
	out, err := p.exec(ctx, in, "cat", "/proc/net/tcp", "/proc/net/tcp6")
	if err != nil {
		return nil, execFailed(err)
	}
	// Without IPv6 the second file is missing and cat ends with 1.
	if !strings.Contains(out.stdout, "local_address") {
		detail := strings.TrimSpace(out.stderr)
		if noSuchProgram(detail) || out.code == 127 {
			detail = "the image has no shell or tools"
		}
		return nil, Result{Outcome: Unable, Detail: detail}
	}
	listeners := ParseListeners(out.stdout)
	return listeners, Result{Outcome: Answered, Detail: fmt.Sprintf("%d listeners", len(listeners))}
}
