package dns

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// resolvConfFile compares the file that the pod has with what it should be.
func resolvConfFile() Analyzer {
	return Analyzer{Name: "resolv.conf", Docs: []finding.Doc{
		page("resolvconf-stale", finding.Warning, "The pod's resolv.conf is not what the kubelet would write today", "The file is written once, when the pod's sandbox is made: a change of the cluster's DNS since then is not in it.",
			"The observed file differs from the prediction in what is known for certain.", "Make the pod anew.", kubeletSource),
		page("nameserver-unknown", finding.Error, "No nameserver of the pod leads to the cluster's DNS", "The servers that the pod asks know no Service.",
			"None of the nameservers is the address of a Service, of NodeLocal DNSCache or of a provider's DNS, though the pod wants the cluster's.", "Correct clusterDNS of the kubelet or dnsConfig of the pod.", kubeletSource),
	}, Run: func(w *world) {
		if w.confClaim == report.Observed && w.client != nil && (w.kubeletWhy != "" || w.predicted.Policy == "None") {
			w.outOfDate()
		}
		w.nameservers()
	}}
}

// outdated is in what the file that the pod has differs from the one of today,
// as far as that is certain.
func (w *world) outdated() []string {
	var differ []string
	for _, d := range differences(w.predicted.Conf, w.conf) {
		if !w.predicted.HostPart || w.predicted.Policy == "ClusterFirst" && (strings.HasSuffix(d, "is missing") || strings.HasPrefix(d, "nameserver ") && !w.throughCache()) {
			differ = append(differ, d)
		}
	}
	return differ
}

func (w *world) outOfDate() {
	differ := w.outdated()
	if len(differ) == 0 || w.throughCache() && strings.HasPrefix(differ[0], "nameserver") {
		return
	}
	w.say("resolvconf-stale", finding.Warning, podRef(w.client), "the pod's resolv.conf is not what the kubelet would write today: "+strings.Join(differ, "; "),
		facts(fact(podRef(w.client), "/etc/resolv.conf (observed)", differ[0])), command("make the pod anew, with a file of today", w.namespace, "delete", "pod", w.client.Name))
}

func (w *world) nameservers() {
	if !w.outside || w.predicted.Policy == "Default" || w.managed != "" || w.predicted.Policy == "ClusterFirst" && w.confClaim != report.Observed && w.kubeletWhy == "" {
		return
	}
	severity := finding.Error
	_, _, inCluster := w.meantAnswer()
	switch {
	case w.predicted.Policy == "None" && !inCluster && !w.internal():
		return // the spec says so, and nothing of the cluster is asked for
	case w.resolved():
		severity = finding.Warning
	}
	w.say("nameserver-unknown", severity, w.clientRef(), fmt.Sprintf("the pod asks %s, which is not the address of the cluster's DNS (%s)", strings.Join(w.conf.servers(), ", "), strings.Join(clusterIPs(w.dnsService), ", ")),
		facts(fact(w.clientRef(), "nameserver ("+string(w.confClaim)+")", strings.Join(w.conf.Nameservers, " ")), fact(serviceRef(w.dnsService.Namespace, w.dnsService.Name), "spec.clusterIPs", strings.Join(clusterIPs(w.dnsService), " "))),
		manual("set clusterDNS of the kubelet (or spec.dnsConfig.nameservers of the pod) to "+strings.Join(clusterIPs(w.dnsService), ", ")))
}

// domains holds the places side by side that say what the cluster domain is.
func domains() Analyzer {
	return Analyzer{Name: "domain", Servers: true, Docs: []finding.Doc{
		page("cluster-domain-mismatch", finding.Error, "The kubelet and CoreDNS disagree about the cluster domain", "The search list leads to names that CoreDNS does not serve.",
			"The domain in the pod's search list, or in the kubelet's configuration, is no zone of any kubernetes directive.", "Make clusterDomain of the kubelet and the zone of the directive the same.", "Kubernetes, DNS specification 1.1; "+kubeletSource),
	}, Run: func(w *world) {
		zone, d := w.corefileDomain()
		searched, where, about := w.kubelet.ClusterDomain, "clusterDomain in "+w.kubeletWhy, object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: systemNamespace, Name: "kubelet-config"}
		if w.domain.Claim == report.Observed {
			searched, where, about = w.domain.Value, w.domain.Why, w.clientRef()
		}
		searched = strings.TrimSuffix(searched, ".")
		if d == nil || searched == "" || w.servesZone(searched) {
			return
		}
		w.say("cluster-domain-mismatch", finding.Error, w.core.Object, fmt.Sprintf("pods search in %s, and CoreDNS serves %s: names of Services are not found", searched, zone),
			facts(fact(about, where, searched), fact(w.core.Object, fmt.Sprintf("data.%s line %d", w.core.Key, d.Line), "kubernetes "+strings.Join(d.Args, " "))),
			w.editCorefile(fmt.Sprintf("add the zone %s to the kubernetes directive", searched)))
	}}
}

func (w *world) servesZone(domain string) bool {
	for i := range w.core.Blocks {
		if d := w.core.Blocks[i].plugin("kubernetes"); d != nil && slices.Contains(w.core.Blocks[i].origins(d.Args), strings.ToLower(fqdn(domain))) {
			return true
		}
	}
	return false
}
