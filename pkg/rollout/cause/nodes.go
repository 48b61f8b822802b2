package cause

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

var nodeKind = schema.GroupKind{Kind: "Node"}

func nodeRef(name string) object.Ref { return object.Ref{Version: "v1", Kind: "Node", Name: name} }

func nodes(v *index.View) []*corev1.Node { return index.Typed[*corev1.Node](v, nodeKind, "") }

func nodeOf(v *index.View, name string) *corev1.Node {
	it, _ := v.Get(nodeRef(name))
	n, _ := it.Object.(*corev1.Node)
	return n
}

// inTrouble says that a node takes no pods for now: it is cordoned or not
// ready, or carries one of the taints that Kubernetes itself sets and lifts.
func inTrouble(n *corev1.Node) bool {
	if n.Spec.Unschedulable || notReady(n) != "" {
		return true
	}
	return slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool {
		return strings.HasPrefix(t.Key, "node.kubernetes.io/") && t.Effect != corev1.TaintEffectPreferNoSchedule
	})
}

// notReady is the path of the condition that says so, or "".
func notReady(n *corev1.Node) string {
	for i, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue {
			return fmt.Sprintf("status.conditions[%d].status", i)
		}
	}
	return ""
}

// DownNodes are the nodes, in order, on which a DaemonSet's pod is not
// available because the node is not ready or cordoned. They do not count
// against its completeness. Other workloads go elsewhere and have none.
func DownNodes(v *index.View, w *workload.Workload) []string {
	if v == nil || w == nil || w.Ref.Kind != "DaemonSet" {
		return nil
	}
	down := map[string]bool{}
	for _, p := range w.Pods {
		if n := nodeOf(v, seatOf(p.Pod)); n != nil && (notReady(n) != "" || n.Spec.Unschedulable) && !p.AvailableAt(v.Now, w.MinReady) {
			down[n.Name] = true
		}
	}
	for _, p := range w.Pods { // surge: another pod of the new revision serves there
		if p.New && p.AvailableAt(v.Now, w.MinReady) {
			delete(down, seatOf(p.Pod))
		}
	}
	return slices.Sorted(maps.Keys(down))
}

// seatOf is the node of a pod, or the one that it is made for: a DaemonSet's
// pod asks for its node by name until the scheduler has bound it
// (pkg/controller/daemon/util, ReplaceDaemonSetPodNodeNameNodeAffinity).
func seatOf(p *corev1.Pod) string {
	if p.Spec.NodeName != "" || p.Spec.Affinity == nil || p.Spec.Affinity.NodeAffinity == nil {
		return p.Spec.NodeName
	}
	required := p.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	if required == nil {
		return ""
	}
	for _, term := range required.NodeSelectorTerms {
		for _, f := range term.MatchFields {
			if f.Key == "metadata.name" && f.Operator == corev1.NodeSelectorOpIn && len(f.Values) == 1 {
				return f.Values[0]
			}
		}
	}
	return ""
}

// nodesDown reports nodes apart: a rollout cannot mend them, and need not wait.
func (j *judgement) nodesDown() {
	if len(j.down) == 0 {
		return
	}
	var facts []finding.Evidence
	var words []string
	for _, name := range j.down {
		n := nodeOf(j.v, name)
		if field := notReady(n); field != "" {
			facts = append(facts, finding.Evidence{Object: nodeRef(name), Field: field, Value: readiness(n)})
			words = append(words, name+" (not ready)")
		} else {
			facts = append(facts, finding.Evidence{Object: nodeRef(name), Field: "spec.unschedulable", Value: "true"})
			words = append(words, name+" (cordoned)")
		}
	}
	outcome := "the rollout does not wait for " + verb(len(j.down), "it", "them")
	fix := []finding.Fix{run("see what is wrong with the node", "", "describe", "node", j.down[0]), manual("bring the node back, uncordon it, or delete its Node object if the machine is gone")}
	if j.nodesUseUp() {
		outcome = fmt.Sprintf("that uses up maxUnavailable (%d), so no other pod is replaced meanwhile", j.w.Strategy.MaxUnavailable)
		fix = append(fix, run("or let the rollout go on elsewhere", j.w.Ref.Namespace, "patch", j.w.Ref.Arg(), "--type=merge", "-p", fmt.Sprintf(`{"spec":{"updateStrategy":{"rollingUpdate":{"maxUnavailable":%d}}}}`, len(j.down)+1)))
	}
	c := Cause{Class: OfNode, Finding: finding.Finding{
		Code: domain + "ds-node-down", Severity: finding.Warning, Object: j.w.Ref, Evidence: facts, Fix: fix,
		Message: fmt.Sprintf("the pod is not available on %s out of service (%s); %s", counted(len(j.down), "node"), clip(strings.Join(words, ", "), 200), outcome),
	}}
	for _, p := range j.w.Pods {
		if slices.Contains(j.down, seatOf(p.Pod)) {
			c.Pods = append(c.Pods, podRef(p.Pod))
		}
	}
	j.add(c)
}

// nodesUseUp: pods that are not available count against maxUnavailable wherever
// they are (pkg/controller/daemon, rollingUpdate).
func (j *judgement) nodesUseUp() bool {
	if j.w.Strategy.Surge > 0 || j.w.OnDelete() || len(j.down) < j.w.Strategy.MaxUnavailable {
		return false
	}
	return slices.ContainsFunc(j.w.Pods, func(p workload.Pod) bool {
		return !p.New && p.Live() && !slices.Contains(j.down, seatOf(p.Pod))
	})
}

func readiness(n *corev1.Node) string {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return string(c.Status)
		}
	}
	return ""
}
