package dns

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/netpol"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// servicePath is the way from the nameserver to the pods that answer.
func servicePath() Analyzer {
	return Analyzer{Name: "path", Servers: true, Docs: []finding.Doc{
		page("dns-service-missing", finding.Error, "There is no DNS Service", "Nothing stands behind the address that pods ask.",
			"The Services of kube-system were listed, and none is the cluster's DNS; no provider's DNS was recognised.", "Create the Service kube-dns with the address of the kubelets' clusterDNS.", "Kubernetes, DNS for Services and Pods"),
		page("dns-no-ready-endpoints", finding.Error, "No DNS pod is ready", "Queries to the DNS Service are refused or time out: every lookup in the cluster fails.",
			"The Service's EndpointSlices were seen and hold no ready endpoint.", "Look at the DNS pods: kubectl -n kube-system describe pods -l k8s-app=kube-dns.", "kube-proxy: a Service without endpoints rejects"),
		page("dns-selector-mismatch", finding.Error, "The DNS Service selects no pod, though DNS pods run", "The Service has no endpoints because its selector and the pods' labels differ.",
			"The selector matches no pod, and pods that are labelled as DNS pods are there.", "Set the Service's selector to the pods' labels.", "Kubernetes, Services"),
		page("dns-port-mismatch", finding.Error, "The DNS Service leads to a port at which CoreDNS does not listen", "Every query is refused, though the pods run.",
			"Port 53 of the Service leads to a targetPort that no server block of the Corefile has; or every replica refuses connections there.", "Make the port of the server blocks and the Service's targetPort the same.", corednsSource+", core/dnsserver; core/v1 ServicePort.targetPort"),
		page("dns-tcp-port-missing", finding.Warning, "The DNS Service has no TCP port", "Large answers, which are asked for again over TCP, are lost.",
			"The Service has port 53 over UDP only.", "Add port 53 over TCP.", "RFC 7766"),
	}, Run: func(w *world) {
		w.serviceThere()
		if w.dnsService != nil {
			w.endpointsThere()
			w.portThere()
			w.tcpThere()
		}
	}}
}

func (w *world) serviceThere() {
	if w.dnsService != nil || w.managed != "" || w.throughCache() || !w.v.Answered(source.Query{Kind: serviceKind, Namespace: systemNamespace}) && !w.v.Answered(source.Query{Kind: serviceKind}) {
		return
	}
	r := serviceRef(systemNamespace, "kube-dns")
	address := "10.96.0.10"
	if len(w.conf.Nameservers) > 0 {
		address = w.conf.Nameservers[0]
	}
	w.say("dns-service-missing", finding.Error, r, "there is no DNS Service, so nothing stands behind the address that pods ask",
		facts(fact(r, "metadata.name", "no Service of this name, or labelled k8s-app=kube-dns")),
		command("create it, at the address that the kubelets give to pods", systemNamespace, "expose", "deployment", "coredns", "--name=kube-dns", "--cluster-ip="+address, "--port=53", "--protocol=UDP"))
}

func (w *world) endpointsThere() {
	s := w.dnsService
	ref := serviceRef(s.Namespace, s.Name)
	slices, seen := w.slicesOf(s.Namespace, s.Name)
	if !seen || anyReady(slices) || len(s.Spec.Selector) == 0 && len(slices) == 0 {
		return
	}
	if loose := w.looseServers(); len(w.replicas) == 0 && len(loose) > 0 {
		w.say("dns-selector-mismatch", finding.Error, ref, fmt.Sprintf("the DNS Service selects %s, which no pod carries; %s carries %s", selectorText(s.Spec.Selector), podRef(loose[0]), selectorText(loose[0].Labels)),
			facts(fact(ref, "spec.selector", selectorText(s.Spec.Selector)), fact(podRef(loose[0]), "metadata.labels", selectorText(loose[0].Labels))),
			command("select the DNS pods", s.Namespace, "set", "selector", "service/"+s.Name, pairThatSelects(s, loose[0])))
	}
	what := fmt.Sprintf("none of %d DNS pods is ready", len(w.replicas))
	if len(w.replicas) == 0 {
		what = "there is no DNS pod"
	}
	w.say("dns-no-ready-endpoints", finding.Error, ref, what+": every query to "+strings.Join(clusterIPs(s), ", ")+" fails",
		facts(fact(ref, "EndpointSlices", "no ready endpoint")), command("see what ails the DNS pods", s.Namespace, "describe", "pods", "-l", selectorText(s.Spec.Selector)))
}

// looseServers are pods that serve DNS, by their label, port or image, and are
// not selected.
func (w *world) looseServers() []*corev1.Pod {
	sel := labels.SelectorFromSet(w.dnsService.Spec.Selector)
	var out []*corev1.Pod
	for _, p := range index.Typed[*corev1.Pod](w.v, podKind, w.dnsService.Namespace) {
		if !sel.Matches(labels.Set(p.Labels)) && servesDNS(p) {
			out = append(out, p)
		}
	}
	return out
}

// pairThatSelects is the label by which the Service would find the pod: the one
// that it names already, with the pod's value, or else the usual one.
func pairThatSelects(s *corev1.Service, p *corev1.Pod) string {
	for _, key := range append(sortedKeys(s.Spec.Selector), dnsLabel) {
		if value, ok := p.Labels[key]; ok {
			return key + "=" + value
		}
	}
	return dnsLabel + "=kube-dns"
}

func servesDNS(p *corev1.Pod) bool {
	if name := p.Labels[dnsLabel]; name == "kube-dns" || name == "coredns" {
		return true
	}
	return slices.ContainsFunc(p.Spec.Containers, func(c corev1.Container) bool {
		return strings.Contains(c.Image, "coredns") || slices.ContainsFunc(c.Ports, func(port corev1.ContainerPort) bool { return port.ContainerPort == 53 })
	})
}

func (w *world) tcpThere() {
	s := w.dnsService
	if servesPort(s, corev1.ProtocolUDP) && !servesPort(s, corev1.ProtocolTCP) {
		ref := serviceRef(s.Namespace, s.Name)
		w.say("dns-tcp-port-missing", finding.Warning, ref, "the DNS Service has port 53 over UDP only: answers that do not fit are lost", facts(fact(ref, "spec.ports", "53/UDP")), addTCP(s))
	}
}

func servesPort(s *corev1.Service, p corev1.Protocol) bool {
	return slices.ContainsFunc(s.Spec.Ports, func(sp corev1.ServicePort) bool { return sp.Port == 53 && sp.Protocol == p })
}

func addTCP(s *corev1.Service) finding.Fix {
	return command("add the port over TCP", s.Namespace, "patch", "service", s.Name, "--type=json", "-p", `[{"op":"add","path":"/spec/ports/-","value":{"name":"dns-tcp","port":53,"protocol":"TCP","targetPort":53}}]`)
}

// policyPath asks the NetworkPolicies whether the client may reach the servers.
func policyPath() Analyzer {
	return Analyzer{Name: "policies", Servers: true, Docs: []finding.Doc{
		page("netpol-egress-dns", finding.Error, "A NetworkPolicy cuts the pod off from DNS", "Every lookup of the pod times out.",
			"The client's policies deny UDP 53 to the DNS pods.", "Allow egress to port 53, UDP and TCP, of the DNS pods.", "networking.k8s.io/v1 NetworkPolicy"),
		page("netpol-ingress-dns", finding.Error, "A NetworkPolicy at the DNS pods keeps the pod out", "Every lookup of the pod times out.",
			"Policies that select the DNS pods deny UDP 53 from the client.", "Allow ingress to port 53, UDP and TCP, from all namespaces.", "networking.k8s.io/v1 NetworkPolicy"),
		page("netpol-udp-only", finding.Warning, "A NetworkPolicy allows DNS over UDP but not over TCP", "Large answers, which are asked for again over TCP, are lost.",
			"UDP 53 is allowed and TCP 53 is denied.", "Allow port 53 over TCP too.", "RFC 7766"),
		page("netpol-nodelocal", finding.Warning, "A NetworkPolicy does not admit NodeLocal DNSCache", "The pod asks the cache on its node, not the DNS pods: where the network plugin holds egress policies against that address, every lookup times out.",
			"The pod asks NodeLocal DNSCache, its policies restrict egress, and no rule admits the cache's address at port 53, though one may admit the DNS pods. An error where the pod finds nothing that the replicas find.", "Allow egress to the cache's address (ipBlock) and to its pods.", "networking.k8s.io/v1 NetworkPolicy; Kubernetes, Network Policies: plugins differ on traffic to the pod's own node"),
	}, Run: func(w *world) {
		if w.client == nil || w.client.Spec.HostNetwork {
			return
		}
		if address := w.cacheAddress(); address != "" {
			w.policedCache(address)
			return
		}
		for _, r := range w.replicas {
			if w.policed(r) {
				return
			}
		}
	}}
}

func (w *world) policed(server *corev1.Pod) bool {
	port := int32(53)
	if s, ok := w.server(server); ok {
		port = s.Port
	}
	ask := func(p corev1.Protocol) netpol.Answer {
		return w.policies().Decide(netpol.Question{Client: w.client, Server: server, Port: netpol.Port{Number: port, Protocol: p}})
	}
	udp, tcp := ask(corev1.ProtocolUDP), ask(corev1.ProtocolTCP)
	name, a := "", udp
	switch {
	case udp.Value == netpol.Denied && udp.Direction == netpol.Egress:
		name = "netpol-egress-dns"
	case udp.Value == netpol.Denied:
		name = "netpol-ingress-dns"
	case udp.Value == netpol.Allowed && tcp.Value == netpol.Denied:
		name, a = "netpol-udp-only", tcp
	default:
		return false
	}
	severity, lost := finding.Error, "DNS is cut off: "
	if name == "netpol-udp-only" {
		severity, lost = finding.Warning, "answers that do not fit into UDP are lost: "
	}
	peer := `{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"` + server.Namespace + `"}}}`
	op := `[{"op":"add","path":"/spec/egress/-","value":{"to":[` + peer + `],"ports":[{"port":53,"protocol":"UDP"},{"port":53,"protocol":"TCP"}]}}]`
	if a.Direction == netpol.Ingress {
		op = `[{"op":"add","path":"/spec/ingress/-","value":{"from":[{"namespaceSelector":{}}],"ports":[{"port":53,"protocol":"UDP"},{"port":53,"protocol":"TCP"}]}}]`
	}
	w.say(name, severity, a.Policy, lost+a.Why+" (computed; whether the network plugin enforces it is not known)", facts(fact(a.Policy, a.Rule, a.Why)), w.allow(a, op))
	return true
}

// policedCache asks whether the client may reach the cache on its node, which is
// no pod to a policy but an address.
func (w *world) policedCache(address string) {
	ask := netpol.Question{Client: w.client, ServerIP: address, Port: netpol.Port{Number: 53, Protocol: corev1.ProtocolUDP}}
	a := w.policies().Decide(ask)
	if a.Value != netpol.Denied {
		return
	}
	message := fmt.Sprintf("the pod asks NodeLocal DNSCache at %s, and no rule admits that: %s", address, a.Why)
	for _, r := range w.replicas {
		if w.policies().Decide(netpol.Question{Client: w.client, Server: r, Port: ask.Port}).Value == netpol.Allowed {
			message = fmt.Sprintf("%s admits the DNS pods, but the pod asks NodeLocal DNSCache at %s, which no rule admits", a.Policy, address)
			break
		}
	}
	severity := finding.Warning
	if found, ran := w.gotten(); ran && len(found) == 0 && w.resolved() {
		severity = finding.Error
	}
	bits := "32"
	if strings.Contains(address, ":") {
		bits = "128"
	}
	op := `[{"op":"add","path":"/spec/egress/-","value":{"to":[{"ipBlock":{"cidr":"` + address + "/" + bits + `"}},{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"` + systemNamespace + `"}},"podSelector":{"matchLabels":{"` + dnsLabel + `":"node-local-dns"}}}],"ports":[{"port":53,"protocol":"UDP"},{"port":53,"protocol":"TCP"}]}}]`
	w.say("netpol-nodelocal", severity, a.Policy, message+" (computed; plugins differ on policies for the pod's own node)", facts(fact(a.Policy, a.Rule, a.Why), fact(w.clientRef(), "nameserver ("+string(w.confClaim)+")", address)),
		w.allow(a, op))
}

// allow adds a rule to the policy that decided, or the first one.
func (w *world) allow(a netpol.Answer, op string) finding.Fix {
	if w.noRules(a) { // there is no list yet to add to
		op = strings.Replace(op, `/-","value":{`, `","value":[{`, 1)
		op = strings.TrimSuffix(op, "}]") + "]}]"
	}
	return command("allow DNS", a.Policy.Namespace, "patch", "networkpolicy", a.Policy.Name, "--type=json", "-p", op)
}

// noRules says whether the policy that decided has no rule in its direction.
func (w *world) noRules(a netpol.Answer) bool {
	it, _ := w.v.Get(a.Policy)
	p, ok := it.Object.(*networkingv1.NetworkPolicy)
	return ok && (a.Direction == netpol.Ingress && len(p.Spec.Ingress) == 0 || a.Direction == netpol.Egress && len(p.Spec.Egress) == 0)
}

// unreachable compares what the replicas say, asked through the API server,
// with what the pod itself finds.
func unreachable() Analyzer {
	return Analyzer{Name: "reach", Servers: true, Docs: []finding.Doc{
		page("replica-unreachable-from-node", finding.Error, "The replicas answer, and the pod gets no answer", "Something between the pod and the DNS pods loses the queries: a policy of the network plugin, kube-proxy, a route or a firewall of the node.",
			"Every replica that was asked through the API server finds the name, and getent in the pod does not.", "Ask from another pod on the same node, then from one on another node; see the log of kube-proxy and of the network plugin.", "kube-proxy; the network plugin"),
	}, Run: func(w *world) {
		l := w.primary()
		text, ran := w.seen.Getent.said()
		if l == nil || !ran || w.seen.Getent.ExitCode == 0 && strings.TrimSpace(text) != "" || w.client == nil {
			return
		}
		s, _ := l.final()
		if s == nil || s.State != Found || !w.observedStep(s) || slices.ContainsFunc(w.askedQuestions(), func(q Question) bool { _, _, stale := w.cached(q); return stale }) {
			return
		}
		if about, since := w.settling(); !since.IsZero() {
			w.say("publish-lag", finding.Info, about, fmt.Sprintf("%s is ready since a few seconds, and the pod's node may not lead to it yet: getent in the pod does not find what every replica does (observed)", about),
				facts(fact(about, "since", since.UTC().Format(time.RFC3339)), fact(w.clientRef(), "getent ahosts "+w.name.Written, fmt.Sprintf("exit code %d", w.seen.Getent.ExitCode))))
			return
		}
		w.say("replica-unreachable-from-node", finding.Error, w.clientRef(), fmt.Sprintf("every DNS replica finds %s, and getent in the pod does not: the queries are lost on the way from node %s (observed)", w.name.Written, w.client.Spec.NodeName),
			facts(fact(w.clientRef(), "getent ahosts "+w.name.Written, fmt.Sprintf("exit code %d", w.seen.Getent.ExitCode))),
			command("see what kube-proxy says on the node", systemNamespace, "logs", "-l", "k8s-app=kube-proxy", "--tail=20"))
	}}
}

// settle is how long kube-proxy is given to lead to what is new.
const settle = 20 * time.Second

// settling is what of the way to the servers is so new that nodes may not know
// it: the Service, or a replica that became ready.
func (w *world) settling() (about object.Ref, since time.Time) {
	recent := func(t time.Time) bool { return !t.IsZero() && w.v.Now.Sub(t) < settle }
	if made := w.dnsService.CreationTimestamp.Time; recent(made) {
		return serviceRef(w.dnsService.Namespace, w.dnsService.Name), made
	}
	for _, p := range w.replicas {
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodReady && recent(c.LastTransitionTime.Time) {
				return podRef(p), c.LastTransitionTime.Time
			}
		}
	}
	return object.Ref{}, time.Time{}
}

// weighPolicies: what the pod finds proves that no policy keeps it from DNS.
func (w *world) weighPolicies() {
	if found, _ := w.gotten(); len(found) == 0 {
		return
	}
	for i := range w.found {
		if f := &w.found[i]; strings.HasPrefix(f.Code, code("netpol-")) {
			f.Severity = finding.Info
			f.Message += "; but the pod itself finds the name, so the network plugin does not enforce it (observed)"
		}
	}
}
