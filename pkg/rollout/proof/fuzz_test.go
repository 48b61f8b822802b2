package proof

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// FuzzHappened plays scripts of any events, and a slice that a stranger wrote.
// Whatever comes, the sums of a proof agree with each other.
func FuzzHappened(f *testing.F) {
	f.Add("0 answer web-a o1 o2 o3 o4\n1000 web-a o1 o2\n1000 lost\n2000 forget\n3000 answer web-b n1 | web-a.6 n1 n2", `{"addressType":"IPv4","endpoints":[{"addresses":[]},{"conditions":{"ready":null}}]}`)
	f.Add("5 resumed\n4 gone web-a\n3 forbidden\n2 scale 0\n1 strategy OnDelete\n9 learn\n10 unservice", `{"metadata":{"namespace":"shop","labels":{"kubernetes.io/service-name":"web"}},"addressType":"IPv4","ports":[{},{}],"endpoints":[{"addresses":["x"],"targetRef":{}}]}`)
	f.Fuzz(func(t *testing.T, script, strange string) {
		if len(script) > 4096 || strings.ContainsRune(script, '\x00') {
			return
		}
		s := newScene()
		var es discoveryv1.EndpointSlice
		if json.Unmarshal([]byte(strange), &es) == nil {
			s.t.Happened(source.Happening{At: start, Query: slicesOfShop, Change: watch.Added, Object: &es})
		}
		for l := range strings.Lines(script) {
			var ms int
			w := strings.Fields(l)
			if len(w) < 2 {
				continue
			}
			if _, err := fmt.Sscan(w[0], &ms); err != nil || ms < 0 || ms > 1<<30 {
				continue
			}
			if (w[1] == "gone" || w[1] == "scale" || w[1] == "strategy") && len(w) < 3 || w[1] == "unservice" && len(s.services) == 0 {
				continue
			}
			s.at = after(ms)
			s.event(w[1], w[2:])
		}
		for _, p := range s.proofs() {
			if p.Min > p.Max || p.Below < 0 || p.Area < 0 || p.Gaps < 0 || len(p.Curve) > mostPoints || p.Summary == "" ||
				(p.Verdict == report.BrokenProof) != (len(p.Broken) > 0) || (p.Verdict == report.NotProvable) != (p.Why != "") {
				t.Errorf("%+v", p)
			}
		}
	})
}

func TestAHugeSliceIsCountedOnce(t *testing.T) {
	s := newScene()
	var pods strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&pods, " o%d", i)
	}
	s.play(t, "0 answer web-a"+pods.String()+"\n10 web-b"+pods.String()+"\n20 web-c"+pods.String())
	if got := words(s.proofs()); got != "web: held, 10000 now, 10000 to 10000, floor 3" {
		t.Error(got)
	}
}

// What is older than the memory of a line is said not to have been observed.
func TestMemoryIsBounded(t *testing.T) {
	s := newScene()
	s.play(t, "0 answer web-a o1 o2 o3 o4")
	for i := range mostSteps {
		s.at = after(1 + i)
		s.event("web-a", []string{"o1", "o2", "o3", []string{"o4", "o4-"}[i%2]})
	}
	l := s.t.lines[name{"shop", "web"}][lineID{"IPv4", "http"}]
	p := s.proofs()[0]
	if len(l.steps) > mostSteps || p.Verdict != report.HeldWithGaps || p.Gaps < 60 || p.Min != 3 {
		t.Errorf("%d steps, %s, %s", len(l.steps), p.Verdict, p.Summary)
	}
}

func TestItMayBeToldAndAskedAtOnce(t *testing.T) {
	s := newScene()
	s.play(t, "0 answer web-a o1 o2 o3 o4")
	v, w := s.view()
	slices := []*discoveryv1.EndpointSlice{s.slice("web-a", []string{"o1", "o2", "o3"}), s.slice("web-a", []string{"o1", "o2", "o3", "o4"})}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 1000 {
			s.t.Happened(source.Happening{At: after(i), Query: slicesOfShop, Change: watch.Modified, Object: slices[i%2]})
		}
	})
	for range 100 {
		s.t.Learn(v, w)
		if p := s.t.Proofs(v, w, start, time.Time{}); p[0].Min < 3 {
			t.Errorf("%+v", p)
		}
	}
	wg.Wait()
}

func BenchmarkProofsOfFiveThousandPods(b *testing.B) {
	s := newScene()
	var pods strings.Builder
	for i := range 5_000 {
		fmt.Fprintf(&pods, " o%d", i)
	}
	s.play(b, "0 answer web-a"+pods.String()+"\n1000 web-a")
	v, w := s.view()
	s.t.Learn(v, w)
	for b.Loop() {
		s.t.Proofs(v, w, start, s.at)
	}
}
