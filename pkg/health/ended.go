package health

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
)

// turnedAway are the kubelet's reasons for a pod that its node shuts down under
// (pkg/kubelet/nodeshutdown).
var turnedAway = []string{"Terminated", "NodeShutdown", "Shutdown"}

// refusedBy are the kubelet's reasons for a pod that it does not admit
// (pkg/kubelet/lifecycle, predicate.go); what it says of all of them, of sysctls
// and security profiles too, begins alike (pkg/kubelet, rejectPod).
var refusedBy = []string{"NodeAffinity", "NodeName", "NodePorts", "UnexpectedAdmissionError", "TopologyAffinityError"}

const rejected = "Pod was rejected: "

// NotAdmitted says that the pod's node refused it before anything of it ran.
func NotAdmitted(pod *corev1.Pod) bool {
	reason := pod.Status.Reason
	return pod.Status.Phase == corev1.PodFailed && !slices.Contains(turnedAway, reason) &&
		(strings.HasPrefix(pod.Status.Message, rejected) || slices.Contains(refusedBy, reason) || strings.HasPrefix(reason, "OutOf"))
}

// beyondItsOwn is how the kubelet says that a pod was evicted since it used more
// than its own limit, whatever room the node has (pkg/kubelet/eviction, the
// MessageFmt constants of helpers.go).
var beyondItsOwn = regexp.MustCompile(`exceeds the (total )?limit|exceeded its local ephemeral storage limit`)

// EvictedByItsLimit says that the pod was evicted for what its own spec limits.
func EvictedByItsLimit(pod *corev1.Pod) bool {
	return pod.Status.Reason == "Evicted" && beyondItsOwn.MatchString(pod.Status.Message)
}

// pushedOut judges a pod that was ended from outside: by its node's kubelet for
// lack of room (pkg/kubelet/eviction) or by the scheduler for a more important one.
func (p *patient) pushedOut() []Problem {
	reason, message := p.pod.Status.Reason, p.pod.Status.Message
	facts := []finding.Evidence{p.fact("status.reason", reason), p.fact("status.message", message)}
	target, field := p.condition(corev1.DisruptionTarget)
	_, managed := index.Controller(p.pod)
	switch {
	case reason == "Evicted":
		problem := p.whole("evicted", "the node evicted the pod: "+clip(message, 200), facts...).certain(!managed)
		problem.Node = p.pod.Spec.NodeName
		problem.Fix = []finding.Fix{manual("set resources.requests to what the pod really uses, or free the resource that the message names on node " + p.pod.Spec.NodeName)}
		if EvictedByItsLimit(p.pod) {
			problem.Fix = []finding.Fix{manual("raise the limit that the message names (resources.limits.ephemeral-storage, or sizeLimit of the emptyDir), or let the program write less")}
		}
		return []Problem{problem}
	case NotAdmitted(p.pod):
		problem := p.whole("evicted", fmt.Sprintf("node %q does not admit the pod (%s): %s", p.pod.Spec.NodeName, clip(reason, 40), clip(strings.TrimPrefix(message, rejected), 160)), facts...).certain(!managed || p.refusedInARow())
		problem.Node = p.pod.Spec.NodeName
		problem.Fix = []finding.Fix{manual("correct in the pod template what the message names, or let node " + p.pod.Spec.NodeName + " allow it; a controller makes another pod meanwhile")}
		return []Problem{problem}
	case slices.Contains(turnedAway, reason):
		problem := p.whole("evicted", fmt.Sprintf("node %q ended the pod (%s): %s", p.pod.Spec.NodeName, clip(reason, 40), clip(message, 160)), facts...).certain(!managed)
		problem.Node = p.pod.Spec.NodeName
		problem.Fix = []finding.Fix{manual("a controller makes another pod by itself; look at node " + p.pod.Spec.NodeName + " if it happens again")}
		return []Problem{problem}
	case reason == "Preempting", target != nil && target.Status == corev1.ConditionTrue && target.Reason == corev1.PodReasonPreemptionByScheduler:
		if target != nil {
			facts = []finding.Evidence{p.fact(field+".reason", target.Reason), p.fact(field+".message", target.Message)}
		}
		problem := p.whole("preempted", "the pod had to make room for a more important one", facts...).certain(!managed)
		problem.Fix = []finding.Fix{manual("give the workload a higher priorityClassName, or add room to the cluster")}
		return []Problem{problem}
	}
	return nil
}

// InARow is how many pods of one controller must have ended alike until it is sure
// that the next one will, too. Their controller makes it all the same.
const InARow = 3

// OfTemplate says that a pod ended for what its template asks, and not for how
// its node was: it used more than its own limit, or it asks for what the kubelet
// never admits. What the scheduler would have seen is the template's only where
// that passes the scheduler by.
func OfTemplate(pod *corev1.Pod, template *corev1.PodTemplateSpec) bool {
	reason := pod.Status.Reason
	switch {
	case EvictedByItsLimit(pod):
		return true
	case !NotAdmitted(pod) || reason == "UnexpectedAdmissionError":
		return false
	case strings.HasPrefix(reason, "OutOf") || strings.HasPrefix(reason, "Node"):
		return template != nil && template.Spec.NodeName != ""
	}
	return true
}

// refusedInARow says that the pods of the controller are refused again and again
// for what its template asks, and that none of them runs.
func (p *patient) refusedInARow() bool {
	owner, ok := index.Controller(p.pod)
	if !ok {
		return false
	}
	var template *corev1.PodTemplateSpec
	if maker, seen := p.v.ByUID(owner.UID); seen {
		template = index.PodTemplate(maker.Object)
	}
	if !OfTemplate(p.pod, template) {
		return false
	}
	return index.Memo(p.v, refusedBefore{owner.UID, p.pod.Status.Reason}, func() bool {
		refused := 0
		for it := range p.v.Owned(owner.UID) {
			switch other, typed := it.Object.(*corev1.Pod); {
			case !typed:
			case podReady(other):
				return false
			case NotAdmitted(other) && other.Status.Reason == p.pod.Status.Reason:
				refused++
			}
		}
		return refused >= InARow
	})
}

// refusedBefore is the key of that answer in a view.
type refusedBefore struct {
	owner  types.UID
	reason string
}
