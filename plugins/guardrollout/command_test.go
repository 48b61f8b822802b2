package guardrollout

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

func environment(in string) (*cli.Env, *bytes.Buffer) {
	var out bytes.Buffer
	return &cli.Env{
		Streams: term.Streams{In: strings.NewReader(in), Out: &out, Err: &out},
		Config:  genericclioptions.NewConfigFlags(true), Display: "kubectl guard-rollout", Now: func() time.Time { return time.Unix(1000, 0) },
	}, &out
}

func parsed(args ...string) (options, error) {
	env, _ := environment("")
	var got options
	cmd := command(env, func(_ context.Context, o options) error { got = o; return nil })
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(context.Background())
	return got, err
}

func TestTargetsAreNamedAsKubectlNamesThem(t *testing.T) {
	deployment := func(name string) object.Ref { return object.New("apps/v1", "Deployment", "", name) }
	for line, want := range map[string][]object.Ref{
		"deploy/web":                       {deployment("web")},
		"deployments.apps/web":             {deployment("web")},
		"deploy web api":                   {deployment("web"), deployment("api")},
		"deploy/web deploy/api deploy/web": {deployment("web"), deployment("api")},
		"sts/db ds/agent":                  {object.New("apps/v1", "StatefulSet", "", "db"), object.New("apps/v1", "DaemonSet", "", "agent")},
	} {
		o, err := parsed(strings.Fields(line)...)
		if diff := cmp.Diff(want, o.targets); diff != "" || err != nil {
			t.Errorf("%s: %v %s", line, err, diff)
		}
	}
}

func TestWhatExcludesEachOtherIsRefused(t *testing.T) {
	for name, line := range map[string]string{
		"nothing":                           "",
		"another kind":                      "pod/web",
		"a ReplicaSet, which rolls nothing": "rs/web",
		"a kind alone":                      "deploy",
		"an empty name":                     "deploy/",
		"a path":                            "deploy/web/app",
		"two ways of naming at once":        "deploy web sts/db",
		"a name and a selector":             "deploy/web -l app=web",
		"a name and a file":                 "deploy/web -f web.yaml",
		"a file and a selector":             "-f web.yaml -l app=web",
		"a snapshot and a recording":        "--snapshot x --replay y",
		"a snapshot that is recorded":       "--snapshot x --record y",
		"a recording that is probed":        "--replay x --probe svc/web:80",
		"a snapshot to wait on":             "--snapshot x --await",
		"a recording to roll back":          "--replay x --on-failure=rollback --yes",
		"a preflight of a recording":        "--replay x --preflight",
		"a revision without a rollback":     "deploy/web --to-revision 3",
		"a pod to delete without one":       "deploy/web --on-failure=pause --delete-trapped-pod",
		"a rollback that nobody can permit": "deploy/web --on-failure=rollback",
		"an unknown way of failing":         "deploy/web --on-failure=panic",
		"an unknown format":                 "deploy/web -o dot",
		"unknown annotations":               "deploy/web --annotations gitlab",
		"annotations in a document":         "deploy/web --annotations github -o json",
		"a time before it began":            "deploy/web --timeout -1s",
		"a negative revision":               "deploy/web --on-failure=rollback --yes --to-revision -1",
		"no patience":                       "deploy/web --probe svc/web:80 --probe-timeout 0s",
		"a flood":                           "deploy/web --probe svc/web:80 --probe-rate 5000",
		"a speed without a recording":       "deploy/web --speed 2x",
		"a speed that is none":              "--replay x --speed fast",
		"standing still":                    "--replay x --speed 0x",
		"going back in time":                "--replay x --speed -1x",
	} {
		if _, err := parsed(strings.Fields(line)...); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASpeedIsSecondsOfTheRecordingInOne(t *testing.T) {
	for speed, want := range map[string]float64{"1x": 1, "10x": 10, "0.5x": 0.5, "3": 3, "max": 0, "": 0} {
		line := []string{"--replay", "x"}
		if speed != "" {
			line = append(line, "--speed", speed)
		}
		if o, err := parsed(line...); err != nil || o.pace != want {
			t.Errorf("%q: %v %v", speed, o.pace, err)
		}
	}
}

func TestAPageNeedsNoCluster(t *testing.T) {
	for _, args := range [][]string{{"--print-rbac"}, {"--explain", "rollout/quota"}, {"--explain", "all"}} {
		env, out := environment("")
		cmd := Command(env)
		cmd.SetArgs(append(args, "whatever/is/named"))
		if err := cmd.Execute(); err != nil || out.Len() == 0 {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestTheExitCodeIsTheWorstEnd(t *testing.T) {
	lost := []report.Proof{{Verdict: report.BrokenProof}}
	end := func(phase report.Phase) *report.Rollout { return &report.Rollout{Phase: phase} }
	for name, c := range map[string]struct {
		rollouts []*report.Rollout
		found    []finding.Finding
		failOn   cli.FailOn
		want     int
	}{
		"it is complete":                      {rollouts: []*report.Rollout{end(report.PhaseComplete)}},
		"it cannot finish":                    {rollouts: []*report.Rollout{end(report.PhaseFailed)}, want: 2},
		"it cannot finish, and may":           {rollouts: []*report.Rollout{end(report.PhaseFailed)}, failOn: cli.FailNever},
		"too little was seen":                 {rollouts: []*report.Rollout{end(report.PhaseUnknown)}, want: 3},
		"time is up":                          {rollouts: []*report.Rollout{end(report.PhaseTimedOut)}, want: 4},
		"another took its place":              {rollouts: []*report.Rollout{end(report.PhaseSuperseded)}, want: 5},
		"it is gone":                          {rollouts: []*report.Rollout{end(report.PhaseDeleted)}, want: 5},
		"service was lost on the way":         {rollouts: []*report.Rollout{{Phase: report.PhaseComplete, Proof: lost}}, want: 6},
		"a request failed on the way":         {rollouts: []*report.Rollout{{Phase: report.PhaseComplete, Probes: []report.LiveProbe{{Failed: 1}}}}, want: 6},
		"it was rolled back":                  {rollouts: []*report.Rollout{end(report.PhaseReturned)}, want: 7},
		"it was rolled back, and may":         {rollouts: []*report.Rollout{end(report.PhaseReturned)}, failOn: cli.FailNever, want: 7},
		"it could not be":                     {rollouts: []*report.Rollout{end(report.PhaseLost)}, want: 8},
		"one failed, one is fine":             {rollouts: []*report.Rollout{end(report.PhaseComplete), end(report.PhaseFailed)}, want: 2},
		"one failed, one was rolled back":     {rollouts: []*report.Rollout{end(report.PhaseFailed), end(report.PhaseReturned)}, want: 7},
		"it failed, and service was lost":     {rollouts: []*report.Rollout{{Phase: report.PhaseFailed, Proof: lost}}, want: 2},
		"advice against it, and it went well": {rollouts: []*report.Rollout{end(report.PhaseComplete)}, found: []finding.Finding{{Code: "preflight/rwo-rolling-update", Severity: finding.Error}}},
	} {
		o := options{Shared: cli.Shared{FailOn: cli.FailOnError}}
		if c.failOn != "" {
			o.FailOn = c.failOn
		}
		if got := cli.Code(o.exit(&report.Report{Rollouts: c.rollouts, Findings: c.found})); got != c.want {
			t.Errorf("%s: exit code %d, not %d", name, got, c.want)
		}
	}
}
