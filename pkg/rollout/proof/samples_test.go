package proof

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

func TestLatenciesAreKeptToTwoPercent(t *testing.T) {
	var s Samples
	for i := range 10_000 {
		s.Add(Sample{Target: "a", At: after(i), Latency: time.Duration(i+1) * 100 * time.Microsecond, Outcome: OK}.Note())
	}
	p := s.Reports()[0]
	near := func(got, want float64) bool { return got >= want*0.999 && got <= want*1.021 }
	if p.Sent != 10_000 || !near(p.P50, 500) || !near(p.P99, 990) || p.Max != 1000 {
		t.Errorf("%+v", p)
	}
}

func TestOneRequestIsItsOwnQuantiles(t *testing.T) {
	var s Samples
	s.Add(Sample{Target: "a", At: after(0), Latency: 7 * time.Millisecond, Outcome: OK}.Note())
	if p := s.Reports()[0]; p.P50 != 7 || p.P99 != 7 || p.Max != 7 {
		t.Errorf("%+v", p)
	}
}

func TestFailuresMayEndOutOfOrder(t *testing.T) {
	var s Samples
	for _, ms := range []int{500, 100, 300} {
		s.Add(Sample{Target: "a", At: after(ms), Outcome: Failed, Words: time.Duration(ms).String()}.Note())
	}
	p := s.Reports()[0]
	if !p.First.Equal(after(100)) || !p.Last.Equal(after(500)) || p.Words != "500ns" || p.Failed != 3 || p.Sent != 3 {
		t.Errorf("%+v", p)
	}
}

func TestWhatWasNotAskedIsNotSent(t *testing.T) {
	var s Samples
	s.Add(Sample{Target: "a", At: after(0), Latency: time.Hour, Outcome: Unasked}.Note())
	if p := s.Reports()[0]; p.Sent != 0 || p.Unasked != 1 || p.Max != 0 || p.P99 != 0 {
		t.Errorf("%+v", p)
	}
}

func TestTargetsAreReportedInOrder(t *testing.T) {
	var s Samples
	for _, target := range []string{"b", "a", "c", "a"} {
		s.Add(Sample{Target: target, At: after(0), Outcome: OK}.Note())
	}
	if r := s.Reports(); len(r) != 3 || r[0].Target != "a" || r[0].Sent != 2 || r[2].Target != "c" {
		t.Errorf("%+v", r)
	}
}

func TestOtherNotesAreNoSamples(t *testing.T) {
	var s Samples
	for _, n := range []source.Note{{}, {About: aboutSample}, {About: aboutSample, Document: json.RawMessage(`{"Target":3}`)}, {About: "log", Document: json.RawMessage(`{"Target":"a"}`)}} {
		if s.Add(n) {
			t.Errorf("%+v was taken", n)
		}
	}
	if len(s.Reports()) != 0 {
		t.Error("something was counted")
	}
}
