package tree

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// backend is one place of an Ingress from which requests are sent on.
type backend struct {
	field   string // of the port
	service networkingv1.IngressServiceBackend
}

func backends(ing *networkingv1.Ingress) []backend {
	var all []backend
	add := func(b *networkingv1.IngressBackend, field string) {
		if b != nil && b.Service != nil {
			field += ".service.port"
			all = append(all, backend{field, *b.Service})
		}
	}
	add(ing.Spec.DefaultBackend, "spec.defaultBackend")
	for i, rule := range ing.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for j := range rule.HTTP.Paths {
			add(&rule.HTTP.Paths[j].Backend, fmt.Sprintf("spec.rules[%d].http.paths[%d].backend", i, j))
		}
	}
	return all
}

// portAt is a port of a Service as an Ingress names it: the paths of an Ingress
// are mostly wrong alike, and it is said once.
type portAt struct {
	service object.Ref
	port    networkingv1.ServiceBackendPort
}

// checkPorts finds the ports that an Ingress names and its Services lack.
func (p *Pass) checkPorts(it index.Item) {
	ing, ok := it.Object.(*networkingv1.Ingress)
	if !ok {
		return
	}
	said := map[portAt]bool{}
	for _, b := range backends(ing) {
		ref := object.Ref{Version: "v1", Kind: "Service", Namespace: ing.Namespace, Name: b.service.Name}
		target, _ := p.View.Get(ref)
		svc, ok := target.Object.(*corev1.Service)
		at := portAt{ref.Key(), b.service.Port}
		if !ok || said[at] || offers(svc, b.service.Port) {
			continue
		}
		said[at] = true
		p.report(lacksPort(it.Ref, b, ref, svc))
	}
}

// offers says whether a Service has the port. What is only another name in DNS
// needs none, and is reached by whatever number the Ingress names.
func offers(svc *corev1.Service, port networkingv1.ServiceBackendPort) bool {
	if port == (networkingv1.ServiceBackendPort{}) || svc.Spec.Type == corev1.ServiceTypeExternalName {
		return true
	}
	for _, has := range svc.Spec.Ports {
		if port.Name != "" && has.Name == port.Name || port.Name == "" && has.Port == port.Number {
			return true
		}
	}
	return false
}

// lacksPort tells the usual confusion apart: the pods' port where the Service's
// is wanted. A controller that looks at targetPort too serves it all the same
// (ingress-nginx internal/ingress/controller, serviceEndpoints).
func lacksPort(r object.Ref, b backend, service object.Ref, svc *corev1.Service) finding.Finding {
	wanted := b.service.Port.Name
	if wanted == "" {
		wanted = fmt.Sprint(b.service.Port.Number)
	}
	var have, names []string
	var right *corev1.ServicePort
	ofPods := false
	for i := range svc.Spec.Ports {
		port := &svc.Spec.Ports[i]
		word := fmt.Sprint(port.Port)
		if port.Name != "" {
			word += " " + port.Name
			names = append(names, port.Name)
		}
		have = append(have, word)
		if port.TargetPort.String() == wanted {
			right, ofPods = port, true
		}
	}
	if close := source.Close(names, wanted); right == nil && len(close) > 0 {
		for i := range svc.Spec.Ports {
			if svc.Spec.Ports[i].Name == close[0] {
				right = &svc.Spec.Ports[i]
			}
		}
	}
	if right == nil && len(svc.Spec.Ports) == 1 {
		right = &svc.Spec.Ports[0]
	}
	ports := "no ports"
	if len(have) > 0 {
		ports = strings.Join(have, ", ")
	}
	f := finding.Finding{
		Code: "tree/reference-missing", Severity: finding.Error, Object: r,
		Message:  fmt.Sprintf("sends requests to port %s of %s, which has no such port; it has %s", wanted, service, ports),
		Evidence: []finding.Evidence{evidence(r, b.field, wanted), evidence(service, "spec.ports", ports)},
	}
	if ofPods {
		f.Severity = finding.Warning
		f.Message = fmt.Sprintf("sends requests to port %s of %s, which is the pods' port; the Service has %s, and most controllers find no other", wanted, service, ports)
	}
	if right == nil {
		f.Fix = []finding.Fix{{Description: fmt.Sprintf("name a port that %s has in %s, or add the port to the Service; with: %s", service, b.field, finding.Kubectl(r.Namespace, "edit", r.Arg()))}}
		return f
	}
	f.Fix = []finding.Fix{{Description: fmt.Sprintf("name the Service's port %d", right.Port), Command: finding.Kubectl(r.Namespace, "patch", "ingress", r.Name, "--type=json", "-p",
		finding.JSON([]any{map[string]any{"op": "replace", "path": finding.Pointer(b.field), "value": map[string]any{"number": right.Port}}}))}}
	return f
}
