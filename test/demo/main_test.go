package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/term"
	"github.com/leadsman-dev/leadsman/plugins/explaintree"
	"github.com/leadsman-dev/leadsman/plugins/guardrollout"
	"github.com/leadsman-dev/leadsman/test/demo/story"
)

func TestEveryStoryIsAnswered(t *testing.T) {
	stories, err := story.Read(recorded)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stories {
		t.Run(s.Name, func(t *testing.T) {
			record := filepath.Join(t.TempDir(), s.File())
			if err := os.WriteFile(record, s.Record, 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			command, told := explaintree.Command, []int{cli.ExitOK}
			if s.Command == "guard-rollout" {
				command, told = guardrollout.Command, []int{cli.ExitOK, cli.ExitProblem}
			}
			argv := append([]string{"kubectl-" + strings.ReplaceAll(s.Command, "-", "_"), "--" + s.Flag, record}, strings.Fields(s.Args)...)
			code := cli.Run(t.Context(), command, argv, term.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
			if !slices.Contains(told, code) || errs.Len() > 0 {
				t.Errorf("kubectl %s %s: exit code %d: %s", s.Command, s.Args, code, errs.String())
			}
			if strings.Contains(out.String(), "not in the snapshot") {
				t.Errorf("the recording lacks what the question needs:\n%s", out.String())
			}
		})
	}
}
