package main

import (
	"bytes"
	"fmt"

	"github.com/leadsman-dev/leadsman/pkg/cli"
)

// exit is one exit code and what it tells a script.
type exit struct {
	code  int
	means string
}

// deleted is how a watch ends when its object does.
func deleted() exit {
	return exit{cli.ExitSuperseded, "with `-w`: the object was deleted"}
}

// answers are the exit codes of a plugin that asks and answers, where failOn is
// what --fail-on is unless one says so.
func answers(failOn string, more ...exit) []exit {
	codes := []exit{
		{cli.ExitOK, "it ran, and found nothing that `--fail-on` counts"},
		{cli.ExitError, "it could not run"},
		{cli.ExitProblem, fmt.Sprintf("a problem was found that `--fail-on` counts (`%s`, unless you say so)", failOn)},
		{cli.ExitUnknown, "not enough could be seen for a verdict"},
		{cli.ExitTimedOut, "timed out"},
	}
	return append(append(codes, more...), exit{cli.ExitInterrupted, "interrupted, or the terminal was closed"}, closed())
}

// closed is how a program ends whose output nobody reads.
func closed() exit {
	return exit{cli.ExitClosed, "nobody reads its output any more, as behind `| head`"}
}

// rolls are the exit codes of guard-rollout: how the rollout ended.
func rolls() []exit {
	return []exit{
		{cli.ExitOK, "it is rolled out, and service was kept"},
		{cli.ExitError, "it could not run"},
		{cli.ExitProblem, "the rollout cannot finish, or `--fail-on` counts what was found on the way; not with `--fail-on never`"},
		{cli.ExitUnknown, "too little could be seen for a verdict"},
		{cli.ExitTimedOut, "`--timeout` passed first"},
		{cli.ExitSuperseded, "another rollout took its place, or the object was deleted"},
		{cli.ExitAvailability, "it is rolled out, but service was lost"},
		{cli.ExitRolledBack, "it was rolled back"},
		{cli.ExitRollbackFail, "it could not be rolled back"},
		{cli.ExitInterrupted, "interrupted: nothing was stopped by that, and nothing changed; also where the terminal was closed"},
		closed(),
	}
}

func exitCodes(b *bytes.Buffer, codes []exit) {
	b.WriteString("\n## Exit codes\n\n| code | |\n|---|---|\n")
	for _, e := range codes {
		fmt.Fprintf(b, "| %d | %s |\n", e.code, e.means)
	}
}
