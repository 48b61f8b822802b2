package cluster

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/leadsman-dev/leadsman/test/cluster/process"
)

// ErrNoLevers is returned when an external cluster is asked to break.
var ErrNoLevers = errors.New("an external cluster has no levers: its components are out of reach")

// Stop ends a component, such as ControllerManager or OnNode("lab-n1", Kubelet),
// as its SIGTERM would, and after 10 s by SIGKILL. It stays stopped until Start, or Up.
func (c *Cluster) Stop(ctx context.Context, name string) error {
	return c.change(ctx, name, func(s *state, comp *component) error {
		if comp.First {
			return fmt.Errorf("stop %s: a node cannot be stopped and started; use Cut, or stop its kubelet", name)
		}
		comp.Stopped = true
		return comp.Identity.Stop(ctx, 10*time.Second)
	})
}

// Kill ends a component at once, as a crash would.
func (c *Cluster) Kill(ctx context.Context, name string) error {
	return c.change(ctx, name, func(s *state, comp *component) error {
		if comp.First {
			return fmt.Errorf("kill %s: a node cannot be killed and started; use Cut, or kill its kubelet", name)
		}
		comp.Stopped = true
		return comp.Identity.Stop(ctx, 0)
	})
}

// Start starts a stopped component and waits until it says that it works. It
// does nothing when the component runs. Others that ended without being stopped
// are started too: the controller manager and the scheduler exit when they
// cannot renew their lease, and rely on being started again.
func (c *Cluster) Start(ctx context.Context, name string) error {
	return c.change(ctx, name, func(s *state, comp *component) error {
		if err := c.dir.startAgain(ctx, s, comp); err != nil {
			return err
		}
		return c.dir.revive(ctx, s)
	})
}

// Restart is Stop and Start.
func (c *Cluster) Restart(ctx context.Context, name string) error {
	if err := c.Stop(ctx, name); err != nil {
		return err
	}
	return c.Start(ctx, name)
}

// Freeze halts a component without ending it, as one that hangs; Thaw lets it go on.
func (c *Cluster) Freeze(ctx context.Context, name string) error {
	return c.change(ctx, name, func(s *state, comp *component) error {
		return comp.Identity.Signal(syscall.SIGSTOP)
	})
}

// Thaw ends Freeze.
func (c *Cluster) Thaw(ctx context.Context, name string) error {
	return c.change(ctx, name, func(s *state, comp *component) error {
		return comp.Identity.Signal(syscall.SIGCONT)
	})
}

// Cut unplugs the network of a node: its pods run on, unreachable.
func (c *Cluster) Cut(ctx context.Context, node string) error { return c.plug(ctx, node, "down") }

// Heal plugs it in again.
func (c *Cluster) Heal(ctx context.Context, node string) error { return c.plug(ctx, node, "up") }

func (c *Cluster) plug(ctx context.Context, node, upOrDown string) error {
	if c.External {
		return ErrNoLevers
	}
	for _, n := range Nodes() {
		if n.Name == node {
			return c.dir.plug(ctx, n, upOrDown)
		}
	}
	return fmt.Errorf("no node is called %s", node)
}

// KillDNS kills the CoreDNS container on a node, as a crash would; the kubelet
// starts it again.
func (c *Cluster) KillDNS(ctx context.Context, node string) error {
	if c.External {
		return ErrNoLevers
	}
	s, err := c.dir.loadState()
	if err != nil {
		return err
	}
	first := s.find(node)
	if first == nil {
		return fmt.Errorf("no node is called %s", node)
	}
	return killContainers(ctx, first.Identity.PID, "coredns")
}

// Status tells how each component fares.
func (c *Cluster) Status(ctx context.Context) ([]Status, error) {
	if c.External {
		return nil, ErrNoLevers
	}
	s, err := c.dir.loadState()
	if err != nil {
		return nil, err
	}
	return c.dir.status(ctx, s), nil
}

// Await waits until the whole cluster works, for at most ctx. It starts again
// what ended without being stopped.
func (c *Cluster) Await(ctx context.Context) error {
	if c.External {
		return ErrNoLevers
	}
	return retry(ctx, "wait for the cluster", func() error {
		all, err := c.Status(ctx)
		if err != nil || unwell(all) == nil {
			return err
		}
		return errors.Join(unwell(all), c.change(ctx, APIServer, func(s *state, _ *component) error {
			return c.dir.revive(ctx, s)
		}))
	})
}

// change locks the cluster, changes one component and writes it down.
func (c *Cluster) change(ctx context.Context, name string, do func(*state, *component) error) error {
	if c.External {
		return ErrNoLevers
	}
	unlock, err := c.dir.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := c.dir.loadState()
	if err != nil {
		return err
	}
	if s == nil {
		return errNone
	}
	comp := s.find(name)
	if comp == nil {
		return fmt.Errorf("the cluster has no component %s", name)
	}
	err = do(s, comp)
	return errors.Join(err, c.dir.saveState(s))
}

// revive starts again what ended without being stopped.
func (f folder) revive(ctx context.Context, s *state) error {
	for i := range s.Components {
		if c := &s.Components[i]; !c.Stopped && !c.First && !c.Identity.Alive() {
			if err := f.startAgain(ctx, s, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// startAgain starts a component that ended as it was started before.
func (f folder) startAgain(ctx context.Context, s *state, c *component) error {
	c.Stopped = false
	if c.Identity.Alive() {
		return nil
	}
	id, err := process.Start(ctx, f.marked(c.Name, c.Command))
	if err != nil {
		return err
	}
	c.Identity = id
	if err := f.saveState(s); err != nil {
		return err
	}
	url := endpoint(c.Name)
	if url == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client := f.client()
	return retry(ctx, "wait for "+c.Name, func() error {
		if !id.Alive() {
			return fmt.Errorf("it ended at once; its log is %s", c.Command.Log)
		}
		_, err := client.get(ctx, url)
		return err
	})
}
