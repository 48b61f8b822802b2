package proof

import (
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// faults are, for each code, a scene in which it fires and its look-alike in
// which it must not.
var faults = map[string]struct{ fires, silent string }{
	Broken: { // and the same, as it was scaled down at that moment
		fires: `
			0 answer web-a o1 o2 o3 o4
			1000 web-a o1 o2 n1-
			2000 web-a o1 o2 n1 n2`,
		silent: `
			0 answer web-a o1 o2 o3 o4
			1000 scale 2
			1000 web-a o1 o2 n1-
			2000 web-a o1 o2`,
	},
	codeGaps: { // and a watch that the server ended, as it does every few minutes
		fires: `
			0 answer web-a o1 o2 o3 o4
			1000 lost
			3000 resumed`,
		silent: `
			0 answer web-a o1 o2 o3 o4
			1000 lost
			1150 resumed
			3000 nothing`,
	},
	codeNotProvable: {
		fires:  "0 forbidden",
		silent: "0 answer web-a o1 o2 o3 o4",
	},
}

func codes(fs []finding.Finding) []string {
	var all []string
	for _, f := range fs {
		all = append(all, f.Code)
	}
	return all
}

func TestEachCodeFiresAndItsLookAlikeDoesNot(t *testing.T) {
	for code, fault := range faults {
		for script, want := range map[string]int{fault.fires: 1, fault.silent: 0} {
			s := newScene()
			s.play(t, script)
			_, w := s.view()
			if got := Findings(w, s.proofs()); len(got) != want || want == 1 && got[0].Code != code {
				t.Errorf("%s: %v\n%s", code, codes(got), script)
			}
		}
	}
}

func TestFindingsSayAll(t *testing.T) {
	for code, fault := range faults {
		s := newScene()
		s.play(t, fault.fires)
		_, w := s.view()
		for _, f := range Findings(w, s.proofs()) {
			if f.Object != w.Ref || len(f.Evidence) == 0 || len(f.Fix) == 0 || !strings.HasSuffix(f.Message, ".") || strings.Contains(f.Message, "..") {
				t.Errorf("%s: %+v", code, f)
			}
		}
	}
}

func TestEveryCodeHasItsPage(t *testing.T) {
	pages := map[string]finding.Severity{}
	for _, d := range Docs() {
		pages[d.Code] = d.Severity
		for _, part := range []string{d.Title, d.Means, d.Told, d.Fix, d.Source} {
			if part == "" {
				t.Errorf("%s: something is not said", d.Code)
			}
		}
		if strings.Contains(d.Title, "\n") || strings.HasSuffix(d.Title, ".") {
			t.Errorf("%s: title %q", d.Code, d.Title)
		}
	}
	for _, code := range []string{Broken, codeGaps, codeNotProvable, codeProbe} {
		if pages[code] == "" {
			t.Errorf("%s has no page", code)
		}
	}
}

func TestTheWayOutFitsTheStrategy(t *testing.T) {
	for name, tt := range map[string]struct {
		kind, strategy        string
		replicas, unavailable int
		want                  string
	}{
		"Recreate":                        {"Deployment", "Recreate", 4, 0, `kubectl -n shop patch deployment/web --type=merge -p '{"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}}}'`},
		"a Deployment of one":             {"Deployment", "RollingUpdate", 1, 1, `kubectl -n shop patch deployment/web --type=merge -p '{"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}}}'`},
		"a StatefulSet of one":            {"StatefulSet", "RollingUpdate", 1, 1, "kubectl -n shop scale statefulset/web --replicas=2"},
		"a StatefulSet, all at once":      {"StatefulSet", "RollingUpdate", 3, 3, `kubectl -n shop patch statefulset/web --type=merge -p '{"spec":{"updateStrategy":{"rollingUpdate":{"maxUnavailable":1}}}}'`},
		"a DaemonSet on one node":         {"DaemonSet", "RollingUpdate", 1, 1, `kubectl -n shop patch daemonset/web --type=merge -p '{"spec":{"updateStrategy":{"rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}}}'`},
		"pods that failed, not the rules": {"Deployment", "RollingUpdate", 4, 1, "kubectl -n shop get events --field-selector=involvedObject.kind=Pod --sort-by=.metadata.creationTimestamp"},
	} {
		w := &workload.Workload{
			Ref:      object.Ref{Group: "apps", Version: "v1", Kind: tt.kind, Namespace: "shop", Name: "web"},
			Replicas: tt.replicas, Strategy: workload.Strategy{Type: tt.strategy, MaxUnavailable: tt.unavailable},
		}
		if got := mend(w, report.Proof{Service: object.Ref{Kind: "Service", Name: "web"}})[0].Command; got != tt.want {
			t.Errorf("%s:\n%s\n%s", name, got, tt.want)
		}
	}
}

func TestLiveRequestsThatFailed(t *testing.T) {
	s := newScene()
	_, w := s.view()
	var samples Samples
	samples.Add(Sample{Target: "svc/web:80/", At: after(0), Latency: time.Millisecond, Outcome: OK}.Note())
	samples.Add(Sample{Target: "svc/web:80/", At: after(50), Outcome: Unasked, Words: "too many requests"}.Note())
	if got := ProbeFindings(w, samples.Reports()); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	samples.Add(Sample{Target: "svc/web:80/", At: after(100), Outcome: Failed, Words: "connection refused"}.Note())
	samples.Add(Sample{Target: "svc/web:80/", At: after(1100), Outcome: Failed, Words: "no answer in time"}.Note())
	got := ProbeFindings(w, samples.Reports())
	want := "2 of 3 live requests to svc/web:80/ failed, between 12:00:00.100 UTC and 12:00:01.100 UTC; the last one: no answer in time."
	if len(got) != 1 || got[0].Code != codeProbe || got[0].Message != want {
		t.Errorf("%+v", got)
	}
}
