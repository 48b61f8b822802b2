package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/redact"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// The exit codes of every plugin.
const (
	ExitOK           = 0
	ExitError        = 1   // could not run
	ExitProblem      = 2   // a problem was found, and --fail-on counts it
	ExitUnknown      = 3   // not enough could be seen for a verdict
	ExitTimedOut     = 4   //
	ExitSuperseded   = 5   // superseded or deleted
	ExitAvailability = 6   // availability broken
	ExitRolledBack   = 7   //
	ExitRollbackFail = 8   //
	ExitInterrupted  = 130 // by a signal
	ExitClosed       = 141 // nobody reads stdout any more; a shell says the same of SIGPIPE
)

// Exit is an error that carries its exit code. An Exit without an Err says
// nothing more: the report has said it.
type Exit struct {
	Code int
	Err  error
}

func (e *Exit) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

func (e *Exit) Unwrap() error { return e.Err }

// Code is the exit code that an error asks for: the one place that maps them.
func Code(err error) int {
	var exit *Exit
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &exit):
		return exit.Code
	case closed(err):
		return ExitClosed
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	case errors.Is(err, context.DeadlineExceeded):
		return ExitTimedOut
	}
	return ExitError
}

// closed says whether the output has lost its reader, as before "| head". The
// connections to a server break otherwise.
func closed(err error) bool {
	var failed *fs.PathError
	return errors.Is(err, syscall.EPIPE) && errors.As(err, &failed) && failed.Path == os.Stdout.Name()
}

// say writes an error as kubectl does; a stranger's words in it are escaped, and
// what is secret in them is left out. That several writes failed alike is said
// once.
func say(w io.Writer, err error) {
	if err = unsaid(err); err != nil {
		lines := slices.Compact(strings.Split(err.Error(), "\n"))
		fmt.Fprintf(w, "error: %s\n", term.EscapeLines(redact.Text(strings.Join(lines, "\n"))))
	}
}

// unsaid is what of an error the report has not said. That a file cannot be
// written stands beside the exit code that the answer asks for.
func unsaid(err error) error {
	var exit *Exit
	if !(errors.As(err, &exit) && exit.Err == nil) && !errors.Is(err, context.Canceled) && !closed(err) {
		return err
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var rest []error
	for _, e := range joined.Unwrap() {
		rest = append(rest, unsaid(e))
	}
	return errors.Join(rest...)
}

// FailOn is the value of --fail-on: the severity from which a finding fails
// the run.
type FailOn string

// The values of --fail-on.
const (
	FailOnError   FailOn = "error"
	FailOnWarning FailOn = "warning"
	FailNever     FailOn = "never"
)

// Set reads the flag.
func (f *FailOn) Set(value string) error {
	switch FailOn(value) {
	case FailOnError, FailOnWarning, FailNever:
		*f = FailOn(value)
		return nil
	}
	return fmt.Errorf("must be error, warning or never")
}

func (f *FailOn) String() string { return string(*f) }

// Type is how help calls the value.
func (f *FailOn) Type() string { return "severity" }

// Judge is the exit that a report asks for: an unknown verdict is 3 whatever
// --fail-on says, since nothing was proven.
func (f FailOn) Judge(r *report.Report) error {
	if r.Verdict == report.Unknown {
		return &Exit{Code: ExitUnknown}
	}
	worst, any := finding.Worst(r.Findings)
	if any && (f == FailOnError && worst == finding.Error || f == FailOnWarning && worst != finding.Info) {
		return &Exit{Code: ExitProblem}
	}
	return nil
}
