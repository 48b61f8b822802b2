package health

import (
	"fmt"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

const nodeNotReady = "node-notready"

// leaseGrace is how old a node's lease may be before the node life-cycle
// controller gives it up (--node-monitor-grace-period, 50 s since 1.32).
const leaseGrace = 50 * time.Second

func ofNode(v *index.View, n *corev1.Node) State {
	ref := core("Node", "", n.Name)
	s := State{Level: OK, Status: "Ready", Detail: nodeDetail(n)}
	ready, field := nodeCondition(n, corev1.NodeReady)
	switch {
	case ready == nil:
		return State{Level: Unknown, Status: "no Ready condition", Detail: s.Detail}
	case ready.Status != corev1.ConditionTrue:
		s.Level, s.Status = Broken, "NotReady"
		s.Problems = []Problem{notReady(ref, ready, field, since(v, ready.LastTransitionTime.Time))}
		return s
	}
	var words []string
	for i, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady || c.Status != corev1.ConditionTrue {
			continue // all other conditions of a Node are good when False
		}
		words = append(words, string(c.Type))
		s.Problems = append(s.Problems, Problem{
			Name: "condition", Severity: finding.Warning, Node: n.Name,
			Message:  fmt.Sprintf("the node reports %s: %s", c.Type, clip(c.Message, 160)),
			Evidence: []finding.Evidence{fact(ref, fmt.Sprintf("status.conditions[%d].message", i), c.Message)},
			Fix:      []finding.Fix{manual("free that resource on the node, or move pods away; under pressure the kubelet evicts pods and takes no new ones")},
		})
	}
	if n.Spec.Unschedulable {
		words = append(words, "cordoned")
	}
	if age, ok := leaseAge(v, n.Name); ok && age > leaseGrace {
		words = append(words, "lease "+roughly(age)+" old")
	}
	if len(words) > 0 {
		s.Level, s.Status = Warning, clip(strings.Join(words, ", "), 30)
	}
	return s
}

// notReady: False is the kubelet's own word, Unknown that it has fallen silent.
func notReady(ref object.Ref, c *corev1.NodeCondition, field string, lasting time.Duration) Problem {
	message := fmt.Sprintf("node %q is not ready: %s", ref.Name, clip(c.Message, 160))
	fix := "repair what the kubelet's message names"
	if c.Status == corev1.ConditionUnknown {
		message = fmt.Sprintf("node %q does not report any more", ref.Name)
		fix = "see whether the machine runs, its network works and its kubelet is up"
	}
	if lasting > 0 {
		message += " (for " + roughly(lasting) + ")"
	}
	return Problem{
		Name: nodeNotReady, Severity: finding.Error, Node: ref.Name, Message: message,
		Evidence: []finding.Evidence{fact(ref, field+".status", string(c.Status)), fact(ref, field+".message", c.Message)},
		Fix:      []finding.Fix{manual(fix), run("see its conditions", "", "describe", "node", ref.Name)},
	}
}

// onDeadNode: what a pod's status says is the last word of a kubelet that no
// longer speaks. A ready pod on such a node is not yet given up.
func (p *patient) onDeadNode() []Problem {
	if p.pod.Spec.NodeName == "" || podReady(p.pod) {
		return nil
	}
	it, ok := p.v.Get(core("Node", "", p.pod.Spec.NodeName))
	n, typed := it.Object.(*corev1.Node)
	if !ok || !typed {
		return nil
	}
	c, field := nodeCondition(n, corev1.NodeReady)
	if c == nil || c.Status == corev1.ConditionTrue {
		return nil
	}
	problem := notReady(it.Ref, c, field, since(p.v, c.LastTransitionTime.Time))
	problem.Message = "the pod is not ready because " + problem.Message
	if ready, path := p.condition(corev1.PodReady); ready != nil {
		problem.Evidence = append(problem.Evidence, p.fact(path+".status", string(ready.Status)))
	}
	return []Problem{problem}
}

func nodeCondition(n *corev1.Node, t corev1.NodeConditionType) (*corev1.NodeCondition, string) {
	for i := range n.Status.Conditions {
		if n.Status.Conditions[i].Type == t {
			return &n.Status.Conditions[i], fmt.Sprintf("status.conditions[%d]", i)
		}
	}
	return nil, ""
}

func nodeDetail(n *corev1.Node) string {
	parts := []string{n.Status.NodeInfo.KubeletVersion}
	for _, a := range n.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			parts = append(parts, a.Address)
		}
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

func leaseAge(v *index.View, node string) (time.Duration, bool) {
	it, ok := v.Get(object.New("coordination.k8s.io/v1", "Lease", corev1.NamespaceNodeLease, node))
	lease, typed := it.Object.(*coordinationv1.Lease)
	if !ok || !typed || lease.Spec.RenewTime == nil {
		return 0, false
	}
	return since(v, lease.Spec.RenewTime.Time), true
}

// ofLease: a lease that nobody holds was released, which is no failure.
func ofLease(v *index.View, l *coordinationv1.Lease) State {
	if l.Spec.HolderIdentity == nil || *l.Spec.HolderIdentity == "" {
		return State{Level: OK, Status: "not held"}
	}
	s := State{Level: OK, Status: "held", Detail: "held by " + *l.Spec.HolderIdentity}
	if l.Spec.RenewTime == nil || l.Spec.LeaseDurationSeconds == nil {
		return s
	}
	if age := since(v, l.Spec.RenewTime.Time); age > time.Duration(*l.Spec.LeaseDurationSeconds)*time.Second {
		s.Level, s.Status = Warning, "not renewed for "+roughly(age)
	}
	return s
}

func ofNamespace(n *corev1.Namespace) State {
	if n.Status.Phase == corev1.NamespaceTerminating {
		return State{Level: Progressing, Status: "Terminating"}
	}
	return State{Level: OK, Status: "Active"}
}
