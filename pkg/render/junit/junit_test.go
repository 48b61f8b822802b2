package junit

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

func ref(namespace, kind, name string) object.Ref {
	return object.Ref{Version: "v1", Kind: kind, Namespace: namespace, Name: name}
}

func services() *report.Report {
	return &report.Report{
		Kind: "CheckEndpoints", Target: "all", Verdict: report.Broken, Budget: report.Budget{Seconds: 0.1234},
		Services: []*report.Service{
			{Object: ref("shop", "Service", "web"), Verdict: report.Broken, Summary: "Service/web reaches nothing."},
			{Object: ref("shop", "Service", "api"), Verdict: report.OK, Summary: "Service/api reaches 1 of 1 pods."},
			{Object: ref("lab", "Service", "db"), Verdict: report.Unknown, Summary: "pods may not be seen"},
		},
		Findings: []finding.Finding{
			{Code: "endpoints/label-case", Severity: finding.Error, Object: ref("shop", "Service", "web"), Message: "the label differs in case",
				Evidence: []finding.Evidence{{Object: ref("shop", "Service", "web"), Field: "spec.selector", Value: "app=Web"}},
				Fix:      []finding.Fix{{Command: "kubectl -n shop set selector svc/web app=web"}, {Description: "or the label"}}},
			{Code: "endpoints/no-readiness-probe", Severity: finding.Info, Object: ref("shop", "Deployment", "api"), Message: "no probe",
				Evidence: []finding.Evidence{{Object: ref("shop", "Service", "api"), Field: "spec.selector", Value: "app=api"}}},
			{Code: "endpoints/slice-orphan", Severity: finding.Warning, Object: ref("lab", "EndpointSlice", "old"), Message: "its Service is gone"},
		},
	}
}

// The document as a CI system reads it.
type readSuites struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Time     string      `xml:"time,attr"`
	Suites   []readSuite `xml:"testsuite"`
}

type readSuite struct {
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Cases    []readTest `xml:"testcase"`
}

type readTest struct {
	Name    string       `xml:"name,attr"`
	Class   string       `xml:"classname,attr"`
	Time    string       `xml:"time,attr"`
	Skipped *readOutcome `xml:"skipped"`
	Failure *readOutcome `xml:"failure"`
	Error   *readOutcome `xml:"error"`
	Out     string       `xml:"system-out"`
}

type readOutcome struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

func render(t *testing.T, r *report.Report) (string, readSuites) {
	t.Helper()
	var b bytes.Buffer
	if err := Render(&b, r, term.Style{}); err != nil {
		t.Fatal(err)
	}
	var doc readSuites
	if err := xml.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	return b.String(), doc
}

func TestTargetsAreCases(t *testing.T) {
	_, doc := render(t, services())
	want := readSuites{Name: "CheckEndpoints", Tests: 4, Failures: 1, Errors: 1, Time: "0.123", Suites: []readSuite{
		{Name: "shop", Tests: 2, Failures: 1, Cases: []readTest{
			{Name: "Service/web", Class: "shop.Service", Failure: &readOutcome{Message: "Service/web reaches nothing.", Type: "endpoints/label-case",
				Text: "error endpoints/label-case Service/web: the label differs in case\n  Service/web spec.selector = app=Web\n  fix: kubectl -n shop set selector svc/web app=web\n  fix: or the label"}},
			{Name: "Service/api", Class: "shop.Service", Out: "info endpoints/no-readiness-probe Deployment/api: no probe\n  Service/api spec.selector = app=api"},
		}},
		{Name: "lab", Tests: 2, Errors: 1, Cases: []readTest{
			{Name: "Service/db", Class: "lab.Service", Error: &readOutcome{Message: "pods may not be seen", Type: "unknown"}},
			{Name: "EndpointSlice/old", Class: "lab.EndpointSlice", Out: "warning endpoints/slice-orphan EndpointSlice/old: its Service is gone"},
		}},
	}}
	if diff := cmp.Diff(want, doc); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAReportOfAnyPluginHasACase(t *testing.T) {
	r := &report.Report{Kind: "ExplainTree", Target: "deployment/web", Verdict: report.Broken, Summary: "it is broken",
		Tree:     []*report.Node{{Object: ref("shop", "Deployment", "web"), Asked: true, Health: report.Failing}},
		Findings: []finding.Finding{{Code: "tree/oom", Severity: finding.Error, Object: ref("shop", "Pod", "web-1"), Message: "out of memory"}}}
	_, doc := render(t, r)
	if doc.Tests != 1 || doc.Failures != 1 || doc.Suites[0].Cases[0].Failure.Type != "tree/oom" {
		t.Errorf("%+v", doc)
	}
	if _, doc = render(t, &report.Report{Kind: "TraceDNS", Target: "web", Verdict: report.OK}); doc.Tests != 1 || doc.Failures != 0 {
		t.Errorf("%+v", doc)
	}
}

func TestRolloutsAndTheirProofsAreCases(t *testing.T) {
	web, api := object.New("apps/v1", "Deployment", "shop", "web"), object.New("apps/v1", "Deployment", "shop", "api")
	r := &report.Report{Kind: "GuardRollout", Target: "all", Verdict: report.Broken,
		Rollouts: []*report.Rollout{
			{Object: web, Phase: report.PhaseFailed, Verdict: report.Broken, Summary: "the new pods crash", Elapsed: 12.5,
				Pods: []report.RolloutPod{{Object: ref("shop", "Pod", "web-1")}},
				Proof: []report.Proof{
					{Service: ref("shop", "Service", "web"), Verdict: report.BrokenProof, Summary: "fell to 2, floor 3"},
					{Service: ref("shop", "Service", "admin"), Port: "http", Family: "IPv6", Verdict: report.NotProvable, Why: "slices may not be seen"},
				}},
			{Object: api, Phase: report.PhaseRolling, Verdict: report.Progressing, Summary: "3 of 4 are available", Proof: []report.Proof{{Service: ref("shop", "Service", "api"), Verdict: report.Held}}},
		},
		Findings: []finding.Finding{
			{Code: "rollout/crash-app", Severity: finding.Error, Object: ref("shop", "Pod", "web-1"), Message: "crash loop"},
			{Code: "rollout/availability-broken", Severity: finding.Error, Object: ref("shop", "Service", "web"), Message: "too few served"},
		},
	}
	_, doc := render(t, r)
	want := []readTest{
		{Name: "Deployment/web", Class: "shop.Deployment", Time: "12.500", Failure: &readOutcome{Message: "the new pods crash", Type: "rollout/crash-app", Text: "error rollout/crash-app Pod/web-1: crash loop"}},
		{Name: "availability of Service/web while Deployment/web rolls", Class: "shop.Service", Failure: &readOutcome{Message: "fell to 2, floor 3", Type: "rollout/availability-broken", Text: "error rollout/availability-broken Service/web: too few served"}},
		{Name: "availability of Service/admin:http IPv6 while Deployment/web rolls", Class: "shop.Service", Skipped: &readOutcome{Message: "not provable: slices may not be seen"}},
		{Name: "Deployment/api", Class: "shop.Deployment", Error: &readOutcome{Message: "3 of 4 are available", Type: "unknown"}},
		{Name: "availability of Service/api while Deployment/api rolls", Class: "shop.Service"},
	}
	if len(doc.Suites) != 1 || doc.Tests != 5 || doc.Failures != 2 || doc.Errors != 1 {
		t.Fatalf("%+v", doc)
	}
	if diff := cmp.Diff(want, doc.Suites[0].Cases); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestHostileTextStaysInItsPlace(t *testing.T) {
	evil := "a]]></failure><x y=\"\x1b[2J\x00\u202e\ufffe\xff&"
	r := services()
	r.Kind, r.Services[0].Summary, r.Services[0].Object.Name, r.Services[0].Object.Namespace = evil, evil, evil, evil
	r.Findings[0] = finding.Finding{Code: evil, Severity: finding.Error, Object: r.Services[0].Object, Message: evil,
		Evidence: []finding.Evidence{{Field: evil, Value: evil}}, Fix: []finding.Fix{{Command: evil}}}
	text, doc := render(t, r)
	if doc.Tests != 4 {
		t.Errorf("%+v", doc)
	}
	for _, c := range text {
		if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == unicode.ReplacementChar) {
			t.Errorf("%U gets through", c)
		}
	}
	if strings.Contains(text, "<x") {
		t.Error("an element of its own")
	}
}
