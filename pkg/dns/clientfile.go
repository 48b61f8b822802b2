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
		page("foreign-nameserver-first", finding.Warning, "The pod asks a server first that is not the cluster's", "glibc, Go and busybox ask the second nameserver only where the first does not answer: what the first denies is not found, and where it is silent each lookup takes seconds longer.",
			"The first nameserver of the file is not the cluster's DNS, and a later one is. An error where the pod finds nothing that the replicas find.", "Put the cluster's DNS first, or leave it alone; let CoreDNS forward to the other server.", glibcSource),
	}, Run: func(w *world) {
		w.foreignFirst()
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
	w.say("resolvconf-stale", finding.Warning, w.clientRef(), "the pod's resolv.conf is not what the kubelet would write today: "+strings.Join(differ, "; "),
		facts(fact(w.clientRef(), "/etc/resolv.conf (observed)", differ[0])), command("make the pod anew, with a file of today", w.namespace, "delete", "pod", w.client.Name))
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

func (w *world) foreignFirst() {
	servers, strange := w.conf.servers(), w.strangers()
	if w.outside || w.client == nil || w.throughCache() || len(strange) == 0 || len(strange) == len(servers) || servers[0] != strange[0] {
		return
	}
	if l := w.primary(); l == nil || l.libc == Musl {
		return // musl asks all at once
	}
	severity := finding.Warning
	if found, ran := w.gotten(); ran && len(found) == 0 && w.resolved() {
		severity = finding.Error
	}
	own := slices.DeleteFunc(slices.Clone(servers), func(s string) bool { return slices.Contains(strange, s) })
	w.say("foreign-nameserver-first", severity, w.clientRef(), fmt.Sprintf("the pod asks %s before the cluster's DNS: what that server denies is not found, and while it is silent each lookup waits for it", servers[0]),
		facts(fact(w.clientRef(), "nameserver ("+string(w.confClaim)+")", strings.Join(servers, " "))),
		w.patchTemplate("leave only the cluster's DNS", fmt.Sprintf(`{"spec":{"template":{"spec":{"dnsConfig":{"nameservers":[%q]}}}}}`, own[0])))
}

// domains holds the places side by side that say what the cluster domain is.
func domains() Analyzer {
	return Analyzer{Name: "domain", Servers: true, Docs: []finding.Doc{
		page("cluster-domain-mismatch", finding.Error, "The kubelet and CoreDNS disagree about the cluster domain", "The search list leads to names that CoreDNS does not serve.",
			"The domain in the pod's search list, or in the kubelet's configuration, is no zone of any kubernetes directive; or there is no such directive, and a Service that exists is not found.", "Make clusterDomain of the kubelet and the zone of the directive the same.", "Kubernetes, DNS specification 1.1; "+kubeletSource),
	}, Run: func(w *world) {
		zone, d := w.corefileDomain()
		if d == nil {
			w.servesNothing()
			return
		}
		searched, where, about := w.kubelet.ClusterDomain, "clusterDomain in "+w.kubeletWhy, object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: systemNamespace, Name: "kubelet-config"}
		if w.domain.Claim == report.Observed {
			searched, where, about = w.domain.Value, w.domain.Why, w.clientRef()
		}
		searched = strings.TrimSuffix(searched, ".")
		if searched == "" || w.servesZone(searched) {
			return
		}
		w.say("cluster-domain-mismatch", finding.Error, w.core.Object, fmt.Sprintf("pods search in %s, and CoreDNS serves %s: names of Services are not found", searched, zone),
			facts(fact(about, where, searched), fact(w.core.Object, fmt.Sprintf("data.%s line %d", w.core.Key, d.Line), "kubernetes "+strings.Join(d.Args, " "))),
			w.editCorefile(fmt.Sprintf("add the zone %s to the kubernetes directive", searched)))
	}}
}

// servesNothing: without a kubernetes directive no name of the cluster is known.
func (w *world) servesNothing() {
	if w.core == nil || w.core.Err != nil || len(w.core.Missing) > 0 || len(w.core.Unknowns) > 0 || w.resolved() {
		return
	}
	for _, name := range w.sought() {
		if svc, ok := w.service(name); ok {
			w.say("cluster-domain-mismatch", finding.Error, w.core.Object, fmt.Sprintf("CoreDNS serves no cluster domain: its Corefile has no kubernetes directive, so that no Service is found, %s neither", svc.Name),
				facts(fact(w.core.Object, "data."+w.core.Key, "no kubernetes directive"), fact(serviceRef(svc.Namespace, svc.Name), "metadata.name", svc.Name)), w.editCorefile("add kubernetes "+w.domain.Value+" to the server block"))
			return
		}
	}
}

func (w *world) servesZone(domain string) bool {
	for i := range w.core.Blocks {
		if d := w.core.Blocks[i].plugin("kubernetes"); d != nil && slices.Contains(w.core.Blocks[i].origins(d.Args), strings.ToLower(fqdn(domain))) {
			return true
		}
	}
	return false
}
