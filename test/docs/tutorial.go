package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/leadsman-dev/leadsman/test/demo/story"
)

// walkthroughs are the titles of the stories' parts, by the number with which
// their folders begin.
var walkthroughs = map[string]string{
	"1": "The workshop: a web server and a database before a sale",
	"2": "The labs: counters, controllers, labels",
	"3": "Labels added later",
	"4": "What runs the cluster",
	"5": "The realistic application: nginx, Go, Redis",
}

// tutorialPage tells the recorded stories, with what the commands really say.
func tutorialPage() ([]byte, error) {
	stories, err := story.Read(os.DirFS("test/demo"))
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "leadsman-docs-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	var b bytes.Buffer
	b.WriteString("# A tutorial in five walkthroughs\n\n" + generated)
	b.WriteString("Everyday courses of events with which people learn Kubernetes, recorded on a real cluster. `make demo` tells the same in a\nterminal; add `--learn` to any command to have each kind and each relation explained.\n")
	part := ""
	for _, s := range stories {
		if number, _, _ := strings.Cut(s.Name, "-"); number != part {
			part = number
			fmt.Fprintf(&b, "\n## %s. %s\n", part, walkthroughs[part])
		}
		file := filepath.Join(folder, s.File())
		if err := os.WriteFile(file, s.Record, 0o600); err != nil {
			return nil, err
		}
		c, err := called(s.Command)
		if err != nil {
			return nil, err
		}
		out, err := onRecording(c, strings.Fields(s.Args), s.Flag == "replay", file)
		if err != nil {
			return nil, fmt.Errorf("story %s: %w", s.Name, err)
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n```console\n$ kubectl %s %s\n%s```\n", prose(s.Title), prose(s.Prose), s.Command, s.Args, out)
	}
	return b.Bytes(), nil
}

func called(name string) (command, error) {
	for _, c := range commands() {
		if c.name == name {
			return c, nil
		}
	}
	return command{}, fmt.Errorf("there is no command %q", name)
}
