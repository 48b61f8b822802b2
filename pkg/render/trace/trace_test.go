package trace

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/render/doc"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

var update = flag.Bool("update", false, "write the golden files")

func ref(kind, namespace, name string) *object.Ref {
	return &object.Ref{Version: "v1", Kind: kind, Namespace: namespace, Name: name}
}

func envelope(verdict report.Verdict, summary string, t *report.Trace) *report.Report {
	return &report.Report{
		APIVersion: report.APIVersion, Kind: "TraceDNS", Target: t.Name, Verdict: verdict, Summary: summary,
		Trace: t, Budget: report.Budget{Requests: 12, Seconds: 0.21},
	}
}

func rung(n int, name string, state report.RungState, answers ...report.RungAnswer) report.Rung {
	r := report.Rung{N: n, Name: name, From: "search", State: state, Types: []string{"A", "AAAA"}, Answers: answers}
	if state != report.RungSkipped {
		r.By, r.Line = "kubernetes", 6
	}
	return r
}

func answerIs(kind, rcode string, records ...string) report.RungAnswer {
	return report.RungAnswer{Type: kind, Rcode: rcode, Records: records, Claim: report.Observed}
}

// found is the picture of a name that works at once.
func found() *report.Report {
	first := rung(1, "redis.default.svc.cluster.local.", report.RungStops, answerIs("A", "NOERROR", "10.97.34.93"), answerIs("AAAA", "NODATA"))
	first.Object, first.Field, first.Agreement = ref("Service", "default", "redis"), "spec.clusterIP", "both replicas agree"
	return envelope(report.OK, "redis → 10.97.34.93 (Service/redis spec.clusterIP), on the 1st of 4 names that glibc would try.", &report.Trace{
		Client: ref("Pod", "default", "backend-78d87-pk7tr"), Node: "lab-n1", Name: "redis",
		Domain: report.Known{Value: "cluster.local", Claim: report.Observed}, Libc: report.Known{Value: "glibc", Claim: report.Observed, Why: "/lib64/ld-linux-x86-64.so.2 is there"},
		ResolvConf: &report.ResolvConf{
			Nameservers: []string{"10.96.0.10"}, Search: []string{"default.svc.cluster.local", "svc.cluster.local", "cluster.local"},
			Options: []string{"ndots:5"}, Claim: report.Observed,
		},
		Path: []report.Hop{
			{Title: "pod backend-78d87-pk7tr", State: report.HopOK, Claim: report.Observed},
			{Title: "10.96.0.10 Service/kube-dns", State: report.HopOK, Claim: report.Observed, Object: ref("Service", "kube-system", "kube-dns")},
			{Title: "2 of 2 replicas ready", State: report.HopOK, Claim: report.Observed},
		},
		Ladder: []report.Rung{
			first, rung(2, "redis.svc.cluster.local.", report.RungSkipped), rung(3, "redis.cluster.local.", report.RungSkipped), rung(4, "redis.", report.RungSkipped),
		},
		Grid: &report.Grid{
			Columns: []report.GridColumn{{Name: "redis.default.svc.cluster.local.", Type: "A", Expected: "10.97.34.93"}},
			Rows: []report.GridRow{
				{Replica: *ref("Pod", "kube-system", "coredns-a"), Node: "lab-n1", Ready: report.HopOK, Version: "1.15.0", ConfigHash: "a8da56c0e789", Cells: []report.Cell{{Text: "10.97.34.93"}}},
				{Replica: *ref("Pod", "kube-system", "coredns-b"), Node: "lab-n2", Ready: report.HopOK, Version: "1.15.0", ConfigHash: "a8da56c0e789", Cells: []report.Cell{{Text: "10.97.34.93"}}},
			},
		},
		Corefile: &report.Excerpt{Object: *ref("ConfigMap", "kube-system", "coredns"), Key: "Corefile", Lines: []report.ExcerptLine{
			{N: 1, Text: ".:53 {"}, {N: 6, Text: "\tkubernetes cluster.local in-addr.arpa ip6.arpa {", Arrow: true}, {N: 16, Text: "}"},
		}},
		Cost: "2 queries (A+AAAA)",
	})
}

// broken has one replica that runs an old Corefile and answers otherwise, a
// hostile name, and two resolvers.
func broken() *report.Report {
	r := found()
	t := r.Trace
	t.Name = "re\x1b[31mdis"
	t.Ladder[0].State = report.RungPassed
	t.Ladder[0].Answers = []report.RungAnswer{answerIs("A", "NXDOMAIN"), answerIs("AAAA", "NXDOMAIN")}
	t.Ladder[0].Answers[0].Expected = "expected 10.97.34.93 by Service/redis spec.clusterIP"
	t.Ladder[0].Agreement = "1 of 2 replicas differs"
	last := rung(2, "redis.\u202edlrow.", report.RungStops, answerIs("A", "SERVFAIL"), answerIs("AAAA", "NXDOMAIN"))
	last.Why = "the list ends here"
	t.Ladder = []report.Rung{t.Ladder[0], last, rung(3, "redis.", report.RungUnknown)}
	t.Path[2] = report.Hop{Title: "1 of 2 replicas ready", State: report.HopBroken, Claim: report.Computed, Why: "Pod/coredns-b: not ready for 3m\x07"}
	t.Grid.Rows[1].Cells[0] = report.Cell{Text: "NXDOMAIN", Deviant: true}
	t.Grid.Rows[1].Stale, t.Grid.Rows[1].ConfigHash, t.Grid.Rows[1].Ready, t.Grid.Rows[1].Error = true, "000000000000", report.HopBroken, "plugin kubernetes is not ready"
	t.ResolvConf.Differs = []string{"the pod's file has ndots:5, dnsConfig says ndots:2"}
	t.Resolvers = []report.Resolver{
		{Libc: "glibc", Ladder: t.Ladder, Outcome: "not found", Queries: 6},
		{Libc: "musl", Ladder: []report.Rung{t.Ladder[1]}, Outcome: "10.97.34.93", Queries: 1},
	}
	t.Notes = []string{"Policies are not seen from here: the servers are asked through the API server."}
	t.Learn = []report.Lesson{{Term: "search list", Text: "A name with fewer dots than ndots is tried with each suffix of the search list before it is tried as it is."}}
	r.Verdict = report.Broken
	r.Findings = []finding.Finding{{
		Code: "dns/replica-divergent", Severity: finding.Error, Object: *ref("Pod", "kube-system", "coredns-b"), Message: "Pod/coredns-b answers NXDOMAIN",
		Evidence: []finding.Evidence{{Object: *ref("ConfigMap", "kube-system", "coredns"), Field: "data.Corefile", Value: "line 6"}},
		Fix:      []finding.Fix{{Description: "restart it", Command: "kubectl -n kube-system delete pod coredns-b"}},
	}, {
		Code: "dns/ndots-amplification", Severity: finding.Info, Object: *ref("Pod", "default", "backend-78d87-pk7tr"), Message: "six queries for one name",
	}}
	r.Summary = "re\x1b[31mdis is not found: one of 2 DNS servers answers wrongly."
	return r
}

func TestReportsLookAsTheyShould(t *testing.T) {
	full := term.Style{Unicode: true, Width: 140}
	for name, c := range map[string]struct {
		report *report.Report
		style  term.Style
		opts   Options
	}{
		"found":        {found(), full, Options{}},
		"found-80":     {found(), term.Style{Unicode: true, Width: 80}, Options{}},
		"found-wide":   {found(), full, Options{Wide: true}},
		"found-colour": {found(), term.Style{Unicode: true, Width: 140, Color: true}, Options{}},
		"broken":       {broken(), full, Options{}},
		"broken-ascii": {broken(), term.Style{Width: 80}, Options{}},
		"pipe":         {broken(), term.Style{Unicode: true}, Options{}},
	} {
		var b bytes.Buffer
		if err := c.opts.Render(&b, c.report, c.style); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".txt", b.String())
		harmless(t, name, b.String(), c.style)
	}
}

func TestDiagramsAreSequences(t *testing.T) {
	for name, r := range map[string]*report.Report{"found": found(), "broken": broken()} {
		var b bytes.Buffer
		if err := Mermaid(&b, r, term.Style{}); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".mmd", b.String())
		harmless(t, name, b.String(), term.Style{Unicode: true})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

// harmless says whether strangers' text reached the terminal, and whether any
// line is wider than the screen. Commands stay whole.
func harmless(t *testing.T, name, text string, style term.Style) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		for _, r := range line {
			bad := !term.Visible(r) && !(style.Color && r == 0x1b) || !style.Unicode && r > unicode.MaxASCII
			if bad {
				t.Errorf("%s: %q", name, line)
			}
		}
		if style.Width > 0 && !style.Color && term.Width(line) > style.Width && !strings.Contains(line, "kubectl") {
			t.Errorf("%s: %d cells: %s", name, term.Width(line), line)
		}
	}
}

func TestAReportWithoutATraceIsStillSaid(t *testing.T) {
	var b bytes.Buffer
	if err := (Options{}).Render(&b, &report.Report{Verdict: report.Unknown, Summary: "nothing was seen"}, term.Style{Unicode: true}); err != nil || !strings.Contains(b.String(), "? nothing was seen") {
		t.Errorf("%v %s", err, b.String())
	}
	b.Reset()
	if err := Mermaid(&b, &report.Report{Target: "x"}, term.Style{}); err != nil {
		t.Error(err)
	}
}

func TestDocumentsFollowThePublishedSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../../docs/schema/trace-dns.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*report.Report{"found": found(), "broken": broken()} {
		var b bytes.Buffer
		if err := doc.JSON(&b, r, term.Style{}); err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(&b)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
