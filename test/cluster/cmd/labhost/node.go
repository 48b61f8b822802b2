package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// runNode furnishes the namespaces that it was started in as those of a node,
// says so on file 3, and stays as their first process. What a node keeps in
// /var/lib, /var/log and /run is its own; the rest is the machine's.
func runNode(hostname, folder string) error {
	if os.Getpid() != 1 {
		return errors.New("a node needs namespaces of its own; it is started by the cluster's up")
	}
	if err := syscall.Sethostname([]byte(hostname)); err != nil {
		return fmt.Errorf("set the host name: %w", err)
	}
	if err := mountNode(folder); err != nil {
		return err
	}
	// Pods are routed, not bridged.
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return fmt.Errorf("forward packets: %w", err)
	}
	ready := os.NewFile(3, "ready")
	if _, err := ready.WriteString("1"); err != nil {
		return fmt.Errorf("tell that the node is ready: %w", err)
	}
	if err := ready.Close(); err != nil {
		return fmt.Errorf("tell that the node is ready: %w", err)
	}
	return reap()
}

func mountNode(folder string) error {
	// First cut off from the machine's mounts, then share within the node:
	// containerd and the kubelet hand mounts to each other.
	steps := []struct {
		source, target, fstype string
		flags                  uintptr
	}{
		{"", "/", "", syscall.MS_REC | syscall.MS_PRIVATE},
		{"", "/", "", syscall.MS_REC | syscall.MS_SHARED},
		{"proc", "/proc", "proc", syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC},
		{filepath.Join(folder, "lib"), "/var/lib", "", syscall.MS_BIND},
		{filepath.Join(folder, "log"), "/var/log", "", syscall.MS_BIND},
		{"tmpfs", "/run", "tmpfs", syscall.MS_NOSUID | syscall.MS_NODEV},
	}
	for _, s := range steps {
		if s.flags&syscall.MS_BIND != 0 {
			if err := os.MkdirAll(s.source, 0o755); err != nil {
				return fmt.Errorf("furnish the node: %w", err)
			}
		}
		if err := syscall.Mount(s.source, s.target, s.fstype, s.flags, ""); err != nil {
			return fmt.Errorf("mount %s: %w", s.target, err)
		}
	}
	return nil
}

// reap collects the dead until a SIGTERM: orphans of the node become children
// of its first process.
func reap() error {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGCHLD, syscall.SIGTERM)
	for s := range signals {
		if s == syscall.SIGTERM {
			return nil
		}
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			if pid <= 0 || err != nil {
				break
			}
		}
	}
	return nil
}
