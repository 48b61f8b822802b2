package endpoints

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// doors are the routes where the server has them, the Services that doors lead
// to, and the classes that are to serve them.
func (p *plan) doors(w *world) {
	for _, gk := range routeKinds() {
		if !p.served(gk) || p.ask.byName() && !(w.takes(gk) && p.attached(gk)) {
			continue
		}
		p.whole(gk, "") // a route may lead here from any namespace
		refused := slices.ContainsFunc(p.v.Gaps, func(g source.Gap) bool { return g.Kind == gk && g.Namespace == "" })
		if refused && p.ask.Namespace != "" {
			p.whole(gk, p.ask.Namespace)
		}
	}
	for _, gk := range routeKinds() {
		for _, it := range p.v.List(gk, "") {
			if u, ok := asUnstructured(it); ok {
				doors := routeDoors(it.Ref, u)
				p.behind(w, doors)
				if w.near(doors) {
					p.parents(it.Ref, u)
				}
			}
		}
	}
	for _, it := range p.v.List(ingressKind, "") {
		if ing, ok := it.Object.(*networkingv1.Ingress); ok {
			doors := ingressDoors(it.Ref, ing)
			p.behind(w, doors)
			if w.near(doors) {
				p.whole(classKind, "")
			}
		}
	}
	if slices.ContainsFunc(w.findings, func(f finding.Finding) bool {
		return strings.HasSuffix(f.Code, "-service-missing") || strings.HasSuffix(f.Code, "-backend-missing")
	}) {
		p.whole(serviceKind, p.ask.Namespace)
	}
}

// parents are the Gateways on which a route hangs, or all of them, as another one
// may have been meant, and the classes that carry them out.
func (p *plan) parents(r object.Ref, u *unstructured.Unstructured) {
	parents := elements(u.Object, "spec", "parentRefs")
	if len(parents) == 0 || !p.served(gatewayKind) {
		return
	}
	p.whole(gatewayKind, "")
	if p.v.GapOf(source.Query{Kind: gatewayKind}) != nil {
		for _, parent := range parents[:min(len(parents), fewNames)] {
			p.want(source.Query{Kind: gatewayKind, Namespace: cmp.Or(text(parent, "namespace"), r.Namespace), Name: text(parent, "name")})
		}
	}
	if p.served(gatewayClassKind) {
		p.whole(gatewayClassKind, "")
	}
}

// takes says whether one of the Services has a port of the protocol that a kind
// of route carries.
func (w *world) takes(gk schema.GroupKind) bool {
	protocol := corev1.ProtocolTCP
	if gk.Kind == "UDPRoute" {
		protocol = corev1.ProtocolUDP
	}
	return slices.ContainsFunc(w.subjects, func(c *subject) bool {
		return len(c.svc.Spec.Ports) == 0 || slices.ContainsFunc(c.svc.Spec.Ports, func(p corev1.ServicePort) bool { return protocolOf(p.Protocol) == protocol })
	})
}

// attached says whether a Gateway may have routes of a kind. Those below HTTP
// are rare, and need a listener of their protocol: one list of Gateways spares
// three of routes.
func (p *plan) attached(gk schema.GroupKind) bool {
	protocol := strings.ToUpper(strings.TrimSuffix(gk.Kind, "Route"))
	if protocol == "HTTP" || protocol == "GRPC" || !p.served(gatewayKind) {
		return true
	}
	all := source.Query{Kind: gatewayKind}
	p.want(all)
	if !p.v.Answered(all) {
		return p.v.GapOf(all) != nil
	}
	return slices.ContainsFunc(p.v.List(gatewayKind, ""), func(it index.Item) bool {
		u, ok := asUnstructured(it)
		return ok && slices.ContainsFunc(elements(u.Object, "spec", "listeners"), func(l map[string]any) bool { return text(l, "protocol") == protocol })
	})
}

// namesakes are the Services of a name in all namespaces: one may have been meant
// where a door leads to none. Of single Services near names are enough.
func (p *plan) namesakes(name string) {
	if p.ask.byName() || p.ask.Namespace == "" || len(p.sought) >= fewNames && !p.sought[name] {
		return
	}
	if p.sought == nil {
		p.sought = map[string]bool{}
	}
	p.sought[name] = true
	p.want(source.Query{Kind: serviceKind, Fields: fields.OneTermEqualSelector("metadata.name", name).String()})
}

func (p *plan) behind(w *world, doors []door) {
	concerned := w.near(doors)
	for i, d := range doors {
		if i >= 16 {
			return
		}
		switch {
		case !p.ask.byName() || w.asked[d.to.Key()]:
		case w.close(d) && d.to.Namespace == d.from.Namespace:
			p.whole(serviceKind, d.to.Namespace) // if it is not there, which one was meant?
		case concerned || w.close(d):
			p.want(source.Query{Kind: serviceKind, Namespace: d.to.Namespace, Name: d.to.Name})
		}
		if presence, _ := w.v.Presence(d.to); presence == index.Missing && concerned {
			p.namesakes(d.to.Name)
		}
		if d.to.Namespace != d.from.Namespace && p.ask.Namespace != "" {
			p.want(source.Query{Kind: serviceKind, Namespace: d.to.Namespace, Name: d.to.Name})
		}
		if d.to.Namespace != d.from.Namespace && p.served(grantKind) {
			p.whole(grantKind, d.to.Namespace)
		}
	}
}
