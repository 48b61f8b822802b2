package dot

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

func graph(title string) *report.Report {
	ref := func(kind, name string) object.Ref { return object.Ref{Kind: kind, Name: name} }
	pod := &report.Node{Object: ref("Pod", title), Title: title, Health: report.Failing, Status: "OOMKilled", Ready: "0/1", Why: title}
	again := *pod
	again.Above, again.Guessed, again.Why = true, true, "env"
	return &report.Report{Verdict: report.Broken, Summary: title + " is out of memory.", Tree: []*report.Node{
		{Object: ref("Service", "s"), Title: "Service/s", Health: report.Healthy, Asked: true, Children: []*report.Node{pod}},
		{Object: ref("Job", "j"), Title: "Job/j", Health: report.NoHealth, Children: []*report.Node{&again}},
	}}
}

func render(t *testing.T, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := Render(&b, r, term.Style{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRender(t *testing.T) {
	want := `digraph tree {
  graph [rankdir=LR, labelloc=t, label="broken\nPod/a is out of memory."];
  node [shape=box, style=rounded, fontname="sans-serif"];
  edge [fontname="sans-serif", fontsize=10];
  n0 [label="Service/s\nok", color="#2e7d32", peripheries=2];
  n1 [label="Pod/a\n0/1 OOMKilled", color="#c62828", penwidth=2];
  n2 [label="Job/j"];
  n0 -> n1 [label="Pod/a"];
  n2 -> n1 [label="env", style=dashed];
}
`
	if diff := cmp.Diff(want, render(t, graph("Pod/a"))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestHostileNamesStayInTheirQuotes(t *testing.T) {
	for in, want := range map[string]string{
		`a"]; evil [label="x`:       `"a\"]; evil [label=\"x"`,
		`a\`:                        `"a\\"`,
		`a\"`:                       `"a\\\""`,
		`\N\G\l`:                    `"\\N\\G\\l"`,
		"a\n}\nb":                   `"a\\n}\\nb"`,
		`</script>&lt;&#x3c;`:       `"</script>&amp;lt;&amp;#x3c;"`,
		"\x1b[2J\u202e":             `"\\x1b[2J\\u202e"`,
		`<b>not an HTML label</b>`:  `"<b>not an HTML label</b>"`,
		`// no comment /* nor */ #`: `"// no comment /* nor */ #"`,
	} {
		if got := quote(in); got != want {
			t.Errorf("quote(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestGraphvizAgrees(t *testing.T) {
	dot, err := exec.LookPath("dot")
	if err != nil {
		return // TestHostileNamesStayInTheirQuotes stands without it
	}
	for _, name := range []string{"Pod/a", "a\"]; n9 [label=\"x\\", "\\\"\n}\\N&lt;</script>\x1b\u202e\xff", `<b>"<i>`} {
		cmd := exec.Command(dot, "-Tplain")
		cmd.Stdin = strings.NewReader(render(t, graph(name)))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v: %s", name, err, out)
		}
		if nodes := strings.Count("\n"+string(out), "\nnode "); nodes != 3 {
			t.Errorf("%q: dot sees %d nodes, want 3:\n%s", name, nodes, out)
		}
	}
}
