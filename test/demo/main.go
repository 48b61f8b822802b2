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
	stories, err := read(recorded)
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
			return fmt.Errorf("story %s: %w", s.name, err)
		}
	}
	_, err = fmt.Fprintf(out, "\n%d stories. Ask your own cluster the same: make install, then kubectl explain-tree TYPE/NAME\n", len(stories))
	return err
}

// tell prints a story, the command as one would type it, and what it answers.
func tell(out io.Writer, number int, s story, bin, folder string) error {
	record := filepath.Join(folder, s.file())
	if err := os.WriteFile(record, s.record, 0o600); err != nil {
		return err
	}
	line := strings.Repeat("─", 78)
	if _, err := fmt.Fprintf(out, "\n%s\n%d. %s\n%s\n%s\n\n$ kubectl %s %s\n", line, number, s.title, line, strings.Join(term.Wrap(strings.Join(strings.Fields(s.prose), " "), 78), "\n"), s.command, s.args); err != nil {
		return err
	}
	args := append(strings.Fields(s.args), "--"+s.flag, record)
	if s.flag == "replay" && term.IsTerminal(out) {
		args = append(args, "--speed", pace)
	}
	cmd := exec.Command(filepath.Join(bin, "kubectl-"+strings.ReplaceAll(s.command, "-", "_")), args...)
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
