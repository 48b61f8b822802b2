// Command demo tells the stories: it runs the real plugins on clusters that
// were recorded, so that a machine with nothing but Go can show them.
package main

import (
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/term"
	"github.com/leadsman-dev/leadsman/test/demo/story"
)

//go:embed stories
var recorded embed.FS

func main() {
	bin := flag.String("bin", "bin", "the `folder` of the built plugins")
	flag.Parse()
	if err := run(*bin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(bin string, out io.Writer) error {
	stories, err := story.Read(recorded)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "leadsman-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	for i, s := range stories {
		if err := tell(out, i+1, s, bin, folder); err != nil {
			return fmt.Errorf("story %s: %w", s.Name, err)
		}
	}
	_, err = fmt.Fprintf(out, "\n%d stories. Ask your own cluster the same: make install, then kubectl explain-tree TYPE/NAME\n", len(stories))
	return err
}

// tell prints a story, the command as one would type it, and what it answers.
func tell(out io.Writer, number int, s story.Story, bin, folder string) error {
	record := filepath.Join(folder, s.File())
	if err := os.WriteFile(record, s.Record, 0o600); err != nil {
		return err
	}
	line := strings.Repeat("─", 78)
	if _, err := fmt.Fprintf(out, "\n%s\n%d. %s\n%s\n%s\n\n$ kubectl %s %s\n", line, number, s.Title, line, strings.Join(term.Wrap(strings.Join(strings.Fields(s.Prose), " "), 78), "\n"), s.Command, s.Args); err != nil {
		return err
	}
	args := append(strings.Fields(s.Args), "--"+s.Flag, record)
	if s.Flag == "replay" && term.IsTerminal(out) {
		args = append(args, "--speed", pace)
	}
	cmd := exec.Command(filepath.Join(bin, "kubectl-"+strings.ReplaceAll(s.Command, "-", "_")), args...)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() >= foundSomething {
		return nil
	}
	return err
}

const (
	pace           = "4x" // of a rollout on a screen; elsewhere it is told without waiting
	foundSomething = 2    // and the exit codes above it: it ran, and all is not well
)
