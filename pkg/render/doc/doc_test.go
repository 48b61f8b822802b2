package doc

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// full has every field of a report set, with text in it.
func full(text string) *report.Report {
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	pod := object.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: text}
	deployment := object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web"}
	return &report.Report{
		APIVersion: report.APIVersion, Kind: "ExplainTree", Target: text, Verdict: report.Broken, Summary: text,
		Findings: []finding.Finding{{
			Code: "tree/oom", Severity: finding.Error, Object: pod, Message: text,
			Evidence: []finding.Evidence{{Object: pod, Field: text, Value: text}},
			Fix:      []finding.Fix{{Description: text, Command: text}, {Description: text}},
			CausedBy: &finding.Cause{Code: "tree/node-lost", Object: deployment},
		}},
		Gaps:   []report.Gap{{Resource: text, Namespace: text, Name: text, Reason: text, Detail: text}},
		Budget: report.Budget{Requests: 14, Bytes: 9, Seconds: 0.5, Snapshot: true},
		Tree: []*report.Node{{
			Object: deployment, Title: text, Relation: text, Why: text, Ready: "0/1", Health: report.Failing, Status: text,
			Created: &created, Age: "not in documents", Asked: true, Above: true, Guessed: true, Learn: text, Codes: []string{"tree/oom"}, Wide: text,
			Children: []*report.Node{{Object: pod, Title: "Pod/x", Health: report.NoHealth}, {Object: pod, Title: "container x", Health: report.Warned}},
		}},
	}
}

func hostile() string {
	var b strings.Builder
	for r := rune(0); r < 0x100; r++ {
		b.WriteRune(r)
	}
	return b.String() + "</script> & \u202e \u200b \u2028 \U000e0041 \xff 名前 ❤️"
}

var reports = map[string]*report.Report{
	"full":         full("frontend"),
	"hostile":      full(hostile()),
	"like a key":   full("a: b"),
	"like a list":  full("- a"),
	"like a word":  full("No"),
	"like a null":  full("~"),
	"like a date":  full("2026-01-02"),
	"like a float": full("1e3"),
	"lines":        full("a\n  b\n"),
	"empty text":   full(""),
	"empty":        {APIVersion: report.APIVersion, Kind: "ExplainTree", Verdict: report.OK},
}

func render(t *testing.T, format func(io.Writer, *report.Report, term.Style) error, r *report.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := format(&b, r, term.Style{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDocumentsFollowTheSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../../docs/schema/explain-tree.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range reports {
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(render(t, JSON, r)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken, err := jsonschema.UnmarshalJSON(strings.NewReader(`{"apiVersion":"leadsman.dev/v1alpha1","kind":"ExplainTree","verdict":"fine"}`))
	if err != nil {
		t.Fatal(err)
	}
	if schema.Validate(broken) == nil {
		t.Error("the schema accepts anything")
	}
}

func TestYAMLAndJSONMeanTheSame(t *testing.T) {
	for name, r := range reports {
		var want, got any
		if err := json.Unmarshal(render(t, JSON, r), &want); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text := render(t, YAML, r)
		if err := yaml.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-JSON +YAML)\n%s", name, diff)
		}
	}
}

func TestDocumentsAreHarmlessOnATerminal(t *testing.T) {
	for _, format := range []func(io.Writer, *report.Report, term.Style) error{JSON, YAML, Names} {
		for _, r := range string(render(t, format, full(hostile()))) {
			if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				t.Errorf("%U is let through", r)
			}
		}
	}
}

func TestYAMLReadsWell(t *testing.T) {
	r := full("a: b")
	r.Findings[0].Evidence, r.Findings[0].Fix, r.Tree[0].Children = nil, r.Findings[0].Fix[:1], r.Tree[0].Children[:1]
	want := `apiVersion: leadsman.dev/v1alpha1
kind: ExplainTree
target: "a: b"
verdict: broken
summary: "a: b"
findings:
- code: tree/oom
  severity: error
  object:
    apiVersion: v1
    kind: Pod
    namespace: shop
    name: "a: b"
  message: "a: b"
  fix:
  - description: "a: b"
    command: "a: b"
  causedBy:
    code: tree/node-lost
    object:
      apiVersion: apps/v1
      kind: Deployment
      namespace: shop
      name: web
gaps:
- resource: "a: b"
  namespace: "a: b"
  name: "a: b"
  reason: "a: b"
  detail: "a: b"
budget:
  requests: 14
  bytes: 9
  seconds: 0.5
  snapshot: true
tree:
- object:
    apiVersion: apps/v1
    kind: Deployment
    namespace: shop
    name: web
  title: "a: b"
  relation: "a: b"
  why: "a: b"
  ready: "0/1"
  health: broken
  status: "a: b"
  created: "2026-01-02T03:04:05Z"
  asked: true
  shownAbove: true
  guessed: true
  learn: "a: b"
  findings:
  - tree/oom
  detail: "a: b"
  children:
  - object:
      apiVersion: v1
      kind: Pod
      namespace: shop
      name: "a: b"
    title: Pod/x
    health: none
`
	if diff := cmp.Diff(want, string(render(t, YAML, r))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestNames(t *testing.T) {
	if got, want := string(render(t, Names, full("x"))), "deployment.apps/web\npod/x\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
