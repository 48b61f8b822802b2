package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Command is what is needed to start a program, now and once more later.
type Command struct {
	Args []string `json:"args"`
	Env  []string `json:"env,omitempty"` // added to the caller's environment
	Log  string   `json:"log"`           // standard output and error are appended to it
	// Node, when set, is the pid of the first process of a node: the program
	// then runs in that process's pid, network, mount and host name namespaces.
	Node int `json:"node,omitempty"`
}

// Start starts the program in a session of its own, so that it outlives the
// caller, and returns the identity of the program itself.
func Start(ctx context.Context, c Command) (Identity, error) {
	args := c.Args
	if c.Node != 0 {
		args = append([]string{"nsenter", "--target", strconv.Itoa(c.Node), "--net", "--mount", "--uts", "--pid", "--"}, c.Args...)
	}
	cmd := exec.Command(args[0], args[1:]...) // not CommandContext: it shall outlive ctx
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	pid, err := start(cmd, c)
	if err != nil {
		return Identity{}, err
	}
	if c.Node != 0 {
		// Entering a pid namespace takes a fork: the program is nsenter's child.
		if pid, err = onlyChild(ctx, pid); err != nil {
			return Identity{}, fmt.Errorf("start %s: %w (its log is %s)", c.Args[0], err, c.Log)
		}
	}
	return Of(pid)
}

// StartNode starts the first process of a node, in new pid, network, mount and
// host name namespaces, and returns when it has said on its file 3 that they
// are furnished. Everything in them ends with it.
func StartNode(c Command) (Identity, error) {
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid:     true,
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
	}
	read, write, err := os.Pipe()
	if err != nil {
		return Identity{}, fmt.Errorf("start %s: %w", c.Args[0], err)
	}
	defer read.Close()
	cmd.ExtraFiles = []*os.File{write}
	pid, err := start(cmd, c)
	write.Close()
	if err != nil {
		return Identity{}, err
	}
	if n, _ := read.Read(make([]byte, 1)); n != 1 {
		return Identity{}, fmt.Errorf("start %s: it ended before it was ready (its log is %s)", c.Args[0], c.Log)
	}
	return Of(pid)
}

func start(cmd *exec.Cmd, c Command) (int, error) {
	if err := os.MkdirAll(filepath.Dir(c.Log), 0o755); err != nil {
		return 0, fmt.Errorf("start %s: %w", c.Args[0], err)
	}
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", c.Args[0], err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Dir = "/" // or the caller's folder could not be removed
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start %s: %w", c.Args[0], err)
	}
	go cmd.Wait() //nolint:errcheck // reaps it, should it end before the caller
	return cmd.Process.Pid, nil
}

// onlyChild waits for the one child of a process.
func onlyChild(ctx context.Context, parent int) (int, error) {
	deadline := time.Now().Add(5 * time.Second)
	for {
		entries, err := os.ReadDir("/proc")
		if err != nil {
			return 0, fmt.Errorf("read /proc: %w", err)
		}
		for _, e := range entries {
			pid, err := strconv.Atoi(e.Name())
			if err != nil {
				continue
			}
			if st, err := readStat(pid); err == nil && st.parent == parent {
				return pid, nil
			}
		}
		if _, err := readStat(parent); err != nil || time.Now().After(deadline) {
			return 0, fmt.Errorf("it did not start in the namespaces of the node")
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		time.Sleep(5 * time.Millisecond)
	}
}
