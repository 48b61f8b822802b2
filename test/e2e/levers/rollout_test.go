package levers

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/cluster"
	"github.com/leadsman-dev/leadsman/test/e2e"
)

// rollout is what guard-rollout's last line says.
type rollout struct {
	e2e.Report
	Rollouts []struct {
		Phase        string
		Availability []struct {
			Verdict           string
			UnobservedSeconds float64 `json:"unobservedSeconds"`
		}
	}
}

const ready = `{terminationGracePeriodSeconds: 5, containers: [{name: app, image: "netapp:v1", env: [{name: DRAIN, value: 3s}], readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}}]}`

// guard starts guard-rollout; end waits for its last word.
func guard(t *testing.T, l *e2e.Lab, args ...string) (end func() (rollout, int)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	var out bytes.Buffer
	cmd := l.Command(ctx, append(args, "-o", "ndjson")...)
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() (rollout, int) {
		defer cancel()
		_ = cmd.Wait()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		var r rollout
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &r); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		return r, cmd.ProcessState.ExitCode()
	}
}

func kubectl(t *testing.T, namespace string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), lab.KubectlPath, append([]string{"--kubeconfig", lab.Kubeconfig, "-n", namespace}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("kubectl %v: %v: %s", args, err, out)
	}
}

// The API server restarts while it rolls: the watch resumes, the rollout is
// followed to its end, and the seconds in between stand in the proof.
func TestARolloutSurvivesARestartOfTheAPIServer(t *testing.T) {
	l := lab.Beside(t, "guard_rollout")
	namespace := lab.Namespace(t, "lever-api")
	if err := lab.Apply(t.Context(), namespace, e2e.Documents(e2e.Deployment("web", ready, "replicas: 3"), e2e.Service("web", "ports: [{port: 80, targetPort: 8080}]"))); err != nil {
		t.Fatal(err)
	}
	kubectl(t, namespace, "rollout", "status", "deployment/web", "--timeout=60s")
	end := guard(t, l, "-n", namespace, "deployment/web", "--await", "--stable-for", "2s", "--timeout", "2m")
	time.Sleep(2 * time.Second)
	kubectl(t, namespace, "set", "env", "deployment/web", "READY_AFTER=4s")
	time.Sleep(2 * time.Second)
	mend(t, func(ctx context.Context) error { return lab.Await(ctx) })
	if err := lab.Restart(t.Context(), cluster.APIServer); err != nil {
		t.Fatal(err)
	}
	r, code := end()
	if code != 0 || len(r.Rollouts) != 1 || r.Rollouts[0].Phase != "complete" || len(r.Rollouts[0].Availability) != 1 || r.Rollouts[0].Availability[0].UnobservedSeconds <= 0 {
		t.Errorf("exit code %d, %+v\n%s", code, r.Rollouts, r.Outline())
	}
	t.Logf("%+v\n%s", r.Rollouts, r.Outline())
}

// A DaemonSet's pod on a dead node is told apart and does not fail the roll.
func TestADeadNodeDoesNotFailADaemonSet(t *testing.T) {
	l := lab.Beside(t, "guard_rollout")
	dead := cluster.Nodes()[1]
	namespace := lab.Namespace(t, "lever-ds")
	if err := lab.Apply(t.Context(), namespace, e2e.DaemonSet("agent", ready)); err != nil {
		t.Fatal(err)
	}
	kubectl(t, namespace, "rollout", "status", "daemonset/agent", "--timeout=60s")
	kubelet := cluster.OnNode(dead.Name, cluster.Kubelet)
	mend(t, func(ctx context.Context) error { return lab.Start(ctx, kubelet) })
	if err := lab.Stop(t.Context(), kubelet); err != nil {
		t.Fatal(err)
	}
	kubectl(t, namespace, "wait", "node/"+dead.Name, "--for=condition=Ready=Unknown", "--timeout=90s")
	kubectl(t, namespace, "patch", "daemonset/agent", "--type=merge", "-p", `{"spec":{"updateStrategy":{"rollingUpdate":{"maxUnavailable":2}},"template":{"metadata":{"annotations":{"roll":"1"}}}}}`)
	r, code := guard(t, l, "-n", namespace, "daemonset/agent", "--stable-for", "1s", "--timeout", "1m")()
	f, found := r.Find("rollout/ds-node-down")
	if code != 0 || !found || !strings.Contains(f.Message, dead.Name) {
		t.Errorf("exit code %d\n%s", code, r.Outline())
	}
	t.Log(r.Outline())
}

// A controller that is down is named; it is not the rollout's fault.
func TestAControllerThatIsDownIsNamed(t *testing.T) {
	l := lab.Beside(t, "guard_rollout")
	namespace := lab.Namespace(t, "lever-cm")
	if err := lab.Apply(t.Context(), namespace, e2e.Deployment("web", ready)); err != nil {
		t.Fatal(err)
	}
	kubectl(t, namespace, "rollout", "status", "deployment/web", "--timeout=60s")
	mend(t, func(ctx context.Context) error { return lab.Start(ctx, cluster.ControllerManager) })
	if err := lab.Stop(t.Context(), cluster.ControllerManager); err != nil {
		t.Fatal(err)
	}
	kubectl(t, namespace, "set", "env", "deployment/web", "A=b")
	r, code := guard(t, l, "-n", namespace, "deployment/web", "--timeout", "40s")()
	if _, found := r.Find("rollout/observed-lag"); code != 4 || !found || r.Findings[0].Code != "rollout/observed-lag" {
		t.Errorf("exit code %d\n%s", code, r.Outline())
	}
	t.Log(r.Outline())
}
