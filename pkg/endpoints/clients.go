package endpoints

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/netpol"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var namespaceKind = schema.GroupKind{Kind: "Namespace"}

// admittedOnly are the peers to which a pod's port is open, where it is not to
// everybody.
func (c *subject) admittedOnly(pod *corev1.Pod, port netpol.Port) []netpol.Peer {
	peers, everybody := c.policies.Admitted(pod, port)
	if everybody {
		return nil
	}
	return peers
}

// anybody says whether some peer is there, or may be: what was not seen may
// be, and so may whatever is outside the cluster.
func (c *subject) anybody(peers []netpol.Peer) bool {
	return slices.ContainsFunc(peers, func(p netpol.Peer) bool {
		if p.IPBlock != nil {
			return true
		}
		namespaces, known := c.peerNamespaces(p)
		return !known || len(namespaces) > 0 && (p.PodSelector == nil || slices.ContainsFunc(namespaces, func(ns string) bool { return c.mayRun(ns, p) }))
	})
}

// peerNamespaces are the namespaces of a peer, as far as they are known.
func (c *subject) peerNamespaces(p netpol.Peer) (names []string, known bool) {
	if p.NamespaceSelector == nil {
		return []string{p.Policy.Namespace}, true
	}
	selector, err := metav1.LabelSelectorAsSelector(p.NamespaceSelector)
	if err != nil || !c.listed(namespaceKind, "", "") {
		return nil, false
	}
	for _, it := range c.v.List(namespaceKind, "") {
		if selector.Matches(labels.Set(it.Object.GetLabels())) {
			names = append(names, it.Ref.Name)
		}
	}
	return names, true
}

// clientKind is the workload that may make the pods of a peer later, being scaled
// to zero now. Of Jobs the pods remain for a while when they have ended.
var clientKind = schema.GroupKind{Group: "apps", Kind: "Deployment"}

// mayRun says whether pods of a peer run in a namespace, did, or may soon.
func (c *subject) mayRun(ns string, p netpol.Peer) bool {
	selector, err := metav1.LabelSelectorAsSelector(p.PodSelector)
	if err != nil || c.carried(ns, selector) || !c.listed(podKind, ns, selector.String()) || !c.listed(clientKind, ns, "") {
		return true // it is there, or was not seen
	}
	return slices.ContainsFunc(c.crew(ns).like(selector), func(l *workload) bool { return selector.Matches(labels.Set(l.template.Labels)) })
}

// carried says whether a pod that was read has the labels.
func (c *subject) carried(ns string, selector labels.Selector) bool {
	return len(c.v.Select(podKind, ns, selector)) > 0
}

// admitsNobody: all that the policies admit does not exist, as far as it was seen.
func (c *subject) admitsNobody(i int, pod *corev1.Pod, port netpol.Port, peers []netpol.Peer) {
	facts := []finding.Evidence{c.targetFact(i), fact(podRef(pod), "metadata.labels", joinPairs(pod.Labels))}
	var words []string
	for _, p := range peers {
		facts = append(facts, fact(p.Policy, p.Rule, p.String()))
		if !slices.Contains(words, p.String()) {
			words = append(words, p.String())
		}
	}
	look := finding.Kubectl(c.svc.Namespace, "get", "pods", "--show-labels")
	if namespaces, _ := c.peerNamespaces(peers[0]); len(namespaces) == 0 {
		look = finding.Kubectl("", "get", "namespaces", "--show-labels")
	}
	c.say("netpol-admits-nobody", finding.Warning, fmt.Sprintf("%s admits %s from %s only, and at present there are none: nobody may connect", peers[0].Policy, port, strings.Join(words, " or ")),
		facts, manual("let the rule admit what the clients carry, or label them so; see what there is with: %s", look))
}

// clients are the reads that tell whether anybody is there to whom policies
// open a Service's pods.
func (p *plan) clients(c *subject) {
	pods := c.serving()
	if len(pods) == 0 || len(c.svc.Spec.Ports) == 0 || !p.ask.From.IsZero() || !c.policies.Any(c.svc.Namespace) {
		return
	}
	port, ok := c.dialled(0, pods[0])
	if !ok || c.policies.Decide(netpol.Question{Server: pods[0], Port: port}).Doubt != netpol.AnySource {
		return
	}
	peers := c.admittedOnly(pods[0], port)
	if len(peers) == 0 || len(peers) > fewNames || slices.ContainsFunc(peers, func(o netpol.Peer) bool { return o.IPBlock != nil }) {
		return
	}
	if p.guarded++; p.guarded > fewNames {
		return
	}
	for _, peer := range peers {
		if peer.NamespaceSelector != nil {
			p.whole(namespaceKind, "")
		}
		namespaces, known := c.peerNamespaces(peer)
		if !known || peer.PodSelector == nil || len(namespaces) > fewNames {
			continue
		}
		for _, ns := range namespaces {
			p.clientsIn(c, ns, peer)
		}
	}
}

func (p *plan) clientsIn(c *subject, ns string, peer netpol.Peer) {
	selector, err := metav1.LabelSelectorAsSelector(peer.PodSelector)
	if err != nil || c.carried(ns, selector) {
		return
	}
	if !c.listed(podKind, ns, selector.String()) {
		p.want(source.Query{Kind: podKind, Namespace: ns, Labels: selector.String()})
		return
	}
	p.whole(clientKind, ns)
}
