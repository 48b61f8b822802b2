package cause

import (
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// Memory is what was seen since the rollout began; the zero value is not usable.
type Memory struct {
	start time.Time
	seen  map[key]stamp
	words map[key][]finding.Evidence // last lines of logs, which can vanish
	pace  pace
	lag   lagging
	clash *collisions
	root  *Cause               // the last that was to be done something about
	stale map[string]time.Time // since when a deadline is seen that may be of an earlier rollout
}

// NewMemory remembers from the start of the rollout.
func NewMemory(start time.Time) *Memory {
	return &Memory{start: start, seen: map[key]stamp{}, words: map[key][]finding.Evidence{}, stale: map[string]time.Time{}}
}

// key is one problem of one pod's container, or one of another object.
type key struct {
	pod       types.UID
	code      string
	container string
	about     object.Ref
}

// stamp is since when a problem was suspected, and since when it is certain.
type stamp struct{ suspected, certain time.Time }

// pace is how the rollout moves: a clock of its own, which flapping does not
// turn back.
type pace struct {
	goal       goal
	best       int       // most pods of the new revision that were available at once
	bestAt     time.Time // since when there were that many
	last       tally
	falls      int       // how often fewer were ready than just before, since bestAt
	moved      time.Time // when the tally last changed
	restarts   int32
	restartsAt int32 // restarts of the new pods at bestAt
}

// goal is what the clock is for: with another it starts anew.
type goal struct {
	revision string
	pods     int
	paused   bool
}

// tally is what a rollout that moves changes.
type tally struct{ created, ready, available, old, leaving int }

type lagging struct {
	generation int64
	since      time.Time
}

type collisions struct{ count int32 }

// observe takes note of a view before it is judged.
func (m *Memory) observe(v *index.View, w *workload.Workload) {
	m.forget(w)
	now, g := v.Now, goal{pods: w.Goal, paused: w.Paused}
	if w.Current != nil {
		g.revision = w.Current.Hash
	}
	t, restarts := tallyOf(w, now)
	if m.pace.bestAt.IsZero() || m.pace.goal != g {
		m.pace = pace{goal: g, best: t.available, bestAt: now, last: t, moved: movement(w), restarts: restarts, restartsAt: restarts}
		m.root = nil
	}
	p := &m.pace
	if t.available > p.best {
		p.best, p.bestAt, p.falls, p.restartsAt = t.available, now, 0, restarts
	}
	if t.ready < p.last.ready && t.created >= p.last.created {
		p.falls++
	}
	if t != p.last {
		p.moved = now
	}
	p.last, p.restarts = t, restarts
	if w.Observed >= w.Generation {
		m.lag = lagging{}
	} else if m.lag.generation != w.Generation {
		m.lag = lagging{w.Generation, now}
	}
}

// forget drops what was remembered of pods that are gone, once it is much.
func (m *Memory) forget(w *workload.Workload) {
	if len(m.seen)+len(m.words) < 4*len(w.Pods)+256 {
		return
	}
	there := map[types.UID]bool{"": true}
	for _, p := range w.Pods {
		there[p.UID] = true
	}
	maps.DeleteFunc(m.seen, func(k key, _ stamp) bool { return !there[k.pod] })
	maps.DeleteFunc(m.words, func(k key, _ []finding.Evidence) bool { return !there[k.pod] })
}

func tallyOf(w *workload.Workload, now time.Time) (t tally, restarts int32) {
	for _, p := range w.Pods {
		switch {
		case p.DeletionTimestamp != nil:
			t.leaving++
		case !p.Live():
		case !p.New:
			t.old++
		default:
			t.created++
			if p.Ready() {
				t.ready++
			}
			if p.AvailableAt(now, w.MinReady) {
				t.available++
			}
			for _, s := range p.Status.ContainerStatuses {
				restarts += s.RestartCount
			}
		}
	}
	return t, restarts
}

// movement is when the rollout last moved, as far as objects record it: what
// was seen for the first time may have stood still for long.
func movement(w *workload.Workload) time.Time {
	last := w.Object.GetCreationTimestamp().Time
	note := func(t time.Time) {
		if t.After(last) {
			last = t
		}
	}
	for _, p := range w.Pods {
		note(p.CreationTimestamp.Time)
		for _, c := range p.Status.Conditions {
			if c.Type == "Ready" || c.Type == "PodScheduled" {
				note(c.LastTransitionTime.Time)
			}
		}
	}
	if w.Current != nil && w.Current.Object.Object != nil {
		note(w.Current.Object.Object.GetCreationTimestamp().Time)
	}
	return last
}

// stamp says since when something is as it is: at, where its evidence carries a
// time, or else when it was first seen. What is certain stays so since then.
func (m *Memory) stamp(k key, certain bool, now, at time.Time) time.Time {
	if at.IsZero() || at.After(now) {
		at = now
	}
	s := m.seen[k]
	if s.suspected.IsZero() {
		s.suspected = at
	}
	if certain && s.certain.IsZero() {
		s.certain = at
	}
	m.seen[k] = s
	if certain {
		return s.certain
	}
	return s.suspected
}

// standstill is for how long nothing has moved.
func (m *Memory) standstill(now time.Time) time.Duration { return max(0, now.Sub(m.pace.moved)) }
