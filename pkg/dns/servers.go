package dns

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// findServers finds the DNS Service by the nameserver that the pod has, and
// what stands behind it.
func (w *world) findServers() {
	addresses, why := w.nameserversKnown()
	w.serverWhy = why
	for _, s := range index.Typed[*corev1.Service](w.v, serviceKind, "") {
		if slices.ContainsFunc(addresses, func(a string) bool { return slices.Contains(clusterIPs(s), a) }) {
			w.dnsService = s
			break
		}
	}
	if w.dnsService == nil {
		if w.dnsService = stockService(w.v); w.dnsService != nil {
			w.serverWhy = "the Service by its name; no nameserver leads to it for certain"
			if len(addresses) == 0 {
				w.serverWhy = "the Service by its name"
			}
		}
	}
	w.findReplicas()
}

// nameserversKnown are the servers that the client asks, and by what that is known.
func (w *world) nameserversKnown() (addresses []string, why string) {
	if text, ok := w.seen.ResolvConf.said(); ok {
		return ParseResolvConf(text).Nameservers, "the nameserver in the pod's resolv.conf"
	}
	if w.client != nil && w.client.Spec.DNSPolicy == corev1.DNSNone && w.client.Spec.DNSConfig != nil {
		return w.client.Spec.DNSConfig.Nameservers, "the nameserver in spec.dnsConfig"
	}
	return w.kubelet.ClusterDNS, "clusterDNS in " + w.kubeletWhy
}

// stockService is the cluster's DNS Service where it goes by a usual name.
func stockService(v *index.View) *corev1.Service {
	for _, r := range []object.Ref{{Namespace: systemNamespace, Name: "kube-dns"}, {Namespace: systemNamespace, Name: "coredns"}, {Namespace: openshiftDNS, Name: "dns-default"}, {Namespace: systemNamespace, Name: "rke2-coredns-rke2-coredns"}} {
		if it, ok := v.Get(object.Ref{Version: "v1", Kind: "Service", Namespace: r.Namespace, Name: r.Name}); ok {
			if s, ok := it.Object.(*corev1.Service); ok {
				return s
			}
		}
	}
	for _, s := range index.Typed[*corev1.Service](v, serviceKind, systemNamespace) {
		if s.Labels[dnsLabel] == "kube-dns" && !strings.Contains(s.Name, "upstream") {
			return s
		}
	}
	return nil
}

func (w *world) findReplicas() {
	for it := range w.v.WithLabel(podKind, systemNamespace, dnsLabel, "node-local-dns") {
		if p, ok := it.Object.(*corev1.Pod); ok {
			w.nodeLocal = append(w.nodeLocal, p)
		}
	}
	if w.dnsService == nil || len(w.dnsService.Spec.Selector) == 0 {
		return
	}
	for _, it := range w.v.Select(podKind, w.dnsService.Namespace, labels.SelectorFromSet(w.dnsService.Spec.Selector)) {
		if p, ok := it.Object.(*corev1.Pod); ok && p.Status.Phase != corev1.PodFailed && p.Status.Phase != corev1.PodSucceeded {
			w.replicas = append(w.replicas, p)
		}
	}
}

// leadsOutside says whether the client's queries go to servers that are not the
// cluster's DNS: those of its node, or of its own dnsConfig.
func (w *world) leadsOutside() bool {
	switch {
	case w.dnsService == nil || w.throughCache() || w.cloudDNS():
		return false
	case w.confClaim != report.Observed && w.predicted.Policy == "Default":
		return true
	case len(w.conf.Nameservers) == 0:
		return false
	}
	return !slices.ContainsFunc(w.conf.servers(), func(s string) bool { return slices.Contains(clusterIPs(w.dnsService), s) })
}

// throughCache says whether the pod asks NodeLocal DNSCache at its own address.
func (w *world) throughCache() bool {
	return slices.ContainsFunc(w.conf.Nameservers, linkLocal)
}

func selects(s *corev1.Service, p *corev1.Pod) bool {
	return s.Namespace == p.Namespace && labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(p.Labels))
}

// cloudDNS says whether the kubelet sends the pod to GKE's Cloud DNS. A pod with
// its node's own file asks the same address, and gets no names of the cluster.
func (w *world) cloudDNS() bool {
	return w.predicted.Policy != "Default" && slices.Contains(w.conf.Nameservers, gkeCloudDNS)
}

// elsewhereTo is who is asked instead of the cluster's DNS, in words.
func (w *world) elsewhereTo() string {
	servers := strings.Join(w.conf.servers(), ", ")
	switch {
	case w.predicted.Policy != "Default":
		return servers
	case servers == "":
		return "the node's resolver"
	}
	return "the node's resolver " + servers
}

// servers are those that are worth asking: every replica, then the cache of the
// client's node.
func (w *world) servers() []Server {
	if w.outside {
		return nil
	}
	var out []Server
	for _, r := range w.replicas {
		if s, ok := w.server(r); ok {
			out = append(out, s)
		}
	}
	for _, r := range w.nodeLocal {
		if s, ok := w.server(r); ok && w.client != nil && r.Spec.NodeName == w.client.Spec.NodeName && r.Spec.NodeName != "" && !r.Spec.HostNetwork {
			s.NodeLocal = true
			out = append(out, s)
		}
	}
	return out
}

// heed keeps of what was seen what the servers said that the client asks: it
// may have been asked before more was known, or of pods that are no more.
func (w *world) heed() {
	servers := w.servers()
	stranger := func(uid types.UID) bool {
		return !slices.ContainsFunc(servers, func(s Server) bool { return s.UID == uid })
	}
	w.seen.Answers = slices.DeleteFunc(slices.Clone(w.seen.Answers), func(a Answer) bool { return stranger(a.UID) })
	w.seen.Replicas = slices.DeleteFunc(slices.Clone(w.seen.Replicas), func(r Replica) bool { return stranger(r.UID) })
}
