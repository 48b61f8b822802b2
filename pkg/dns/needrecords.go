package dns

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// records are the Services, slices and pods from which the answers come.
func (p *plan) records() {
	w := p.w
	_, written := reversedAddress(fqdn(w.name.ASCII)) // 1.0.96.10.in-addr.arpa
	if written = written && slices.Contains(w.types(), PTR); w.name.Address.IsValid() || written {
		if w.wantsReverse() || written {
			p.want(source.Query{Kind: serviceKind})
			p.want(source.Query{Kind: sliceKind})
			if k := w.plugin(); k != nil && len(k.namespaces) > 0 {
				p.want(namespacesQuery)
			}
		}
		return
	}
	if p.awaitsClient() {
		return // what the pod asks for is not known
	}
	// What was meant is read too: a pod without a search list never asks for it.
	for _, name := range distinct(append(append(w.candidates(), w.meant()...), w.intent().full)) {
		if r, ok := w.serviceIn(name); ok {
			p.record(r, 0)
		}
	}
	if k := w.plugin(); k != nil && k.nsSelector != nil {
		p.want(namespacesQuery)
	}
}

// awaitsClient says whether the client has not been read yet. One that may not
// be seen is taken for a pod with the defaults of its namespace.
func (p *plan) awaitsClient() bool {
	from := p.w.ask.From
	named := source.Query{Kind: from.GroupKind(), Namespace: from.Namespace, Name: from.Name}
	return !from.IsZero() && p.w.client == nil && p.w.v.GapOf(named) == nil
}

// serviceIn is the Service or pod record that a name of the cluster speaks of.
func (w *world) serviceIn(name string) (parsed, bool) {
	name = strings.ToLower(name)
	zone := longest(w.defaultZones(), name)
	if zone == "" {
		return parsed{}, false
	}
	r, ok := parseRequest(name, zone)
	return r, ok && r.namespace != "" && r.service != ""
}

// lost reads what only a lookup that finds nothing calls for: which namespaces
// there are, what is called alike, and what is called the same elsewhere.
func (p *plan) lost() {
	w := p.w
	if w.name.Address.IsValid() || p.awaitsClient() {
		return
	}
	w.ladders = w.climb()
	l := w.primary()
	if l == nil {
		return
	}
	if !w.seen.Coming && slices.ContainsFunc(w.ladders, w.openInCluster) {
		p.want(namespacesQuery)
	}
	if w.resolved() {
		return
	}
	s, _ := l.final()
	if s != nil && s.State == Open && w.seen.Coming && (w.outside || longest(w.defaultZones(), strings.ToLower(s.Name)) == "") {
		return // it will be asked yet
	}
	p.want(namespacesQuery)
	p.targets()
	if pod, _, ok := w.podSought(); ok {
		p.want(source.Query{Kind: podKind, Namespace: w.namespace, Name: pod})
	}
	named, near := "", []string{}
	for _, name := range w.sought() {
		r, ok := w.serviceIn(name)
		if !ok || r.kind != "svc" {
			continue
		}
		if named == "" || r.namespace != w.namespace {
			named = r.service
		}
		near = append(near, r.namespace)
	}
	if named == "" {
		return
	}
	p.want(source.Query{Kind: serviceKind, Fields: "metadata.name=" + named})
	for _, namespace := range distinct(near) {
		if namespace == w.namespace || w.seenNamespace(namespace) == index.Present {
			p.want(source.Query{Kind: serviceKind, Namespace: namespace})
		}
	}
}

// openInCluster says whether a resolver sends a name of the cluster whose answer
// is not known: perhaps that of a namespace.
func (w *world) openInCluster(l ladder) bool {
	return slices.ContainsFunc(l.steps, func(s Step) bool {
		return s.State == Open && longest(w.defaultZones(), strings.ToLower(s.Name)) != ""
	})
}

func (p *plan) record(r parsed, depth int) {
	w := p.w
	if r.kind == "pod" {
		p.want(namespacesQuery)
		if k := w.plugin(); k != nil && k.pods == "verified" {
			p.want(source.Query{Kind: podKind, Namespace: r.namespace})
		}
		return
	}
	if named := (source.Query{Kind: serviceKind, Fields: "metadata.name=" + r.service}); !w.v.Answered(named) {
		p.want(source.Query{Kind: serviceKind, Namespace: r.namespace, Name: r.service})
	}
	svc, presence := w.seenService(r.namespace, r.service)
	if presence != index.Present {
		return
	}
	k := w.plugin()
	if headless(svc) || r.endpoint != "" || k != nil && k.ignoreEmpty {
		p.want(slicesQuery(r.namespace, r.service))
	}
	if headless(svc) && len(svc.Spec.Selector) == 0 {
		p.want(source.Query{Kind: sliceKind, Namespace: r.namespace})
	}
	if (headless(svc) || r.endpoint != "") && len(svc.Spec.Selector) > 0 && w.v.Answered(slicesQuery(r.namespace, r.service)) {
		if slices, _ := w.slicesOf(r.namespace, r.service); !anyReady(slices) || r.endpoint != "" {
			p.want(source.Query{Kind: podKind, Namespace: r.namespace, Labels: selectorText(svc.Spec.Selector)})
		}
	}
	if svc.Spec.Type == corev1.ServiceTypeExternalName && depth < maxChain {
		target := strings.ToLower(fqdn(svc.Spec.ExternalName))
		if zone := longest(w.defaultZones(), target); zone != "" {
			if next, ok := parseRequest(target, zone); ok && next.service != "" {
				p.record(next, depth+1)
			}
		}
	}
}

// plugin is the kubernetes directive that serves the cluster domain.
func (w *world) plugin() *kubernetes {
	if w.core == nil {
		return nil
	}
	for _, b := range w.core.Serving(w.defaultZones()[0], w.port()) {
		if d := b.plugin("kubernetes"); d != nil {
			return w.kubernetesAt(b, d)
		}
	}
	return nil
}

// candidates are all names that any of the resolvers shown might send.
func (w *world) candidates() []string {
	var names []string
	for _, l := range w.libcs {
		for _, s := range Candidates(l, w.name, w.conf) {
			names = append(names, s.Name)
		}
	}
	return distinct(names)
}
