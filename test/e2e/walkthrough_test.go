package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A walk is one story in a namespace of its own, told step by step.
type walk struct {
	t         *testing.T
	namespace string
}

func begin(t *testing.T, name string) *walk {
	t.Parallel()
	if !*record {
		return &walk{t, lab.Namespace(t, "story-"+name)}
	}
	// What is recorded is shown to people, so its namespace has a plain name.
	kubectl(t, "create", "namespace", name)
	t.Cleanup(func() { kubectlAtEnd(t, "delete", "namespace", name) })
	eventually(t, 30*time.Second, func() error {
		_, err := lab.Kubectl(t.Context(), "-n", name, "get", "serviceaccount/default")
		return err
	})
	return &walk{t, name}
}

// do runs kubectl in the story's namespace; words with spaces come as further
// arguments.
func (w *walk) do(command string, more ...string) string {
	w.t.Helper()
	return kubectl(w.t, append(append([]string{"-n", w.namespace}, strings.Fields(command)...), more...)...)
}

func (w *walk) apply(manifests ...string) {
	w.t.Helper()
	if err := lab.Apply(w.t.Context(), w.namespace, strings.ReplaceAll(Documents(manifests...), "NAMESPACE", w.namespace)); err != nil {
		w.t.Fatal(err)
	}
}

// expect is what an answer must come to say.
type expect struct {
	verdict string   // ok, progressing, broken
	says    string   // what the summary matches
	code    string   // of the first finding; "none" for no error and no warning
	rows    []string // each "KIND/NAME what status, ready and why match", where a name may end in *
	learn   string   // what a sentence of --learn says
}

// sees asks until the answer is as expected, within a minute unless said.
func (w *walk) sees(arguments string, want expect, patience ...time.Duration) Answer {
	w.t.Helper()
	wait := 60 * time.Second
	if len(patience) > 0 {
		wait = patience[0]
	}
	args := append([]string{"-n", w.namespace}, strings.Fields(arguments)...)
	answer, err := lab.Until(w.t.Context(), wait, func(a Answer) error { return want.differs(a.Report) }, args...)
	if err != nil {
		w.t.Errorf("explain-tree %s: %v\n%s%s%s", arguments, err, answer.Report.Outline(), states(answer.Report), answer.Stderr)
	}
	if *show {
		w.t.Logf("$ kubectl explain-tree %s\n%s", arguments, lab.Ask(w.t, args...).Stdout)
	}
	return answer
}

func (e expect) differs(r Report) error {
	if e.verdict != "" && r.Verdict != e.verdict {
		return fmt.Errorf("the verdict is %s instead of %s", r.Verdict, e.verdict)
	}
	if !regexp.MustCompile(e.says).MatchString(r.Summary) {
		return fmt.Errorf("the summary does not match %q", e.says)
	}
	if err := e.first(r); err != nil {
		return err
	}
	for _, row := range e.rows {
		if err := hasRow(r, row); err != nil {
			return err
		}
	}
	for _, n := range r.Rows() {
		if e.learn == "" || strings.Contains(n.Learn, e.learn) {
			return nil
		}
	}
	return fmt.Errorf("no row teaches %q", e.learn)
}

func (e expect) first(r Report) error {
	first := "none"
	if len(r.Findings) > 0 && r.Findings[0].Severity != "info" {
		first = r.Findings[0].Code
	}
	if e.code != "" && first != e.code {
		return fmt.Errorf("%s comes first instead of %s", first, e.code)
	}
	return nil
}

func hasRow(r Report, row string) error {
	object, pattern, _ := strings.Cut(row, " ")
	prefix, generated := strings.CutSuffix(object, "*")
	for _, n := range r.Rows() {
		name := n.Object.String()
		if n.Object.Kind == "Container" {
			name = strings.ReplaceAll(n.Title, " ", "/")
		}
		if (name == object || generated && strings.HasPrefix(name, prefix)) && regexp.MustCompile(pattern).MatchString(state(n)) {
			return nil
		}
	}
	return fmt.Errorf("no row %s", row)
}

func state(n Node) string {
	return strings.Join([]string{n.Status, n.Ready, n.Why}, " | ")
}

func states(r Report) string {
	var b strings.Builder
	for _, n := range r.Rows() {
		fmt.Fprintf(&b, "    %s: %s\n", n.Title, state(n))
	}
	return b.String()
}
