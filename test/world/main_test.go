package world

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
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
	testscript.Main(heeding{m}, programs)
}

// heeding are the tests, whoever runs them: what nohup has made deaf to SIGHUP
// starts programs that are so, too, unless it listens itself.
type heeding struct{ *testing.M }

func (h heeding) Run() int {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	return h.M.Run()
}

func (c command) program() string { return "kubectl-" + strings.ReplaceAll(c.name, "-", "_") }

// watching is the question about the well Deployment that is asked for ever.
func (c command) watching() []string {
	if c.name == "guard-rollout" {
		return append(c.well[:1:1], "--await", "--timeout", "0")
	}
	return append(c.well[:len(c.well):len(c.well)], "-w")
}
