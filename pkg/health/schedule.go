package health

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/klog/v2"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// refusals are the scheduler's own words, the last filter first: a node that
// failed a late filter passed all earlier ones, so it came closest to fitting
// (kubernetes pkg/scheduler/apis/config/v1, getDefaultPlugins; the words are
// the ErrReason constants of pkg/scheduler/framework/plugins).
var refusals = []struct{ words, name, sentence string }{
	{"pod has unbound immediate PersistentVolumeClaims", "pvc-pending", "a claim of the pod is not bound to a volume"},
	{"unbound immediate", "pvc-pending", "a claim of the pod is not bound to a volume"},
	{"bound to non-existent pv", "pvc-pending", "a claim of the pod is bound to a volume that does not exist"},
	{"waiting for ephemeral volume controller", "pvc-pending", "the claim of an ephemeral volume has not been created yet"},
	{NotProvisioned, "pvc-pending", "the volume of a claim of the pod cannot be made"},
	{"ReadWriteOncePod access mode already in-use", "rwo-deadlock", "another pod uses the claim, which one pod alone may use (ReadWriteOncePod)"},
	{"pod anti-affinity rules", "unsched-affinity", "no node is free of the pods that its anti-affinity keeps it away from"},
	{"existing pods anti-affinity", "unsched-affinity", "pods on every possible node refuse to share it with this one"},
	{"pod affinity rules", "unsched-affinity", "no node runs the pods that this one must be beside"},
	{"pod topology spread constraints", "unsched-affinity", "no node satisfies the pod's topology spread constraints"},
	{"no available volume zone", "pv-zone", "the pod's volume is in a zone in which no node can take the pod"},
	{"PersistentVolume's node affinity", "pv-zone", "the pod's volume cannot be reached from any node that could take the pod"},
	{"volume node affinity conflict", "pv-zone", "the pod's volume cannot be reached from any node that could take the pod"},
	{"didn't find available persistent volumes to bind", "pvc-pending", "no node has a volume that the pod's claim could be bound to"},
	{"did not have enough free storage", "unsched-resources", "no node has enough free storage"},
	{"exceed max volume count", "unsched-resources", "no node can attach another volume"},
	{"cannot allocate all claims", "unsched-resources", "no node has the devices that the pod claims"},
	{"Insufficient ", "unsched-resources", "no node has enough free %s"},
	{"Too many pods", "unsched-resources", "no node has room for another pod"},
	{"didn't have free ports", "unsched-hostport", "the host port that the pod asks for is taken on every possible node"},
	{"Pod's node affinity/selector", "unsched-affinity", "no node has the labels that the pod asks for"},
	{"didn't match the requested node name", "unsched-affinity", "the node that the pod names is not there"},
	{"untolerated taint", "unsched-taint", "every node has a taint that the pod does not tolerate"},
	{"had taints that the pod didn't tolerate", "unsched-taint", "every node has a taint that the pod does not tolerate"},
	{"were unschedulable", "unsched-taint", "every node is cordoned"},
}

// NotProvisioned is the scheduler's word for a claim whose volume could not be
// made after a node had been chosen for the pod (pkg/scheduler/framework/plugins/
// volumebinding, checkBindings).
const NotProvisioned = "provisioning failed for PVC"

// scheduling judges PodScheduled=False. The scheduler repeats itself whenever
// the cluster changes, so a verdict needs 15 s, and none while the autoscaler
// brings nodes.
func (p *patient) scheduling() []Problem {
	c, field := p.condition(corev1.PodScheduled)
	switch {
	case c == nil && p.pod.Spec.NodeName != "":
		return p.onNoNode()
	case c == nil:
		return p.overlooked()
	case c.Status == corev1.ConditionTrue || p.pod.Spec.NodeName != "":
		return nil
	}
	if c.Reason == corev1.PodReasonSchedulingGated || len(p.pod.Spec.SchedulingGates) > 0 {
		return []Problem{p.gated()}
	}
	facts := []finding.Evidence{p.fact(field+".message", c.Message)}
	if m := absentIn(c.Message); m != nil {
		ref := core(kindNames[m[1]], p.pod.Namespace, m[2])
		problem := p.whole("mount-object-missing", fmt.Sprintf("the pod cannot be scheduled: %s %q, which it mounts, does not exist", ref.Kind, ref.Name), facts...)
		if problem, ok := p.confirmed(problem, ref); ok {
			return []Problem{problem}
		}
		return nil
	}
	// What preemption could do is an afterthought that repeats the reasons.
	filters, _, _ := strings.Cut(c.Message, " preemption: ")
	for _, r := range refusals {
		if strings.Contains(filters, r.words) {
			sentence := r.sentence
			if strings.Contains(sentence, "%s") {
				sentence = fmt.Sprintf(sentence, lacking(filters))
			}
			return []Problem{p.unschedulable(r.name, sentence, c, facts)}
		}
	}
	return nil
}

// absentIn finds the object that a message says is not there. Hundreds of
// pending pods are read for it, so the cheap look comes first.
func absentIn(message string) []string {
	if !strings.Contains(message, "not found") {
		return nil
	}
	return objectAbsent.FindStringSubmatch(message)
}

func (p *patient) unschedulable(name, sentence string, c *corev1.PodCondition, facts []finding.Evidence) Problem {
	waited := since(p.v, latest(c.LastTransitionTime.Time, p.pod.CreationTimestamp.Time))
	certain := waited >= 15*time.Second
	if e := lastEvent(p.v, p.pod, reasonIs("TriggeredScaleUp")); e != nil && p.v.Now.Sub(index.EventTime(e)) < 10*time.Minute && strings.HasPrefix(name, "unsched-") {
		certain = false
		facts = append(facts, eventFact(e))
		sentence += "; the autoscaler is adding one"
	}
	asked := p.askedOfNodes(name)
	if len(asked) > 0 {
		sentence = fmt.Sprintf(askedSentence[name], joinValues(asked))
		facts = append(facts, asked...)
	}
	problem := p.whole(name, sentence, facts...).certain(certain)
	switch name {
	case "pvc-pending":
		return p.claimPending(problem)
	case "rwo-deadlock":
		return p.sharedClaim(problem)
	case "unsched-resources":
		problem.Evidence = append(problem.Evidence, p.requests(c.Message)...)
		problem.Fix = []finding.Fix{manual("lower resources.requests of the pod template, free or add nodes, or move other pods away")}
		if name := p.offeredNowhere(c.Message); name != "" {
			problem.Message = "no node offers " + name
			problem.Fix = []finding.Fix{manual(fmt.Sprintf("see that the device plugin which offers %s runs on the nodes that have it, or correct the name in resources of the pod template", name)), run("see what the nodes offer", "", "describe", "nodes")}
			if strings.HasPrefix(name, corev1.ResourceHugePagesPrefix) {
				problem.Fix[0] = manual("reserve huge pages of that size on a node (its kubelet tells them when it starts), or correct resources of the pod template")
			}
		}
	case "unsched-taint":
		problem = p.namingTaints(problem)
		problem.Fix = []finding.Fix{manual("add a toleration to the pod template, or remove the taint (a cordoned node: kubectl uncordon NODE)"), run("see the taints", "", "get", "nodes", "-o", "custom-columns=NODE:.metadata.name,TAINTS:.spec.taints[*].key,CORDONED:.spec.unschedulable")}
	case "unsched-affinity":
		problem.Fix = []finding.Fix{manual("correct nodeSelector, affinity or topologySpreadConstraints of the pod template, or label a node"), run("see the labels", "", "get", "nodes", "--show-labels")}
	case "unsched-hostport":
		problem.Fix = []finding.Fix{manual("remove hostPort (a Service needs none), or run at most one such pod a node")}
	case "pv-zone":
		problem.Fix = []finding.Fix{manual("let the pod run where its volume is (nodeSelector, affinity, free nodes in that zone); a volume cannot move between zones")}
	}
	return problem
}

// askedSentence says what the pod asks of a node, where its spec says it in a word.
var askedSentence = map[string]string{
	"unsched-hostport": "host port %s is taken on every possible node",
	"unsched-affinity": "no node carries the labels %s, which the pod's nodeSelector asks for",
}

// askedOfNodes cites what the spec asks of a node that no node can give.
func (p *patient) askedOfNodes(name string) []finding.Evidence {
	var facts []finding.Evidence
	switch {
	case name == "unsched-hostport":
		for _, u := range p.units {
			for i, port := range u.spec.Ports {
				if port.HostPort != 0 {
					facts = append(facts, p.fact(fmt.Sprintf("%s.ports[%d].hostPort", u.specField(), i), fmt.Sprint(port.HostPort)))
				}
			}
		}
	case name == "unsched-affinity" && p.pod.Spec.Affinity == nil && len(p.pod.Spec.TopologySpreadConstraints) == 0:
		for _, key := range slices.Sorted(maps.Keys(p.pod.Spec.NodeSelector)) {
			facts = append(facts, p.fact("spec.nodeSelector", key+"="+p.pod.Spec.NodeSelector[key]))
		}
	}
	return facts
}

func joinValues(facts []finding.Evidence) string {
	var values []string
	for _, f := range facts {
		values = append(values, f.Value)
	}
	return strings.Join(values, ", ")
}

// namingTaints says which taints of which nodes stand in the way, where the
// nodes were read: the scheduler only counts them.
func (p *patient) namingTaints(problem Problem) Problem {
	nodesOf := map[string][]string{}
	for _, node := range index.Typed[*corev1.Node](p.v, schema.GroupKind{Kind: "Node"}, "") {
		for i := range node.Spec.Taints {
			taint := &node.Spec.Taints[i]
			if taint.Effect == corev1.TaintEffectPreferNoSchedule || p.tolerates(taint) {
				continue
			}
			nodesOf[taint.ToString()] = append(nodesOf[taint.ToString()], node.Name)
			problem.Evidence = append(problem.Evidence, fact(object.Ref{Version: "v1", Kind: "Node", Name: node.Name}, fmt.Sprintf("spec.taints[%d]", i), taint.ToString()))
		}
	}
	var named []string
	for _, taint := range slices.Sorted(maps.Keys(nodesOf)) {
		named = append(named, fmt.Sprintf("%s (%s)", taint, clip(strings.Join(nodesOf[taint], ", "), 60)))
	}
	if len(named) > 0 {
		problem.Message += ": " + clip(strings.Join(named, "; "), 200)
	}
	return problem
}

func (p *patient) tolerates(taint *corev1.Taint) bool {
	return slices.ContainsFunc(p.pod.Spec.Tolerations, func(t corev1.Toleration) bool {
		return t.ToleratesTaint(klog.Logger{}, taint, true)
	})
}

var insufficient = regexp.MustCompile(`Insufficient ([A-Za-z0-9./-]+[A-Za-z0-9])`)

// lacking names the resources of which nodes have not enough.
func lacking(message string) string {
	var names []string
	for _, m := range insufficient.FindAllStringSubmatch(message, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	if len(names) == 0 {
		return "room"
	}
	return strings.Join(names, " and ")
}

// OfDevices says whether a scheduler's message speaks of a lack of something that
// no node need have: devices, huge pages.
func OfDevices(message string) bool {
	return slices.ContainsFunc(insufficient.FindAllStringSubmatch(message, -1), func(m []string) bool { return special(m[1]) })
}

func special(resource string) bool {
	return strings.Contains(resource, "/") || strings.HasPrefix(resource, corev1.ResourceHugePagesPrefix)
}

// offeredNowhere is a lacking resource of which no node has any, where all nodes
// were read.
func (p *patient) offeredNowhere(message string) string {
	if !p.v.Answered(source.Query{Kind: schema.GroupKind{Kind: "Node"}}) {
		return ""
	}
	nodes := index.Typed[*corev1.Node](p.v, schema.GroupKind{Kind: "Node"}, "")
	for _, m := range insufficient.FindAllStringSubmatch(message, -1) {
		offered := slices.ContainsFunc(nodes, func(n *corev1.Node) bool {
			q := n.Status.Allocatable[corev1.ResourceName(m[1])]
			return !q.IsZero()
		})
		if special(m[1]) && !offered {
			return m[1]
		}
	}
	return ""
}

// requests cites what the containers ask for of room, and of what is lacking.
func (p *patient) requests(message string) []finding.Evidence {
	names := []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory}
	for _, m := range insufficient.FindAllStringSubmatch(message, -1) {
		if r := corev1.ResourceName(m[1]); !slices.Contains(names, r) {
			names = append(names, r)
		}
	}
	var facts []finding.Evidence
	for _, u := range p.units {
		for _, r := range names {
			if q, ok := u.spec.Resources.Requests[r]; ok {
				facts = append(facts, p.fact(u.specField()+".resources.requests."+string(r), q.String()))
			}
		}
	}
	return facts
}

func (p *patient) gated() Problem {
	var gates []string
	var facts []finding.Evidence
	for i, g := range p.pod.Spec.SchedulingGates {
		gates = append(gates, g.Name)
		facts = append(facts, p.fact(fmt.Sprintf("spec.schedulingGates[%d].name", i), g.Name))
	}
	if len(facts) == 0 {
		_, field := p.condition(corev1.PodScheduled)
		facts = append(facts, p.fact(field+".reason", corev1.PodReasonSchedulingGated))
	}
	problem := p.whole("sched-gated", fmt.Sprintf("the pod is held back on purpose until its scheduling gate is removed (%s)", strings.Join(gates, ", ")), facts...)
	problem.Fix = []finding.Fix{manual("the controller that set the gate removes it, usually a queue such as Kueue: look there")}
	return problem
}
