package cluster

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Cluster is a running cluster and the way to it.
type Cluster struct {
	Kubeconfig  string // path of the administrator's kubeconfig
	KubectlPath string // path of a kubectl; that of the cluster's own version, unless External
	External    bool   // it was there before; its machines are out of reach
	dir         folder
}

// Connect returns the cluster that runs, without starting or mending anything.
//
// With LEADSMAN_E2E_EXTERNAL=1 that is the one that KUBECONFIG names, with the
// kubectl of PATH; it has no levers, and none of this module's images.
func Connect(ctx context.Context) (*Cluster, error) {
	if os.Getenv("LEADSMAN_E2E_EXTERNAL") == "1" {
		return external()
	}
	c, err := Current()
	if err != nil {
		return nil, err
	}
	if _, err := c.dir.client().get(ctx, endpoint(APIServer)); err != nil {
		return nil, fmt.Errorf("the cluster's API server does not answer: %w; mend it in test/cluster with: go run ./cmd/cluster up", err)
	}
	return c, nil
}

// Current returns the cluster that was started in the state folder, whether it
// works or not.
func Current() (*Cluster, error) {
	dir, err := Dir()
	if err != nil {
		return nil, err
	}
	f := folder(dir)
	s, err := f.loadState()
	if err != nil {
		return nil, err
	}
	if s == nil || !s.Complete {
		return nil, fmt.Errorf("%w in state folder %s; start one in test/cluster with: go run ./cmd/cluster up", errNone, dir)
	}
	return f.cluster(s), nil
}

func external() (*Cluster, error) {
	kubeconfig := os.Getenv("KUBECONFIG")
	if kubeconfig == "" {
		return nil, errors.New("LEADSMAN_E2E_EXTERNAL=1 takes the cluster of KUBECONFIG, which is not set")
	}
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		return nil, fmt.Errorf("find kubectl for the external cluster: %w", err)
	}
	return &Cluster{Kubeconfig: kubeconfig, KubectlPath: kubectl, External: true}, nil
}

func (f folder) cluster(s *state) *Cluster {
	return &Cluster{Kubeconfig: f.kubeconfig(), KubectlPath: s.Binaries.kube("kubectl"), dir: f}
}

// Kubectl runs kubectl against the cluster and returns its standard output. The
// error holds what it wrote to standard error.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) (string, error) {
	return run(c.Command(ctx, args...))
}

// Command returns a kubectl command against the cluster that has not started.
// Its environment finds this kubectl, and plugins in the caller's PATH.
func (c *Cluster) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.KubectlPath, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig, "PATH="+filepath.Dir(c.KubectlPath)+":"+os.Getenv("PATH"))
	return cmd
}

// Apply applies manifests to a namespace.
func (c *Cluster) Apply(ctx context.Context, namespace, manifests string) error {
	cmd := c.Command(ctx, "--namespace", namespace, "apply", "-f", "-")
	cmd.Stdin = strings.NewReader(manifests)
	_, err := run(cmd)
	return err
}

func run(cmd *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(cmd.Args[1:], " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// NewNamespace makes a namespace named after prefix in which pods can be made
// at once, and returns how to delete it again without waiting for its end.
func (c *Cluster) NewNamespace(ctx context.Context, prefix string) (name string, remove func(context.Context) error, err error) {
	name = strings.Trim(prefix, "-") + "-" + strings.ToLower(rand.Text()[:6])
	if _, err := c.Kubectl(ctx, "create", "namespace", name); err != nil {
		return "", nil, err
	}
	remove = func(ctx context.Context) error {
		_, err := c.Kubectl(ctx, "delete", "namespace", name, "--wait=false", "--ignore-not-found")
		return err
	}
	// Pods are refused until the namespace has its default ServiceAccount.
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	err = retry(ctx, "wait for the service account of "+name, func() error {
		_, err := c.Kubectl(ctx, "--namespace", name, "get", "serviceaccount/default", "configmap/kube-root-ca.crt")
		return err
	})
	if err != nil {
		return "", nil, errors.Join(err, remove(context.WithoutCancel(ctx)))
	}
	return name, remove, nil
}

// TB is what of testing.TB Namespace needs.
type TB interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// Namespace is NewNamespace for a test: it is deleted when the test ends.
func (c *Cluster) Namespace(t TB, prefix string) string {
	t.Helper()
	name, remove, err := c.NewNamespace(t.Context(), prefix)
	if err != nil {
		t.Fatalf("make a namespace: %v", err)
	}
	t.Cleanup(func() {
		// The test's own context has ended by now.
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := remove(ctx); err != nil {
			t.Logf("delete namespace %s: %v", name, err)
		}
	})
	return name
}
