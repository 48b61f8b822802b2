// Command demo tells the stories: it runs the real plugins on clusters that
// were recorded, so that a machine with nothing but Go can show them.
package main

import (
	"embed"
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
	snapshot := filepath.Join(folder, s.name+".yaml.gz")
	if err := os.WriteFile(snapshot, s.snapshot, 0o600); err != nil {
		return err
	}
	line := strings.Repeat("─", 78)
	if _, err := fmt.Fprintf(out, "\n%s\n%d. %s\n%s\n%s\n\n$ kubectl explain-tree %s\n", line, number, s.title, line, strings.Join(term.Wrap(strings.Join(strings.Fields(s.prose), " "), 78), "\n"), s.args); err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(bin, "kubectl-explain_tree"), append(strings.Fields(s.args), "--snapshot", snapshot)...)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	return cmd.Run()
}
