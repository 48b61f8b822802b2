package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var lab Lab

func TestMain(m *testing.M) { os.Exit(Main(m, &lab)) }

// fault is something that goes wrong for real, and beside it in the same
// namespace something that looks alike and is well.
type fault struct {
	name    string
	labels  string   // of the namespace, as kubectl label takes them
	first   string   // applied before the rest
	refuses string   // a kubectl command that fails once what was applied first is in force
	broken  string   // the manifests of the fault
	then    []string // kubectl commands that follow
	ask     string   // what is asked about; deployment/web if unset
	code    string   // of the first finding; tree/NAME if unset
	object  string   // its object's kind
	says    string   // what the summary must match
	also    []string // codes of findings that must follow from the first

	well string // the manifests of the look-alike
	sane string // what is asked about it; deployment/fine if unset
	mild bool   // the look-alike may have warnings, or wait for something outside

	onTheWay []string // codes that may come first, as errors, before the fault is certain
	patience time.Duration
}

var show = flag.Bool("show", false, "print what people see of each fault")

func TestEveryFaultIsSaidFirstAndItsLookAlikeIsSilent(t *testing.T) {
	for _, f := range slices.Concat(imageFaults(), startFaults(), probeFaults(), scheduleFaults(), creationFaults(), ownerFaults(), referenceFaults(), selectionFaults()) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.check(t)
		})
	}
}

func (f fault) check(t *testing.T) {
	namespace := lab.Namespace(t, "fault-"+f.name)
	f.ask = strings.ReplaceAll(or(f.ask, "deployment/web"), "NAMESPACE", namespace)
	f.provoke(t, namespace)
	var wrong []string
	answer, err := lab.Until(t.Context(), or(f.patience, 100*time.Second), func(a Answer) error {
		if says := f.differs(a.Report); says != nil {
			wrong = append(wrong, f.wronged(a.Report)...)
			return says
		}
		return nil
	}, "-n", namespace, f.ask)
	if *show {
		t.Log("\n" + lab.Ask(t, "-n", namespace, f.ask).Stdout)
	}
	if err != nil {
		t.Errorf("%v\n%s%s", err, answer.Report.Outline(), answer.Stderr)
	}
	for _, w := range slices.Compact(wrong) {
		t.Errorf("before the fault was certain, it said as an error: %s", w)
	}
	if f.well != "" {
		f.checkWell(t, namespace)
	}
}

func (f fault) provoke(t *testing.T, namespace string) {
	t.Helper()
	if f.labels != "" {
		kubectl(t, strings.Fields("label namespace "+namespace+" "+f.labels)...)
	}
	f.cleanUp(t, namespace)
	f.apply(t, namespace, f.first)
	if f.refuses != "" {
		eventually(t, 30*time.Second, func() error {
			if _, err := lab.Kubectl(t.Context(), append([]string{"-n", namespace}, strings.Fields(f.refuses)...)...); err == nil {
				return fmt.Errorf("kubectl %s still succeeds", f.refuses)
			}
			return nil
		})
	}
	f.apply(t, namespace, Documents(f.well, f.broken))
	for _, command := range f.then {
		if !strings.HasPrefix(command, atTheEnd) {
			kubectl(t, append([]string{"-n", namespace}, words(t, namespace, strings.ReplaceAll(command, "NAMESPACE", namespace))...)...)
		}
	}
}

const atTheEnd = "at the end: "

// cleanUp sees to it that nothing is left outside the namespace, and that
// nothing holds it, however the test ends.
func (f fault) cleanUp(t *testing.T, namespace string) {
	for _, command := range f.then {
		if command, ok := strings.CutPrefix(command, atTheEnd); ok {
			t.Cleanup(func() {
				kubectlAtEnd(t, append([]string{"-n", namespace}, strings.Fields(strings.ReplaceAll(command, "NAMESPACE", namespace))...)...)
			})
		}
	}
}

func (f fault) apply(t *testing.T, namespace, manifests string) {
	t.Helper()
	if strings.Trim(manifests, "-\n") == "" {
		return
	}
	if err := lab.Apply(t.Context(), namespace, strings.ReplaceAll(manifests, "NAMESPACE", namespace)); err != nil {
		t.Fatal(err)
	}
}

// differs says what of the report is not yet as it must be.
func (f fault) differs(r Report) error {
	code := or(f.code, "tree/"+f.name)
	switch {
	case len(r.Findings) == 0:
		return fmt.Errorf("%s is not found", code)
	case r.Findings[0].Code != code:
		return fmt.Errorf("%s comes first instead of %s", r.Findings[0].Code, code)
	case strings.Contains(r.Summary, " fine"):
		return errors.New("the summary calls it fine")
	case f.object != "" && r.Findings[0].Object.Kind != f.object:
		return fmt.Errorf("%s is said of %s instead of a %s", code, r.Findings[0].Object, f.object)
	case !regexp.MustCompile(f.says).MatchString(r.Summary):
		return fmt.Errorf("the summary does not match %q", f.says)
	case r.Findings[0].Severity == "error" && r.Verdict != "broken":
		return fmt.Errorf("the verdict is %s", r.Verdict)
	case len(r.Findings[0].Evidence) == 0:
		return errors.New("the first finding has no evidence")
	case len(r.Findings[0].Fix) == 0:
		return errors.New("the first finding says no way out")
	}
	for _, code := range f.also {
		if other, ok := r.Find(code); !ok || other.CausedBy == nil {
			return fmt.Errorf("%s is not told as a consequence", code)
		}
	}
	return nil
}

// wronged are errors that the report puts first and that are not the fault.
func (f fault) wronged(r Report) []string {
	if len(r.Findings) == 0 || r.Findings[0].Severity != "error" {
		return nil
	}
	first := r.Findings[0]
	if first.Code == or(f.code, "tree/"+f.name) || slices.Contains(f.onTheWay, first.Code) {
		return nil
	}
	return []string{fmt.Sprintf("%s of %s: %s", first.Code, first.Object, first.Message)}
}

func (f fault) checkWell(t *testing.T, namespace string) {
	answer, err := lab.Until(t.Context(), 60*time.Second, func(a Answer) error {
		switch {
		case len(a.Report.Errors()) > 0:
			return errors.New("the look-alike is accused of an error")
		case !f.mild && len(a.Report.Findings) > 0 && a.Report.Findings[0].Severity == "warning":
			return errors.New("the look-alike is accused")
		case a.Report.Verdict != "ok" && !(f.mild && a.Report.Verdict == "progressing"):
			return fmt.Errorf("the look-alike's verdict is %s", a.Report.Verdict)
		}
		return nil
	}, "-n", namespace, or(f.sane, "deployment/fine"))
	if err != nil {
		t.Errorf("%v\n%s%s", err, answer.Report.Outline(), answer.Stderr)
	}
}
