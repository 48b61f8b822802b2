package dns

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// aliases are the ExternalNames on which the lookup ends in vain.
func (w *world) aliases() []*corev1.Service {
	var out []*corev1.Service
	for _, q := range w.suspects() {
		e := w.expect(q)
		if svc, _ := w.seenService(e.Object.Namespace, e.Object.Name); svc != nil && svc.Spec.Type == corev1.ServiceTypeExternalName && !slices.Contains(out, svc) {
			out = append(out, svc)
		}
	}
	return out
}

// targetMeant is the Service's full name that was plainly meant by an
// externalName, which no search list completes: a short name, one under another
// cluster's domain, or one that is nearly that of a Service.
func (w *world) targetMeant(svc *corev1.Service) string {
	target := strings.ToLower(strings.TrimSuffix(svc.Spec.ExternalName, "."))
	labels, zone := strings.Split(target, "."), w.defaultZones()[0]
	switch {
	case longest(w.clusterZones(), fqdn(target)) != "":
		r, ok := w.serviceIn(fqdn(target))
		near := source.Close(w.serviceNames(r.namespace), r.service)
		if near = slices.DeleteFunc(near, func(n string) bool { return n == svc.Name && r.namespace == svc.Namespace }); !ok || r.endpoint != "" || len(near) == 0 {
			return ""
		}
		return w.whole([]string{near[0], r.namespace}, zone)
	case len(labels) == 1:
		return w.whole([]string{target, svc.Namespace}, zone)
	case len(labels) == 2 && !topLevel(target), len(labels) == 3 && labels[2] == "svc":
		return w.whole(labels[:2], zone)
	}
	return w.foreign(labels).full
}

// correct leads an ExternalName to the Service that was meant, where that is there.
func (w *world) correct(svc *corev1.Service) (why string, fix finding.Fix) {
	ref := serviceRef(svc.Namespace, svc.Name)
	full := w.targetMeant(svc)
	if meant, ok := w.service(full); ok && full != "" {
		full = strings.TrimSuffix(full, ".")
		return fmt.Sprintf("; an externalName is looked up as it stands, and Service %s of namespace %s is %s", meant.Name, meant.Namespace, full),
			command("lead to the Service", svc.Namespace, "patch", "service", svc.Name, "--type=merge", "-p", fmt.Sprintf(`{"spec":{"externalName":%q}}`, full))
	}
	return "", editService(ref, "correct spec.externalName")
}

// targets reads the Services that may be meant by ExternalNames which lead nowhere.
func (p *plan) targets() {
	w := p.w
	for _, svc := range w.aliases() {
		target := strings.ToLower(fqdn(svc.Spec.ExternalName))
		if r, ok := w.serviceIn(target); ok {
			p.want(source.Query{Kind: serviceKind, Namespace: r.namespace})
		} else if r, ok := w.serviceIn(w.targetMeant(svc)); ok {
			p.want(source.Query{Kind: serviceKind, Namespace: r.namespace, Name: r.service})
		}
	}
}
