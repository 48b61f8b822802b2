package world

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/leadsman-dev/leadsman/pkg/cli"
)

// TestMain puts every plugin on the PATH, for what only a process meets:
// signals, a terminal of its own, a reader that goes away.
func TestMain(m *testing.M) {
	programs := map[string]func(){}
	for _, c := range commands {
		programs[c.program()] = func() { cli.Main(c.plugin) }
	}
	testscript.Main(m, programs)
}

func (c command) program() string { return "kubectl-" + strings.ReplaceAll(c.name, "-", "_") }

// watching is the question about the well Deployment that is asked for ever.
func (c command) watching() []string {
	if c.name == "guard-rollout" {
		return append(c.well[:1:1], "--await", "--timeout", "0")
	}
	return append(c.well[:len(c.well):len(c.well)], "-w")
}
