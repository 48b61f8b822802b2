package preflight

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
)

// Leaves is the code of a template that leaves a Service without its pods.
const Leaves = "preflight/leaves-service"

// leaves: a Service that leads to the old pods does not lead to the new ones.
// All of them get ready, the controller is content, and nobody is served.
func (s *subject) leaves() {
	before := s.before()
	if before == nil || s.w.Replicas == 0 {
		return
	}
	for _, svc := range index.Typed[*corev1.Service](s.v, core("Service"), s.ref.Namespace) {
		selector := labels.SelectorFromSet(svc.Spec.Selector)
		switch {
		case len(svc.Spec.Selector) == 0 || svc.Spec.Type == corev1.ServiceTypeExternalName || !selector.Matches(labels.Set(before.Labels)):
		case !selector.Matches(labels.Set(s.w.Template.Labels)):
			s.unlabelled(svc)
		default:
			s.unported(svc, before)
		}
	}
}

// before is the template whose pods serve now, where another takes their place.
func (s *subject) before() *corev1.PodTemplateSpec {
	switch {
	case s.live == nil:
		return nil
	case s.opts.Next != nil:
		if s.replaces() {
			return s.live.Template
		}
		return nil
	case s.live.Done():
		return nil
	}
	if previous := s.live.Previous(); previous != nil {
		return previous.Template
	}
	return nil
}

func (s *subject) unlabelled(svc *corev1.Service) {
	evidence := []finding.Evidence{s.selected(svc)}
	for _, key := range slices.Sorted(maps.Keys(svc.Spec.Selector)) {
		if want := svc.Spec.Selector[key]; s.w.Template.Labels[key] != want {
			evidence = append(evidence, s.fact(fmt.Sprintf("spec.template.metadata.labels[%s]", key), cmp.Or(s.w.Template.Labels[key], "not set")))
		}
	}
	s.say("leaves-service", finding.Warning,
		fmt.Sprintf("Service %q selects the old pods and not the new ones: it loses an endpoint with each old pod, until none is left", svc.Name),
		evidence, manual("give the pod template the labels that the Service selects by, or correct the Service's selector"))
}

// unported: a named port that the new pods lack takes them out of the Service
// for certain; a number need not be declared, so that nothing does is suspect
// only where the old pods declared it.
func (s *subject) unported(svc *corev1.Service, before *corev1.PodTemplateSpec) {
	old, _ := containersOf(&before.Spec)
	now, _ := containersOf(s.spec)
	for i, port := range svc.Spec.Ports {
		declared := func(list []*corev1.Container) bool {
			return slices.ContainsFunc(list, func(c *corev1.Container) bool { return declares(c, port) })
		}
		others := portsOf(now)
		named := port.TargetPort.Type == intstr.String
		if !declared(old) || declared(now) || !named && len(others) == 0 {
			continue
		}
		message := fmt.Sprintf("Service %q leads to port %s, which the old pods declare and the new ones do not: if nothing listens there, they are ready and answer no request", svc.Name, target(port))
		if named {
			message = fmt.Sprintf("Service %q leads to the port named %q, which the new pods do not have: none of them becomes an endpoint", svc.Name, port.TargetPort.StrVal)
		}
		s.say("leaves-service", finding.Warning, message,
			[]finding.Evidence{
				fact(coreRef("Service", svc.Namespace, svc.Name), fmt.Sprintf("spec.ports[%d].targetPort", i), target(port)),
				s.fact("spec.template.spec.containers[*].ports", cmp.Or(joined(others), "none")),
			},
			manual("let the Service lead to the new port once the new pods serve, or give the old name or number back to the container"))
	}
}

func target(port corev1.ServicePort) string {
	if port.TargetPort.Type == intstr.String {
		return port.TargetPort.StrVal
	}
	return itoa(cmp.Or(port.TargetPort.IntVal, port.Port))
}

func portsOf(list []*corev1.Container) []string {
	var ports []string
	for _, c := range list {
		for _, p := range c.Ports {
			words := itoa(p.ContainerPort)
			if p.Name != "" {
				words = p.Name + " " + words
			}
			ports = append(ports, words)
		}
	}
	return ports
}
