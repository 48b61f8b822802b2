package netpol

import (
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

// truth has three values. Maybe carries the reason for the doubt.
type truth int

const (
	no truth = iota
	maybe
	yes
)

type match struct {
	value truth
	doubt Doubt
	why   string
}

// found is a match and the field below the rule that decided it.
type found struct {
	match
	field string
}

func (f found) better(g found) bool { return f.value > g.value }

func and(a, b match) match {
	if b.value < a.value {
		return b
	}
	return a
}

// rule is an ingress or an egress rule: both have peers and ports.
type rule struct {
	peers []networkingv1.NetworkPolicyPeer
	ports []networkingv1.NetworkPolicyPort
}

func (p policy) rules(d Direction) []rule {
	var rules []rule
	if d == Ingress {
		for _, r := range p.Spec.Ingress {
			rules = append(rules, rule{r.From, r.Ports})
		}
		return rules
	}
	for _, r := range p.Spec.Egress {
		rules = append(rules, rule{r.To, r.Ports})
	}
	return rules
}

// admitsPort: no ports means every port. A name means the port of that name
// in the pod that is dialled, in either direction.
func (r rule) admitsPort(q Question) found {
	if len(r.ports) == 0 {
		return found{match: match{value: yes}}
	}
	best := found{field: ".ports"}
	for i, p := range r.ports {
		m := portMatches(p, q)
		if m.value > best.value {
			best = found{m, fmt.Sprintf(".ports[%d]", i)}
		}
	}
	return best
}

func portMatches(p networkingv1.NetworkPolicyPort, q Question) match {
	protocol := corev1.ProtocolTCP
	if p.Protocol != nil {
		protocol = *p.Protocol
	}
	switch {
	case protocol != q.Port.protocol():
		return match{}
	case p.Port == nil && p.EndPort == nil:
		return match{value: yes}
	case p.Port == nil || p.EndPort != nil && p.Port.Type == intstr.String:
		return match{maybe, Malformed, "endPort needs a numeric port"}
	case q.Port.Number == 0:
		return match{maybe, NamedPort, fmt.Sprintf("the pod declares no port %q", q.Port.Name)}
	case p.Port.Type == intstr.String && q.Server == nil:
		return match{maybe, NamedPort, fmt.Sprintf("its rule names port %q, and only pods have names for ports", p.Port.StrVal)}
	case p.Port.Type == intstr.String:
		number, ok := namedPort(q.Server, p.Port.StrVal, protocol)
		if !ok {
			return match{maybe, NamedPort, fmt.Sprintf("its rule names port %q, which the pod does not declare", p.Port.StrVal)}
		}
		return sure(number == q.Port.Number)
	case p.EndPort != nil:
		return sure(p.Port.IntVal <= q.Port.Number && q.Port.Number <= *p.EndPort)
	}
	return sure(p.Port.IntVal == q.Port.Number)
}

func sure(b bool) match {
	if b {
		return match{value: yes}
	}
	return match{}
}

// admitsPeer: no peers means everybody. other is the pod at the far end, nil
// where that is no pod of this cluster or where it is anybody.
func (p *Policies) admitsPeer(pol policy, r rule, d Direction, other *corev1.Pod, q Question) found {
	if len(r.peers) == 0 {
		return found{match: match{value: yes}}
	}
	list := map[Direction]string{Ingress: ".from", Egress: ".to"}[d]
	best := found{field: list}
	for i, peer := range r.peers {
		f := found{p.peerMatches(pol, peer, other, q), fmt.Sprintf("%s[%d]", list, i)}
		if f.better(best) {
			best = f
		}
	}
	return best
}

func (p *Policies) peerMatches(pol policy, peer networkingv1.NetworkPolicyPeer, other *corev1.Pod, q Question) match {
	switch {
	case peer.IPBlock != nil && (peer.PodSelector != nil || peer.NamespaceSelector != nil):
		return match{maybe, Malformed, "ipBlock excludes the selectors beside it"}
	case other == nil && q.far() == "":
		return match{maybe, AnySource, "only from some clients"}
	case peer.IPBlock != nil:
		return blockMatches(*peer.IPBlock, other, q.far())
	case other == nil: // selectors select pods, and an address from outside is none
		return match{}
	case other.Spec.HostNetwork:
		return match{maybe, HostNetwork, fmt.Sprintf("pod %s uses its node's network, so its traffic does not come from a pod's address", other.Name)}
	}
	return and(p.inNamespace(pol, peer.NamespaceSelector, other.Namespace), podMatches(peer.PodSelector, other))
}

func podMatches(s *metav1.LabelSelector, pod *corev1.Pod) match {
	if s == nil {
		return match{value: yes}
	}
	sel, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return match{maybe, Malformed, "its podSelector cannot be read"}
	}
	return sure(sel.Matches(labels.Set(pod.Labels)))
}

// inNamespace: without a namespaceSelector a peer is of the policy's own
// namespace. Of a namespace that was not seen one label is known all the same:
// the API server sets kubernetes.io/metadata.name on every one.
func (p *Policies) inNamespace(pol policy, s *metav1.LabelSelector, namespace string) match {
	if s == nil {
		return sure(namespace == pol.Namespace)
	}
	sel, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return match{maybe, Malformed, "its namespaceSelector cannot be read"}
	}
	if it, ok := p.v.Get(object.New("v1", "Namespace", "", namespace)); ok {
		return sure(sel.Matches(labels.Set(it.Object.GetLabels())))
	}
	requirements, _ := sel.Requirements()
	known := labels.Set{corev1.LabelMetadataName: namespace}
	result := match{value: yes}
	for _, r := range requirements {
		switch {
		case r.Key() == corev1.LabelMetadataName && !r.Matches(known):
			return match{}
		case r.Key() == corev1.LabelMetadataName && r.Operator() != selection.DoesNotExist:
		default:
			result = match{maybe, Namespace, fmt.Sprintf("the labels of namespace %s were not seen", namespace)}
		}
	}
	return result
}

// blockMatches: an ipBlock is meant for addresses outside the cluster; whether
// it covers pods is left to the plugin (networking/v1, IPBlock; Cilium's does not).
func blockMatches(b networkingv1.IPBlock, other *corev1.Pod, far string) match {
	prefix, err := netip.ParsePrefix(b.CIDR)
	if err != nil {
		return match{maybe, Malformed, fmt.Sprintf("its ipBlock %q cannot be read", b.CIDR)}
	}
	if other == nil {
		return sure(covers(prefix, b.Except, far))
	}
	for _, ip := range other.Status.PodIPs {
		if covers(prefix, b.Except, ip.IP) {
			return match{maybe, IPBlock, fmt.Sprintf("its ipBlock %s contains pod %s, and plugins differ on whether it covers pods", b.CIDR, other.Name)}
		}
	}
	return match{}
}

func covers(prefix netip.Prefix, except []string, ip string) bool {
	addr, err := netip.ParseAddr(ip)
	if err != nil || !prefix.Contains(addr.Unmap()) {
		return false
	}
	for _, e := range except {
		if out, err := netip.ParsePrefix(e); err == nil && out.Contains(addr.Unmap()) {
			return false
		}
	}
	return true
}
