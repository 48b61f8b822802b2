package rollout

import (
	"encoding/json"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// What comes in beside the facts is a note, so that a recording has it too.
const (
	aboutBefore = "preflight"
	aboutAction = "action"
)

// before is what preflight said of one target.
type before struct {
	Object   object.Ref        `json:"object"`
	Findings []finding.Finding `json:"findings"`
}

// Before makes the note of what preflight said. Whether anything rolls, and how
// it fares, is what the watch itself says.
func Before(ref object.Ref, findings []finding.Finding) source.Note {
	var kept []finding.Finding
	for _, f := range findings {
		if f.Code != "preflight/nothing-to-roll" && f.Code != "preflight/already-broken" {
			kept = append(kept, f)
		}
	}
	return note(aboutBefore, before{ref, kept})
}

// Action is what was done about a rollout. It is the only way in which this
// program's own writes reach the judgement.
type Action struct {
	Object   object.Ref      `json:"object"`
	Kind     ActionKind      `json:"kind"`
	Revision string          `json:"revision,omitempty"` // hash, of GoingBack
	WayBack  *report.WayBack `json:"wayBack,omitempty"`
}

// ActionKind is what was done.
type ActionKind string

// The actions.
const (
	Said      ActionKind = "said"       // only what could be done
	Paused    ActionKind = "paused"     //
	GoingBack ActionKind = "going-back" // the template of Revision was put back
	BackLost  ActionKind = "back-lost"  // going back was tried and did not succeed
)

// Acted makes the note of an action.
func Acted(a Action) source.Note { return note(aboutAction, a) }

// Acts says whether a note tells of an action: what was done rests on what was
// judged right before it.
func Acts(n *source.Note) bool { return n != nil && n.About == aboutAction }

func note(about string, document any) source.Note {
	body, err := json.Marshal(document)
	if err != nil { // these types always have a JSON form
		body = json.RawMessage("null")
	}
	return source.Note{About: about, Document: body}
}

func (w *Watch) noted(h source.Happening) {
	switch h.Note.About {
	case aboutBefore:
		var b before
		if json.Unmarshal(h.Note.Document, &b) == nil {
			if t := w.target(b.Object); t != nil {
				t.before = b.Findings
			}
		}
	case aboutAction:
		var a Action
		if json.Unmarshal(h.Note.Document, &a) == nil {
			if t := w.target(a.Object); t != nil {
				t.acted(a, h)
			}
		}
	default:
		w.samples.Add(*h.Note)
	}
}

func (w *Watch) target(ref object.Ref) *target {
	for _, t := range w.targets {
		if t.ref.Key() == ref.Key() {
			return t
		}
	}
	return nil
}

// acted opens a final phase again: what was done is watched to its end.
func (t *target) acted(a Action, h source.Happening) {
	t.wayBack = a.WayBack
	switch {
	case a.Kind == GoingBack && t.phase != report.PhaseBack:
		t.backTo, t.closed, t.reason = a.Revision, false, said(t.failed)
		t.phase = report.PhaseBack
	case a.Kind == BackLost:
		t.phase, t.closed, t.reason = report.PhaseLost, false, said(t.failed)
	case t.shown != nil:
		t.shown.Back = a.WayBack
	}
}
