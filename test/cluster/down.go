package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/test/cluster/process"
)

// Down ends the cluster of the state folder, if there is one, and removes all
// that it made but the built programs.
func Down(ctx context.Context) error {
	dir, err := Dir()
	if err != nil {
		return err
	}
	f := folder(dir)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	unlock, err := f.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := f.remove(ctx); err != nil {
		return fmt.Errorf("take the cluster down: %w", err)
	}
	return os.RemoveAll(dir)
}

// marker is the environment variable that every process of a cluster carries,
// with the state folder as its value.
const marker = "LEADSMAN_CLUSTER_PROCESS"

func (f folder) marked(name string, c process.Command) process.Command {
	c.Env = append(c.Env, marker+"="+string(f)+"#"+name)
	return c
}

// remove ends all processes and removes their traces. The kernel ends what runs
// on a node, and drops its mounts and its network, with the node's first process.
func (f folder) remove(ctx context.Context) error {
	s, err := f.loadState()
	if err != nil {
		return err
	}
	if s == nil {
		s = &state{}
	}
	var errs []error
	for i := len(s.Components) - 1; i >= 0; i-- {
		errs = append(errs, s.Components[i].Identity.Stop(ctx, 0))
	}
	errs = append(errs, f.endUnrecorded(ctx), f.removeBridge(ctx), removeCgroups(ctx, f.containers()), restoreMachine(s))
	if err := errors.Join(errs...); err != nil {
		return err
	}
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != "lock" {
			errs = append(errs, os.RemoveAll(f.join(e.Name())))
		}
	}
	return errors.Join(errs...)
}

// endUnrecorded ends processes that carry this cluster's mark but were not
// written down, since the run that started them was killed in that moment.
func (f folder) endUnrecorded(ctx context.Context) error {
	paths, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range paths {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		id, err := process.Of(pid)
		if err != nil {
			continue
		}
		environ, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(append([]byte{0}, environ...), []byte("\x00"+marker+"="+string(f)+"#")) {
			continue
		}
		errs = append(errs, id.Stop(ctx, 0))
	}
	return errors.Join(errs...)
}

// containers are the ids of all containers that the nodes' containerds know.
func (f folder) containers() []string {
	var ids []string
	for _, n := range Nodes() {
		entries, err := os.ReadDir(f.node(n, "lib/containerd/io.containerd.runtime.v2.task/k8s.io"))
		if err != nil {
			continue // the node never ran one
		}
		for _, e := range entries {
			ids = append(ids, e.Name())
		}
	}
	return ids
}

// removeCgroups removes the control groups of the cluster's containers, which
// containerd makes below k8s.io in each hierarchy, and leaves those of others.
// A group can be removed a moment after its last process ended.
func removeCgroups(ctx context.Context, containers []string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	parents, err := filepath.Glob("/sys/fs/cgroup/*/k8s.io") // version 1, by controller
	if err != nil {
		return err
	}
	for _, parent := range append(parents, "/sys/fs/cgroup/k8s.io") { // version 2
		for _, id := range containers {
			group := filepath.Join(parent, id)
			err := retry(ctx, "remove control group "+group, func() error { return removeTree(group) })
			if err != nil {
				return err
			}
		}
		os.Remove(parent) //nolint:errcheck // another cluster's groups may be in it
	}
	return nil
}

// removeTree removes folders only, from the innermost out: the files of a
// control group go with it.
func removeTree(root string) error {
	var dirs []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, dir := range slices.Backward(dirs) {
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// hostPathVolumes is where the controller manager makes volumes
// (kubernetes pkg/volume/hostpath).
const hostPathVolumes = "/tmp/hostpath_pv"

// kubeletSysctls are the machine's settings that a kubelet changes
// (kubernetes pkg/kubelet/cm, setupKernelTunables).
func kubeletSysctls() []string {
	return []string{"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes"}
}

// rememberMachine notes what the cluster changes outside its own folder.
func (s *starter) rememberMachine() error {
	s.state.Sysctls = map[string]string{}
	for _, name := range kubeletSysctls() {
		value, err := os.ReadFile("/proc/sys/" + name)
		if err != nil {
			return fmt.Errorf("note the machine's settings: %w", err)
		}
		s.state.Sysctls[name] = strings.TrimSpace(string(value))
	}
	_, err := os.Stat(hostPathVolumes)
	s.state.HostPath = errors.Is(err, fs.ErrNotExist)
	return nil
}

func restoreMachine(s *state) error {
	var errs []error
	for name, value := range s.Sysctls {
		errs = append(errs, os.WriteFile("/proc/sys/"+name, []byte(value), 0o644))
	}
	if s.HostPath {
		errs = append(errs, os.RemoveAll(hostPathVolumes))
	}
	return errors.Join(errs...)
}
