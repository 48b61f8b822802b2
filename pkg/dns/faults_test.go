package dns

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// fault is a cluster in which a fault is, and one that merely looks so.
type fault struct{ fires, silent func(*scene) }

func corefileWith(old, new string) func(*scene) {
	return func(s *scene) { s.corefile = strings.Replace(stock, old, new, 1) }
}

func name(n string) func(*scene) { return func(s *scene) { s.ask.Name = n } }

func all(steps ...func(*scene)) func(*scene) {
	return func(s *scene) {
		for _, f := range steps {
			f(s)
		}
	}
}

func libc(l Libc) func(*scene) { return func(s *scene) { s.ask.Libc = l } }

func dnsConfig(c corev1.PodDNSConfig) func(*scene) {
	return func(s *scene) { s.client.Spec.DNSConfig = &c }
}

func ndots(v string) func(*scene) {
	return dnsConfig(corev1.PodDNSConfig{Options: []corev1.PodDNSConfigOption{{Name: "ndots", Value: &v}}})
}

func externalName(target string) func(*scene) {
	return func(s *scene) {
		svc := s.services["redis"]
		svc.Spec = corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: target}
	}
}

func notReady(s *scene) { s.slices["db"] = slice("default", "db", false, "10.244.1.7") }

const (
	first  = "redis.default.svc.cluster.local."
	conf   = "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"
	many   = "a.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example"
	egress = networkingv1.PolicyTypeEgress
)

func policyFor(types networkingv1.PolicyType, ports ...networkingv1.NetworkPolicyPort) networkingv1.NetworkPolicySpec {
	p := networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{types}}
	if len(ports) > 0 && types == egress {
		p.Egress = []networkingv1.NetworkPolicyEgressRule{{Ports: ports}}
	} else if len(ports) > 0 {
		p.Ingress = []networkingv1.NetworkPolicyIngressRule{{Ports: ports}}
	}
	return p
}

func port(protocol corev1.Protocol) networkingv1.NetworkPolicyPort {
	return networkingv1.NetworkPolicyPort{Protocol: &protocol}
}

func everyFault() map[string]fault {
	longSearch := []string{}
	for i := range 5 {
		longSearch = append(longSearch, fmt.Sprintf("%d.%s", i, many))
	}
	hash := readText(stock).Hash
	return map[string]fault{
		"search-list-missing": {func(s *scene) {
			s.client.Spec.DNSPolicy = corev1.DNSNone
			s.client.Spec.DNSConfig = &corev1.PodDNSConfig{Nameservers: []string{"10.96.0.10"}}
		}, func(s *scene) {
			s.client.Spec.DNSPolicy = corev1.DNSNone
			s.client.Spec.DNSConfig = &corev1.PodDNSConfig{Nameservers: []string{"10.96.0.10"}, Searches: []string{"default.svc.cluster.local"}}
		}},
		"hostnet-clusterfirst": {func(s *scene) { s.client.Spec.HostNetwork = true }, func(s *scene) {
			s.client.Spec.HostNetwork, s.client.Spec.DNSPolicy = true, corev1.DNSClusterFirstWithHostNet
		}},
		"missing-cluster-dns": {func(s *scene) { s.seen.Kubelet = &Kubelet{} }, func(s *scene) {
			s.seen.Kubelet = &Kubelet{ClusterDNS: []string{"10.96.0.10"}, ClusterDomain: "cluster.local"}
		}},
		"resolvconf-truncated":     {dnsConfig(corev1.PodDNSConfig{Nameservers: []string{"10.1.1.1", "10.1.1.2", "10.1.1.3"}}), dnsConfig(corev1.PodDNSConfig{Nameservers: []string{"10.1.1.1", "10.1.1.2"}})},
		"ndots-amplification":      {name("example.com"), name("example.com.")},
		"ndots-bare":               {dnsConfig(corev1.PodDNSConfig{Options: []corev1.PodDNSConfigOption{{Name: "ndots"}}}), ndots("5")},
		"ndots-too-low-musl":       {all(name("cache.shop"), libc(Musl), ndots("1")), all(name("cache.shop"), libc(Glibc), ndots("1"))},
		"musl-search-line-dropped": {all(libc(Musl), dnsConfig(corev1.PodDNSConfig{Searches: longSearch})), all(libc(Glibc), dnsConfig(corev1.PodDNSConfig{Searches: longSearch}))},
		"musl-nameserver-race":     {all(libc(Musl), dnsConfig(corev1.PodDNSConfig{Nameservers: []string{"8.8.8.8"}})), all(libc(Glibc), dnsConfig(corev1.PodDNSConfig{Nameservers: []string{"8.8.8.8"}}))},
		"musl-aaaa-negative": {all(libc(Musl), func(s *scene) {
			s.say("coredns-a", first, A, NoError, "10.97.34.93")
			s.say("coredns-a", first, AAAA, NXDomain)
		}), all(libc(Musl), func(s *scene) {
			s.say("coredns-a", first, A, NoError, "10.97.34.93")
			s.say("coredns-a", first, AAAA, NoError)
		})},
		"musl-search-stop": {all(libc(Musl), name("cache.shop"), func(s *scene) {
			s.add(service("default", "shop", "2001:db8::1"))
			v := slice("default", "shop", true, "2001:db8::7")
			h := "cache"
			v.Endpoints[0].Hostname = &h
			s.slices["shop"] = v
			s.ask.Types = []Type{A}
		}), all(libc(Musl), name("cache.shop"))},
		"musl-no-tcp": {all(libc(Musl), crowd("alpine:3.17")), all(libc(Musl), crowd("alpine:3.18"))},
		"resolvconf-stale": {func(s *scene) { s.observe(strings.Replace(conf, "10.96.0.10", "10.96.0.99", 1)) }, func(s *scene) {
			s.observe("nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local cluster.local corp.example\noptions ndots:5\n")
		}},
		"nameserver-unknown":      {func(s *scene) { s.observe(strings.Replace(conf, "10.96.0.10", "10.96.0.99", 1)) }, func(s *scene) { s.observe(conf) }},
		"cluster-domain-mismatch": {corefileWith("kubernetes cluster.local", "kubernetes k8s.local"), corefileWith("kubernetes cluster.local", "kubernetes k8s.local cluster.local")},
		"search-wildcard-hijack": {func(s *scene) {
			s.ask.Name = "api.example.com"
			s.observe("nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local cluster.local corp.example\noptions ndots:5\n")
			s.say("coredns-a", "api.example.com.corp.example.", A, NoError, "192.0.2.1")
		}, func(s *scene) {
			s.ask.Name = "api.example.com"
			s.observe("nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local cluster.local corp.example\noptions ndots:5\n")
			s.say("coredns-a", "api.example.com.corp.example.", A, NXDomain)
			s.say("coredns-a", "api.example.com.corp.example.", AAAA, NXDomain)
			s.say("coredns-a", "api.example.com.", A, NoError, "192.0.2.1")
		}},
		"search-capture": {func(s *scene) {
			s.ask.Name = "example.com"
			s.spaces = append(s.spaces, "com")
			s.add(service("com", "example", "10.97.1.1"))
		}, name("cache.shop")},
		"wrong-namespace":   {name("cache"), name("cache.shop")},
		"nslookup-artefact": {all(libc(Busybox)), all(libc(Glibc))},
		"hosts-override": {func(s *scene) {
			s.client.Spec.HostAliases = []corev1.HostAlias{{IP: "192.0.2.7", Hostnames: []string{"redis"}}}
		}, func(s *scene) {
			s.client.Spec.HostAliases = []corev1.HostAlias{{IP: "10.97.34.93", Hostnames: []string{"redis"}}}
		}},
		"mesh-dns-capture":    {sidecar("true"), sidecar("false")},
		"windows-dotted-name": {all(name("cache.shop"), func(s *scene) { s.client.Spec.OS = &corev1.PodOS{Name: corev1.Windows} }), name("cache.shop")},

		"dns-service-missing":    {func(s *scene) { s.dns = nil }, func(s *scene) {}},
		"dns-no-ready-endpoints": {func(s *scene) { s.dnsSlice = slice(systemNamespace, "kube-dns", false, "10.244.0.2") }, func(s *scene) {}},
		"dns-selector-mismatch": {func(s *scene) {
			s.dns.Spec.Selector = map[string]string{dnsLabel: "core-dns"}
			s.dnsSlice.Endpoints = nil
		}, func(s *scene) { s.dnsSlice = slice(systemNamespace, "kube-dns", false, "10.244.0.2") }},
		"dns-tcp-port-missing": {func(s *scene) { s.dns.Spec.Ports = s.dns.Spec.Ports[:1] }, func(s *scene) {}},
		"nodelocal-down": {func(s *scene) { s.observe(strings.Replace(conf, "10.96.0.10", "169.254.20.10", 1)) }, func(s *scene) {
			s.observe(strings.Replace(conf, "10.96.0.10", "169.254.20.10", 1))
			s.pods = append(s.pods, pod(systemNamespace, "node-local-dns-x", "10.0.0.1", map[string]string{dnsLabel: "node-local-dns"}))
		}},
		"netpol-egress-dns":  {func(s *scene) { s.policy("default", policyFor(egress)) }, func(s *scene) { s.policy("default", policyFor(egress, port("UDP"), port("TCP"))) }},
		"netpol-ingress-dns": {func(s *scene) { s.policy(systemNamespace, policyFor("Ingress")) }, func(s *scene) { s.policy("shop", policyFor("Ingress")) }},
		"netpol-udp-only":    {func(s *scene) { s.policy("default", policyFor(egress, port("UDP"))) }, func(s *scene) { s.policy("default", policyFor(egress, port("UDP"), port("TCP"))) }},

		"replica-unreachable-from-node": {func(s *scene) {
			s.observe(conf)
			s.say("coredns-a", first, A, NoError, "10.97.34.93")
			s.seen.Getent = &Text{ExitCode: 2}
		}, func(s *scene) {
			s.observe(conf)
			s.say("coredns-a", first, A, NoError, "10.97.34.93")
			s.seen.Getent = &Text{Text: "10.97.34.93 STREAM redis"}
		}},
		"replica-unsynced": {func(s *scene) { no := false; s.replica(Replica{Ready: &no, ReadyText: "kubernetes"}) }, func(s *scene) { yes := true; s.replica(Replica{Ready: &yes}) }},
		"replica-divergent": {func(s *scene) {
			s.say("coredns-a", first, A, NoError, "10.97.34.93")
			s.say("coredns-b", first, A, NoError, "10.97.34.11")
		}, func(s *scene) {
			s.say("coredns-a", first, A, NoError, "10.97.34.93")
			s.say("coredns-b", first, A, NoError, "10.97.34.93")
		}},
		"publish-lag": {func(s *scene) {
			s.services["redis"].CreationTimestamp = metav1.NewTime(now.Add(-3 * time.Second))
			s.say("coredns-a", first, A, NXDomain)
		}, func(s *scene) {
			s.services["redis"].CreationTimestamp = metav1.NewTime(now.Add(-3 * time.Second))
			s.say("coredns-a", first, A, NoError, "10.97.34.93")
		}},
		"config-skew":    {func(s *scene) { s.replica(Replica{ConfigHash: "0123456789abcdef"}) }, func(s *scene) { s.replica(Replica{ConfigHash: hash}) }},
		"max-concurrent": {func(s *scene) { s.ask.Name = "example.com"; s.replica(Replica{MaxReject: 12}) }, func(s *scene) { s.replica(Replica{MaxReject: 12}) }},
		"corefile-error": {corefileWith("    loop\n", "    lop\n"), corefileWith("    loop\n", "")},
		"forward-loop":   {corefileWith("/etc/resolv.conf", "10.96.0.10"), corefileWith("/etc/resolv.conf", "10.96.0.11")},
		"upstream-timeout": {func(s *scene) {
			s.ask.Name = "example.com."
			s.say("coredns-a", "example.com.", A, ServFail)
			s.say("coredns-b", "example.com.", A, ServFail)
		}, func(s *scene) {
			s.ask.Name = "example.com."
			s.say("coredns-a", "example.com.", A, NXDomain)
		}},
		"upstream-partial": {func(s *scene) {
			s.ask.Name = "example.com."
			s.say("coredns-a", "example.com.", A, ServFail)
			s.say("coredns-b", "example.com.", A, NoError, "192.0.2.1")
		}, func(s *scene) {
			s.ask.Name = "example.com."
			s.say("coredns-a", "example.com.", A, NoError, "192.0.2.2")
			s.say("coredns-b", "example.com.", A, NoError, "192.0.2.1")
		}},
		"no-server-block": {all(name("example.com."), corefileWith(".:53", "cluster.local:53")), name("redis")},
		"zone-shadow": {func(s *scene) { s.corefile = stock + "svc.cluster.local:53 {\n forward . 192.0.2.1\n}\n" }, func(s *scene) {
			s.corefile = stock + "corp.example:53 {\n forward . 192.0.2.1\n}\n"
		}},
		"fallthrough-missing": {all(name("example.com."), corefileWith("    loop\n", "    hosts {\n 192.0.2.1 a.example\n }\n")),
			all(name("example.com."), corefileWith("    loop\n", "    hosts {\n 192.0.2.1 a.example\n fallthrough\n }\n"))},
		"rewrite-applied":           {corefileWith("    loop\n", "    rewrite name "+first+" cache.shop.svc.cluster.local\n"), corefileWith("    loop\n", "    rewrite name other.example cache.shop.svc.cluster.local\n")},
		"acl-or-view":               {corefileWith("    loop\n", "    acl {\n allow net 10.0.0.0/8\n }\n"), func(s *scene) {}},
		"namespace-or-label-filter": {corefileWith("pods insecure", "namespaces shop"), corefileWith("pods insecure", "namespaces default")},
		"noendpoints":               {all(name("db"), corefileWith("pods insecure", "noendpoints")), all(name("redis"), corefileWith("pods insecure", "noendpoints"))},
		"autopath-mismatch":         {corefileWith("    loop\n", "    autopath @kubernetes\n"), all(corefileWith("    loop\n", "    autopath @kubernetes\n"), func(s *scene) { s.corefile = strings.Replace(s.corefile, "pods insecure", "pods verified", 1) })},
		"serve-stale":               {corefileWith("cache 30", "cache 30 {\n serve_stale\n }"), func(s *scene) {}},

		"service-missing":          {name("rediss"), name("redis")},
		"wrong-cluster-domain":     {name("redis.default.svc.cluster.internal"), name("api.eu.svc.example.com")},
		"name-incomplete":          {name("redis.default.cluster.local"), name("redis.default")},
		"headless-no-ready":        {all(name("db"), notReady), name("db")},
		"headless-selector-empty":  {all(name("db"), notReady, func(s *scene) { s.services["db"].Spec.Selector = map[string]string{"app": "none"} }), all(name("db"), notReady)},
		"pod-hostname-unpublished": {name("db-0.db"), all(name("db-0.db"), func(s *scene) { h := "db-0"; s.slices["db"].Endpoints[0].Hostname = &h })},
		"slice-unlabelled":         {all(name("db"), selectorless), all(name("db"), selectorless, func(s *scene) { s.slices["db"].Labels = map[string]string{discoveryv1.LabelServiceName: "db"} })},
		"externalname-ip":          {externalName("192.0.2.1"), externalName("db.example.com")},
		"externalname-dangling": {all(externalName("db.example.com"), func(s *scene) {
			s.say("coredns-a", first, A, NoError, "CNAME db.example.com.")
			s.say("coredns-a", first, AAAA, NoError, "CNAME db.example.com.")
		}), all(externalName("db.example.com"), func(s *scene) { s.say("coredns-a", first, A, NoError, "CNAME db.example.com.", "192.0.2.1") })},
		"externalname-internal-missing": {externalName("none.shop.svc.cluster.local"), externalName("cache.shop.svc.cluster.local")},
		"srv-unnamed-port":              {all(name("_http._tcp.redis"), srvOnly), all(name("_tcp._tcp.redis"), srvOnly)},
		"family-missing":                {func(s *scene) { s.ask.Types = []Type{AAAA} }, func(s *scene) { s.ask.Types = []Type{A} }},
		"pod-record-disabled":           {all(name("10-244-1-5.default.pod.cluster.local."), corefileWith("pods insecure", "pods disabled")), name("10-244-1-5.default.pod.cluster.local.")},
		"ptr-absent":                    {all(name("10.244.9.9"), corefileWith("fallthrough in-addr.arpa ip6.arpa", "")), all(name("10.97.34.93"), corefileWith("fallthrough in-addr.arpa ip6.arpa", ""))},
		"empty-service-ignored":         {corefileWith("pods insecure", "ignore empty_service"), all(corefileWith("pods insecure", "ignore empty_service"), func(s *scene) { s.slices["redis"] = slice("default", "redis", true, "10.244.1.9") })},
	}
}

func srvOnly(s *scene) { s.ask.Types = []Type{SRV} }

func selectorless(s *scene) {
	s.services["db"].Spec.Selector = nil
	s.slices["db"].Labels = nil
}

func crowd(image string) func(*scene) {
	return func(s *scene) {
		s.ask.Name = "db"
		s.client.Spec.Containers[0].Image = image
		var ips []string
		for i := range 60 {
			ips = append(ips, fmt.Sprintf("10.244.2.%d", i+1))
		}
		s.slices["db"] = slice("default", "db", true, ips...)
	}
}

func sidecar(value string) func(*scene) {
	return func(s *scene) {
		s.client.Spec.Containers = append(s.client.Spec.Containers, corev1.Container{Name: "istio-proxy", Env: []corev1.EnvVar{{Name: "ISTIO_META_DNS_CAPTURE", Value: value}}})
	}
}

func TestEveryFaultFiresAndItsLookalikeIsSilent(t *testing.T) {
	faults := everyFault()
	maps.Copy(faults, cacheFaults())
	for _, d := range Docs() {
		_, short, _ := strings.Cut(d.Code, "/")
		f, ok := faults[short]
		if !ok {
			t.Errorf("%s has no fixture", d.Code)
			continue
		}
		delete(faults, short)
		if d.Title == "" || d.Means == "" || d.Told == "" || d.Fix == "" || d.Source == "" {
			t.Errorf("%s: the page is not whole", d.Code)
		}
		t.Run(short+" fires", func(t *testing.T) {
			s := newScene()
			f.fires(s)
			r := s.explain(t)
			at := slices.IndexFunc(r.Findings, func(f finding.Finding) bool { return f.Code == d.Code })
			if at < 0 {
				t.Fatalf("not found among %v; %s", codes(r.Findings), r.Summary)
			}
			if r.Findings[at].Object.IsZero() || len(r.Findings[at].Evidence) == 0 {
				t.Errorf("a claim without evidence: %+v", r.Findings[at])
			}
			for _, e := range r.Findings[at].Evidence {
				if e.Object.IsZero() || e.Field == "" || e.Value == "" {
					t.Errorf("evidence without place or value: %+v", e)
				}
			}
		})
		t.Run(short+" is silent on its look-alike", func(t *testing.T) {
			s := newScene()
			f.silent(s)
			r := s.explain(t)
			if slices.Contains(codes(r.Findings), d.Code) {
				t.Errorf("found: %s", r.Summary)
			}
		})
	}
	for _, left := range slices.Sorted(maps.Keys(faults)) {
		t.Errorf("%s has a fixture and no page", left)
	}
}

func TestALineOfHostsHidesAServiceThatExists(t *testing.T) {
	for line, want := range map[string]bool{first: true, "redis.corp.example": false, "nobody.default.svc.cluster.local": false} {
		s := newScene()
		corefileWith("    loop\n", "    hosts {\n 192.0.2.9 "+line+"\n fallthrough\n }\n")(s)
		s.ask.Name = strings.TrimSuffix(line, ".") + "."
		if r := s.explain(t); slices.Contains(codes(r.Findings), "dns/zone-shadow") != want {
			t.Errorf("%s: %v; %s", line, codes(r.Findings), r.Summary)
		}
	}
}

func codes(fs []finding.Finding) []string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Code)
	}
	return out
}

// known are the faults of DNS that are on record. Each is told, or its page says
// why it cannot be.
const known = `search-list-missing hostnet-clusterfirst missing-cluster-dns resolvconf-truncated ndots-amplification ndots-bare ndots-too-low-musl musl-search-line-dropped
	musl-nameserver-race musl-aaaa-negative musl-search-stop musl-no-tcp resolvconf-stale nameserver-unknown cluster-domain-mismatch search-wildcard-hijack search-capture
	wrong-namespace nslookup-artefact hosts-override mesh-dns-capture windows-dotted-name dns-service-missing dns-no-ready-endpoints dns-selector-mismatch dns-tcp-port-missing
	netpol-egress-dns netpol-ingress-dns netpol-nodelocal netpol-udp-only nodelocal-down nodelocal-upstream nodelocal-cache-stale conntrack-race udp-conntrack-stale
	replica-unreachable-from-node replica-unsynced replica-divergent config-skew corefile-error forward-loop upstream-timeout upstream-partial max-concurrent no-server-block
	zone-shadow fallthrough-missing rewrite-applied acl-or-view namespace-or-label-filter noendpoints autopath-mismatch serve-stale service-missing headless-no-ready
	headless-selector-empty pod-hostname-unpublished slice-unlabelled externalname-ip externalname-dangling externalname-internal-missing srv-unnamed-port family-missing
	pod-record-disabled ptr-absent empty-service-ignored publish-lag`

func TestEveryKnownFaultIsToldOrHasAPageThatSaysWhyNot(t *testing.T) {
	told := map[string]bool{}
	for _, d := range Docs() {
		told[d.Code] = true
	}
	untold := map[string]bool{}
	for _, d := range Untold() {
		untold[d.Code] = true
		switch {
		case told[d.Code]:
			t.Errorf("%s is said not to be told, and an analyzer tells it", d.Code)
		case d.Severity != "" || !strings.HasPrefix(d.Told, "It is not told. ") || d.Title == "" || d.Means == "" || d.Fix == "" || d.Source == "":
			t.Errorf("%s: the page does not say why it is not told, and where to look", d.Code)
		}
	}
	for _, name := range strings.Fields(known) {
		if !told[code(name)] && !untold[code(name)] {
			t.Errorf("%s is neither told nor said not to be", name)
		}
	}
}
