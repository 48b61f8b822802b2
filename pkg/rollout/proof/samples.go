package proof

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Sample is how one live request went.
type Sample struct {
	Target  string // the URL, or "svc/web:80/healthz"
	At      time.Time
	Latency time.Duration // from when it was due, not from when it could be sent
	Outcome string
	Words   string // of a failure; strangers' text
}

// The outcomes of a live request.
const (
	OK      = "ok"
	Failed  = "failed"
	Unasked = "unasked" // it was not sent, or not passed on: it says nothing about the Service
)

// aboutSample is what notes of samples are about.
const aboutSample = "live-probe"

// Note is the form in which a sample is recorded.
func (s Sample) Note() source.Note {
	document, err := json.Marshal(s)
	if err != nil { // a time beyond the year 9999
		document = []byte("{}")
	}
	return source.Note{About: aboutSample, Document: document}
}

// Samples adds up live requests, however many: it keeps how often each latency
// came, not the requests. It is used by one goroutine at a time.
type Samples struct {
	targets map[string]*tally
}

type tally struct {
	probe   report.LiveProbe
	buckets [buckets]uint32
	max     time.Duration
}

// Latencies are told apart to 2 %, from 0.1 ms to more than an hour.
const (
	buckets = 896
	finest  = 100 * time.Microsecond
	growth  = 1.02
)

// mostTargets bounds what a recording can make this keep.
const mostTargets = 100

// Add takes a note of a sample; false where the note is of something else.
func (s *Samples) Add(n source.Note) bool {
	var sample Sample
	if n.About != aboutSample || json.Unmarshal(n.Document, &sample) != nil || sample.Target == "" {
		return false
	}
	s.add(sample)
	return true
}

func (s *Samples) add(x Sample) {
	t := s.targets[x.Target]
	if t == nil {
		if len(s.targets) >= mostTargets {
			return
		}
		if s.targets == nil {
			s.targets = map[string]*tally{}
		}
		t = &tally{probe: report.LiveProbe{Target: x.Target}}
		s.targets[x.Target] = t
	}
	p := &t.probe
	switch x.Outcome {
	case OK:
	case Failed:
		// Samples come in when they end: a slow one may have begun before.
		if p.First == nil || x.At.Before(*p.First) {
			p.First = &x.At
		}
		if p.Last == nil || !x.At.Before(*p.Last) {
			p.Last, p.Words = &x.At, x.Words
		}
		p.Failed++
	default:
		p.Unasked++
		return
	}
	p.Sent++
	t.buckets[bucketOf(x.Latency)]++
	t.max = max(t.max, x.Latency)
}

// Reports are the sums, in the order of the targets. Those that were not asked
// are no part of Sent. The latencies are of all that were, failed ones too: a
// request that timed out was at least that slow.
func (s *Samples) Reports() []report.LiveProbe {
	var all []report.LiveProbe
	for _, target := range slices.SortedFunc(maps.Keys(s.targets), cmp.Compare[string]) {
		t := s.targets[target]
		p := t.probe
		p.P50, p.P99, p.Max = milliseconds(t.quantile(0.50)), milliseconds(t.quantile(0.99)), milliseconds(t.max)
		all = append(all, p)
	}
	return all
}

func bucketOf(d time.Duration) int {
	if d <= finest {
		return 0
	}
	return min(buckets-1, int(math.Ceil(math.Log(float64(d)/float64(finest))/math.Log(growth))))
}

// quantile is the upper end of the bucket in which it lies.
func (t *tally) quantile(q float64) time.Duration {
	rank := int(math.Ceil(q * float64(t.probe.Sent)))
	seen := 0
	for i, n := range t.buckets {
		if seen += int(n); seen >= rank {
			return min(t.max, time.Duration(float64(finest)*math.Pow(growth, float64(i))))
		}
	}
	return t.max
}

func milliseconds(d time.Duration) float64 { return math.Round(d.Seconds()*1e5) / 100 }
