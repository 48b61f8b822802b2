package endpoints

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// legacy holds the older Endpoints object against the slices: services/proxy
// and old ingress controllers still read it.
func legacy() Analyzer {
	return Analyzer{Name: "legacy", Docs: legacyDocs(), Each: func(c *subject) {
		r := object.Ref{Version: "v1", Kind: "Endpoints", Namespace: c.svc.Namespace, Name: c.svc.Name}
		it, ok := c.v.Get(r)
		if !ok || isExternal(c.svc) {
			return
		}
		e, ok := it.Object.(*corev1.Endpoints) //lint:ignore SA1019 the legacy object is what is compared
		if !ok {
			return
		}
		if e.Annotations[corev1.EndpointsOverCapacity] == "truncated" {
			c.accuse(r, "endpoints-truncated", finding.Info, "it holds the first 1000 addresses only; EndpointSlices hold them all",
				[]finding.Evidence{fact(r, "metadata.annotations."+corev1.EndpointsOverCapacity, "truncated")})
			return
		}
		if c.selects() && !c.settling && c.unseen == "" {
			c.diverge(r, e)
		}
	}}
}

//lint:ignore SA1019 the legacy object is what is compared
func (c *subject) diverge(r object.Ref, e *corev1.Endpoints) {
	theirs, ours := map[string]bool{}, map[string]bool{}
	for _, s := range e.Subsets {
		for _, a := range s.Addresses {
			ip, _ := canonical(a.IP)
			theirs[ip] = true
		}
	}
	v4, _ := families(c.svc)
	primary := discoveryv1.AddressTypeIPv6
	if len(c.svc.Spec.IPFamilies) > 0 && c.svc.Spec.IPFamilies[0] == corev1.IPv4Protocol || len(c.svc.Spec.IPFamilies) == 0 && v4 {
		primary = discoveryv1.AddressTypeIPv4
	}
	for i := range c.entries {
		en := &c.entries[i]
		if en.slice != nil && en.slice.AddressType == primary && en.row.Ready && en.row.State != report.EndpointNoPort && managedBy(en.slice) == controllerName {
			ip, _ := canonical(en.row.Address)
			ours[ip] = true
		}
	}
	if maps.Equal(theirs, ours) {
		return
	}
	c.accuse(r, "endpoints-diverge", finding.Warning, fmt.Sprintf("the older Endpoints object says %s, the slices %s", setWords(theirs), setWords(ours)),
		[]finding.Evidence{fact(r, "subsets[].addresses", setWords(theirs)), fact(c.ref, "EndpointSlices", setWords(ours))},
		command("delete it; the Endpoints controller writes it anew", c.svc.Namespace, "delete", "endpoints", c.svc.Name))
}

func setWords(set map[string]bool) string {
	words := slices.Sorted(maps.Keys(set))
	if len(words) == 0 {
		return "nothing"
	}
	if len(words) > 5 {
		return strings.Join(words[:5], ", ") + fmt.Sprintf(" and %d more", len(words)-5)
	}
	return strings.Join(words, ", ")
}

func legacyDocs() []finding.Doc {
	return []finding.Doc{
		page("endpoints-diverge", finding.Warning, "The Endpoints object and the slices differ",
			"kube-proxy goes by the slices; what still reads Endpoints (services/proxy of the API server, old ingress controllers) reaches other addresses.",
			"The ready addresses of the two differ for the Service's first family, well after the last change. A truncated object is another story.",
			"Delete the Endpoints object; it is written anew.", "k8s.io/kubernetes pkg/controller/endpoint"),
		page("endpoints-truncated", finding.Info, "The Endpoints object is cut at 1000 addresses",
			"Readers of Endpoints see the first 1000 addresses only; slices hold them all.",
			"The annotation endpoints.kubernetes.io/over-capacity says truncated.", "Let clients read EndpointSlices.", "k8s.io/kubernetes pkg/controller/endpoint, truncateEndpoints"),
	}
}
