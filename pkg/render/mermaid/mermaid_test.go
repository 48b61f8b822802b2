package mermaid

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

func chart(title string) *report.Report {
	ref := func(kind, name string) object.Ref { return object.Ref{Kind: kind, Name: name} }
	pod := &report.Node{Object: ref("Pod", title), Title: title, Health: report.Failing, Status: title, Ready: "0/1", Why: title}
	again := *pod
	again.Above, again.Guessed, again.Why = true, true, ""
	return &report.Report{Tree: []*report.Node{
		{Object: ref("Service", "s"), Title: "Service/s", Health: report.Healthy, Asked: true, Children: []*report.Node{pod}},
		{Object: ref("Job", "j"), Title: "Job/j", Health: report.Health(title), Children: []*report.Node{&again}},
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
	r := chart("Pod/a")
	r.Tree[1].Health = report.NoHealth
	want := `flowchart LR
  n0["▸ Service/s<br/>ok"]:::ok
  n1["Pod/a<br/>0/1 Pod/a"]:::broken
  n2["Job/j"]:::none
  n0 -->|"Pod/a"| n1
  n2 -.-> n1
`
	chart, _, _ := strings.Cut(render(t, r), "  classDef")
	if diff := cmp.Diff(want, chart); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// statement is every form of line that a chart may have.
var statement = regexp.MustCompile(`^(flowchart LR|  n\d+\["[^"\[\]{}|<>;%&` + "`" + `]*"\]:::[a-z]+|  n\d+ (-->|-\.->)(\|"[^"|<>;%&]*"\|)? n\d+|  classDef [a-z]+ [a-z0-9#:,-]+)$`)

func TestHostileNamesStayInTheirQuotes(t *testing.T) {
	entity := regexp.MustCompile(`#\d+;`)
	for _, name := range []string{
		"Pod/a", `a"]; click n0 "javascript:alert(1)"`, "a\n  click n0 href \"https://evil\"", "%%{init: {\"securityLevel\":\"loose\"}}%%",
		"</script><script>alert(1)</script>", "`**md**`", "a|b", "]-->n9[", "#quot;#35;&lt;", "style x:y#z;", "end", "\x1b[2J\u202e\xff", "subgraph x", "---",
	} {
		for line := range strings.SplitSeq(strings.TrimSuffix(render(t, chart(name)), "\n"), "\n") {
			plain := strings.ReplaceAll(entity.ReplaceAllString(line, ""), "<br/>", "")
			if !statement.MatchString(plain) {
				t.Errorf("%q makes the line %q", name, line)
			}
		}
	}
	if got, want := Escape(`a"#b`), "a#34;#35;b"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
