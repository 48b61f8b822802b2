package dns

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// findServers finds the DNS Service by the nameserver that the pod has, and
// what stands behind it.
func (w *world) findServers() {
	var addresses []string
	if text, ok := w.seen.ResolvConf.said(); ok {
		addresses, w.serverWhy = ParseResolvConf(text).Nameservers, "the nameserver in the pod's resolv.conf"
	} else if len(w.kubelet.ClusterDNS) > 0 {
		addresses, w.serverWhy = w.kubelet.ClusterDNS, "clusterDNS in "+w.kubeletWhy
	}
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
	for _, it := range w.v.WithLabel(podKind, systemNamespace, dnsLabel, "node-local-dns") {
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

// serverPod is a pod whose configuration stands for all: the newest.
func (w *world) serverPod() *corev1.Pod {
	var best *corev1.Pod
	for _, p := range w.replicas {
		if best == nil || p.CreationTimestamp.After(best.CreationTimestamp.Time) {
			best = p
		}
	}
	return best
}
