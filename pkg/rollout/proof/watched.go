package proof

import (
	"cmp"
	"slices"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// watched is how well a query was followed.
type watched struct {
	since     time.Time // the first answer in full; zero: there was none
	gap       *source.Gap
	lost      bool
	forgotten bool
	from      time.Time // since when it is lost or forgotten
	unseen    []span
}

// span is an interval of time.
type span struct{ from, to time.Time }

// watched keeps the book of what was not observed: from Lost to Resumed, and
// from Forget, or an answer that is none, to the next answer.
func (t *Tracker) watched(h source.Happening) {
	w := t.watches[h.Query]
	if w == nil {
		w = &watched{}
		t.watches[h.Query] = w
	}
	switch {
	case h.Answer != nil && h.Answer.Gap != nil:
		w.loses(t.at)
		w.gap, w.forgotten = h.Answer.Gap, true
	case h.Answer != nil:
		w.finds(t.at)
		w.gap, w.forgotten = nil, false
		if w.since.IsZero() {
			w.since = t.at
		}
	case h.Forget:
		w.loses(t.at)
		w.forgotten = true
	case h.Change == source.Lost:
		w.loses(t.at)
	case h.Change == source.Resumed && !w.forgotten:
		w.finds(t.at)
	}
}

func (w *watched) loses(at time.Time) {
	if !w.lost {
		w.lost, w.from = true, at
	}
}

func (w *watched) finds(at time.Time) {
	if w.lost && !w.since.IsZero() {
		w.unseen = append(w.unseen, span{w.from, at})
	}
	w.lost = false
}

// earliest is when that which comes in now may have happened: each watch is
// resumed by itself, so that a cause may come in after its effects.
func (w *watched) earliest(now time.Time) time.Time {
	if n := len(w.unseen); n > 0 && now.Sub(w.unseen[n-1].to) < shortGap {
		return w.unseen[n-1].from
	}
	return now
}

// watchOf is who follows the EndpointSlices of a namespace.
func (t *Tracker) watchOf(namespace string) *watched {
	return cmp.Or(t.watches[source.Query{Kind: sliceKind, Namespace: namespace}], t.watches[source.Query{Kind: sliceKind}])
}

// The server ends every watch after some minutes, and the next one goes on
// where it ended. Of such a short gap nothing is missed unless something
// changed in it; what did comes within a moment of its end.
const (
	shortGap = time.Second
	backlog  = 50 * time.Millisecond
)

// gapsOf are the intervals in which nobody observed a line, their sum in
// seconds, and whether they matter to the verdict.
func (w *watched) gapsOf(l *line, since, until time.Time) (gaps []report.Interval, seconds float64, matter bool) {
	unseen := slices.Clone(w.unseen)
	if w.lost {
		unseen = append(unseen, span{w.from, until})
	}
	first := w.since
	if l.from.After(first) {
		first = l.from
	}
	unseen = append([]span{{since, first}}, unseen...)
	reached := since
	for n, s := range unseen {
		from, to := latest(s.from, reached), earliest(s.to, until)
		if !to.After(from) {
			continue
		}
		reached = to
		i := report.Interval{From: from, Min: l.countAt(from)}
		if !w.lost || to.Before(until) {
			i.To = &to
		}
		gaps = append(gaps, i)
		seconds += to.Sub(from).Seconds()
		matter = matter || to.Sub(from) >= shortGap || n > 0 && l.changed(from, to.Add(backlog))
	}
	return gaps, seconds, matter
}

// changed says whether anything changed in an interval.
func (l *line) changed(from, to time.Time) bool {
	i, _ := slices.BinarySearchFunc(l.steps, from, func(s step, at time.Time) int { return s.at.Compare(at) })
	return i < len(l.steps) && !l.steps[i].at.After(to)
}

// countAt is how many endpoints served at a moment.
func (l *line) countAt(at time.Time) int {
	n := 0
	for _, s := range l.base {
		n += count(s == serving)
	}
	for _, s := range l.steps {
		if s.at.After(at) {
			break
		}
		n += count(s.is == serving) - count(s.was == serving)
	}
	return n
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
