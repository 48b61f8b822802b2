// Package rollout judges rollouts while they go on: where each one stands, what
// keeps it from finishing, whether service was kept, and what the way back is.
// It is a fold over what happened: the same happenings give the same words,
// whether they come from a cluster or from a recording.
package rollout

import (
	"time"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/cause"
	"github.com/leadsman-dev/leadsman/pkg/rollout/proof"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Options are what the user chose.
type Options struct {
	Timeout        time.Duration // from the start of the watch; 0 is without end
	StableFor      time.Duration // how long it must stay available before it is done
	WaitTerminated bool          // done only when the old pods are gone
	Await          bool          // nothing rolls yet: wait for the next rollout instead of ending
	StayPaused     bool          // somebody looks on and may resume: a pause does not end the watch
	ToRevision     int64         // the revision that the user would go back to; 0: the last healthy one
	Learn          bool
}

// Watch follows some workloads. It is fed with everything that happens, in
// order, and with a view after each burst. It is not safe for concurrent use.
type Watch struct {
	opts    Options
	start   time.Time
	targets []*target
	proof   *proof.Tracker
	samples proof.Samples
	gaps    map[source.Query]bool // watches that are lost right now
}

// New begins to watch. The targets' order is kept.
func New(start time.Time, targets []object.Ref, opts Options) *Watch {
	w := &Watch{opts: opts, start: start, proof: proof.New(), gaps: map[source.Query]bool{}}
	for _, ref := range targets {
		w.targets = append(w.targets, newTarget(ref, start))
	}
	return w
}

// Happened takes in one thing that happened.
func (w *Watch) Happened(h source.Happening) {
	w.proof.Happened(h)
	switch {
	case h.Change == source.Lost, h.Forget:
		w.gaps[h.Query] = true
	case h.Change == source.Resumed, h.Answer != nil:
		delete(w.gaps, h.Query)
	case h.Note != nil:
		w.noted(h)
	case h.Object != nil:
		for _, t := range w.targets {
			t.happened(h)
		}
	}
}

// Needs are the reads that the judgement of the targets wants.
func (w *Watch) Needs(v *index.View) ([]source.Query, []source.LogQuery) {
	var queries []source.Query
	var logs []source.LogQuery
	crowd := map[string]int{}
	for _, t := range w.targets {
		crowd[t.ref.Namespace]++
	}
	for _, t := range w.targets {
		queries = append(queries, t.query())
		wl, ok := workload.Of(v, t.ref)
		if !ok {
			continue
		}
		crew := crewOf(wl)
		for i := range crew {
			if crowd[t.ref.Namespace] >= crowded {
				crew[i].Labels = "" // one watch for all of them
			}
		}
		queries = append(queries, crew...)
		more, tails := cause.Needs(v, wl)
		queries = append(append(queries, more...), proof.Needs(v, wl)...)
		logs = append(logs, tails...)
	}
	return distinct(queries), logs
}

// crowded is how many targets of a namespace are followed by watches of the
// whole namespace instead of one for each selector.
const crowded = 8

// crewOf are the revisions and pods of a workload. Revisions carry its
// selector's labels as pods do.
func crewOf(w *workload.Workload) []source.Query {
	revisions := kindReplicaSet
	if w.Ref.Kind != "Deployment" {
		revisions = kindControllerRevision
	}
	selector := w.Selector.String()
	return []source.Query{
		{Kind: revisions, Namespace: w.Ref.Namespace, Labels: selector},
		{Kind: kindPod, Namespace: w.Ref.Namespace, Labels: selector},
	}
}

// Observe judges what is known now.
func (w *Watch) Observe(v *index.View) *report.Report {
	r := &report.Report{APIVersion: report.APIVersion, Kind: "GuardRollout", Findings: []finding.Finding{}}
	var later []finding.Finding
	for _, t := range w.targets {
		rollout, found := w.observe(t, v)
		r.Rollouts = append(r.Rollouts, rollout)
		if hopeless(rollout) {
			r.Findings = append(r.Findings, found...)
		} else {
			later = append(later, found...)
		}
	}
	r.Findings = append(r.Findings, later...)
	order(r.Findings)
	w.conclude(r, v)
	return report.Clean(r)
}

// hopeless rollouts are told first: the first finding is the root cause.
func hopeless(r *report.Rollout) bool {
	switch r.Phase {
	case report.PhaseFailed, report.PhaseTimedOut, report.PhaseReturned, report.PhaseLost:
		return true
	}
	return false
}

// Final says whether nothing more is waited for. Unless it keeps going, one
// rollout that cannot finish ends the watch of all.
func (w *Watch) Final(keepGoing bool) bool {
	all := true
	for _, t := range w.targets {
		if t.phase == report.PhaseFailed && !keepGoing {
			return true
		}
		all = all && t.phase.Final()
	}
	return all
}
