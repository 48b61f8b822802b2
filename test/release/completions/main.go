// Command completions writes, into a folder, the scripts that complete each
// plugin in each shell, for the release's archives.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/cli/shells"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: completions FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "completions:", err)
		os.Exit(1)
	}
}

func run(folder string) error {
	programs, err := filepath.Glob("cmd/kubectl-*")
	if err != nil || len(programs) == 0 {
		return fmt.Errorf("no cmd/kubectl-* here; run it where go.mod is")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, program := range programs {
		program = filepath.Base(program)
		for shell, file := range shells.Names() {
			var b bytes.Buffer
			if err := shells.Script(&b, program, shell); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(folder, strings.Replace(file, "*", program, 1)), b.Bytes(), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
