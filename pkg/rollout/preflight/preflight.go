// Package preflight judges a workload before it rolls: whether the roll can
// succeed, whether it takes the service down on its way, and whether there is
// anything to roll. Every code is preflight/<name>.
package preflight

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Options say what is to be rolled.
type Options struct {
	// Next is the object as it would be: what a server-side dry-run of a
	// manifest returned. nil: the live spec is judged.
	Next source.Object
	// New says that the object does not exist yet; the workload may then be nil.
	New bool
	// Along are objects that are applied together with Next: what refers to
	// them will find them.
	Along []object.Ref
	// Headroom asks for the estimate of the nodes' room, for which the pods of
	// all namespaces are read.
	Headroom bool
}

// Judge says what is wrong before the roll, worst first. w is the live workload.
func Judge(v *index.View, w *workload.Workload, opts Options) []finding.Finding {
	s, ok := newSubject(v, w, opts)
	if !ok {
		return nil
	}
	for _, check := range []func(*subject){
		(*subject).references, (*subject).quotas, (*subject).roomToSurge, (*subject).broken,
		(*subject).leaves, (*subject).recreates, (*subject).single, (*subject).sharedVolume, (*subject).probes, (*subject).drains,
		(*subject).probeBudget, (*subject).nodeRoom, (*subject).mutableTags, (*subject).autoscaled,
		(*subject).overlaps, (*subject).budgets, (*subject).nothing,
	} {
		check(s)
	}
	docs := Docs()
	finding.Sort(s.found, func(f finding.Finding) int {
		return slices.IndexFunc(docs, func(d finding.Doc) bool { return d.Code == f.Code })
	})
	return s.found
}

// subject is one workload under examination.
type subject struct {
	v    *index.View
	live *workload.Workload // nil where it does not exist yet
	w    *workload.Workload // as it would be
	opts Options

	ref   object.Ref
	spec  *corev1.PodSpec // of its template
	found []finding.Finding
}

func newSubject(v *index.View, w *workload.Workload, opts Options) (*subject, bool) {
	s := &subject{v: v, live: w, w: w, opts: opts}
	if opts.New {
		s.live = nil
	}
	if opts.Next != nil {
		next, ok := workload.Proposed(s.live, opts.Next)
		if !ok {
			return nil, false
		}
		s.w = next
	}
	if s.w == nil || s.w.Template == nil {
		return nil, false
	}
	s.ref, s.spec = s.w.Ref, &s.w.Template.Spec
	return s, true
}

// podsHidden says that the workload has pods, by its own word, of which none
// was seen.
func (s *subject) podsHidden() bool {
	if s.live == nil || len(s.live.Pods) > 0 {
		return false
	}
	switch o := s.live.Object.(type) {
	case *appsv1.Deployment:
		return o.Status.Replicas > 0
	case *appsv1.StatefulSet:
		return o.Status.Replicas > 0
	case *appsv1.DaemonSet:
		return o.Status.CurrentNumberScheduled > 0
	}
	return false
}

// replaces says whether the proposed template differs from the live one.
func (s *subject) replaces() bool {
	return s.live != nil && s.opts.Next != nil && !index.SameTemplate(s.live.Template, s.w.Template)
}

func (s *subject) is(kind string) bool { return s.ref.Kind == kind }

func (s *subject) rolls() bool { return s.w.Strategy.Type == "RollingUpdate" }

// say adds a finding about the workload.
func (s *subject) say(name string, severity finding.Severity, message string, evidence []finding.Evidence, fix ...finding.Fix) {
	s.found = append(s.found, finding.Finding{Code: code(name), Severity: severity, Object: s.ref, Message: message, Evidence: evidence, Fix: fix})
}

func code(name string) string { return "preflight/" + name }

// fact is one field of the workload and what stands there.
func (s *subject) fact(field, value string) finding.Evidence { return fact(s.ref, field, value) }

func fact(r object.Ref, field, value string) finding.Evidence {
	return finding.Evidence{Object: r, Field: field, Value: value}
}

func manual(description string) finding.Fix { return finding.Fix{Description: description} }

func (s *subject) run(description string, args ...string) finding.Fix {
	return finding.Fix{Description: description, Command: finding.Kubectl(s.ref.Namespace, args...)}
}

// patch changes the live object; of a manifest it says what to change there,
// since the next apply would undo a patch.
func (s *subject) patch(description, merge string) finding.Fix {
	if s.opts.Next != nil {
		return manual(description + "; in the manifest: " + merge)
	}
	return s.run(description, "patch", s.ref.Arg(), "--type=merge", "-p", merge)
}

// seen says whether all objects of a kind that matter were seen: those of the
// workload's namespace, or all of a kind without namespaces. A kind that the
// server does not have holds nothing that could be hidden.
func (s *subject) seen(gk schema.GroupKind) bool {
	for _, ns := range []string{s.namespaceOf(gk), ""} {
		q := source.Query{Kind: gk, Namespace: ns}
		if gap := s.v.GapOf(q); s.v.Answered(q) || gap != nil && gap.Reason == source.NotServed {
			return true
		}
	}
	return false
}

var clusterKinds = []string{"Node", "PersistentVolume", "PriorityClass", "RuntimeClass"}

func (s *subject) namespaceOf(gk schema.GroupKind) string {
	if slices.Contains(clusterKinds, gk.Kind) {
		return ""
	}
	return s.ref.Namespace
}

func core(kind string) schema.GroupKind { return schema.GroupKind{Kind: kind} }

func coreRef(kind, namespace, name string) object.Ref {
	return object.Ref{Version: "v1", Kind: kind, Namespace: namespace, Name: name}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return itoa(n) + " " + what + "s"
}

func joined(words []string) string { return strings.Join(words, ", ") }
