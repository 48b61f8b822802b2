package dns

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/netpol"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Needs are the reads that are still worth doing, given what the view holds:
// the plugin reads them, indexes again and asks again, until nothing is new.
// An empty view gives the first round. What the view holds is not asked for
// again; what was refused may be, and the plugin knows it by the query.
func Needs(v *index.View, ask Ask, seen Observations) []source.Query {
	w, err := newWorld(v, ask, seen)
	if err != nil {
		return nil
	}
	p := &plan{w: w}
	p.clients()
	p.servers()
	p.records()
	slices.SortFunc(p.queries, source.Query.Compare)
	return slices.DeleteFunc(slices.Compact(p.queries), v.Answered)
}

type plan struct {
	w       *world
	queries []source.Query
}

func (p *plan) want(q source.Query) { p.queries = append(p.queries, q) }

func (p *plan) clients() {
	from := p.w.ask.From
	if !from.IsZero() {
		p.want(source.Query{Kind: from.GroupKind(), Namespace: from.Namespace, Name: from.Name})
		if it, ok := p.w.v.Get(from); ok && from.Kind != "Pod" {
			if sel := selectorOf(it.Object); sel != nil {
				p.want(source.Query{Kind: podKind, Namespace: from.Namespace, Labels: sel.String()})
			}
		}
	}
	p.want(source.Query{Kind: namespaceKind, Metadata: true})
}

// servers are the DNS Service, its slices and pods, their ConfigMaps, and the
// policies between the client and them.
func (p *plan) servers() {
	w := p.w
	system := source.Query{Kind: serviceKind, Namespace: systemNamespace}
	p.want(system)
	if w.seen.Kubelet == nil {
		p.want(source.Query{Kind: configMapKind, Namespace: systemNamespace, Name: "kubelet-config"})
	}
	if !w.v.Answered(system) && w.dnsService == nil {
		return
	}
	if w.dnsService == nil {
		p.want(source.Query{Kind: serviceKind, Namespace: openshiftDNS})
		p.want(source.Query{Kind: configMapKind, Namespace: systemNamespace, Name: "coredns"})
		return
	}
	s := w.dnsService
	if unmatched(w) {
		p.want(source.Query{Kind: serviceKind})
	}
	p.want(slicesQuery(s.Namespace, s.Name))
	if len(s.Spec.Selector) > 0 {
		p.want(podsOf(s))
		if w.v.Answered(podsOf(s)) && len(w.replicas) == 0 {
			p.want(source.Query{Kind: podKind, Namespace: s.Namespace}) // perhaps they run under other labels
		}
	}
	p.want(source.Query{Kind: netpol.Kind(), Namespace: s.Namespace})
	if w.client != nil && w.client.Namespace != s.Namespace {
		p.want(source.Query{Kind: netpol.Kind(), Namespace: w.client.Namespace})
	}
	if w.kubeletWhy == "" && w.client != nil && w.v.Answered(source.Query{Kind: configMapKind, Namespace: systemNamespace, Name: "kubelet-config"}) {
		p.want(source.Query{Kind: eventKind, Namespace: w.client.Namespace, Fields: "involvedObject.uid=" + string(w.client.UID)})
	}
	if pod := w.serverPod(); pod != nil {
		for _, cm := range mounted(pod, "") {
			p.want(source.Query{Kind: configMapKind, Namespace: pod.Namespace, Name: cm.name})
		}
	} else if w.v.Answered(podsOf(s)) || len(s.Spec.Selector) == 0 {
		p.want(source.Query{Kind: configMapKind, Namespace: systemNamespace, Name: "coredns"})
	}
}

// unmatched says whether a nameserver that is known leads to no Service seen.
func unmatched(w *world) bool {
	text, ok := w.seen.ResolvConf.said()
	if !ok {
		return false
	}
	for _, a := range ParseResolvConf(text).Nameservers {
		if addr, err := netip.ParseAddr(a); err == nil && addr.IsPrivate() && !slices.Contains(clusterIPs(w.dnsService), a) {
			return true
		}
	}
	return false
}

// podsOf asks for the DNS pods, and where they are labelled as usual, in the
// same request for those of NodeLocal DNSCache, and for pods that lost a label.
func podsOf(s *corev1.Service) source.Query {
	q := source.Query{Kind: podKind, Namespace: s.Namespace, Labels: selectorText(s.Spec.Selector)}
	if s.Spec.Selector[dnsLabel] != "" && len(s.Spec.Selector) == 1 {
		values := distinct([]string{"coredns", "kube-dns", "node-local-dns", s.Spec.Selector[dnsLabel]})
		slices.Sort(values)
		q.Labels = dnsLabel + " in (" + strings.Join(values, ",") + ")"
	}
	return q
}

func selectorText(sel map[string]string) string {
	var parts []string
	for _, k := range sortedKeys(sel) {
		parts = append(parts, k+"="+sel[k])
	}
	return strings.Join(parts, ",")
}

// records are the Services, slices and pods from which the answers come.
func (p *plan) records() {
	w := p.w
	if w.name.Address.IsValid() {
		if w.wantsReverse() {
			p.want(source.Query{Kind: serviceKind})
			p.want(source.Query{Kind: sliceKind})
		}
		return
	}
	if !w.ask.From.IsZero() && w.client == nil {
		return // the namespace is not known for certain
	}
	named := ""
	// What was meant is read too: a pod without a search list never asks for it.
	for _, name := range distinct(append(w.candidates(), w.meant()...)) {
		zone := longest(w.defaultZones(), name)
		r, ok := parseRequest(strings.ToLower(name), zone)
		if zone == "" || !ok || r.namespace == "" || r.service == "" {
			continue
		}
		if w.v.Answered(source.Query{Kind: namespaceKind, Metadata: true}) && w.seenNamespace(r.namespace) == index.Missing {
			if named == "" {
				named = r.service
			}
			continue
		}
		p.record(r, 0)
		if named == "" || r.namespace != w.namespace {
			named = r.service
		}
	}
	if named != "" {
		p.want(source.Query{Kind: serviceKind, Fields: "metadata.name=" + named})
	}
}

func (p *plan) record(r parsed, depth int) {
	w := p.w
	if r.kind == "pod" {
		if k := w.plugin(); k != nil && k.pods == "verified" {
			p.want(source.Query{Kind: podKind, Namespace: r.namespace})
		}
		return
	}
	if depth == 0 {
		p.want(source.Query{Kind: serviceKind, Namespace: r.namespace})
	} else {
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

// Client is the pod whose lookup is judged, once the view holds it.
func Client(v *index.View, ask Ask) (object.Ref, bool) {
	if pod := clientOf(v, ask); pod != nil {
		return podRef(pod), true
	}
	return object.Ref{}, false
}
