package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

func TestTheProgramsNameSaysWhatIsWanted(t *testing.T) {
	for argv0, want := range map[string]Called{
		"/usr/local/bin/kubectl-explain_tree":      {Program: "kubectl-explain_tree", Display: "kubectl explain-tree"},
		"kubectl-check_endpoints.exe":              {Program: "kubectl-check_endpoints", Display: "kubectl check-endpoints"},
		"/home/me/bin/kubectl_complete-trace_dns":  {Program: "kubectl_complete-trace_dns", Display: "kubectl trace-dns", Completes: true},
		"./explain-tree":                           {Program: "explain-tree", Display: "explain-tree"},
		"/opt/krew/bin/kubectl_complete-trace_dns": {Program: "kubectl_complete-trace_dns", Display: "kubectl trace-dns", Completes: true},
	} {
		if got := CalledAs(argv0); got != want {
			t.Errorf("%s: %+v, want %+v", argv0, got, want)
		}
	}
}

func TestErrorsBecomeExitCodesInOnePlace(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("no such file"), 1},
		{&Exit{Code: ExitProblem}, 2},
		{fmt.Errorf("while reading: %w", &Exit{Code: ExitUnknown, Err: errors.New("forbidden")}), 3},
		{fmt.Errorf("reading: %w", context.DeadlineExceeded), 4},
		{context.Canceled, 130},
		{fmt.Errorf("drawing: %w", &fs.PathError{Op: "write", Path: os.Stdout.Name(), Err: syscall.EPIPE}), 141},
		{&fs.PathError{Op: "write", Path: "recording", Err: syscall.EPIPE}, 1},
		{fmt.Errorf("write tcp: %w", syscall.EPIPE), 1}, // of a server
	} {
		if got := Code(tc.err); got != tc.want {
			t.Errorf("%v: %d, want %d", tc.err, got, tc.want)
		}
	}
}

func TestFailOnCountsWhatItNames(t *testing.T) {
	broken := &report.Report{Verdict: report.Broken, Findings: []finding.Finding{{Severity: finding.Error}}}
	warned := &report.Report{Verdict: report.OK, Findings: []finding.Finding{{Severity: finding.Warning}}}
	noted := &report.Report{Verdict: report.OK, Findings: []finding.Finding{{Severity: finding.Info}}}
	unknown := &report.Report{Verdict: report.Unknown}
	for _, tc := range []struct {
		on     FailOn
		report *report.Report
		want   int
	}{
		{FailOnError, broken, 2}, {FailOnError, warned, 0}, {FailOnWarning, warned, 2}, {FailOnWarning, noted, 0},
		{FailNever, broken, 0}, {FailNever, unknown, 3},
	} {
		if got := Code(tc.on.Judge(tc.report)); got != tc.want {
			t.Errorf("--fail-on %s of %s: %d, want %d", tc.on, tc.report.Verdict, got, tc.want)
		}
	}
}
