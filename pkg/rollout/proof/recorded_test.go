package proof

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// recorded is a line of a recording of what a real cluster's EndpointSlices did.
type recorded struct {
	At     time.Time
	Type   watch.EventType
	Slice  *discoveryv1.EndpointSlice
	Answer []*discoveryv1.EndpointSlice
}

// replay plays a recording into a scene, and gives the workload the pods that
// are named in it. The current revision is the one that is named last.
func replay(t *testing.T, s *scene, file string) *workload.Workload {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, w := s.view()
	w.Pods = nil
	known := map[string]bool{}
	meet := func(es *discoveryv1.EndpointSlice) source.Object {
		for _, e := range es.Endpoints {
			if name := e.TargetRef.Name; !known[name] {
				known[name] = true
				hash := strings.Split(name, "-")[1]
				w.Pods = append(w.Pods, workload.Pod{Pod: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, UID: e.TargetRef.UID}}, Hash: hash})
				w.Current = &workload.Revision{Hash: hash}
			}
		}
		return es
	}
	for line := range bytes.Lines(text) {
		var r recorded
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		h := source.Happening{At: r.At, Query: slicesOfShop, Change: r.Type}
		if r.Slice != nil {
			h.Object = meet(r.Slice)
		} else {
			h.Answer = &source.Result{}
			for _, es := range r.Answer {
				h.Answer.Objects = append(h.Answer.Objects, meet(es))
			}
		}
		s.t.Happened(h)
		s.at = r.At
	}
	return w
}

func TestRealRolls(t *testing.T) {
	for file, tt := range map[string]struct{ strategy, want, curve string }{
		// Four replicas, a readiness probe, a preStop sleep of 2 s, kubectl rollout
		// restart. A client that sent 20 requests a second lost none of 320.
		"testdata/roll.ndjson": {"RollingUpdate",
			"web: held, 4 now, 3 to 5, floor 3",
			"4+0 3+0 3+2 1+2 1+3 0+3 0+4"},
		// The same with strategy Recreate: the client lost 97 of 440 requests, from
		// 02:40:29.845 to 02:40:34.645, which is 4.85 s.
		"testdata/recreate.ndjson": {"Recreate",
			"web: broken, 4 now, 0 to 4, floor 1, below 1 times for 4.80 s, area 4.80",
			"4+0 2+0 0+0 0+1 0+2 0+3 0+4"},
	} {
		t.Run(file, func(t *testing.T) {
			s := newScene()
			w := replay(t, s, file)
			w.Strategy.Type = tt.strategy
			v, _ := s.view()
			s.t.Learn(v, w)
			proofs := s.t.Proofs(v, w, time.Time{}, s.at)
			if got := words(proofs); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			var curve []string
			for _, p := range proofs[0].Curve {
				curve = append(curve, fmt.Sprintf("%d+%d", p.Old, p.New))
			}
			if got := strings.Join(curve, " "); got != tt.curve {
				t.Errorf("curve %s, want %s", got, tt.curve)
			}
		})
	}
}
