package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/term"
	"github.com/leadsman-dev/leadsman/plugins/explaintree"
)

func TestEveryStoryIsAnswered(t *testing.T) {
	stories, err := read(recorded)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			snapshot := filepath.Join(t.TempDir(), "snapshot.yaml.gz")
			if err := os.WriteFile(snapshot, s.snapshot, 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			argv := append([]string{"kubectl-explain_tree", "--snapshot", snapshot}, strings.Fields(s.args)...)
			code := cli.Run(t.Context(), explaintree.Command, argv, term.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
			if code != cli.ExitOK || errs.Len() > 0 {
				t.Errorf("kubectl explain-tree %s: exit code %d: %s", s.args, code, errs.String())
			}
			if strings.Contains(out.String(), "not in the snapshot") {
				t.Errorf("the recording lacks what the question needs:\n%s", out.String())
			}
		})
	}
}
