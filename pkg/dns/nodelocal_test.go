package dns

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// cacheText is the Corefile of the manifest of NodeLocal DNSCache, installed.
const cacheText = `cluster.local:53 {
    errors
    cache {
        success 9984 30
        denial 9984 5
    }
    reload
    loop
    bind 169.254.20.10
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
    prometheus :9253
}
.:53 {
    errors
    cache 30
    bind 169.254.20.10
    forward . __PILLAR__UPSTREAM__SERVERS__
}
`

// cached puts a cache on the client's node, as its manifest does.
func cached(s *scene) {
	nodeLocal("169.254.20.10")(s)
	p := s.pods[len(s.pods)-1]
	p.Spec.Containers[0].Args = []string{"-localip", "169.254.20.10,10.96.0.10", "-conf", "/etc/Corefile", "-upstreamsvc", "kube-dns-upstream"}
	madeBy(p, "DaemonSet", "node-local-dns", "node-local-dns")
	s.configs = append(s.configs, &corev1.ConfigMap{ObjectMeta: meta(systemNamespace, "node-local-dns"), Data: map[string]string{"Corefile": cacheText}})
	upstream := s.dns.DeepCopy()
	upstream.Name, upstream.UID, upstream.Spec.ClusterIP, upstream.Spec.ClusterIPs = upstreamName, "upstream", "10.96.0.11", []string{"10.96.0.11"}
	s.add(upstream)
}

func cacheWith(old, new string) func(*scene) {
	return all(cached, func(s *scene) {
		cm := s.configs[len(s.configs)-1]
		cm.Data["Corefile"] = strings.ReplaceAll(cm.Data["Corefile"], old, new)
	})
}

// admits is a policy of the client that lets it ask DNS pods, or an address.
func admits(peer networkingv1.NetworkPolicyPeer) func(*scene) {
	udp, tcp, port := corev1.ProtocolUDP, corev1.ProtocolTCP, intstr.FromInt32(53)
	return func(s *scene) {
		spec := policyFor(egress)
		spec.Egress = []networkingv1.NetworkPolicyEgressRule{{To: []networkingv1.NetworkPolicyPeer{peer}, Ports: []networkingv1.NetworkPolicyPort{{Protocol: &udp, Port: &port}, {Protocol: &tcp, Port: &port}}}}
		s.policy("default", spec)
	}
}

func dnsPods() networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": systemNamespace}}}
}

// leadsTo lets the DNS Service lead to a port of the pods.
func leadsTo(port int32) func(*scene) {
	return func(s *scene) {
		for i := range s.dns.Spec.Ports {
			s.dns.Spec.Ports[i].TargetPort = intstr.FromInt32(port)
		}
	}
}

func found(s *scene) {
	for _, replica := range []string{"coredns-a", "coredns-b"} {
		s.say(replica, first, A, NoError, "10.97.34.93")
		s.say(replica, first, AAAA, NoData)
	}
}

func cacheFaults() map[string]fault {
	return map[string]fault{
		"nodelocal-upstream":       {cacheWith("forward . __PILLAR__CLUSTER__DNS__", "forward . 10.96.0.77"), cached},
		"dns-port-mismatch":        {all(leadsTo(5353), corefileWith(".:53", ".:53")), all(leadsTo(5353), corefileWith(".:53", ".:5353"))},
		"foreign-nameserver-first": {func(s *scene) { s.observe("nameserver 192.0.2.53\n" + conf) }, func(s *scene) { s.observe(conf + "nameserver 192.0.2.53\n") }},
		"netpol-nodelocal":         {all(cached, admits(dnsPods())), all(cached, admits(networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: "169.254.20.10/32"}}))},
		"nodelocal-cache-stale": {all(cached, found, func(s *scene) { s.seen.Getent = &Text{Text: "10.97.34.11 STREAM redis\n"} }),
			all(cached, found, func(s *scene) { s.seen.Getent = &Text{Text: "10.97.34.93 STREAM redis\n"} })},
	}
}

func TestTheWayBehindTheCacheIsFollowed(t *testing.T) {
	upstream := func(change func(*corev1.Service)) func(*scene) {
		return all(cached, func(s *scene) { change(s.services[upstreamName]) })
	}
	for title, c := range map[string]struct {
		change    func(*scene)
		says, fix string
	}{
		"as installed":                    {cached, "", ""},
		"in IPVS mode":                    {cacheWith("__PILLAR__CLUSTER__DNS__", "10.96.0.11"), "", ""},
		"to a server outside":             {cacheWith("forward . __PILLAR__CLUSTER__DNS__", "forward . dns.example"), "", ""},
		"without a block for the cluster": {cacheWith("cluster.local:53", "corp.example:53"), "it has no server block for cluster.local", "add a block"},
		"with a placeholder for a domain": {cacheWith("cluster.local:53", "__PILLAR__DNS__DOMAIN__:53"), "it has no server block for cluster.local", "add a block"},
		"with a placeholder for servers":  {cacheWith("__PILLAR__CLUSTER__DNS__", "__PILLAR__DNS__SERVER__"), "the placeholder __PILLAR__DNS__SERVER__ was not replaced", "write the address"},
		"to nobody":                       {cacheWith("__PILLAR__CLUSTER__DNS__", "10.96.0.77"), "it forwards to 10.96.0.77, which is the address of no Service", "forward to 10.96.0.10"},
		"to itself":                       {cacheWith("__PILLAR__CLUSTER__DNS__", "10.96.0.10"), "at which it listens itself: a loop", "forward to __PILLAR__CLUSTER__DNS__"},
		"without the Service":             {all(cached, func(s *scene) { delete(s.services, upstreamName) }), "it forwards to Service kube-dns-upstream, which does not exist", "create Service kube-dns-upstream"},
		"to a Service of no pod":          {upstream(func(s *corev1.Service) { s.Spec.Selector = map[string]string{"k8s-app": "dns"} }), "which selects k8s-app=dns: no DNS pod carries that", "set selector service/kube-dns-upstream k8s-app=kube-dns"},
		"over TCP to UDP":                 {upstream(func(s *corev1.Service) { s.Spec.Ports = s.Spec.Ports[:1] }), "over TCP (force_tcp), and it has no port 53 over TCP", "patch service kube-dns-upstream"},
	} {
		t.Run(title, func(t *testing.T) {
			s := newScene()
			c.change(s)
			r := s.explain(t)
			switch {
			case c.says == "" && (len(r.Findings) > 0 || r.Verdict != report.OK):
				t.Errorf("%s %+v", r.Summary, r.Findings)
			case c.says == "":
			case len(r.Findings) != 1 || r.Findings[0].Code != "dns/nodelocal-upstream" || !strings.Contains(r.Findings[0].Message, c.says) || !strings.Contains(r.Findings[0].Fix[0].Command+r.Findings[0].Fix[0].Description, c.fix):
				t.Errorf("%+v", r.Findings)
			case r.Verdict != report.Broken || !strings.Contains(way(r.Trace), "broken NodeLocal DNSCache"):
				t.Errorf("%s\n%s", r.Summary, way(r.Trace))
			}
		})
	}
}

func TestAPolicyIsHeldAgainstTheCacheThatThePodAsks(t *testing.T) {
	asksService := func(s *scene) { s.observe(conf) }
	lost := func(s *scene) { s.seen.Getent = &Text{ExitCode: 2} }
	for title, c := range map[string]struct {
		change   func(*scene)
		severity finding.Severity
		says     string
	}{
		"it admits the DNS pods":                 {all(cached, admits(dnsPods())), finding.Warning, "admits the DNS pods, but the pod asks NodeLocal DNSCache at 169.254.20.10"},
		"at the Service's address":               {all(cached, asksService, admits(dnsPods())), finding.Warning, "at 10.96.0.10"},
		"it admits nothing":                      {all(cached, func(s *scene) { s.policy("default", policyFor(egress)) }), finding.Warning, "no rule admits that"},
		"and the pod finds nothing":              {all(cached, found, lost, admits(dnsPods())), finding.Error, "admits the DNS pods"},
		"and the pod finds it":                   {all(cached, found, admits(dnsPods()), func(s *scene) { s.seen.Getent = &Text{Text: "10.97.34.93 STREAM redis\n"} }), finding.Info, "does not enforce it"},
		"of a pod whose node has no such cache":  {all(asksService, admits(dnsPods())), "", ""},
		"of a pod that no policy selects":        {cached, "", ""},
		"it admits every address, over port 53":  {all(cached, admits(networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: "0.0.0.0/0"}})), "", ""},
		"it admits port 53, to whomever it goes": {all(cached, func(s *scene) { s.policy("default", policyFor(egress, port("UDP"), port("TCP"))) }), "", ""},
	} {
		t.Run(title, func(t *testing.T) {
			s := newScene()
			c.change(s)
			r := s.explain(t)
			switch {
			case c.severity == "" && len(r.Findings) == 0:
			case len(r.Findings) == 0 || r.Findings[0].Code != "dns/netpol-nodelocal" || r.Findings[0].Severity != c.severity || !strings.Contains(r.Findings[0].Message, c.says):
				t.Errorf("%s %+v", r.Summary, r.Findings)
			case len(r.Findings) > 1 && r.Findings[1].CausedBy == nil:
				t.Errorf("it does not follow: %+v", r.Findings[1])
			}
		})
	}
}

func TestWhatTheCacheDeniesIsHeldAgainstTheReplicas(t *testing.T) {
	s := newScene()
	all(cached, found)(s)
	s.seen.Nslookup = &Text{ExitCode: 1, Text: "Server:\t\t169.254.20.10\nAddress:\t169.254.20.10:53\n\n** server can't find redis.default.svc.cluster.local: NXDOMAIN\n"}
	if r := s.explain(t); len(r.Findings) == 0 || r.Findings[0].Code != "dns/nodelocal-cache-stale" || !strings.Contains(r.Findings[0].Fix[0].Command, "delete pod node-local-dns-x") {
		t.Errorf("%s %+v", r.Summary, r.Findings)
	}
}
