package health

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// patience is how long a custom object may be not ready before that is called
// a failure. kstatus itself waits for ever: Ready=False is InProgress to it.
const patience = 5 * time.Minute

// spoken is one condition of an object whose Go type is not known.
type spoken struct {
	kind, status, reason, message, field string
	at                                   time.Time
}

// Conditions that are good when True, the most telling first, and those that
// are bad when True. Of others nothing is known, so they say nothing.
var (
	good = []string{"Ready", "Available", "Healthy", "Established", "NamesAccepted", "Accepted", "Programmed", "ResolvedRefs", "Synced", "Succeeded"}
	bad  = []string{"Stalled", "Failed", "Failure", "Degraded", "Error"}
	busy = []string{"Reconciling", "Progressing"}
)

// ofCustom reads the conditions of any object by the rules of kstatus
// (sigs.k8s.io/cli-utils/pkg/kstatus/status, checkGenericProperties): a
// generation that is not observed is in progress, then Reconciling and Stalled,
// then Ready; and Available and the like beside it.
func ofCustom(v *index.View, ref object.Ref, u *unstructured.Unstructured) State {
	cs := conditionsOf(u)
	s := State{Level: None}
	observed, has, _ := unstructured.NestedInt64(u.Object, "status", "observedGeneration")
	switch {
	case has && observed < u.GetGeneration():
		s.Level, s.Status = Progressing, "newest spec not seen yet"
		s.Problems = lag(v, ref, u, observed)
		s.Level = levelOf(s.Problems, s.Level)
		return s
	case len(cs) == 0:
		if phase, ok, _ := unstructured.NestedString(u.Object, "status", "phase"); ok && phase != "" {
			s.Status = clip(phase, 30)
		}
		return s
	}
	if c, ok := find(cs, busy[:1], "True"); ok {
		return State{Level: Progressing, Status: clip(orElse(c.reason, c.kind), 30)}
	}
	if c, ok := find(cs, bad, "True"); ok {
		return unwell(v, ref, c, c.kind == "Degraded")
	}
	// A workload-like object is Available=True and Progressing=True when well.
	if c, ok := find(cs, good, "False"); ok {
		if young := since(v, c.at) < patience; young && !lastingReason(c.reason) {
			return State{Level: Progressing, Status: clip(orElse(c.reason, "not "+c.kind), 30)}
		}
		return unwell(v, ref, c, false)
	}
	if c, ok := find(cs, good, "Unknown"); ok {
		return State{Level: Progressing, Status: clip(orElse(c.reason, c.kind+" unknown"), 30)}
	}
	if c, ok := find(cs, good, "True"); ok {
		return State{Level: OK, Status: c.kind}
	}
	if c, ok := find(cs, busy[1:], "True"); ok {
		return State{Level: Progressing, Status: clip(orElse(c.reason, c.kind), 30)}
	}
	return s
}

// lastingReason: an APIService without its backend, or a reference that resolves
// to nothing, does not get better by waiting.
func lastingReason(reason string) bool {
	return slices.Contains([]string{"BackendNotFound", "RefNotPermitted", "InvalidKind", "NoMatchingParent", "UnsupportedProtocol", "MissingEndpoints", "ServiceNotFound", "EndpointsNotFound", "FailedDiscoveryCheck", "ServicePortError", "ServiceAccessError", "NamesConflict"}, reason)
}

func unwell(v *index.View, ref object.Ref, c spoken, mild bool) State {
	problem := Problem{
		Name: "condition", Severity: finding.Error,
		Message:  fmt.Sprintf("its controller reports %s=%s", c.kind, c.status),
		Evidence: []finding.Evidence{fact(ref, c.field+".status", c.status)},
		Fix:      []finding.Fix{manual("correct what the condition's message names; its controller's log says more")},
	}
	if c.reason != "" {
		problem.Evidence = append(problem.Evidence, fact(ref, c.field+".reason", c.reason))
	}
	if c.message != "" {
		problem.Message += ": " + clip(c.message, 200)
		problem.Evidence = append(problem.Evidence, fact(ref, c.field+".message", c.message))
	}
	if waited := since(v, c.at); waited > time.Minute {
		problem.Message += " (for " + roughly(waited) + ")"
	}
	if mild {
		problem.Severity = finding.Warning
	}
	return State{Level: levelOf([]Problem{problem}, Broken), Status: clip(orElse(c.reason, c.kind+" "+strings.ToLower(c.status)), 30), Problems: []Problem{problem}}
}

func find(cs []spoken, kinds []string, status string) (spoken, bool) {
	for _, k := range kinds {
		for _, c := range cs {
			if c.kind == k && c.status == status {
				return c, true
			}
		}
	}
	return spoken{}, false
}

// conditionsOf reads status.conditions, and those that a route of the Gateway
// API carries for each of its parents.
func conditionsOf(u *unstructured.Unstructured) []spoken {
	cs := readConditions(at(u.Object, "status", "conditions"), "status.conditions")
	parents, _ := at(u.Object, "status", "parents").([]any)
	for i, p := range parents {
		if m, ok := p.(map[string]any); ok {
			cs = append(cs, readConditions(m["conditions"], fmt.Sprintf("status.parents[%d].conditions", i))...)
		}
	}
	return cs
}

func at(m map[string]any, path ...string) any {
	var value any = m
	for _, key := range path {
		next, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = next[key]
	}
	return value
}

func readConditions(list any, field string) []spoken {
	items, _ := list.([]any)
	var cs []spoken
	for i, item := range items {
		m, ok := item.(map[string]any)
		if !ok {
			continue
		}
		text := func(key string) string { s, _ := m[key].(string); return s }
		c := spoken{kind: text("type"), status: text("status"), reason: text("reason"), message: text("message"), field: fmt.Sprintf("%s[%d]", field, i)}
		c.at, _ = time.Parse(time.RFC3339, text("lastTransitionTime"))
		if c.kind != "" {
			cs = append(cs, c)
		}
	}
	return cs
}

func orElse(word, otherwise string) string {
	if word == "" {
		return otherwise
	}
	return word
}
