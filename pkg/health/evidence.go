package health

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

func core(kind, namespace, name string) object.Ref {
	return object.Ref{Version: "v1", Kind: kind, Namespace: namespace, Name: name}
}

func gk(group, kind string) schema.GroupKind { return schema.GroupKind{Group: group, Kind: kind} }

func podRef(p *corev1.Pod) object.Ref { return core("Pod", p.Namespace, p.Name) }

func fact(of object.Ref, field, value string) finding.Evidence {
	return finding.Evidence{Object: of, Field: field, Value: value}
}

func eventFact(e *corev1.Event) finding.Evidence {
	return fact(core("Event", e.Namespace, e.Name), "message", e.Message)
}

// certain makes a suspicion an error that ends the waiting.
func (p Problem) certain(yes bool) Problem {
	p.Severity, p.Terminal = finding.Warning, false
	if yes {
		p.Severity, p.Terminal = finding.Error, true
	}
	return p
}

// Certain is the problem once it is sure that it does not pass by itself.
func (p Problem) Certain() Problem { return p.certain(true) }

// lasting makes a trouble that may pass by itself an error once it has lasted.
func (p Problem) lasting(yes bool) Problem {
	p = p.certain(yes)
	p.Terminal = false
	return p
}

// since is the time that has passed, and 0 where the beginning is not known.
func since(v *index.View, t time.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return v.Now.Sub(t)
}

func latest(times ...time.Time) time.Time {
	var last time.Time
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// lastEvent is the newest event about the object that satisfies want.
func lastEvent(v *index.View, o metav1.Object, want func(*corev1.Event) bool) *corev1.Event {
	if o.GetUID() == "" {
		return nil
	}
	events := v.Events(o.GetUID())
	for i := len(events) - 1; i >= 0; i-- {
		if want(events[i]) {
			return events[i]
		}
	}
	return nil
}

func reasonIs(reasons ...string) func(*corev1.Event) bool {
	return func(e *corev1.Event) bool {
		for _, r := range reasons {
			if e.Reason == r {
				return true
			}
		}
		return false
	}
}

// manual is a way out in which a person must decide.
func manual(description string) finding.Fix { return finding.Fix{Description: description} }

func run(description, namespace string, args ...string) finding.Fix {
	return finding.Fix{Description: description, Command: finding.Kubectl(namespace, args...)}
}

// clip keeps a sentence readable; evidence keeps the whole text.
func clip(text string, runes int) string {
	text = strings.Join(strings.Fields(text), " ")
	r := []rune(text)
	if len(r) <= runes {
		return text
	}
	return strings.TrimSpace(string(r[:runes-1])) + "…"
}

// topOwner follows the controller references up as far as the view shows them.
// known is false where the last owner was named but not seen.
func topOwner(v *index.View, o metav1.Object, self object.Ref) (top object.Ref, known bool) {
	top = self
	for range 8 { // deeper than any real chain; owners can form a cycle
		owner, ok := index.Controller(o)
		if !ok {
			return top, true
		}
		it, ok := v.ByUID(owner.UID)
		if !ok {
			return object.New(owner.APIVersion, owner.Kind, self.Namespace, owner.Name), false
		}
		top, o = it.Ref, it.Object
	}
	return top, true
}

// ownerOf is the controller of an object as its Go type, if the view has it.
func ownerOf[T metav1.Object](v *index.View, o metav1.Object) (T, bool) {
	var none T
	owner, ok := index.Controller(o)
	if !ok {
		return none, false
	}
	it, ok := v.ByUID(owner.UID)
	if !ok {
		return none, false
	}
	typed, ok := it.Object.(T)
	return typed, ok
}

// podsOf are the pods whose ownerReferences name the object.
func podsOf(v *index.View, owner metav1.Object) []*corev1.Pod {
	if owner.GetUID() == "" {
		return nil
	}
	var pods []*corev1.Pod
	for it := range v.Owned(owner.GetUID()) {
		if p, ok := it.Object.(*corev1.Pod); ok {
			pods = append(pods, p)
		}
	}
	return pods
}

// editable says whether `kubectl set image` and `set resources` can change the
// pods of this kind through it (kubectl pkg/polymorphichelpers,
// updatePodSpecForObject). A Job's template cannot be changed.
func editable(r object.Ref) bool {
	switch r.GroupKind() {
	case gk("apps", "Deployment"), gk("apps", "StatefulSet"), gk("apps", "DaemonSet"), gk("batch", "CronJob"):
		return true
	}
	return false
}
