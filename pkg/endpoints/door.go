package endpoints

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// door is one place from which requests are sent on to a Service.
type door struct {
	from   object.Ref // Ingress or route
	field  string     // the backend's
	path   string     // the same as a JSON pointer
	to     object.Ref
	number int32
	name   string // of the port, where it is named
	route  bool
	mirror bool // only copies of requests go there
}

// what is sent on, and how bad it is when it does not arrive: nobody waits for
// the answer to a copy.
func (d door) sends() (string, finding.Severity) {
	if d.mirror {
		return "copies of requests", finding.Warning
	}
	return "requests", finding.Error
}

var (
	ingressKind = schema.GroupKind{Group: networkingv1.GroupName, Kind: "Ingress"}
	classKind   = schema.GroupKind{Group: networkingv1.GroupName, Kind: "IngressClass"}
)

// ingresses judges what Ingresses lead to, and whether anybody serves them.
func ingresses() Analyzer {
	return Analyzer{Name: "ingresses", Docs: ingressDocs(), Whole: func(w *world) {
		for _, it := range w.v.List(ingressKind, "") {
			ing, ok := it.Object.(*networkingv1.Ingress)
			if !ok {
				continue
			}
			doors := ingressDoors(it.Ref, ing)
			if !w.near(doors) {
				continue
			}
			for _, d := range doors {
				w.doorLeads(d, "ingress-service-missing", "ingress-port-missing")
			}
			w.classOf(it.Ref, ing)
		}
	}}
}

func ingressDoors(r object.Ref, ing *networkingv1.Ingress) []door {
	var doors []door
	add := func(b *networkingv1.IngressBackend, field, path string) {
		if b == nil || b.Service == nil {
			return
		}
		doors = append(doors, door{from: r, field: field + ".service", path: path + "/service",
			to:     object.Ref{Version: "v1", Kind: "Service", Namespace: ing.Namespace, Name: b.Service.Name},
			number: b.Service.Port.Number, name: b.Service.Port.Name})
	}
	add(ing.Spec.DefaultBackend, "spec.defaultBackend", "/spec/defaultBackend")
	for i, rule := range ing.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for j := range rule.HTTP.Paths {
			add(&rule.HTTP.Paths[j].Backend, fmt.Sprintf("spec.rules[%d].http.paths[%d].backend", i, j), fmt.Sprintf("/spec/rules/%d/http/paths/%d/backend", i, j))
		}
	}
	return doors
}

// near says whether doors concern the Services that were asked about: they
// lead to one, or to a name that is close to one. When many were asked about, or
// none was named, every door of their namespaces does.
func (w *world) near(doors []door) bool {
	return slices.ContainsFunc(doors, func(d door) bool {
		switch {
		case w.asked[d.to.Key()]:
			return true
		case w.opts.All || !w.single():
			return w.within[d.to.Namespace] || w.within[d.from.Namespace]
		}
		presence, _ := w.v.Presence(d.to)
		return presence == index.Missing && w.close(d)
	})
}

// close says whether a door leads to a name that is close to a Service's.
func (w *world) close(d door) bool {
	return slices.ContainsFunc(w.subjects, func(c *subject) bool {
		return d.from.Namespace == c.svc.Namespace && (misspelt(d.to.Name, c.svc.Name) || strings.EqualFold(d.to.Name, c.svc.Name))
	})
}

// doorLeads checks that the Service is there and has the port.
func (w *world) doorLeads(d door, serviceMissing, portMissing string) {
	it, ok := w.v.Get(d.to)
	if !ok {
		if presence, _ := w.v.Presence(d.to); presence == index.Missing {
			w.leadsNowhere(d, serviceMissing)
		}
		return
	}
	svc, ok := it.Object.(*corev1.Service)
	bare := ok && isExternal(svc) && len(svc.Spec.Ports) == 0 && d.name == "" // another name needs no ports
	if !ok || bare || d.number == 0 && d.name == "" || slices.ContainsFunc(svc.Spec.Ports, func(p corev1.ServicePort) bool {
		return d.name != "" && p.Name == d.name || d.name == "" && p.Port == d.number
	}) {
		return
	}
	w.wrongPort(d, svc, portMissing)
}

func (w *world) leadsNowhere(d door, name string) {
	fix, beside := w.elsewhereNamed(d.to), ""
	evidence := []finding.Evidence{fact(d.from, d.field+".name", d.to.Name)}
	if ns, ok := w.namesake(d.to); ok {
		there := object.Ref{Version: "v1", Kind: "Service", Namespace: ns, Name: d.to.Name}
		beside = fmt.Sprintf("; one of that name is in namespace %s", ns)
		evidence = append(evidence, fact(there, "metadata.namespace", ns))
		fix = manual("an Ingress leads to Services of its own namespace only: create it in namespace %s, or the Service in namespace %s", ns, d.from.Namespace)
		if d.route {
			fix = manual("if that one is meant, name namespace %s in the backend, and let a ReferenceGrant there admit it", ns)
		}
	}
	for _, s := range w.place(d.to.Namespace).services {
		if !misspelt(d.to.Name, s.Name) && !strings.EqualFold(d.to.Name, s.Name) {
			continue
		}
		fix = command(fmt.Sprintf("lead to Service/%s, which is there", s.Name), d.from.Namespace, "patch", plural(d.from), d.from.Name, "--type=json", "-p",
			finding.JSON([]map[string]any{{"op": "replace", "path": d.path + "/name", "value": s.Name}}))
		break
	}
	what, severity := d.sends()
	w.blame(d.from, name, severity, fmt.Sprintf("it sends %s to Service/%s, which does not exist in namespace %s%s", what, d.to.Name, d.to.Namespace, beside), evidence, fix)
}

// wrongPort tells the usual confusions apart: the pods' port, or its name,
// where the Service's is wanted.
func (w *world) wrongPort(d door, svc *corev1.Service, name string) {
	wanted := d.name
	if wanted == "" {
		wanted = fmt.Sprint(d.number)
	}
	what, severity := d.sends()
	message := fmt.Sprintf("it sends %s to port %s of Service/%s, which has only %s", what, wanted, svc.Name, servicePorts(svc))
	var right *corev1.ServicePort
	for i := range svc.Spec.Ports {
		p := &svc.Spec.Ports[i]
		switch {
		case p.TargetPort.String() == wanted:
			message, right = fmt.Sprintf("it names port %s of Service/%s, which is the pods' port; the Service's is %s", wanted, svc.Name, servicePorts(svc)), p
		case right == nil && (len(svc.Spec.Ports) == 1 || p.Name != "" && misspelt(wanted, p.Name)):
			right = p
		}
	}
	fix := manual("name one of its ports: %s", servicePorts(svc))
	if right != nil {
		value, field := any(map[string]any{"number": right.Port}), d.path+"/port"
		if d.route {
			value = right.Port
		}
		fix = command("name the Service's port", d.from.Namespace, "patch", plural(d.from), d.from.Name, "--type=json", "-p",
			finding.JSON([]map[string]any{{"op": "replace", "path": field, "value": value}}))
	}
	w.blame(d.from, name, severity, message,
		[]finding.Evidence{fact(d.from, d.field+".port", wanted), fact(object.Ref{Version: "v1", Kind: "Service", Namespace: svc.Namespace, Name: svc.Name}, "spec.ports", servicePorts(svc))}, fix)
}

func plural(r object.Ref) string {
	kind, _, _ := strings.Cut(r.Arg(), "/")
	return kind
}

func servicePorts(svc *corev1.Service) string {
	var words []string
	for i := range svc.Spec.Ports {
		p := &svc.Spec.Ports[i]
		word := fmt.Sprint(p.Port)
		if p.Name != "" {
			word = p.Name + " " + word
		}
		words = append(words, word)
	}
	if len(words) == 0 {
		return "no ports"
	}
	return strings.Join(words, ", ")
}

// classOf checks that a controller feels responsible.
func (w *world) classOf(r object.Ref, ing *networkingv1.Ingress) {
	if ing.Annotations["kubernetes.io/ingress.class"] != "" || !w.listed(classKind, "", "") {
		return
	}
	var classes []string
	for _, it := range w.v.List(classKind, "") {
		if ing.Spec.IngressClassName == nil && it.Object.GetAnnotations()[networkingv1.AnnotationIsDefaultIngressClass] == "true" ||
			ing.Spec.IngressClassName != nil && it.Ref.Name == *ing.Spec.IngressClassName {
			return
		}
		classes = append(classes, it.Ref.Name)
	}
	message, value := "it names no class and no class is the default, so no controller serves it", "none"
	if ing.Spec.IngressClassName != nil {
		value = *ing.Spec.IngressClassName
		message = fmt.Sprintf("its class %q does not exist, so no controller serves it", value)
	}
	fix := manual("install an ingress controller; it brings its class")
	if len(classes) > 0 {
		fix = command("name a class that is there", r.Namespace, "patch", "ingress", r.Name, "--type=merge", "-p", finding.JSON(map[string]any{"spec": map[string]any{"ingressClassName": classes[0]}}))
	}
	w.blame(r, "ingress-class-missing", finding.Error, message, []finding.Evidence{fact(r, "spec.ingressClassName", value)}, fix)
}
