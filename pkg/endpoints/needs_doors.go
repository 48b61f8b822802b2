package endpoints

import (
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// doors are the routes where the server has them, the Services that doors lead
// to, and the classes that are to serve them.
func (p *plan) doors(w *world) {
	for _, gk := range routeKinds() {
		if !p.served(gk) {
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
				p.behind(w, routeDoors(it.Ref, u))
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

func (p *plan) behind(w *world, doors []door) {
	concerned := w.near(doors)
	for i, d := range doors {
		if i >= 16 {
			return
		}
		if p.ask.byName() && (concerned || w.close(d)) {
			p.want(source.Query{Kind: serviceKind, Namespace: d.to.Namespace, Name: d.to.Name})
		}
		if d.to.Namespace != d.from.Namespace && p.ask.Namespace != "" {
			p.want(source.Query{Kind: serviceKind, Namespace: d.to.Namespace, Name: d.to.Name})
		}
		if d.to.Namespace != d.from.Namespace && p.served(grantKind) {
			p.whole(grantKind, d.to.Namespace)
		}
	}
}
