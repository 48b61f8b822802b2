package faults

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/term"
	"github.com/leadsman-dev/leadsman/plugins/checkendpoints"
	"github.com/leadsman-dev/leadsman/plugins/explaintree"
	"github.com/leadsman-dev/leadsman/plugins/guardrollout"
	"github.com/leadsman-dev/leadsman/plugins/tracedns"
)

func TestMain(m *testing.M) {
	// There is no cluster; nothing may depend on one that the machine knows.
	if err := os.Setenv("KUBECONFIG", filepath.Join(os.TempDir(), "no-kubeconfig")); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func command(plugin string) cli.Plugin {
	return map[string]cli.Plugin{
		"explain-tree":    explaintree.Command,
		"check-endpoints": checkendpoints.Command,
		"guard-rollout":   guardrollout.Command,
		"trace-dns":       tracedns.Command,
	}[plugin]
}

func TestEveryRecordedCaseIsJudgedAsOnTheCluster(t *testing.T) {
	cases, err := Read(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Folder(), func(t *testing.T) {
			t.Parallel()
			a := c.judge(t, c.Ask, c.Recording())
			if err := c.Differs(a); err != nil {
				t.Errorf("%v\n%s", err, a.Outline())
			}
			if c.Beside != "" {
				a := c.judge(t, c.Beside, BesideRecording)
				if err := Accused(a, c.Mild, false); err != nil {
					t.Errorf("beside it: %v\n%s", err, a.Outline())
				}
			}
		})
	}
}

// judge runs the plugin on a recording.
func (c Case) judge(t *testing.T, ask, recording string) Answer {
	t.Helper()
	recorded := filepath.Join(filepath.FromSlash(c.Folder()), recording)
	if _, err := os.Stat(recorded); errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%s is missing; record it with: make faults RECORD=1 RUN=%s", recorded, c.Folder())
	}
	args := append([]string{"kubectl-" + strings.ReplaceAll(c.Plugin, "-", "_")}, c.Args(ask, "")...)
	if err := c.Fill(args, ".", t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if c.Watches() {
		args = append(args, "--replay", recorded, "--speed", "max")
	} else {
		args = append(args, "--snapshot", recorded)
	}
	var out, errs bytes.Buffer
	code := cli.Run(t.Context(), command(c.Plugin), args, term.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	a, err := ReadAnswer(out.Bytes(), code)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	return a
}

// A score says something only about enough of both, for every plugin.
func TestThereAreEnoughCases(t *testing.T) {
	cases, err := Read(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, plugin := range Plugins() {
		faults, healthy := 0, 0
		for _, c := range cases {
			switch {
			case c.Plugin != plugin:
			case c.Healthy:
				healthy++
			default:
				faults++
				if c.Beside != "" {
					healthy++
				}
			}
		}
		if faults < 25 || healthy < 15 {
			t.Errorf("%s: %d faults and %d healthy look-alikes, want 25 and 15 at least", plugin, faults, healthy)
		}
	}
}

func TestCasesThatSayTooLittleAreRefused(t *testing.T) {
	for name, c := range map[string]Case{
		"no story":           {Ask: "web", First: "tree/oom"},
		"no question":        {Story: "s", First: "tree/oom"},
		"neither":            {Story: "s", Ask: "web"},
		"both":               {Story: "s", Ask: "web", First: "tree/oom", Healthy: true},
		"a bad expression":   {Story: "s", Ask: "web", First: "tree/oom", Says: "("},
		"a fault's, healthy": {Story: "s", Ask: "web", Healthy: true, Decide: "x"},
		"nothing to watch":   {Story: "s", Ask: "web", First: "tree/oom", Meanwhile: []string{"true"}},
	} {
		if c.valid() == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}
