package endpoints

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// routing says from which nodes traffic finds no endpoint though there are some.
func routing() Analyzer {
	return Analyzer{Name: "routing", Docs: routingDocs(), Each: func(c *subject) {
		if isExternal(c.svc) {
			return
		}
		if name := c.svc.Labels["service.kubernetes.io/service-proxy-name"]; name != "" {
			c.say("proxy-name-label", finding.Warning, fmt.Sprintf("its label leaves it to the proxy %q, so kube-proxy skips it", name),
				[]finding.Evidence{fact(c.ref, "metadata.labels.service.kubernetes.io/service-proxy-name", name)},
				command("let kube-proxy serve it", c.svc.Namespace, "label", "service", c.svc.Name, "service.kubernetes.io/service-proxy-name-"))
		}
		if isHeadless(c.svc) || !c.internalLocal() && !c.externalLocal() && !c.hinted() {
			return
		}
		targets := c.targets()
		if !slices.ContainsFunc(targets, func(t Target) bool { return t.Ready || t.Serving && t.Terminating }) {
			return
		}
		c.hints(targets)
		c.localGaps(targets)
	}}
}

func (c *subject) internalLocal() bool {
	p := c.svc.Spec.InternalTrafficPolicy
	return p != nil && *p == corev1.ServiceInternalTrafficPolicyLocal
}

func (c *subject) externalLocal() bool {
	return c.svc.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal && c.fromOutside()
}

func (c *subject) hinted() bool {
	return c.anyRow(func(e *entry) bool { return e.endpoint != nil && e.endpoint.Hints != nil })
}

// targets are the endpoints of the first port, as kube-proxy sees them.
func (c *subject) targets() []Target {
	var out []Target
	for i := range c.entries {
		e := &c.entries[i]
		if e.slice == nil || e.port > 0 || e.row.State == "no-port" {
			continue
		}
		t := Target{Name: e.row.Address, Node: e.row.Node, Ready: e.row.Ready, Serving: e.row.Serving, Terminating: e.row.Terminating}
		if h := e.endpoint.Hints; h != nil {
			for _, z := range h.ForZones {
				t.Zones = append(t.Zones, z.Name)
			}
			for _, n := range h.ForNodes {
				t.Nodes = append(t.Nodes, n.Name)
			}
		}
		out = append(out, t)
	}
	return out
}

func (c *subject) hints(targets []Target) {
	ready := keep(targets, func(t Target) bool { return t.Ready })
	with := keep(ready, func(t Target) bool { return len(t.Zones)+len(t.Nodes) > 0 })
	if len(with) == 0 {
		return
	}
	if len(with) < len(ready) {
		bare := keep(ready, func(t Target) bool { return len(t.Zones)+len(t.Nodes) == 0 })[0]
		c.say("hints-ignored", finding.Info, fmt.Sprintf("%d of %d ready endpoints have no topology hint, so kube-proxy follows none", len(ready)-len(with), len(ready)),
			[]finding.Evidence{fact(c.ref, "EndpointSlices endpoints[].hints", "none at "+bare.Name)})
		return
	}
	share := map[string]int{}
	for _, t := range with {
		for _, z := range t.Zones {
			share[z]++
		}
	}
	least, most := "", 0
	for _, z := range slices.Sorted(maps.Keys(share)) {
		if least == "" || share[z] < share[least] {
			least = z
		}
		most = max(most, share[z])
	}
	if least != "" && share[least] == 1 && most >= 3 {
		c.say("zone-skew", finding.Warning, fmt.Sprintf("one endpoint serves all of zone %s, while another zone has %d", least, most),
			[]finding.Evidence{fact(c.ref, "EndpointSlices endpoints[].hints.forZones", least+": 1 endpoint")},
			manual("spread the pods over the zones with topologySpreadConstraints, or take the traffic distribution off the Service"))
	}
}

// localGaps: under a Local policy a node without an endpoint drops.
func (c *subject) localGaps(targets []Target) {
	internal, external := c.internalLocal(), c.externalLocal()
	if !internal && !external || !c.listed(nodeKind, "", "") {
		return
	}
	var gaps, clients []string
	for _, it := range c.v.List(nodeKind, "") {
		n, ok := it.Object.(*corev1.Node)
		if !ok {
			continue
		}
		choice := Categorize(targets, Traffic{Node: n.Name, Zone: n.Labels[corev1.LabelTopologyZone], InternalLocal: internal, ExternalLocal: external, External: external})
		if len(choice.Local) > 0 {
			continue
		}
		if c.receives(n) {
			gaps = append(gaps, n.Name)
		}
		if !nodeNotReady(n) && c.mayHoldClients(n.Name) {
			clients = append(clients, n.Name)
		}
	}
	if external && len(gaps) > 0 {
		c.externalGap(gaps)
	}
	if internal && len(clients) > 0 {
		c.say("itp-local-gap", finding.Error, fmt.Sprintf("it serves clients from their own node only, and %s %s no endpoint that is ready: clients there time out (with no endpoint anywhere they would be refused)", nodeWords(clients), verb(len(clients), "has", "have")),
			[]finding.Evidence{fact(c.ref, "spec.internalTrafficPolicy", "Local"), fact(c.ref, "nodes without an endpoint", nodeWords(clients))},
			c.patchService("let clients use endpoints of other nodes", map[string]any{"op": "replace", "path": "/spec/internalTrafficPolicy", "value": "Cluster"}),
			manual("or run its pods on every node, as a DaemonSet does"))
	}
}

// receives says whether anybody sends traffic from outside to a node: to one
// that is asked about, else not to one that is down, and a load balancer not to
// one that is excluded from it (core/v1, LabelNodeExcludeBalancers).
func (c *subject) receives(n *corev1.Node) bool {
	if c.opts.From.Kind == nodeKind.Kind {
		return n.Name == c.opts.From.Name
	}
	_, excluded := n.Labels[corev1.LabelNodeExcludeBalancers]
	return !nodeNotReady(n) && !(excluded && c.svc.Spec.Type == corev1.ServiceTypeLoadBalancer)
}

func nodeNotReady(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(x corev1.NodeCondition) bool {
		return x.Type == corev1.NodeReady && x.Status != corev1.ConditionTrue
	})
}

func (c *subject) fromOutside() bool {
	return c.svc.Spec.Type == corev1.ServiceTypeNodePort || c.svc.Spec.Type == corev1.ServiceTypeLoadBalancer || len(c.svc.Spec.ExternalIPs) > 0
}

// mayHoldClients: the node that was asked about, or that of the client, or else
// any node that takes pods or has some.
func (c *subject) mayHoldClients(node string) bool {
	switch {
	case c.opts.From.Kind == nodeKind.Kind:
		return node == c.opts.From.Name
	case !c.opts.From.IsZero():
		it, ok := c.v.Get(c.opts.From)
		if !ok {
			return false
		}
		pod, ok := it.Object.(*corev1.Pod)
		return ok && pod.Spec.NodeName == node
	}
	if slices.ContainsFunc(c.v.OnNode(node), func(p *corev1.Pod) bool { return !p.Spec.HostNetwork && !ended(p) }) {
		return true
	}
	n, ok := c.node(node)
	return ok && !n.Spec.Unschedulable && !slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool {
		return t.Effect == corev1.TaintEffectNoSchedule || t.Effect == corev1.TaintEffectNoExecute
	})
}

func (c *subject) externalGap(gaps []string) {
	s, how := finding.Warning, "traffic that arrives there is dropped"
	if asked := c.opts.From; asked.Kind == nodeKind.Kind {
		s = finding.Error
	} else if c.svc.Spec.Type == corev1.ServiceTypeLoadBalancer && c.svc.Spec.HealthCheckNodePort > 0 {
		s, how = finding.Info, "the load balancer's health check keeps it away from there"
	}
	c.say("etp-local-gap", s, fmt.Sprintf("externalTrafficPolicy is Local, and %s %s no endpoint that is ready: %s", nodeWords(gaps), verb(len(gaps), "has", "have"), how),
		[]finding.Evidence{fact(c.ref, "spec.externalTrafficPolicy", "Local"), fact(c.ref, "nodes without an endpoint", nodeWords(gaps))},
		c.patchService("let every node forward it (the client's address is then hidden from the pods)", map[string]any{"op": "replace", "path": "/spec/externalTrafficPolicy", "value": "Cluster"}))
}

func nodeWords(nodes []string) string {
	title := "node " + nodes[0]
	if len(nodes) > 1 {
		title = fmt.Sprintf("%d nodes (%s)", len(nodes), strings.Join(nodes[:min(3, len(nodes))], ", ")+cmp.Or(map[bool]string{true: ", …"}[len(nodes) > 3], ""))
	}
	return title
}
