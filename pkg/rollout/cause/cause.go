// Package cause says what keeps a rollout from finishing, as early as that is
// certain and never earlier.
package cause

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// Cause is one reason for which a rollout does not go on, or something about
// it that is worth knowing (Info).
type Cause struct {
	finding.Finding
	Terminal bool         // certain: the rollout cannot finish without a change
	Class    Class        // what a change would have to be made to
	Pods     []object.Ref // the pods that show it, by name
	Since    time.Time    // when its evidence was complete: the kubelet's or the event's time where there is one
}

// Class is what a cause is due to. To go back to the previous revision helps
// against OfRevision alone.
type Class string

// The classes.
const (
	OfRevision   Class = "revision"     // the template of the new revision
	OfNode       Class = "node"         // a node, or what runs on it
	OfCapacity   Class = "capacity"     // there is no room
	Passing      Class = "passing"      // trouble elsewhere that may pass by itself
	Trapped      Class = "trapped"      // a pod of an old revision is in the way, and only its deletion helps
	Undetermined Class = "undetermined" // pods of the old revision fail alike
	Held         Class = "held"         // held on purpose: paused, gated, partition, OnDelete
	Normal       Class = "normal"       // no failure
)

// judgement is one look at a rollout.
type judgement struct {
	v      *index.View
	w      *workload.Workload
	m      *Memory
	down   []string // nodes that a DaemonSet cannot be complete on
	causes []Cause

	trapped types.UID // the old pod that an ordered StatefulSet waits for
}

// Judge says what keeps the rollout from finishing, the deepest root cause
// first. Only pods of the new revision count as its failures.
func (m *Memory) Judge(v *index.View, w *workload.Workload) []Cause {
	if m == nil || v == nil || w == nil || w.Object == nil {
		return nil
	}
	m.observe(v, w)
	j := &judgement{v: v, w: w, m: m, down: DownNodes(v, w)}
	j.newPods()
	j.creation()
	j.trap()
	j.nodesDown()
	j.leaving()
	j.oldPods()
	j.heldOnPurpose()
	j.minReady()
	j.overlaps()
	j.collision()
	j.lag()
	j.deadlines() // last: it names what it follows from
	slices.SortStableFunc(j.causes, compare)
	return j.causes
}

// compare puts what is to be done before what is only to be known, roots before
// consequences, what is certain before suspicions, and then the deeper cause.
func compare(a, b Cause) int {
	return cmp.Or(
		first(b.Severity == finding.Info, a.Severity == finding.Info),
		first(b.CausedBy != nil, a.CausedBy != nil),
		first(a.Terminal, b.Terminal),
		cmp.Compare(a.Severity.Rank(), b.Severity.Rank()),
		cmp.Compare(depth(a.Code), depth(b.Code)),
		object.Compare(a.Object, b.Object),
		cmp.Compare(a.Code, b.Code),
		cmp.Compare(a.Message, b.Message),
	)
}

// first is negative where a holds and b does not.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

const domain = "rollout/"

// ranks are the codes from the deepest cause to the last symptom: what happens
// to a pod first comes first.
var ranks = []string{
	"observed-lag", "paused", "node-notready", "sts-trap",
	"rs-create-error", "sa-missing", "priorityclass-missing", "podsecurity", "webhook-denied", "webhook-unreachable", "limitrange", "quota",
	"sched-gated", "rwo-deadlock", "pvc-pending", "pv-zone", "unsched-scheduler", "unsched-taint", "unsched-affinity", "unsched-hostport", "unsched-resources",
	"evicted", "preempted", "mount-object-missing", "mount-failed", "sandbox",
	"image-invalid", "image-never-pull", "image-signature", "image-not-found", "image-auth", "image-rate-limit", "image-registry-down", "image-pull",
	"config-object-missing", "config-key-missing", "run-error", "init-crash", "sidecar-crash", "init-slow",
	"oom", "poststart-hook", "startup-kill", "liveness-kill", "crash-app", "crash-exit0", "readiness-failing", "readiness-gate",
	"ds-node-down", "terminating-stuck", "recreate-blocked",
}

func depth(code string) int {
	if i := slices.Index(ranks, code[min(len(domain), len(code)):]); i >= 0 {
		return i
	}
	return len(ranks)
}

// classOf is what a problem is due to, unless its circumstances say otherwise.
func classOf(name string) Class {
	switch name {
	case "node-notready", "sandbox", "evicted", "terminating-stuck", "pv-zone":
		return OfNode
	case "unsched-resources", "unsched-hostport", "quota", "preempted":
		return OfCapacity
	case "image-rate-limit", "image-registry-down", "image-pull", "mount-failed", "webhook-unreachable":
		return Passing
	case "sched-gated":
		return Held
	}
	return OfRevision
}

// fromProblem makes a cause of a problem that an object shows.
func fromProblem(p health.Problem, of object.Ref) Cause {
	return Cause{
		Finding:  finding.Finding{Code: domain + p.Name, Severity: p.Severity, Object: of, Message: p.Message, Evidence: p.Evidence, Fix: p.Fix},
		Terminal: p.Terminal, Class: classOf(p.Name),
	}
}

// info is something to know about the workload itself.
func (j *judgement) info(name, message string, class Class, evidence ...finding.Evidence) Cause {
	return Cause{
		Finding: finding.Finding{Code: domain + name, Severity: finding.Info, Object: j.w.Ref, Message: message, Evidence: evidence},
		Class:   class,
	}
}

func (j *judgement) add(c Cause) {
	if c.Since.IsZero() {
		c.Since = j.m.stamp(key{code: c.Code, about: c.Object.Key()}, c.Terminal, j.v.Now, time.Time{})
	}
	j.causes = append(j.causes, c)
}

func (j *judgement) fact(field, value string) finding.Evidence {
	return finding.Evidence{Object: j.w.Ref, Field: field, Value: value}
}

func podRef(p *corev1.Pod) object.Ref {
	return object.Ref{Version: "v1", Kind: "Pod", Namespace: p.Namespace, Name: p.Name}
}

func refsOf(pods []workload.Pod) []object.Ref {
	var refs []object.Ref
	for _, p := range pods {
		refs = append(refs, podRef(p.Pod))
	}
	return refs
}

func run(description, namespace string, args ...string) finding.Fix {
	return finding.Fix{Description: description, Command: finding.Kubectl(namespace, args...)}
}

func manual(description string) finding.Fix { return finding.Fix{Description: description} }

// counted is "1 pod" or "3 pods".
func counted(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// seconds is a duration for a sentence, never negative: clocks differ.
func seconds(d time.Duration) string {
	d = max(d, 0)
	if d >= 10*time.Minute {
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d s", int(d.Seconds()))
}
