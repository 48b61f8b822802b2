package relation

import (
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// networkPeers relates a policy to the pods of its namespace that its rules
// name; peers in other namespaces are counted by pkg/netpol, not drawn.
func networkPeers(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	p, ok := it.Object.(*networkingv1.NetworkPolicy)
	if !ok {
		return nil
	}
	var edges []Edge
	for _, peer := range peersOf(p) {
		sel, err := metav1.LabelSelectorAsSelector(peer.selector)
		if err != nil {
			continue
		}
		for _, found := range v.Select(schema.GroupKind{Kind: "Pod"}, p.Namespace, sel) {
			e := t.edge(it, row, rootOf(p), found.Ref)
			e.Field = peer.field
			edges = append(edges, e)
		}
	}
	return edges
}

type peerAt struct {
	selector *metav1.LabelSelector
	field    string
}

func peersOf(p *networkingv1.NetworkPolicy) []peerAt {
	var peers []peerAt
	take := func(list []networkingv1.NetworkPolicyPeer, field string) {
		for i, peer := range list {
			if peer.PodSelector != nil && peer.NamespaceSelector == nil {
				peers = append(peers, peerAt{peer.PodSelector, field + "[" + itoa(i) + "].podSelector"})
			}
		}
	}
	for i, rule := range p.Spec.Ingress {
		take(rule.From, "spec.ingress["+itoa(i)+"].from")
	}
	for i, rule := range p.Spec.Egress {
		take(rule.To, "spec.egress["+itoa(i)+"].to")
	}
	return peers
}

func wantPeers(it index.Item) []source.Query {
	p, ok := it.Object.(*networkingv1.NetworkPolicy)
	if !ok {
		return nil
	}
	var qs []source.Query
	for _, peer := range peersOf(p) {
		qs = append(qs, source.Query{Kind: schema.GroupKind{Kind: "Pod"}, Namespace: p.Namespace, Labels: metav1.FormatLabelSelector(peer.selector)})
	}
	for i := range qs {
		if qs[i].Labels == "<none>" {
			qs[i].Labels = ""
		}
	}
	return qs
}
