package endpoints

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// handMade judges the addresses that a person wrote.
func (c *subject) handMade() {
	said := map[string]bool{}
	for i := range c.entries {
		e := &c.entries[i]
		if said[e.row.Address] || e.endpoint == nil || e.row.State != report.EndpointForeign && (e.row.State != report.EndpointManual || e.pod != nil || e.endpoint.TargetRef != nil) {
			continue
		}
		said[e.row.Address] = true
		field := fact(sliceRef(e.slice), "endpoints[].addresses", e.row.Address)
		switch {
		case e.row.State == report.EndpointForeign:
			c.say("manual-ip-foreign", finding.Error, fmt.Sprintf("the hand-made address %s belongs to %s, which has nothing to do with it", e.row.Address, c.title(e.pod)),
				[]finding.Evidence{field, fact(podRef(e.pod), "status.podIP", e.row.Address), fact(podRef(e.pod), "metadata.labels", joinPairs(e.pod.Labels))},
				deleteWritten("delete it and give the Service a selector; pod addresses do not last", e.slice))
		case c.virtual(e.row.Address) != nil:
			other := c.virtual(e.row.Address)
			r := object.Ref{Version: "v1", Kind: "Service", Namespace: other.Namespace, Name: other.Name}
			title := r.String()
			if other.Namespace != c.svc.Namespace {
				title = r.Long()
			}
			e.row.Why = "the address of " + title + ", not of a pod"
			c.say("manual-ip-nobody", finding.Error, fmt.Sprintf("the hand-made address %s is that of %s, not of a pod: kube-proxy does not send on to the address of another Service", e.row.Address, title),
				[]finding.Evidence{field, fact(r, "spec.clusterIP", e.row.Address)},
				deleteWritten(fmt.Sprintf("delete it, and give the Service a selector of pods, or let it be another name (type ExternalName) for %s.%s.svc and the cluster's domain", other.Name, other.Namespace), e.slice))
		case c.nobodys(e.row.Address):
			e.row.Why = "inside the pod network, and no pod has it"
			c.say("manual-ip-nobody", finding.Warning, fmt.Sprintf("the hand-made address %s is inside the pod network, and no pod or node has it", e.row.Address),
				[]finding.Evidence{field}, deleteWritten("correct the address, or delete what holds it", e.slice))
		}
	}
}

// virtual is the Service whose cluster address it is, if one was read that has it.
func (c *subject) virtual(ip string) *corev1.Service {
	for _, it := range c.v.List(serviceKind, "") {
		if svc, ok := it.Object.(*corev1.Service); ok && svc.UID != c.svc.UID && slices.Contains(append(svc.Spec.ClusterIPs, svc.Spec.ClusterIP), ip) {
			return svc
		}
	}
	return nil
}

// nobodys needs every pod, or those with this address, and every node to have
// been seen.
func (c *subject) nobodys(ip string) bool {
	addr, err := netip.ParseAddr(ip)
	asked := source.Query{Kind: podKind, Fields: "status.podIP=" + ip}
	if err != nil || !c.listed(podKind, "", "") && !c.v.Answered(asked) || !c.listed(nodeKind, "", "") || len(c.v.WithIP(ip)) > 0 {
		return false
	}
	inside := false
	for _, it := range c.v.List(nodeKind, "") {
		n, ok := it.Object.(*corev1.Node)
		if !ok {
			continue
		}
		if slices.ContainsFunc(n.Status.Addresses, func(a corev1.NodeAddress) bool { return a.Address == ip }) {
			return false
		}
		for _, cidr := range n.Spec.PodCIDRs {
			prefix, err := netip.ParsePrefix(cidr)
			inside = inside || err == nil && prefix.Contains(addr)
		}
	}
	return inside
}

// portless: an EndpointSlice of other uses may have no ports; kube-proxy makes
// nothing of it. DNS hands out its addresses all the same.
func (c *subject) portless(s *discoveryv1.EndpointSlice) {
	if isHeadless(c.svc) {
		return
	}
	sp := &c.svc.Spec.Ports[0]
	number := sp.Port
	if sp.TargetPort.IntVal != 0 {
		number = sp.TargetPort.IntVal
	}
	c.accuse(sliceRef(s), "slice-port-name", finding.Error, fmt.Sprintf("it has no ports, so kube-proxy sends nothing to its %s for Service/%s", counted(len(s.Endpoints), "endpoint"), c.svc.Name),
		[]finding.Evidence{fact(sliceRef(s), "ports", "none"), fact(c.ref, "spec.ports", servicePorts(c.svc))},
		command("give it the Service's port, if the addresses serve there", s.Namespace, "patch", "endpointslice", s.Name, "--type=merge", "-p",
			finding.JSON(map[string]any{"ports": []map[string]any{{"name": sp.Name, "port": number, "protocol": string(protocolOf(sp.Protocol))}}})))
}

// namesOnly: kube-proxy takes addresses, and ignores slices of names
// (k8s.io/kubernetes pkg/proxy/metaproxier). It has no part in headless
// Services, whose slices others may read.
func (c *subject) namesOnly(s *discoveryv1.EndpointSlice) {
	if s.AddressType != discoveryv1.AddressTypeFQDN || isHeadless(c.svc) || len(s.Endpoints) == 0 || len(s.Endpoints[0].Addresses) == 0 {
		return
	}
	severity, name := finding.Error, s.Endpoints[0].Addresses[0]
	if len(c.entries) > 0 {
		severity = finding.Warning
	}
	c.accuse(sliceRef(s), "ip-family-mismatch", severity, fmt.Sprintf("it holds names (%s), and kube-proxy sends to addresses only: it ignores the slice", name),
		[]finding.Evidence{fact(sliceRef(s), "addressType", string(s.AddressType)), fact(sliceRef(s), "endpoints[0].addresses", name)},
		manual("write the addresses in a slice of their family, or make Service/%s anew as type ExternalName with externalName %s", c.svc.Name, name))
}

func (c *subject) title(pod *corev1.Pod) string {
	name := podRef(pod).String()
	if pod.Namespace != c.svc.Namespace {
		name = podRef(pod).Long()
	}
	if root := c.root(pod); !root.IsZero() {
		return name + " of " + root.String()
	}
	return name
}

// akin says whether a pod has anything to do with a Service that names it by
// address alone: a label in common, or the Service's name in its own.
func (c *subject) akin(pod *corev1.Pod) bool {
	for k, v := range c.svc.Labels {
		if pod.Labels[k] == v {
			return true
		}
	}
	if strings.HasPrefix(pod.Name, c.svc.Name) {
		return true
	}
	for _, v := range pod.Labels {
		if v == c.svc.Name {
			return true
		}
	}
	return strings.HasPrefix(c.svc.Name, c.root(pod).Name) && c.root(pod).Name != ""
}
