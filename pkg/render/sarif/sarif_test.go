package sarif

import (
	"bytes"
	"encoding/json"
	"net/url"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

func render(t *testing.T, r *report.Report) (string, document) {
	t.Helper()
	var b bytes.Buffer
	if err := Render(&b, r, term.Style{}); err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(b.Bytes()))
	decoder.DisallowUnknownFields()
	var doc document
	if err := decoder.Decode(&doc); err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	return b.String(), doc
}

func web() object.Ref {
	return object.Ref{Version: "v1", Kind: "Service", Namespace: "shop", Name: "web"}
}

func TestFindingsAreResults(t *testing.T) {
	cause := finding.Cause{Code: "endpoints/label-case", Object: web()}
	_, doc := render(t, &report.Report{Kind: "CheckEndpoints", Verdict: report.Broken, Findings: []finding.Finding{
		{Code: "endpoints/label-case", Severity: finding.Error, Object: web(), Message: "the label differs in case",
			Evidence: []finding.Evidence{{Object: web(), Field: "spec.selector", Value: "app=Web"}}, Fix: []finding.Fix{{Description: "select it", Command: "kubectl x"}}},
		{Code: "endpoints/none-ready", Severity: finding.Info, Object: web(), Message: "none", CausedBy: &cause},
		{Code: "endpoints/label-case", Severity: finding.Warning, Object: web(), Message: "again"},
	}})
	got := doc.Runs[0]
	want := []rule{{"endpoints/label-case", text{"--explain endpoints/label-case"}}, {"endpoints/none-ready", text{"--explain endpoints/none-ready"}}}
	if diff := cmp.Diff(want, got.Tool.Driver.Rules); diff != "" {
		t.Errorf("rules (-want +got)\n%s", diff)
	}
	if got.Tool.Driver.Name != "leadsman check-endpoints" || doc.Version != "2.1.0" || !got.Invocations[0].Successful {
		t.Errorf("%+v", doc)
	}
	place := []location{{physical{artifact{"shop/service/web"}, region{1}}, []logical{{"web", "shop/Service/web", "resource"}}}}
	print := map[string]string{"finding/v1": "endpoints/label-case shop/Service/web"}
	first := result{"endpoints/label-case", 0, "error", text{"Service/web: the label differs in case\nService/web spec.selector = app=Web\nfix: select it: kubectl x"}, place, print}
	if diff := cmp.Diff(first, got.Results[0]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if r := got.Results[1]; r.Level != "note" || r.RuleIndex != 1 || r.Message.Text != "Service/web: none\nfollows from endpoints/label-case of Service/web" {
		t.Errorf("%+v", r)
	}
	if r := got.Results[2]; r.Level != "warning" || r.RuleIndex != 0 {
		t.Errorf("%+v", r)
	}
}

func TestWhatWasNotSeenIsSaid(t *testing.T) {
	text, doc := render(t, &report.Report{Kind: "CheckEndpoints", Verdict: report.Unknown, Gaps: []report.Gap{{Resource: "pods", Namespace: "shop", Reason: "forbidden", Detail: "no"}}})
	if i := doc.Runs[0].Invocations[0]; i.Successful || i.Notifications[0].Message.Text != "not seen: shop/pods (forbidden): no" {
		t.Errorf("%+v", i)
	}
	if doc.Runs[0].Results == nil || doc.Runs[0].Tool.Driver.Rules == nil {
		t.Errorf("results and rules are lists, even when empty:\n%s", text)
	}
}

func TestHostileTextStaysInItsPlace(t *testing.T) {
	evil := "../../../etc/passwd\"}]\x1b[2J\u202e\x00\u2028\xff?#"
	object := object.Ref{Kind: evil, Namespace: evil, Name: evil}
	text, doc := render(t, &report.Report{Kind: evil, Findings: []finding.Finding{{
		Code: evil, Severity: finding.Severity(evil), Object: object, Message: evil,
		Evidence: []finding.Evidence{{Object: object, Field: evil, Value: evil}}, Fix: []finding.Fix{{Description: evil, Command: evil}}}},
		Gaps: []report.Gap{{Resource: evil, Reason: evil}}})
	for _, c := range text {
		if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == unicode.ReplacementChar) {
			t.Errorf("%U gets through", c)
		}
	}
	uri, err := url.Parse(doc.Runs[0].Results[0].Locations[0].Physical.Artifact.URI)
	if err != nil || uri.IsAbs() || uri.RawQuery != "" || uri.Fragment != "" {
		t.Errorf("%v %v", uri, err)
	}
	if len(doc.Runs[0].Results) != 1 || doc.Runs[0].Results[0].Level != "note" {
		t.Errorf("%+v", doc.Runs[0].Results)
	}
}
