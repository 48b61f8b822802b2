package dns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

const nodeLocalSource = "Kubernetes, Using NodeLocal DNSCache in Kubernetes clusters"

// nodeCache judges the cache that stands between the client and the servers.
func nodeCache() Analyzer {
	return Analyzer{Name: "cache", Servers: true, Docs: []finding.Doc{
		page("nodelocal-down", finding.Error, "NodeLocal DNSCache does not run on the pod's node", "The pod asks the cache's address, where nothing listens.",
			"The pod's nameserver is the cache's link-local address, and no ready node-local-dns pod is on its node.", "Look at the DaemonSet node-local-dns.", nodeLocalSource),
		page("nodelocal-upstream", finding.Error, "NodeLocal DNSCache does not lead to the cluster's DNS", "What the cache does not know it asks servers that do not know it either, or nobody: the replicas are well, and the pod is not served.",
			"By its Corefile the cache has no block for the cluster domain, or forwards that to an address of no Service, to itself, to a Service that selects no DNS pod, or over TCP to one without such a port.", "Forward the cluster domain to the DNS Service, or to kube-dns-upstream where the cache listens at the DNS Service's address too.", nodeLocalSource),
		page("nodelocal-cache-stale", finding.Warning, "The cache on the node answers otherwise than the servers behind it", "An answer that it keeps has changed since; also that there was none.",
			"The pod asks NodeLocal DNSCache, and gets other addresses than every replica gives, or NXDOMAIN for a name that they find.", "Wait until the record ends (5 s for what is missing, 30 s for others, unless its Corefile says otherwise), or restart the cache.", nodeLocalSource+"; "+corednsSource+", plugin/cache"),
	}, Run: func(w *world) {
		if w.client == nil || w.cacheAddress() == "" || w.dnsService == nil {
			return
		}
		w.cacheThere()
		w.cacheForwards()
		w.cacheKeeps()
	}}
}

// cacheAddress is the nameserver at which the node's cache answers the client:
// one of its own, or in iptables mode the DNS Service's, which it takes for
// itself. "" where the client asks no cache.
func (w *world) cacheAddress() string {
	for _, s := range w.conf.servers() {
		if linkLocal(s) || slices.ContainsFunc(w.nodeLocal, func(p *corev1.Pod) bool { return w.besideClient(p) && slices.Contains(localAddresses(p), s) }) {
			return s
		}
	}
	return ""
}

// linkLocal addresses are NodeLocal DNSCache's. Those in 169.254.169.0/24 are
// the cloud providers' own.
func linkLocal(s string) bool {
	return strings.HasPrefix(s, "169.254.") && !strings.HasPrefix(s, "169.254.169.") || strings.HasPrefix(s, "fd00::1:")
}

func (w *world) besideClient(p *corev1.Pod) bool {
	return w.client != nil && p.Spec.NodeName == w.client.Spec.NodeName
}

// localAddresses are those at which a cache was told to listen.
func localAddresses(p *corev1.Pod) []string {
	for _, c := range p.Spec.Containers {
		if list := flag(c, "-localip", "--localip"); list != "" {
			return strings.Split(list, ",")
		}
	}
	return nil
}

// listensAt are the same, or else those to which its Corefile binds.
func (w *world) listensAt(p *corev1.Pod) []string {
	if list := localAddresses(p); list != nil {
		return list
	}
	var list []string
	if core := w.cacheCorefile(p); core != nil {
		for i := range core.Blocks {
			if d := core.Blocks[i].plugin("bind"); d != nil {
				list = append(list, d.Args...)
			}
		}
	}
	return distinct(list)
}

// cachePod is the pod of the cache on the client's node; a ready one, if any.
func (w *world) cachePod() *corev1.Pod {
	var best *corev1.Pod
	for _, p := range w.nodeLocal {
		local := w.listensAt(p)
		if w.besideClient(p) && (len(local) == 0 || slices.Contains(local, w.cacheAddress())) && (best == nil || podReady(p) && !podReady(best)) {
			best = p
		}
	}
	return best
}

func (w *world) cacheThere() {
	listed := w.v.Answered(podsOf(w.dnsService)) || w.v.Answered(source.Query{Kind: podKind, Namespace: w.dnsService.Namespace}) || w.v.Answered(source.Query{Kind: podKind})
	p := w.cachePod()
	if !listed || p != nil && podReady(p) {
		return
	}
	about, evidence := object.Ref{Group: "apps", Version: "v1", Kind: "DaemonSet", Namespace: systemNamespace, Name: "node-local-dns"}, facts(fact(w.clientRef(), "spec.nodeName", w.client.Spec.NodeName))
	if p != nil {
		about = workloadOf(p)
		evidence = append(evidence, fact(podRef(p), "status.conditions Ready", "False"))
	}
	w.say("nodelocal-down", finding.Error, about, fmt.Sprintf("the pod asks NodeLocal DNSCache at %s, and no ready pod of it runs on node %s", w.cacheAddress(), w.client.Spec.NodeName), evidence,
		command("see what ails the cache", systemNamespace, "describe", "pods", "-l", dnsLabel+"=node-local-dns"))
}

// The placeholders that node-cache fills in itself when it starts; the others
// are to be replaced before its manifest is applied.
const (
	pillarCluster  = "__PILLAR__CLUSTER__DNS__"
	pillarUpstream = "__PILLAR__UPSTREAM__SERVERS__"
	upstreamName   = "kube-dns-upstream"
)

// cacheCorefile is the cache's configuration, as node-cache makes it of the
// ConfigMap; nil where that was not seen.
func (w *world) cacheCorefile(p *corev1.Pod) *Corefile {
	if p == nil {
		return nil
	}
	for _, m := range mounted(p, "") {
		r := object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: p.Namespace, Name: m.name}
		cm, ok := w.configMap(r)
		if !ok || cm.Data["Corefile"] == "" {
			continue
		}
		upstream := pillarCluster
		if s := w.upstreamService(p); s != nil {
			upstream = strings.Join(clusterIPs(s), " ")
		}
		text := strings.NewReplacer(pillarCluster, upstream, pillarUpstream, "/etc/resolv.conf").Replace(cm.Data["Corefile"])
		core := ParseCorefile(Sources{Path: "Corefile", Files: map[string]string{"Corefile": text}, Env: envOf(p.Spec.Containers[0])})
		core.Object, core.Key, core.Text = r, "Corefile", cm.Data["Corefile"] // as people find it
		return core
	}
	return nil
}

// upstreamService is the one by which node-cache finds the cluster's DNS.
func (w *world) upstreamService(p *corev1.Pod) *corev1.Service {
	name := upstreamName
	for _, c := range p.Spec.Containers {
		name = cmp.Or(flag(c, "-upstreamsvc", "--upstreamsvc"), name)
	}
	it, ok := w.v.Get(serviceRef(p.Namespace, name))
	s, typed := it.Object.(*corev1.Service)
	if !ok || !typed {
		return nil
	}
	return s
}

// cacheForwards follows the cluster domain through the cache's Corefile.
func (w *world) cacheForwards() {
	p := w.cachePod()
	core := w.cacheCorefile(p)
	if core == nil || core.Err != nil {
		return
	}
	zone := w.defaultZones()[0]
	b := core.block(zone)
	if b == nil || longest(b.zones(), zone) == "." {
		where := "no block"
		if b != nil {
			where = strings.TrimSpace(lineOf(core.Text, b.Line))
		}
		w.sayUpstream(core, 0, where, fmt.Sprintf("it has no server block for %s, so names of the cluster go to the servers outside", strings.TrimSuffix(zone, ".")), manual("add a block for the cluster domain that forwards to the DNS Service"))
		return
	}
	d := b.plugin("forward")
	if d == nil || len(d.Args) < 2 {
		return
	}
	_, tcp := d.property("force_tcp")
	for _, to := range d.Args[1:] {
		if w.cacheLeads(core, p, d, to, tcp) {
			return
		}
	}
}

// cacheLeads judges one server to which the cluster domain is forwarded.
func (w *world) cacheLeads(core *Corefile, p *corev1.Pod, d *Directive, to string, tcp bool) (said bool) {
	line, written := d.Line, strings.TrimSpace(lineOf(core.Text, d.Line))
	address := serverAddress(to)
	svc := w.serviceAt(address)
	switch {
	case to == pillarCluster:
		return w.sayUpstream(core, line, written, fmt.Sprintf("it forwards to Service %s, which does not exist", upstreamName),
			manual("create Service "+upstreamName+" in "+p.Namespace+" with the selector and ports of Service "+w.dnsService.Name))
	case strings.HasPrefix(to, "__PILLAR__"):
		return w.sayUpstream(core, line, written, "the placeholder "+to+" was not replaced when it was installed", edit("write the address of the DNS Service", core.Object.Namespace, "configmap", core.Object.Name))
	case slices.Contains(w.listensAt(p), address):
		return w.sayUpstream(core, line, written, fmt.Sprintf("it forwards to %s, at which it listens itself: a loop", address), edit("forward to "+pillarCluster, core.Object.Namespace, "configmap", core.Object.Name))
	case !isIP(address):
		return false
	case svc == nil && !w.v.Answered(source.Query{Kind: serviceKind}):
		return false // it may be one that was not seen
	case svc == nil:
		return w.sayUpstream(core, line, written, fmt.Sprintf("it forwards to %s, which is the address of no Service", address), edit("forward to "+strings.Join(clusterIPs(w.dnsService), " "), core.Object.Namespace, "configmap", core.Object.Name))
	}
	ref := serviceRef(svc.Namespace, svc.Name)
	leads := slices.ContainsFunc(w.replicas, func(r *corev1.Pod) bool { return selects(svc, r) })
	switch {
	case !leads && len(w.replicas) > 0 && len(svc.Spec.Selector) > 0:
		w.say("nodelocal-upstream", finding.Error, ref, fmt.Sprintf("NodeLocal DNSCache asks Service %s, which selects %s: no DNS pod carries that", svc.Name, selectorText(svc.Spec.Selector)),
			facts(fact(ref, "spec.selector", selectorText(svc.Spec.Selector)), fact(core.Object, fmt.Sprintf("data.%s line %d", core.Key, line), written)),
			command("select the DNS pods", svc.Namespace, "set", "selector", "service/"+svc.Name, selectorText(w.dnsService.Spec.Selector)))
	case tcp && !servesPort(svc, corev1.ProtocolTCP):
		w.say("nodelocal-upstream", finding.Error, ref, fmt.Sprintf("NodeLocal DNSCache asks Service %s over TCP (force_tcp), and it has no port 53 over TCP", svc.Name),
			facts(fact(ref, "spec.ports", portNames(svc)), fact(core.Object, fmt.Sprintf("data.%s line %d", core.Key, line), "force_tcp")), addTCP(svc))
	default:
		return false
	}
	return true
}

func (w *world) sayUpstream(core *Corefile, line int, written, why string, fix finding.Fix) bool {
	field := "data." + core.Key
	if line > 0 {
		field += fmt.Sprintf(" line %d", line)
	}
	w.say("nodelocal-upstream", finding.Error, core.Object, "NodeLocal DNSCache does not lead to the cluster's DNS: "+why, facts(fact(core.Object, field, written)), fix)
	return true
}

// leadsTo is the first server to which a zone is forwarded.
func (c *Corefile) leadsTo(zone string) (string, bool) {
	if b := c.block(zone); b != nil {
		if d := b.plugin("forward"); d != nil && len(d.Args) > 1 {
			return serverAddress(d.Args[1]), true
		}
	}
	return "", false
}

func serverAddress(to string) string {
	return strings.TrimSuffix(strings.TrimPrefix(to, "dns://"), ":53")
}

// block is the one that serves a name, at whatever port and transport.
func (c *Corefile) block(name string) *Block {
	for _, port := range []string{"53", "5353", "1053"} {
		if found := c.Serving(name, port); len(found) > 0 {
			return found[0]
		}
	}
	return nil
}

func (w *world) serviceAt(address string) *corev1.Service {
	for _, it := range w.v.List(serviceKind, "") {
		if s, ok := it.Object.(*corev1.Service); ok && slices.Contains(clusterIPs(s), address) {
			return s
		}
	}
	return nil
}

// cacheKeeps holds what the pod gets through the cache against what every
// replica says.
func (w *world) cacheKeeps() {
	l := w.primary()
	if l == nil {
		return
	}
	s, _ := l.final()
	if s == nil || s.State != Found || !w.observedStep(s) || w.expect(Question{Name: s.Name, Type: w.types()[0]}).By != "kubernetes" {
		return
	}
	found, _ := w.gotten()
	var records []string
	for _, t := range w.types() {
		c, _ := w.consensus(Question{Name: s.Name, Type: t})
		records = append(records, c.records...)
	}
	said, _ := w.seen.Nslookup.said()
	denied := lineWith(said, strings.TrimSuffix(s.Name, ".")+": NXDOMAIN")
	got := strings.Join(found, " ")
	switch {
	case len(found) > 0 && !slices.ContainsFunc(found, func(a string) bool { return slices.Contains(records, a) }):
	case len(found) == 0 && denied != "":
		got = denied
	default:
		return
	}
	fix := manual("wait until what it keeps has ended, and ask again")
	if p := w.cachePod(); p != nil {
		fix = command("let the cache on the node begin anew", p.Namespace, "delete", "pod", p.Name)
	}
	w.say("nodelocal-cache-stale", finding.Warning, w.clientRef(), fmt.Sprintf("NodeLocal DNSCache answers the pod otherwise than every DNS replica: %s instead of %s (observed)", got, strings.Join(few(records), " ")),
		facts(fact(w.clientRef(), "looked up in the pod", got), fact(w.clientRef(), s.Name+" at the replicas", strings.Join(records, " "))), fix)
}
