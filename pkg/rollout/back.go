package rollout

import (
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/back"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// WayBack decides whether and how a target goes back. byHand says that a person
// looks on and decides; else the causes must speak for it. False where the
// target is not there.
func (w *Watch) WayBack(v *index.View, ref object.Ref, byHand bool) (back.Decision, bool) {
	t, wl, ok := w.present(v, ref)
	if !ok {
		return back.Decision{}, false
	}
	return t.decide(w, v, wl, byHand), true
}

// Stop decides whether a target can be stopped where it is.
func (w *Watch) Stop(v *index.View, ref object.Ref) (back.Decision, bool) {
	_, wl, ok := w.present(v, ref)
	if !ok {
		return back.Decision{}, false
	}
	return back.Pause(wl), true
}

func (w *Watch) present(v *index.View, ref object.Ref) (*target, *workload.Workload, bool) {
	t := w.target(ref)
	if t == nil || t.start == nil {
		return nil, nil, false
	}
	wl, ok := workload.Of(v, t.ref)
	return t, wl, ok
}

func (t *target) decide(w *Watch, v *index.View, wl *workload.Workload, byHand bool) back.Decision {
	return back.Decide(v, wl, *t.start, back.Ask{
		To: w.opts.ToRevision, ByHand: byHand, Failed: t.failed, Outlasted: t.phase == report.PhaseTimedOut,
	})
}

// offer says what the way back is, once it is wanted.
func (t *target) offer(w *Watch, v *index.View, wl *workload.Workload) {
	if t.wayBack == nil && (t.phase == report.PhaseFailed || t.phase == report.PhaseTimedOut) {
		t.wayBack = t.decide(w, v, wl, false).Report()
	}
}
