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
	if !slices.ContainsFunc(p.queries, func(q source.Query) bool { return !v.Answered(q) && v.GapOf(q) == nil }) {
		p.lost()
	}
	slices.SortFunc(p.queries, source.Query.Compare)
	return slices.DeleteFunc(slices.Compact(p.queries), v.Answered)
}

// namespacesQuery needs no more than names and labels.
var namespacesQuery = source.Query{Kind: namespaceKind, Metadata: true}

type plan struct {
	w       *world
	queries []source.Query
}

func (p *plan) want(q source.Query) { p.queries = append(p.queries, q) }

func (p *plan) clients() {
	from := p.w.ask.From
	if from.IsZero() {
		return
	}
	p.want(source.Query{Kind: from.GroupKind(), Namespace: from.Namespace, Name: from.Name})
	if it, ok := p.w.v.Get(from); ok && from.Kind != "Pod" {
		if sel := index.PodSelector(it.Object); sel != nil {
			p.want(source.Query{Kind: podKind, Namespace: from.Namespace, Labels: sel.String()})
		}
	}
}

// servers are the DNS Service, its slices and pods, their ConfigMaps, and the
// policies between the client and them.
func (p *plan) servers() {
	w := p.w
	system := source.Query{Kind: serviceKind, Namespace: systemNamespace}
	p.want(system)
	kubelets := source.Query{Kind: configMapKind, Namespace: systemNamespace, Name: "kubelet-config"}
	if p.kubeletMatters() {
		p.want(kubelets)
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
	p.policies(s.Namespace)
	if w.kubeletWhy == "" && w.client != nil && !w.template && p.kubeletMatters() && w.v.Answered(kubelets) {
		p.want(source.Query{Kind: eventKind, Namespace: w.client.Namespace, Fields: "involvedObject.uid=" + string(w.client.UID)})
	}
	for _, pod := range w.replicas {
		for _, cm := range mounted(pod, "") {
			p.want(source.Query{Kind: configMapKind, Namespace: pod.Namespace, Name: cm.name})
		}
	}
	p.cache()
	if len(w.replicas) == 0 && (w.v.Answered(podsOf(s)) || len(s.Spec.Selector) == 0) {
		p.want(source.Query{Kind: configMapKind, Namespace: systemNamespace, Name: "coredns"})
	}
}

// cache is the configuration of NodeLocal DNSCache, where the client asks it,
// and the Service to which that leads.
func (p *plan) cache() {
	w := p.w
	if w.cacheAddress() == "" {
		return
	}
	for _, pod := range w.nodeLocal {
		for _, cm := range mounted(pod, "") {
			if w.besideClient(pod) {
				p.want(source.Query{Kind: configMapKind, Namespace: pod.Namespace, Name: cm.name})
			}
		}
	}
	if core := w.cacheCorefile(w.cachePod()); core != nil && core.Err == nil {
		if to, ok := core.leadsTo(w.defaultZones()[0]); ok && isIP(to) && w.serviceAt(to) == nil {
			p.want(source.Query{Kind: serviceKind}) // it may stand in any namespace
		}
	}
}

// kubeletMatters says whether the verdict needs what kubelets are configured
// with: where the pod's own file is as the rest of the cluster has it, it does not.
func (p *plan) kubeletMatters() bool {
	w := p.w
	_, read := w.seen.ResolvConf.said()
	switch {
	case w.seen.Kubelet != nil:
		return false
	case w.seen.Coming && (w.client == nil && !w.ask.From.IsZero() || running(w.client)):
		return false // the pod will say it better
	case read:
		return w.client != nil && w.dnsService != nil && w.predicted.Policy == "ClusterFirst" && (w.kubeletWhy != "" || len(w.outdated()) > 0)
	}
	return true
}

// policies are those that stand between the client and its servers. By which
// namespaces they choose is of interest only where there are any.
func (p *plan) policies(servers string) {
	w := p.w
	if w.outside || w.client == nil || w.client.Spec.HostNetwork {
		return
	}
	for _, namespace := range distinct([]string{servers, w.client.Namespace}) {
		p.want(source.Query{Kind: netpol.Kind(), Namespace: namespace})
		if len(w.v.List(netpol.Kind(), namespace)) > 0 {
			p.want(namespacesQuery)
		}
	}
}

// unmatched says whether a nameserver that is known leads to no Service seen.
func unmatched(w *world) bool {
	servers, _ := w.nameserversKnown()
	return slices.ContainsFunc(servers, func(a string) bool {
		addr, err := netip.ParseAddr(a)
		return err == nil && addr.IsPrivate() && !slices.Contains(clusterIPs(w.dnsService), a)
	})
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

// Client is the pod whose lookup is judged, once the view holds it.
func Client(v *index.View, ask Ask) (object.Ref, bool) {
	if pod, template := clientOf(v, ask); pod != nil && !template {
		return podRef(pod), true
	}
	return object.Ref{}, false
}
