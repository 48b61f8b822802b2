package guardrollout

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/leadsman-dev/leadsman/pkg/act"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/render/screen"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout"
	"github.com/leadsman-dev/leadsman/pkg/rollout/back"
)

// hand does what --on-failure and the keys ask for. Each target is acted on at
// most once: a rollback is never chained.
type hand struct {
	g     *guard
	actor *act.Actor

	mu    sync.Mutex
	acted map[object.Ref]bool
}

func newHand(g *guard) *hand {
	return &hand{g: g, actor: act.New(g.env.Config.ToRESTConfig), acted: map[object.Ref]bool{}}
}

// claim says whether a target was not acted on before.
func (h *hand) claim(target object.Ref) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.acted[target.Key()] {
		return false
	}
	h.acted[target.Key()] = true
	return true
}

// act does what --on-failure says about each rollout that cannot finish. It
// says whether anything was done or tried.
func (h *hand) act(ctx context.Context, r *report.Report) bool {
	any := false
	for _, ro := range r.Rollouts {
		failed := ro.Phase == report.PhaseFailed || ro.Phase == report.PhaseTimedOut
		asked := h.g.o.onFailure == "rollback" && !h.g.o.yes
		if !failed || asked || h.g.o.onFailure == "report" || !h.claim(ro.Object) {
			continue
		}
		any = true
		if h.g.o.onFailure == "pause" {
			h.stop(ctx, ro.Object)
		} else {
			h.back(ctx, ro.Object)
		}
	}
	return any
}

// ask offers, after the last report, to go back with what failed. It says
// whether anything was tried.
func (h *hand) ask(ctx context.Context, r *report.Report) (bool, error) {
	any := false
	for _, ro := range r.Rollouts {
		failed := ro.Phase == report.PhaseFailed || ro.Phase == report.PhaseTimedOut
		if !failed || h.g.o.onFailure != "rollback" || h.g.o.yes || ro.Back == nil || ro.Back.Refused != "" || !h.claim(ro.Object) {
			continue
		}
		agreed, err := h.g.confirm(ctx, ro.Object, ro.Back)
		if err != nil {
			return any, err
		}
		if agreed {
			any = true
			h.back(ctx, ro.Object)
		}
	}
	return any, nil
}

// stop pauses a failing rollout. That it cannot be done is part of the report.
func (h *hand) stop(ctx context.Context, target object.Ref) {
	d, ok := h.g.decide(target, (*rollout.Watch).Stop)
	if !ok {
		return
	}
	way := d.Report()
	if d.Refused == "" {
		if err := h.write(ctx, d); err != nil {
			way.Refused = err.Error()
		} else {
			way.Done = "paused"
		}
	}
	h.g.cache.Tell(rollout.Acted(rollout.Action{Object: target, Kind: rollout.Paused, WayBack: way}))
}

// back goes back, or says why not.
func (h *hand) back(ctx context.Context, target object.Ref) {
	d, ok := h.g.decide(target, automatic)
	if !ok {
		return
	}
	way := d.Report()
	if d.Refused != "" {
		h.g.cache.Tell(rollout.Acted(rollout.Action{Object: target, Kind: rollout.Said, WayBack: way}))
		return
	}
	_ = h.goBack(ctx, d) // that it failed is part of the report
}

func automatic(w *rollout.Watch, v view, target object.Ref) (back.Decision, bool) {
	return w.WayBack(v, target, false)
}

func byHand(w *rollout.Watch, v view, target object.Ref) (back.Decision, bool) {
	return w.WayBack(v, target, true)
}

// goBack carries the decision out and tells the watch, which follows it to its end.
func (h *hand) goBack(ctx context.Context, d back.Decision) error {
	way := d.Report()
	err := h.write(ctx, d)
	for _, t := range d.Trapped {
		if err == nil && h.g.o.deletePod { // the UID makes sure that it is still that pod
			err = h.actor.Delete(ctx, t.Pod, t.UID, "")
		}
	}
	if err != nil {
		way.Refused = err.Error()
		h.g.cache.Tell(rollout.Acted(rollout.Action{Object: d.Target, Kind: rollout.BackLost, WayBack: way}))
		return err
	}
	way.Done = fmt.Sprintf("rolled back to revision %d", d.To.Number)
	h.g.cache.Tell(rollout.Acted(rollout.Action{Object: d.Target, Kind: rollout.GoingBack, Revision: d.To.Hash, WayBack: way}))
	return nil
}

// write re-reads, makes the patch and sends it. The controllers write the
// status all the time; only what the decision rests on must not have moved.
func (h *hand) write(ctx context.Context, d back.Decision) error {
	var revision *unstructured.Unstructured
	if ref := d.Revision(); !ref.IsZero() {
		var err error
		if revision, err = h.actor.Get(ctx, ref); err != nil {
			return err
		}
	}
	_, err := h.actor.Change(ctx, d.Target, func(current *unstructured.Unstructured) ([]byte, error) {
		return d.Patch(current, revision)
	})
	return err
}

// actions are what the keys of the screen do.
func (h *hand) actions() screen.Actions {
	return screen.Actions{Pause: h.pauseKey, Back: h.backKey}
}

func (h *hand) pauseKey(ctx context.Context, target object.Ref) (string, error) {
	d, ok := h.g.decide(target, (*rollout.Watch).Stop)
	switch {
	case !ok:
		return "", errors.New("it is not there")
	case d.Refused != "":
		return "", fmt.Errorf("%s; the command is: %s", d.Refused, d.Command)
	}
	if err := h.write(ctx, d); err != nil {
		return "", err
	}
	return "paused; resume it with: " + d.Command, nil
}

func (h *hand) backKey(_ context.Context, target object.Ref) (screen.Plan, error) {
	d, ok := h.g.decide(target, byHand)
	switch {
	case !ok:
		return screen.Plan{}, errors.New("it is not there")
	case d.Refused != "":
		return screen.Plan{}, fmt.Errorf("%s; the command is: %s", d.Refused, d.Command)
	}
	return screen.Plan{Lines: planLines(d.Report()), Do: func(ctx context.Context) (string, error) {
		if !h.claim(target) {
			return "", errors.New("it was acted on once already")
		}
		if err := h.goBack(ctx, d); err != nil {
			return "", err
		}
		return fmt.Sprintf("going back to revision %d", d.To.Number), nil
	}}, nil
}

func planLines(b *report.WayBack) []string {
	lines := []string{fmt.Sprintf("back to revision %d: %s", b.To.Number, b.Why)}
	for _, change := range b.Diff {
		lines = append(lines, "  "+change)
	}
	return append(lines, "this needs the right to "+b.Needs)
}
