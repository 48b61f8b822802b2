package preflight

import (
	"cmp"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// candidates are the nodes on which the scheduler may put a new pod, before it
// looks at room: ready, not cordoned, of tolerable taints, with the labels that
// the template asks for.
func (s *subject) candidates() []*corev1.Node {
	var nodes []*corev1.Node
	for _, n := range index.Typed[*corev1.Node](s.v, core("Node"), "") {
		if admits(s.spec, n) {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

func admits(spec *corev1.PodSpec, n *corev1.Node) bool {
	if n.DeletionTimestamp != nil || spec.NodeName != "" && spec.NodeName != n.Name || !ready(n) {
		return false
	}
	if n.Spec.Unschedulable && !tolerates(spec, corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}) {
		return false
	}
	for _, taint := range n.Spec.Taints {
		if taint.Effect != corev1.TaintEffectPreferNoSchedule && !tolerates(spec, taint) {
			return false
		}
	}
	if !labels.SelectorFromSet(spec.NodeSelector).Matches(labels.Set(n.Labels)) {
		return false
	}
	if spec.Affinity == nil || spec.Affinity.NodeAffinity == nil || spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return true
	}
	return slices.ContainsFunc(spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms, func(t corev1.NodeSelectorTerm) bool { return termMatches(t, n) })
}

func ready(n *corev1.Node) bool {
	return !slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue
	})
}

// tolerates is Toleration.ToleratesTaint without the comparison of numbers.
func tolerates(spec *corev1.PodSpec, taint corev1.Taint) bool {
	return slices.ContainsFunc(spec.Tolerations, func(t corev1.Toleration) bool {
		switch {
		case t.Effect != "" && t.Effect != taint.Effect, t.Key != "" && t.Key != taint.Key:
			return false
		case t.Operator == corev1.TolerationOpExists:
			return true
		case t.Operator == "" || t.Operator == corev1.TolerationOpEqual:
			return t.Value == taint.Value && t.Key != ""
		}
		return true // an operator of later versions: it may
	})
}

// termMatches: a term without expressions matches nothing
// (component-helpers scheduling/corev1/nodeaffinity).
func termMatches(t corev1.NodeSelectorTerm, n *corev1.Node) bool {
	if len(t.MatchExpressions) == 0 && len(t.MatchFields) == 0 {
		return false
	}
	for _, e := range t.MatchExpressions {
		if !expressionMatches(e, labels.Set(n.Labels)) {
			return false
		}
	}
	for _, e := range t.MatchFields {
		if !expressionMatches(e, labels.Set{"metadata.name": n.Name}) {
			return false
		}
	}
	return true
}

var operators = map[corev1.NodeSelectorOperator]selection.Operator{
	corev1.NodeSelectorOpIn: selection.In, corev1.NodeSelectorOpNotIn: selection.NotIn,
	corev1.NodeSelectorOpExists: selection.Exists, corev1.NodeSelectorOpDoesNotExist: selection.DoesNotExist,
	corev1.NodeSelectorOpGt: selection.GreaterThan, corev1.NodeSelectorOpLt: selection.LessThan,
}

func expressionMatches(e corev1.NodeSelectorRequirement, set labels.Set) bool {
	r, err := labels.NewRequirement(e.Key, operators[e.Operator], e.Values)
	return err == nil && r.Matches(set)
}

// growth says whether an autoscaler may add nodes: what one cannot tell, one
// must reckon with.
func (s *subject) growth() bool {
	if _, karpenter := s.v.Served(schema.GroupKind{Group: "karpenter.sh", Kind: "NodePool"}); karpenter {
		return true
	}
	presence, _ := s.v.Presence(coreRef("ConfigMap", autoscaler.Namespace, autoscaler.Name))
	return presence != index.Missing
}

// autoscaler is where the cluster autoscaler reports itself.
var autoscaler = source.Query{Kind: schema.GroupKind{Kind: "ConfigMap"}, Namespace: "kube-system", Name: "cluster-autoscaler-status", Metadata: true}

// hostPort is a port of the node itself.
type hostPort struct {
	ip, protocol string
	port         int32
	field        string
}

func (p hostPort) String() string {
	return strconv.Itoa(int(p.port)) + "/" + p.protocol
}

func (p hostPort) conflicts(o hostPort) bool {
	wild := func(ip string) bool { return ip == "" || ip == "0.0.0.0" || ip == "::" }
	return p.port == o.port && p.protocol == o.protocol && (p.ip == o.ip || wild(p.ip) || wild(o.ip))
}

// hostPorts: with the node's own network, every port that is declared is one
// of the node's (pkg/apis/core/v1, defaultHostNetworkPorts).
func hostPorts(spec *corev1.PodSpec) []hostPort {
	list, fields := containersOf(spec)
	var out []hostPort
	for i, c := range list {
		for j, p := range c.Ports {
			port, field := p.HostPort, ".hostPort"
			if port == 0 && spec.HostNetwork {
				port, field = p.ContainerPort, ".containerPort"
			}
			if port != 0 {
				out = append(out, hostPort{p.HostIP, string(cmp.Or(p.Protocol, corev1.ProtocolTCP)), port, fields[i] + ".ports[" + strconv.Itoa(j) + "]" + field})
			}
		}
	}
	return out
}
