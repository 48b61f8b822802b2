package endpoints

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/cluster"
	"github.com/leadsman-dev/leadsman/test/e2e"
)

// The tests in this file break the cluster itself. They are not parallel, so
// they come before all others, and each mends what it broke.

// without stops a component until the test ends.
func without(t *testing.T, component string) (mend func()) {
	t.Helper()
	err := lab.Stop(t.Context(), component)
	if errors.Is(err, cluster.ErrNoLevers) {
		t.Log(err)
		return nil
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := errors.Join(lab.Start(ctx, component), lab.Await(ctx)); err != nil {
			t.Errorf("mend the cluster: %v", err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := lab.Start(t.Context(), component); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSlicesThatNobodyKeepsAreBlamedOnTheController(t *testing.T) {
	namespace := lab.Namespace(t, "ep-lever-slices")
	var first, late []string
	for _, name := range []string{"web", "api", "shop"} {
		first = append(first, e2e.Deployment(name, app), e2e.Service(name, "ports: [{port: 80, targetPort: 8080}]"))
		late = append(late, `{apiVersion: v1, kind: Pod, metadata: {name: `+name+`-2, labels: {app: `+name+`}}, spec: {terminationGracePeriodSeconds: 1, `+app+`}}`)
	}
	apply(t, namespace, docs(first...))
	kubectl(t, "-n", namespace, "wait", "--timeout=60s", "--for=condition=Available", "deployment", "--all")
	mend := without(t, cluster.ControllerManager)
	if mend == nil {
		return
	}
	apply(t, namespace, docs(late...))
	answer, err := lab.until(t.Context(), 90*time.Second, func(a Answer) error {
		if len(a.Report.Findings) == 0 || a.Report.Findings[0].Code != "endpoints/controller-stalled" {
			return errors.New("endpoints/controller-stalled is not the first finding")
		}
		return nil
	}, "-n", namespace)
	if err != nil {
		t.Errorf("%v\n%s%s", err, answer.Report.Outline(), answer.Stderr)
	}
	mend()
	after, err := lab.until(t.Context(), time.Minute, func(a Answer) error {
		if len(a.Report.Errors()) > 0 {
			return errors.New("it is still accused")
		}
		return nil
	}, "-n", namespace)
	if err != nil {
		t.Errorf("%v\n%s%s", err, after.Report.Outline(), after.Stderr)
	}
}

func TestADeadNodeIsTheCauseOfWhatItsPodsLack(t *testing.T) {
	namespace := lab.Namespace(t, "ep-lever-node")
	dead := cluster.Nodes()[1].Name
	apply(t, namespace, docs(e2e.Deployment("web", `{nodeName: `+dead+`, `+app+`}`), service("8080")))
	kubectl(t, "-n", namespace, "wait", "--timeout=60s", "--for=condition=Available", "deployment/web")
	if without(t, cluster.OnNode(dead, cluster.Kubelet)) == nil {
		return
	}
	answer, err := lab.until(t.Context(), 90*time.Second, func(a Answer) error {
		switch {
		case len(a.Report.Findings) == 0 || a.Report.Findings[0].Code != "endpoints/node-notready":
			return errors.New("endpoints/node-notready is not the first finding")
		case a.Exit != 2:
			return fmt.Errorf("the exit code is %d", a.Exit)
		}
		return nil
	}, "-n", namespace, "web")
	if err != nil {
		t.Errorf("%v\n%s%s", err, answer.Report.Outline(), answer.Stderr)
	}
}
