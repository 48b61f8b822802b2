package endpoints

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var lab *Lab

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		opened, remove, err := open(ctx)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer remove()
		lab = opened
		if !slices.ContainsFunc(os.Args, func(a string) bool { return strings.Contains(a, "test.parallel") }) {
			if err := flag.Set("test.parallel", "8"); err != nil { // the tests mostly wait
				return 1
			}
		}
		return m.Run()
	}())
}

// fault is something that goes wrong for real between a Service and its pods.
type fault struct {
	name      string   // of the code; endpoints/NAME
	case_     string   // tells faults of one code apart
	manifests string   // what is applied; NAMESPACE stands for the namespace
	elsewhere string   // what is applied to a second namespace
	settled   string   // a kubectl wait that precedes what follows
	then      []string // kubectl commands that follow
	ask       []string // arguments; "web" if unset
	severity  string   // of the finding; any if unset
	says      string   // what its message must contain
	behind    bool     // it need not be the first finding
	unfixable bool     // its way out is a person's decision
	patience  time.Duration
	atTheEnd  string // a kubectl command that takes away what is outside the namespace
}

func (f fault) code() string { return "endpoints/" + f.name }

func (f fault) title() string { return strings.Trim(f.name+"-"+f.case_, "-") }

var show = flag.Bool("show", false, "print what people see of each fault")

func TestEveryFaultIsNamedAndItsFixMendsIt(t *testing.T) {
	for _, f := range slices.Concat(selectionFaults(), sliceFaults(), portFaults(), readinessFaults(), routingFaults(), doorFaults(), liveFaults(), craftedFaults()) {
		t.Run(f.title(), func(t *testing.T) {
			t.Parallel()
			f.check(t)
		})
	}
}

func (f fault) check(t *testing.T) {
	namespace := lab.Namespace(t, "ep-"+f.title())
	if f.elsewhere != "" {
		apply(t, lab.Namespace(t, "ep-elsewhere"), strings.ReplaceAll(f.elsewhere, "NAMESPACE", namespace))
	}
	if f.atTheEnd != "" {
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			if err := lab.shell(ctx, "kubectl "+strings.ReplaceAll(f.atTheEnd, "NAMESPACE", namespace)); err != nil {
				t.Log(err)
			}
		})
	}
	apply(t, namespace, strings.ReplaceAll(f.manifests, "NAMESPACE", namespace))
	if f.settled != "" {
		kubectl(t, append([]string{"-n", namespace, "wait", "--timeout=60s"}, strings.Fields(f.settled)...)...)
	}
	for _, command := range f.then {
		if err := lab.shell(t.Context(), "kubectl -n "+namespace+" "+strings.ReplaceAll(command, "NAMESPACE", namespace)); err != nil {
			t.Fatal(err)
		}
	}
	ask := []string{"-n", namespace}
	if f.ask == nil {
		ask = append(ask, "web")
	}
	for _, a := range f.ask {
		ask = append(ask, strings.ReplaceAll(a, "NAMESPACE", namespace))
	}
	answer, err := lab.until(t.Context(), max(f.patience, 45*time.Second), f.differs, ask...)
	if *show {
		if people, err := lab.ask(t.Context(), ask...); err == nil {
			t.Log("\n" + people.Stdout)
		}
	}
	if err != nil {
		t.Fatalf("%v\n%s%s", err, answer.Report.Outline(), answer.Stderr)
	}
	f.mend(t, answer, ask)
}

// differs says what of the answer is not as it must be.
func (f fault) differs(a Answer) error {
	r := a.Report
	found, ok := r.Find(f.code())
	switch {
	case !ok:
		return fmt.Errorf("%s is not found", f.code())
	case !f.behind && r.Findings[0].Code != f.code():
		return fmt.Errorf("%s comes first instead of %s", r.Findings[0].Code, f.code())
	case f.severity != "" && found.Severity != f.severity:
		return fmt.Errorf("its severity is %s, not %s", found.Severity, f.severity)
	case !strings.Contains(strings.ToLower(found.Message+" "+r.Summary), strings.ToLower(f.says)):
		return fmt.Errorf("nothing says %q", f.says)
	case len(found.Evidence) == 0:
		return errors.New("it has no evidence")
	case f.severity == "error" && (r.Verdict != "broken" || a.Exit != 2):
		return fmt.Errorf("the verdict is %s and the exit code %d", r.Verdict, a.Exit)
	case f.severity != "error" && len(r.Errors()) == 0 && a.Exit != 0:
		return fmt.Errorf("the exit code is %d without an error", a.Exit)
	}
	return nil
}

// mend runs the first command that is printed; the finding must go away.
func (f fault) mend(t *testing.T, answer Answer, ask []string) {
	if f.unfixable {
		return
	}
	found, _ := answer.Report.Find(f.code())
	var commands []string
	for _, fix := range found.Fix {
		if fix.Command != "" {
			commands = append(commands, fix.Command)
		}
	}
	if len(commands) == 0 {
		t.Fatalf("no command mends it\n%s", answer.Report.Outline())
	}
	if err := lab.shell(t.Context(), commands[0]); err != nil {
		t.Fatalf("the printed fix fails: %v", err)
	}
	after, err := lab.until(t.Context(), 60*time.Second, func(a Answer) error {
		if _, still := a.Report.Find(f.code()); still {
			return fmt.Errorf("%s is still found after: %s", f.code(), commands[0])
		}
		return nil
	}, ask...)
	if err != nil {
		t.Errorf("%v\n%s%s", err, after.Report.Outline(), after.Stderr)
	}
}

func apply(t testing.TB, namespace, manifests string) {
	t.Helper()
	if err := lab.Apply(t.Context(), namespace, manifests); err != nil {
		t.Fatal(err)
	}
}

func kubectl(t testing.TB, args ...string) string {
	t.Helper()
	out, err := lab.Kubectl(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
