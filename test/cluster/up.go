package cluster

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leadsman-dev/leadsman/test/cluster/process"
)

//go:embed manifests
var manifests embed.FS

// startLimit is how long a cluster may take to come up, once built.
const startLimit = 3 * time.Minute

// Up returns the running cluster of the state folder. A healthy one is taken as
// it is; one whose programs partly ended is mended; anything else that is left
// is removed and a new one started. say gets one line for each step.
func Up(ctx context.Context, say func(format string, args ...any)) (*Cluster, error) {
	dir, err := Dir()
	if err != nil {
		return nil, err
	}
	f := folder(dir)
	unlock, err := f.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if s, err := f.reuse(ctx, say); err == nil {
		return f.cluster(s), nil
	} else if !errors.Is(err, errNone) {
		say("the cluster that is there cannot be mended: %v", err)
	}
	if err := installPackages(ctx, say); err != nil {
		return nil, err
	}
	b, err := build(ctx, say)
	if err != nil {
		return nil, err
	}
	if err := f.remove(ctx); err != nil {
		return nil, fmt.Errorf("remove what an earlier cluster left: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	st := &starter{folder: f, state: &state{Binaries: b}, say: say}
	if err := st.run(ctx); err != nil {
		return nil, fmt.Errorf("start the cluster: %w; the logs are in %s", err, f.join("logs"))
	}
	return f.cluster(st.state), nil
}

var errNone = errors.New("no cluster runs")

// reuse makes do with the cluster that is there: it starts again what ended and
// plugs in what was unplugged. Without the nodes' first processes there is
// nothing to mend.
func (f folder) reuse(ctx context.Context, say func(string, ...any)) (*state, error) {
	s, err := f.loadState()
	if err != nil {
		return nil, err
	}
	if s == nil || !s.Complete {
		return nil, errNone
	}
	if unwell(f.status(ctx, s)) == nil {
		say("a healthy cluster runs")
		return s, nil
	}
	for _, c := range s.Components {
		if c.First && !c.Identity.Alive() {
			return nil, fmt.Errorf("node %s is gone", c.Name)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, n := range Nodes() {
		if err := f.plug(ctx, n, "up"); err != nil {
			return nil, err
		}
	}
	for i := range s.Components {
		if c := &s.Components[i]; !c.Identity.Alive() {
			say("starting %s again", c.Name)
			if err := f.startAgain(ctx, s, c); err != nil {
				return nil, err
			}
		}
	}
	say("waiting for the cluster")
	err = retry(ctx, "wait for the cluster", func() error { return unwell(f.status(ctx, s)) })
	return s, err
}

// starter starts a new cluster. Everything is written down as soon as it runs.
type starter struct {
	folder
	state *state
	say   func(string, ...any)
	mu    sync.Mutex
}

// run starts what does not depend on each other at the same time: the control
// plane on one side, the images and the nodes on the other.
func (s *starter) run(ctx context.Context) error {
	for _, n := range Nodes() {
		if err := s.writeNode(n); err != nil {
			return err
		}
	}
	if err := s.rememberMachine(); err != nil {
		return err
	}
	if err := s.writeAccess(); err != nil {
		return err
	}
	if err := s.saveState(s.state); err != nil {
		return err
	}
	if err := s.makeBridge(ctx); err != nil {
		return err
	}
	b := s.state.Binaries
	ready := make(chan struct{}) // closed when the API server is
	err := parallel(ctx,
		func(ctx context.Context) error {
			if err := s.startControlPlane(ctx, b); err != nil {
				return err
			}
			close(ready)
			return s.bootstrap(ctx)
		},
		func(ctx context.Context) error {
			if err := s.buildImages(ctx, b); err != nil {
				return err
			}
			if err := s.start(ctx, Registry, s.registry(b)); err != nil {
				return err
			}
			var nodes []func(context.Context) error
			for _, n := range Nodes() {
				nodes = append(nodes, func(ctx context.Context) error { return s.startNode(ctx, b, n, ready) })
			}
			return parallel(ctx, nodes...)
		},
	)
	if err != nil {
		return err
	}
	s.state.Complete = true
	return s.saveState(s.state)
}

func (s *starter) startControlPlane(ctx context.Context, b binaries) error {
	s.say("starting the control plane")
	if err := os.WriteFile(s.join("resolver.Corefile"), []byte(resolverCorefile), 0o644); err != nil {
		return fmt.Errorf("configure the resolver: %w", err)
	}
	for _, c := range []struct {
		name    string
		command process.Command
	}{{Etcd, s.etcd(b)}, {APIServer, s.apiServer(b)}, {Resolver, s.resolver(b)}} {
		if err := s.start(ctx, c.name, c.command); err != nil {
			return err
		}
	}
	if err := s.await(ctx, APIServer); err != nil {
		return err
	}
	if err := s.start(ctx, ControllerManager, s.controllerManager(b)); err != nil {
		return err
	}
	return s.start(ctx, Scheduler, s.scheduler(b))
}

// startNode starts the kubelet last: it reports at once when all else is there.
func (s *starter) startNode(ctx context.Context, b binaries, n Node, ready <-chan struct{}) error {
	s.say("starting node %s", n.Name)
	s.mu.Lock()
	id, err := process.StartNode(s.marked(n.Name, s.nodeFirst(b, n)))
	if err == nil {
		err = s.record(component{Name: n.Name, First: true, Command: s.nodeFirst(b, n), Identity: id})
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if err := connect(ctx, n, id.PID); err != nil {
		return err
	}
	if err := s.start(ctx, OnNode(n.Name, Containerd), s.containerd(n, id.PID)); err != nil {
		return err
	}
	if err := s.importImages(ctx, n, id.PID); err != nil {
		return err
	}
	select {
	case <-ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := s.start(ctx, OnNode(n.Name, Kubelet), s.kubelet(b, n, id.PID)); err != nil {
		return err
	}
	return s.start(ctx, OnNode(n.Name, KubeProxy), s.kubeProxy(b, n, id.PID))
}

// start starts a component and writes it down.
func (s *starter) start(ctx context.Context, name string, c process.Command) error {
	id, err := process.Start(ctx, s.marked(name, c))
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.record(component{Name: name, Command: c, Identity: id})
}

func (s *starter) record(c component) error {
	s.state.Components = append(s.state.Components, c)
	return s.saveState(s.state)
}

// await waits until a component says that it works, and no longer than it lives.
func (s *starter) await(ctx context.Context, name string) error {
	c := s.client()
	s.mu.Lock()
	of := *s.state.find(name)
	s.mu.Unlock()
	return retry(ctx, "wait for "+name, func() error {
		_, err := c.get(ctx, endpoint(name))
		if err != nil && !of.Identity.Alive() {
			return &endedError{name, of.Command.Log}
		}
		return err
	})
}

// bootstrap makes the objects that a cluster is delivered with, and waits until
// everything works.
func (s *starter) bootstrap(ctx context.Context) error {
	s.say("deploying DNS")
	all, err := allManifests()
	if err != nil {
		return err
	}
	err = retry(ctx, "deploy the manifests", func() error {
		cmd := exec.CommandContext(ctx, s.state.Binaries.kube("kubectl"), "--kubeconfig", s.kubeconfig(), "apply", "--validate=false", "-f", "-")
		cmd.Stdin = strings.NewReader(all)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("kubectl apply: %w: %s", err, strings.TrimSpace(string(out)))
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.say("waiting for nodes and DNS")
	return retry(ctx, "wait for the cluster", func() error {
		s.mu.Lock()
		now := &state{Components: slices.Clone(s.state.Components)}
		s.mu.Unlock()
		return unwell(s.status(ctx, now))
	})
}

func allManifests() (string, error) {
	var all strings.Builder
	err := fs.WalkDir(manifests, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := manifests.ReadFile(path)
		all.WriteString("---\n")
		all.Write(data)
		return err
	})
	return all.String(), err
}

// parallel runs all, and cancels the rest when one fails.
func parallel(ctx context.Context, all ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make(chan error, len(all))
	for _, run := range all {
		go func() { errs <- run(ctx) }()
	}
	var first error
	for range all {
		if err := <-errs; err != nil && first == nil {
			first = err
			cancel()
		}
	}
	return first
}
