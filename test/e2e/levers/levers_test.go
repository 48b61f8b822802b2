// Package levers tests what only a cluster whose machines are within reach can
// show. Each test mends the cluster before it ends.
package levers

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/cluster"
	"github.com/leadsman-dev/leadsman/test/e2e"
)

var lab e2e.Lab

func TestMain(m *testing.M) { os.Exit(e2e.Main(m, &lab)) }

// on is a pod spec that runs on that node only.
func on(node string) string {
	return `{nodeName: ` + node + `, containers: [{name: web, image: "nginx:1.25"}]}`
}

func first(code, object string) func(e2e.Answer) error {
	return func(a e2e.Answer) error {
		switch {
		case len(a.Report.Findings) == 0:
			return fmt.Errorf("no finding: %s", a.Report.Summary)
		case a.Report.Findings[0].Code != code || !strings.HasPrefix(a.Report.Findings[0].Object.String(), object):
			return fmt.Errorf("%s of %s comes first instead of %s of %s", a.Report.Findings[0].Code, a.Report.Findings[0].Object, code, object)
		}
		return nil
	}
}

func well(a e2e.Answer) error {
	if a.Report.Verdict != "ok" || len(a.Report.Errors()) > 0 {
		return fmt.Errorf("it is %s: %s", a.Report.Verdict, a.Report.Summary)
	}
	return nil
}

func expect(t *testing.T, namespace, ask string, patience time.Duration, check func(e2e.Answer) error) {
	t.Helper()
	answer, err := lab.Until(t.Context(), patience, check, "-n", namespace, ask)
	if err != nil {
		t.Errorf("%s: %v\n%s%s", ask, err, answer.Report.Outline(), answer.Stderr)
	}
	t.Log("\n" + lab.Ask(t, "-n", namespace, ask).Stdout)
}

// mend runs at the end, when the test's own context is over.
func mend(t *testing.T, how func(context.Context) error) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := how(ctx); err != nil {
			t.Errorf("mend the cluster: %v", err)
		}
	})
}

func TestADeadNodeOutranksTheSymptomsOfItsPods(t *testing.T) {
	nodes := cluster.Nodes()
	dead, alive := nodes[1], nodes[0]
	namespace := lab.Namespace(t, "lever-node")
	if err := lab.Apply(t.Context(), namespace, e2e.Documents(e2e.Deployment("web", on(dead.Name)), e2e.Deployment("fine", on(alive.Name)))); err != nil {
		t.Fatal(err)
	}
	expect(t, namespace, "deployment/web", time.Minute, well)
	kubelet := cluster.OnNode(dead.Name, cluster.Kubelet)
	mend(t, func(ctx context.Context) error { return lab.Start(ctx, kubelet) })
	if err := lab.Stop(t.Context(), kubelet); err != nil {
		t.Fatal(err)
	}
	expect(t, namespace, "deployment/web", time.Minute, func(a e2e.Answer) error {
		if !strings.Contains(a.Report.Summary, dead.Name) {
			return fmt.Errorf("the node is not named: %s", a.Report.Summary)
		}
		return first("tree/node-notready", "")(a)
	})
	expect(t, namespace, "node/"+dead.Name, 10*time.Second, first("tree/node-notready", "Node/"+dead.Name))
	expect(t, namespace, "deployment/fine", 10*time.Second, well)
	if err := lab.Start(t.Context(), kubelet); err != nil {
		t.Fatal(err)
	}
	expect(t, namespace, "deployment/web", time.Minute, well)
}

func TestATaintThatNobodyToleratesIsNamed(t *testing.T) {
	namespace := lab.Namespace(t, "lever-taint")
	kubectl := func(ctx context.Context, args ...string) error {
		_, err := lab.Kubectl(ctx, args...)
		return err
	}
	mend(t, func(ctx context.Context) error {
		return kubectl(ctx, "taint", "nodes", "--all", "e2e.example.com/full-")
	})
	if err := kubectl(t.Context(), "taint", "nodes", "--all", "e2e.example.com/full=yes:NoSchedule"); err != nil {
		t.Fatal(err)
	}
	const nginx = `containers: [{name: web, image: "nginx:1.25"}]`
	if err := lab.Apply(t.Context(), namespace, e2e.Documents(e2e.Deployment("web", nginx), e2e.Deployment("fine", `{tolerations: [{key: e2e.example.com/full, operator: Exists}], `+nginx+`}`))); err != nil {
		t.Fatal(err)
	}
	expect(t, namespace, "deployment/web", 30*time.Second, func(a e2e.Answer) error {
		if err := first("tree/unsched-taint", "Pod/web-")(a); err != nil {
			return err
		}
		if !strings.Contains(a.Report.Summary, "e2e.example.com/full") {
			return fmt.Errorf("the taint is not named: %s", a.Report.Summary)
		}
		return nil
	})
	expect(t, namespace, "deployment/fine", 20*time.Second, well)
}
