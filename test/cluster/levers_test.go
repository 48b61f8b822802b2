package cluster_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/cluster"
)

// The levers break a cluster that others may be using, so this asks for consent.
func TestLeversBreakAndMendTheCluster(t *testing.T) {
	if os.Getenv("LEADSMAN_E2E_LEVERS") != "1" {
		t.Skip("breaks the running cluster for minutes; set LEADSMAN_E2E_LEVERS=1 to do so")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	c, err := cluster.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ready := func(want string) {
		t.Helper()
		start := time.Now()
		for {
			got, err := c.Kubectl(ctx, "get", "node", "lab-n2", "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`)
			if err == nil && got == want {
				t.Logf("Ready=%s after %v", want, time.Since(start).Round(time.Second))
				return
			}
			if time.Since(start) > 90*time.Second {
				t.Fatalf("node lab-n2: Ready is %q, want %q (%v)", got, want, err)
			}
			time.Sleep(time.Second)
		}
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	t.Run("a stopped kubelet makes its node unknown", func(t *testing.T) {
		kubelet := cluster.OnNode("lab-n2", cluster.Kubelet)
		do(c.Stop(ctx, kubelet))
		ready("Unknown")
		do(c.Start(ctx, kubelet))
		ready("True")
	})
	t.Run("a cut cable makes its node unknown", func(t *testing.T) {
		do(c.Cut(ctx, "lab-n2"))
		ready("Unknown")
		do(c.Heal(ctx, "lab-n2"))
		ready("True")
	})
	t.Run("without the controller manager a deployment has no pods", func(t *testing.T) {
		ns := c.Namespace(t, "levers")
		do(c.Stop(ctx, cluster.ControllerManager))
		_, err := c.Kubectl(ctx, "--namespace", ns, "create", "deployment", "web", "--image=nginx")
		do(err)
		time.Sleep(2 * time.Second)
		if pods, err := c.Kubectl(ctx, "--namespace", ns, "get", "pods", "--output=name"); err != nil || pods != "" {
			t.Errorf("pods = %q, %v, want none", pods, err)
		}
		do(c.Start(ctx, cluster.ControllerManager))
		_, err = c.Kubectl(ctx, "--namespace", ns, "wait", "--for=condition=Available", "deployment/web", "--timeout=60s")
		do(err)
	})
	t.Run("without the scheduler a pod stays pending", func(t *testing.T) {
		ns := c.Namespace(t, "levers")
		do(c.Kill(ctx, cluster.Scheduler))
		_, err := c.Kubectl(ctx, "--namespace", ns, "run", "web", "--image=nginx")
		do(err)
		time.Sleep(2 * time.Second)
		if phase, err := c.Kubectl(ctx, "--namespace", ns, "get", "pod", "web", "--output=jsonpath={.status.phase}"); err != nil || phase != "Pending" {
			t.Errorf("phase = %q, %v, want Pending", phase, err)
		}
		do(c.Start(ctx, cluster.Scheduler))
		_, err = c.Kubectl(ctx, "--namespace", ns, "wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
		do(err)
	})
	t.Run("a killed CoreDNS is started again by its kubelet", func(t *testing.T) {
		do(c.KillDNS(ctx, "lab-n1"))
		time.Sleep(2 * time.Second)
		do(c.Await(ctx))
		restarts, err := c.Kubectl(ctx, "--namespace=kube-system", "get", "pods", "--selector=k8s-app=kube-dns",
			"--field-selector=spec.nodeName=lab-n1", "--output=jsonpath={.items[*].status.containerStatuses[*].restartCount}")
		if err != nil || strings.TrimSpace(restarts) == "0" {
			t.Errorf("restarts = %q, %v, want at least one", restarts, err)
		}
	})
	t.Run("a restarted API server serves what was there", func(t *testing.T) {
		do(c.Restart(ctx, cluster.APIServer))
		do(c.Await(ctx))
	})
	t.Run("pods outlive a restart of containerd", func(t *testing.T) {
		do(c.Restart(ctx, cluster.OnNode("lab-n2", cluster.Containerd)))
		do(c.Await(ctx))
	})
}
