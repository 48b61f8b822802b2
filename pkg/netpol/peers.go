package netpol

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

// Peer is one peer of a rule that admits a port, or may.
type Peer struct {
	Policy object.Ref
	Rule   string // its field, such as "spec.ingress[0].from[1]"
	networkingv1.NetworkPolicyPeer
}

// Admitted are the peers that may connect to a port of an isolated pod. With
// everybody it is open to all, or the pod is not isolated.
func (p *Policies) Admitted(server *corev1.Pod, port Port) (peers []Peer, everybody bool) {
	q := Question{Server: server, Port: resolve(port, server)}
	isolating := p.isolating(Ingress, server)
	for _, pol := range isolating {
		for i, r := range pol.rules(Ingress) {
			if r.admitsPort(q).value == no {
				continue
			}
			if len(r.peers) == 0 {
				return nil, true
			}
			for j, peer := range r.peers {
				peers = append(peers, Peer{pol.ref, fmt.Sprintf("spec.ingress[%d].from[%d]", i, j), peer})
			}
		}
	}
	return peers, len(isolating) == 0
}

// Slip is a rule that would admit a connection, were it not for one mistake.
type Slip struct {
	Policy object.Ref
	Rule   string // its field
	Value  string // what stands there
}

// AdmitsPort finds a rule that admits another port than the one asked about, to
// or from the same peers: the Service's, where the pods' is meant.
func (p *Policies) AdmitsPort(d Direction, q Question, other int32) (Slip, bool) {
	return p.slip(d, q, func(pol policy, i int, r rule) (string, string, bool) {
		far := q.Client
		if d == Egress {
			far = q.Server
		}
		if p.admitsPeer(pol, r, d, far, q).value == no {
			return "", "", false
		}
		for j, port := range r.ports {
			if port.Port != nil && port.Port.Type == intstr.Int && port.Port.IntVal == other && port.EndPort == nil {
				return fmt.Sprintf("spec.%s[%d].ports[%d].port", d, i, j), fmt.Sprint(other), true
			}
		}
		return "", "", false
	})
}

// AdmitsAddress finds a rule of the client that lets it out to an address: that
// of the Service, which no policy ever sees.
func (p *Policies) AdmitsAddress(q Question, address string) (Slip, bool) {
	return p.slip(Egress, q, func(_ policy, i int, r rule) (string, string, bool) {
		for j, peer := range r.peers {
			if peer.IPBlock != nil && blockMatches(*peer.IPBlock, nil, address).value == yes {
				return fmt.Sprintf("spec.egress[%d].to[%d].ipBlock.cidr", i, j), peer.IPBlock.CIDR, true
			}
		}
		return "", "", false
	})
}

func (p *Policies) slip(d Direction, q Question, look func(policy, int, rule) (field, value string, found bool)) (Slip, bool) {
	self := q.Server
	if d == Egress {
		self = q.Client
	}
	for _, pol := range p.isolating(d, self) {
		for i, r := range pol.rules(d) {
			if field, value, ok := look(pol, i, r); ok {
				return Slip{pol.ref, field, value}, true
			}
		}
	}
	return Slip{}, false
}

// String is a peer in words: "pods with role=frontend of namespaces with team=web".
func (p Peer) String() string { return peerText(p.NetworkPolicyPeer) }

func peerText(p networkingv1.NetworkPolicyPeer) string {
	switch {
	case p.IPBlock != nil && len(p.IPBlock.Except) > 0:
		return p.IPBlock.CIDR + " except " + strings.Join(p.IPBlock.Except, ", ")
	case p.IPBlock != nil:
		return p.IPBlock.CIDR
	case p.NamespaceSelector == nil:
		return podWords(p.PodSelector) + " of this namespace"
	}
	return podWords(p.PodSelector) + " of " + selectorWords("namespaces", p.NamespaceSelector)
}

func podWords(s *metav1.LabelSelector) string { return selectorWords("pods", s) }

func selectorWords(what string, s *metav1.LabelSelector) string {
	if s == nil || len(s.MatchLabels)+len(s.MatchExpressions) == 0 {
		return "all " + what
	}
	return what + " with " + metav1.FormatLabelSelector(s)
}

// peersText is what stands in a rule's list of peers.
func (r rule) peersText() string {
	var words []string
	for _, p := range r.peers {
		words = append(words, peerText(p))
	}
	return strings.Join(words, "; ")
}

// portsText is what stands in a rule's list of ports.
func (r rule) portsText() string {
	var words []string
	for _, p := range r.ports {
		word := "every port"
		if p.Port != nil {
			word = p.Port.String()
		}
		if p.EndPort != nil {
			word += fmt.Sprintf("-%d", *p.EndPort)
		}
		if p.Protocol != nil && *p.Protocol != corev1.ProtocolTCP {
			word += "/" + string(*p.Protocol)
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}
