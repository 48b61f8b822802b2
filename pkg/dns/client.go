package dns

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

const (
	kubeletSource = "k8s.io/kubernetes pkg/kubelet/network/dns"
	muslSource    = "musl 1.2.5 src/network/lookup_name.c, resolvconf.c"
	glibcSource   = "glibc resolv/res_query.c; resolv.conf(5)"
)

// policyOfClient judges what the pod's spec makes of its resolv.conf.
func policyOfClient() Analyzer {
	return Analyzer{Name: "client", Docs: []finding.Doc{
		page("search-list-missing", finding.Error, "The pod has no search list for short names", "A short name such as redis is tried only as it is, so no Service is ever found by it.",
			"The pod's search list does not hold its own NAMESPACE.svc.DOMAIN, and the name would be found with it.", "Write the full name, or let the pod use dnsPolicy ClusterFirst.", kubeletSource),
		page("hostnet-clusterfirst", finding.Error, "hostNetwork makes dnsPolicy ClusterFirst fall back to the node's DNS", "The pod asks the node's own servers, which know no Service.",
			"spec.hostNetwork is true and spec.dnsPolicy is ClusterFirst.", "Set dnsPolicy: ClusterFirstWithHostNet.", kubeletSource+", getPodDNSType"),
		page("missing-cluster-dns", finding.Error, "The kubelet knows no cluster DNS", "Pods of the node get the node's own resolv.conf.",
			"The kubelet's clusterDNS is empty, or it sent the event MissingClusterDNS.", "Set clusterDNS in the kubelet's configuration and restart it.", kubeletSource+", GetPodDNS"),
		page("resolvconf-truncated", finding.Warning, "Parts of the DNS configuration do not fit and are cut", "Servers or search domains that the spec names are not in the pod's file.",
			"More than 3 nameservers, 32 search domains, 253 characters in one or 2048 in all; or the event DNSConfigForming.", "Shorten dnsConfig or the node's search list.", kubeletSource+", formDNSSearchFitsLimits"),
		page("ndots-bare", finding.Warning, "The option ndots has no number", "The resolver ignores it and falls back to its own default of 1: names with a dot are tried as they are first.",
			"dnsConfig (or the file) holds the option ndots without a value.", "Give it a value.", kubeletSource+"; "+glibcSource),
		page("mesh-dns-capture", finding.Info, "The mesh's sidecar answers DNS", "Queries are caught in the pod and answered by the proxy: what the cluster's servers say may never be asked for.",
			"The pod runs istio-proxy with ISTIO_META_DNS_CAPTURE.", "Ask the proxy: istioctl proxy-config; or look up from a pod without a sidecar.", "Istio, DNS proxying"),
		page("windows-dotted-name", finding.Error, "Windows takes a name with a dot for a full one", "The search list is not applied to names with dots, so redis.shop is not found.",
			"The pod runs on Windows and the name has a dot, none at its end, and lies in the cluster.", "Write the full name.", "Kubernetes, Networking on Windows: DNS resolution"),
	}, Run: func(w *world) {
		if w.client != nil {
			w.hostNetwork()
			w.missingClusterDNS()
			w.bareNdots()
			w.mesh()
			w.windows()
		}
		w.truncated()
		w.searchMissing()
	}}
}

func (w *world) hostNetwork() {
	s := w.client.Spec
	if !s.HostNetwork || s.DNSPolicy != corev1.DNSClusterFirst && s.DNSPolicy != "" || w.confClaim == report.Observed && slices.Contains(w.conf.Search, w.namespace+".svc."+w.domain.Value) {
		return
	}
	severity := finding.Warning
	if _, _, ok := w.meantAnswer(); ok && !w.resolved() {
		severity = finding.Error
	}
	w.say("hostnet-clusterfirst", severity, w.clientRef(), "the pod uses the node's network, so dnsPolicy ClusterFirst gives it the node's own DNS servers, which know no Service",
		facts(fact(w.clientRef(), "spec.hostNetwork", "true"), fact(w.clientRef(), "spec.dnsPolicy", cmp.Or(string(s.DNSPolicy), "ClusterFirst"))),
		w.patchTemplate("ask the cluster's DNS from the node's network", `{"spec":{"template":{"spec":{"dnsPolicy":"ClusterFirstWithHostNet"}}}}`))
}

// patchTemplate changes the workload that makes the client: a pod's own DNS
// fields cannot be changed.
func (w *world) patchTemplate(description, patch string) finding.Fix {
	owner, ok := w.workload()
	if !ok {
		own := strings.TrimSuffix(strings.TrimPrefix(patch, `{"spec":{"template":`), "}}")
		return manual(description + ": a pod's DNS fields cannot be changed, so delete it and create it anew with " + own)
	}
	return command(description, w.namespace, "patch", strings.ToLower(owner.Kind), owner.Name, "--type=strategic", "-p", patch)
}

// workload is what makes the client: what was asked about, or else its
// controller, of a ReplicaSet the Deployment by the hash that both carry.
func (w *world) workload() (object.Ref, bool) {
	if w.ask.From.Kind != "Pod" && !w.ask.From.IsZero() {
		return w.ask.From, true
	}
	if w.client == nil {
		return object.Ref{}, false
	}
	c, ok := index.Controller(w.client)
	if !ok {
		return object.Ref{}, false
	}
	owner := object.New(c.APIVersion, c.Kind, w.namespace, c.Name)
	if hash := w.client.Labels["pod-template-hash"]; c.Kind == "ReplicaSet" && hash != "" && strings.HasSuffix(c.Name, "-"+hash) {
		owner = object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: w.namespace, Name: strings.TrimSuffix(c.Name, "-"+hash)}
	}
	return owner, true
}

func (w *world) event(reason string) *corev1.Event {
	for _, e := range w.v.Events(w.client.UID) {
		if e.Reason == reason {
			return e
		}
	}
	return nil
}

func (w *world) missingClusterDNS() {
	e := w.event("MissingClusterDNS")
	empty := w.seen.Kubelet != nil && len(w.seen.Kubelet.ClusterDNS) == 0
	if e == nil && !empty || w.client.Spec.DNSPolicy == corev1.DNSDefault || w.client.Spec.DNSPolicy == corev1.DNSNone {
		return
	}
	node := object.Ref{Version: "v1", Kind: "Node", Name: w.client.Spec.NodeName}
	evidence := facts(fact(node, "kubelet configuration clusterDNS", "(empty)"))
	if e != nil {
		evidence = facts(fact(w.clientRef(), "event MissingClusterDNS", e.Message))
	}
	w.say("missing-cluster-dns", finding.Error, w.clientRef(), "the kubelet of the pod's node knows no cluster DNS, so the pod has the node's own servers", evidence,
		manual("set clusterDNS in the kubelet's configuration on node "+node.Name+", restart the kubelet, then make the pod anew"))
}

func (w *world) truncated() {
	cut := w.predicted.Cut
	if len(cut) == 0 {
		return
	}
	w.say("resolvconf-truncated", finding.Warning, w.clientRef(), "the kubelet leaves out what does not fit: "+strings.Join(cut, "; "),
		facts(fact(w.clientRef(), "spec.dnsConfig", cut[0])), manual("shorten spec.dnsConfig (or the search list of the node) to 3 nameservers, 32 search domains and 2048 characters"))
}

func (w *world) bareNdots() {
	c := w.client.Spec.DNSConfig
	if c == nil {
		return
	}
	for i, o := range c.Options {
		if o.Name == "ndots" && (o.Value == nil || *o.Value == "") {
			w.say("ndots-bare", finding.Warning, w.clientRef(), "the option ndots has no number: resolvers ignore it and take 1, so names with a dot are tried as they are first",
				facts(fact(w.clientRef(), fmt.Sprintf("spec.dnsConfig.options[%d]", i), "ndots")),
				w.patchTemplate("give ndots its usual value", `{"spec":{"template":{"spec":{"dnsConfig":{"options":[{"name":"ndots","value":"5"}]}}}}}`))
		}
	}
}

func (w *world) mesh() {
	for i, c := range slices.Concat(w.client.Spec.Containers, w.client.Spec.InitContainers) {
		at := slices.IndexFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == "ISTIO_META_DNS_CAPTURE" && e.Value == "true" })
		if c.Name == "istio-proxy" && at >= 0 {
			w.say("mesh-dns-capture", finding.Info, w.clientRef(), "the sidecar catches the pod's DNS queries and may answer them itself: its answers are not part of this trace",
				facts(fact(w.clientRef(), fmt.Sprintf("spec.containers[%d].env[%d]", i, at), "ISTIO_META_DNS_CAPTURE=true")))
		}
	}
}

func (w *world) windows() {
	full := strings.HasSuffix(fqdn(w.name.ASCII), "."+w.domain.Value+".")
	if n, _, ok := w.meantAnswer(); onWindows(w.client) && w.name.Dots > 0 && !w.name.Rooted && !full && ok {
		w.say("windows-dotted-name", finding.Error, w.clientRef(), fmt.Sprintf("Windows takes %s for a full name, because it has a dot, and does not try the search list", w.name.Written),
			facts(fact(w.clientRef(), "spec.os.name", "windows")), manual("write the full name: "+strings.TrimSuffix(n, ".")))
	}
}

// onWindows goes by what the pod asks for: its node's system is not read.
func onWindows(pod *corev1.Pod) bool {
	if pod == nil {
		return false
	}
	s := pod.Spec
	return s.OS != nil && s.OS.Name == corev1.Windows || s.NodeSelector[corev1.LabelOSStable] == "windows"
}

func (w *world) searchMissing() {
	want := w.namespace + ".svc." + w.domain.Value
	name, e, ok := w.meantAnswer()
	if !ok || w.resolved() || w.name.Rooted || onWindows(w.client) || name == strings.ToLower(fqdn(w.name.ASCII)) || slices.Contains(w.conf.Search, want) || w.confClaim == report.Unproven && !w.predicted.HostPart {
		return
	}
	evidence := facts(fact(w.clientRef(), "search list ("+string(w.confClaim)+")", strings.Join(w.conf.Search, " ")), fact(e.Object, cmp.Or(e.Field, "metadata.name"), answerText(e.Rcode, e.Records)))
	message := fmt.Sprintf("%s is in the cluster, as %s, but the pod's search list does not lead to it (%s)", w.name.Written, name, w.predicted.Why)
	fix := []finding.Fix{manual("write the full name: " + name)}
	if w.client != nil && (w.client.Spec.DNSPolicy == corev1.DNSDefault || w.client.Spec.DNSPolicy == corev1.DNSNone) {
		fix = append([]finding.Fix{w.patchTemplate("let the pod use the cluster's DNS", `{"spec":{"template":{"spec":{"dnsPolicy":"ClusterFirst"}}}}`)}, fix...)
	}
	w.say("search-list-missing", finding.Error, w.clientRef(), message, evidence, fix...)
}

// beforeDNS is what answers before any server is asked.
func beforeDNS() Analyzer {
	return Analyzer{Name: "hosts", Docs: []finding.Doc{
		page("hosts-override", finding.Warning, "/etc/hosts answers before DNS, and otherwise", "The pod never asks the cluster's DNS for this name.",
			"A line of the pod's /etc/hosts (its own hostname, or spec.hostAliases) has the name, with another address than DNS has.", "Remove the alias, or look up the full name.", "glibc nsswitch.conf, hosts: files dns"),
		page("nslookup-artefact", finding.Info, "nslookup prints failures that no program sees", "busybox nslookup sends every suffix at once and prints each NXDOMAIN: applications stop at the first answer.",
			"The resolver is busybox nslookup (or its output was seen), the name is found, and other suffixes are not.", "Test with getent hosts NAME, which asks as applications do.", "busybox networking/nslookup.c"),
	}, Run: func(w *world) {
		w.overridden()
		w.artefact()
	}}
}

func (w *world) overridden() {
	where, address := w.hostsEntry()
	if where == "" {
		return
	}
	_, e, ok := w.meantAnswer()
	if !ok || slices.ContainsFunc(e.Records, func(r Record) bool { return r.Data == address }) {
		return
	}
	w.say("hosts-override", finding.Warning, w.clientRef(), fmt.Sprintf("the pod's /etc/hosts says %s for %s, and DNS is never asked; it would say %s", address, w.name.Written, answerText(e.Rcode, e.Records)),
		facts(fact(w.clientRef(), where, address+" "+w.name.Written), fact(e.Object, cmp.Or(e.Field, "metadata.name"), answerText(e.Rcode, e.Records))), manual("remove the name from spec.hostAliases, or write the full name of the Service"))
}

func (w *world) artefact() {
	output, printed := w.seen.Nslookup.said()
	printed = printed && strings.Contains(output, "NXDOMAIN")
	for _, l := range w.ladders {
		failed := slices.IndexFunc(l.steps, func(s Step) bool { return s.State == Passed })
		if l.libc == Busybox && failed >= 0 && w.resolved() || printed && l.libc != Busybox && w.resolved() {
			evidence := fact(w.clientRef(), "nslookup "+w.name.Written+" (observed)", lineWith(output, "NXDOMAIN"))
			if !printed && failed >= 0 {
				evidence = fact(w.clientRef(), "search list ("+string(w.confClaim)+")", l.steps[failed].Name+" NXDOMAIN")
			}
			w.say("nslookup-artefact", finding.Info, w.clientRef(), "nslookup prints NXDOMAIN for the suffixes that do not match; applications stop at the one that does, so it means nothing",
				facts(evidence), manual("test with getent hosts "+w.name.Written+", which asks as applications do"))
			return
		}
	}
}

func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// searching is what the order of the names does.
func searching() Analyzer {
	return Analyzer{Name: "search", Docs: []finding.Doc{
		page("ndots-amplification", finding.Info, "The search list multiplies the queries", "Every lookup of an outside name first asks for it under each search domain.",
			"The name is answered as it is, after names of the search list were asked for in vain.", "End the name in a dot, or set ndots: 1 or 2 in dnsConfig where only full names are used.", glibcSource),
		page("search-wildcard-hijack", finding.Warning, "A search domain from outside the cluster answers", "A wildcard in the network's own domain catches names that are meant otherwise.",
			"A name of the search list outside the cluster domain was answered, before the name as it is.", "End the name in a dot, or take the domain out of the node's search list.", glibcSource),
		page("search-capture", finding.Warning, "A namespace that is called like a top-level domain captures the name", "www.example.com is found as a Service in namespace com, and the outside name is never asked for.",
			"A name that ends in a known top-level domain is answered by a Service under svc.DOMAIN.", "End the name in a dot, and rename the namespace.", "Kubernetes, Namespaces: avoid names of top-level domains"),
	}, Run: func(w *world) {
		if l := w.primary(); l != nil && !w.name.Rooted && l.libc != Busybox {
			w.amplified(l)
			w.captured(l)
		}
	}}
}

func (w *world) amplified(l *ladder) {
	s, i := l.final()
	sent, wasted := asked(l.steps, len(w.types()))
	if s == nil || i == 0 || s.From != "as is" || s.State == GaveUp || w.fails(l) {
		return
	}
	w.say("ndots-amplification", finding.Info, w.clientRef(), fmt.Sprintf("%d of %d queries are wasted on the search list; %s makes it %d", wasted, sent, s.Name, len(w.types())),
		facts(fact(w.clientRef(), "ndots ("+string(w.confClaim)+")", strconv.Itoa(w.conf.Ndots()))), manual("write "+s.Name+" with the dot at its end, or set ndots to 1 in spec.dnsConfig where the pod uses full names only"))
}

func (w *world) captured(l *ladder) {
	s, _ := l.final()
	if s == nil || s.State != Found {
		return
	}
	domain, searched := strings.CutPrefix(s.From, "search ")
	e := w.expect(Question{Name: s.Name, Type: w.types()[0]})
	switch {
	case !searched || w.name.Dots == 0:
	case !within(w.defaultZones()[0], fqdn(domain)):
		c, _ := w.consensus(Question{Name: s.Name, Type: w.types()[0]})
		w.say("search-wildcard-hijack", finding.Warning, w.clientRef(), fmt.Sprintf("%s is answered under the search domain %s, which is not the cluster's, before it is tried as it is", w.name.Written, domain),
			facts(fact(w.clientRef(), s.Name+" (observed)", cmp.Or(strings.Join(c.records, " "), string(NoError)))), manual("write "+fqdn(w.name.ASCII)+" with the dot at its end, or take "+domain+" out of the search list"))
	case topLevel(w.name.ASCII):
		w.say("search-capture", finding.Warning, e.Object, fmt.Sprintf("%s is found as %s, in a namespace that is called like a top-level domain: the name outside is never asked for", w.name.Written, s.Name),
			facts(fact(e.Object, cmp.Or(e.Field, "metadata.namespace"), answerText(e.Rcode, e.Records))), manual("write "+fqdn(w.name.ASCII)+" with the dot at its end, and rename the namespace"))
	}
}

// topLevel: the last label is a usual top-level domain.
func topLevel(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	return slices.Contains(strings.Fields("com net org edu gov mil int info biz io dev app cloud ai co me tv eu de uk fr nl ch at it es se no dk fi pl cz ru cn jp kr in au nz br ca us mx za"), strings.ToLower(last))
}
