package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/leadsman-dev/leadsman/test/cluster/process"
)

// state is what a run writes down, so that a later one finds, mends or removes
// the cluster, whatever became of the first.
type state struct {
	Binaries   binaries          `json:"binaries"`
	Components []component       `json:"components"`
	Complete   bool              `json:"complete"`           // it came up as a whole once
	Sysctls    map[string]string `json:"sysctls,omitempty"`  // the machine's values before the kubelets changed them
	HostPath   bool              `json:"hostPath,omitempty"` // the folder of dynamic volumes was not there before
}

// component is one long-lived program of the cluster. The first process of a
// node has the node's name; what runs on a node is called node/program.
type component struct {
	Name     string           `json:"name"`
	First    bool             `json:"first,omitempty"` // the first process of a node
	Command  process.Command  `json:"command"`
	Identity process.Identity `json:"identity"`
	Stopped  bool             `json:"stopped,omitempty"` // by a lever, on purpose
}

// find returns the component of that name, or nil.
func (s *state) find(name string) *component {
	for i := range s.Components {
		if s.Components[i].Name == name {
			return &s.Components[i]
		}
	}
	return nil
}

// loadState returns nil without an error when no cluster was ever started.
func (f folder) loadState() (*state, error) {
	data, err := os.ReadFile(f.join("state.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the cluster's state: %w", err)
	}
	s := &state{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("read the cluster's state %s: %w", f.join("state.json"), err)
	}
	return s, nil
}

// saveState replaces the file in one step: a run that is killed meanwhile
// leaves the old one.
func (f folder) saveState(s *state) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write the cluster's state: %w", err)
	}
	next := f.join("state.json.next")
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return fmt.Errorf("write the cluster's state: %w", err)
	}
	if err := os.Rename(next, f.join("state.json")); err != nil {
		return fmt.Errorf("write the cluster's state: %w", err)
	}
	return nil
}

// lock lets one process at a time change the cluster. The kernel lets go of the
// lock when its holder dies.
func (f folder) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(string(f), 0o755); err != nil {
		return nil, fmt.Errorf("make the state folder: %w", err)
	}
	file, err := os.OpenFile(f.join("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the cluster: %w", err)
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			file.Close()
			return nil, fmt.Errorf("lock the cluster: %w", err)
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, fmt.Errorf("lock the cluster: another process changes it: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}
