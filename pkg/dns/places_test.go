package dns

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

func way(t *report.Trace) string {
	var titles []string
	for _, h := range t.Path {
		titles = append(titles, string(h.State)+" "+h.Title)
	}
	return strings.Join(titles, " → ")
}

// noCorefile is a cluster in which the DNS pods have none.
func noCorefile(image string) func(*scene) {
	return func(s *scene) {
		s.corefile = ""
		for _, p := range s.servers {
			p.Spec.Volumes, p.Spec.Containers[0].VolumeMounts, p.Spec.Containers[0].Args = nil, nil, nil
			p.Spec.Containers[0].Image = image
		}
	}
}

func kubelet(address string) func(*scene) {
	return func(s *scene) { s.kubelet = "clusterDomain: cluster.local\nclusterDNS:\n- " + address + "\n" }
}

// custom mounts a ConfigMap of additions beside the Corefile, as managed
// clusters do.
func custom(name, mount string, data map[string]string) func(*scene) {
	return func(s *scene) {
		s.configs = append(s.configs, &corev1.ConfigMap{ObjectMeta: meta(systemNamespace, name), Data: data})
		for _, p := range s.servers {
			p.Spec.Containers[0].VolumeMounts = append(p.Spec.Containers[0].VolumeMounts, corev1.VolumeMount{Name: name, MountPath: mount})
			optional := true
			p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
				ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}, Optional: &optional}}})
		}
	}
}

func openshift(s *scene) {
	s.dns.Namespace, s.dns.Name = openshiftDNS, "dns-default"
	s.dns.UID = openshiftDNS + "/dns-default"
	s.dns.Labels = nil
	s.dns.Spec.Selector = map[string]string{"dns.operator.openshift.io/daemonset-dns": "default"}
	s.dns.Spec.ClusterIP, s.dns.Spec.ClusterIPs = "172.30.0.10", []string{"172.30.0.10"}
	s.dnsSlice = slice(openshiftDNS, "dns-default", true, "10.128.0.2")
	s.servers = s.servers[:1]
	p := s.servers[0]
	p.Namespace, p.Name, p.UID, p.Labels = openshiftDNS, "dns-default-x1", "openshift-dns/x1", s.dns.Spec.Selector
	p.Spec.Containers[0].Name = "dns"
	p.Spec.Containers[0].Ports = []corev1.ContainerPort{{Name: "dns", ContainerPort: 5353, Protocol: corev1.ProtocolUDP}, {Name: "dns-tcp", ContainerPort: 5353, Protocol: corev1.ProtocolTCP}}
	p.Spec.Volumes[0].ConfigMap.Name = "dns-default"
	s.configs = append(s.configs, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: openshiftDNS, Name: "dns-default"}, Data: map[string]string{"Corefile": strings.Replace(stock, ".:53", ".:5353", 1)}})
	s.corefile, s.kubelet = "", "clusterDomain: cluster.local\nclusterDNS:\n- 172.30.0.10\n"
}

func nodeLocal(address string) func(*scene) {
	return func(s *scene) {
		s.observe(strings.Replace(conf, "10.96.0.10", address, 1))
		p := pod(systemNamespace, "node-local-dns-x", "10.0.0.1", map[string]string{dnsLabel: "node-local-dns"})
		p.Spec.HostNetwork = true
		s.pods = append(s.pods, p)
	}
}

func TestClustersAreRecognised(t *testing.T) {
	onWindows := func(s *scene) { s.client.Spec.OS = &corev1.PodOS{Name: corev1.Windows} }
	for title, c := range map[string]struct {
		change  func(*scene)
		verdict report.Verdict
		says    string // of the summary, the path, a note or a rung
		not     string // of the findings' codes
	}{
		"GKE Cloud DNS has no pods":              {all(noCorefile("x"), kubelet(gkeCloudDNS), func(s *scene) { s.dns, s.servers = nil, nil }), report.OK, "unknown GKE Cloud DNS", "dns/dns-service-missing"},
		"GKE Cloud DNS beside kube-dns' Service": {all(noCorefile("gke.gcr.io/k8s-dns-kube-dns:1.23"), kubelet(gkeCloudDNS)), report.OK, "Cloud DNS answers at 169.254.169.254", "dns/nameserver-unknown"},
		"a pod of a GKE node's network": {all(func(s *scene) {
			s.client.Spec.HostNetwork = true
			s.observe("nameserver 169.254.169.254\nsearch c.p.internal\n")
		}), report.Broken, "unknown the node's resolver 169.254.169.254", "dns/nodelocal-down"},
		"GKE kube-dns has no Corefile":                {noCorefile("gke.gcr.io/k8s-dns-kube-dns:1.23"), report.OK, "The DNS pods run kube-dns (dnsmasq), not CoreDNS", "dns/corefile-error"},
		"AKS coredns-custom answers by its own block": {all(func(s *scene) { s.corefile = stock + "import custom/*.server\n" }, custom("coredns-custom", "/etc/coredns/custom", map[string]string{"corp.server": "corp.example:53 {\n forward . 10.1.1.1\n}\n"}), name("db.corp.example.")), report.Unknown, "forwarded to 10.1.1.1", "dns/corefile-error"},
		"AKS coredns-custom is empty":                 {all(func(s *scene) { s.corefile = stock + "import custom/*.server\n" }, custom("coredns-custom", "/etc/coredns/custom", nil)), report.OK, "", "dns/corefile-error"},
		"k3s answers its nodes by NodeHosts": {all(func(s *scene) {
			s.corefile = strings.Replace(stock, "    loop\n", "    hosts /etc/coredns/NodeHosts {\n      ttl 60\n      reload 15s\n      fallthrough\n    }\n    import /etc/coredns/custom/*.override\n", 1)
		}, custom("coredns-custom", "/etc/coredns/custom", map[string]string{"log.override": "log\n"})), report.OK, "on the 1st of 4 names", "dns/corefile-error"},
		"OpenShift listens on 5353": {openshift, report.OK, "ok Service/dns-default → ok 1 of 1 replica ready", "dns/no-server-block"},
		"RKE2 calls the Service after its chart": {func(s *scene) {
			s.dns.Name = "rke2-coredns-rke2-coredns"
			s.dnsSlice.Labels = map[string]string{"kubernetes.io/service-name": s.dns.Name}
		}, report.OK, "ok Service/rke2-coredns-rke2-coredns", ""},
		"NodeLocal DNSCache at its own address":          {nodeLocal("169.254.20.10"), report.OK, "ok 169.254.20.10 → ok NodeLocal DNSCache → ok Service/kube-dns", "dns/nodelocal-down"},
		"NodeLocal DNSCache at kubespray's address":      {nodeLocal("169.254.25.10"), report.OK, "NodeLocal DNSCache", "dns/nameserver-unknown"},
		"AWS' server on a node's network is no cache":    {func(s *scene) { s.client.Spec.HostNetwork = true; s.observe("nameserver 169.254.169.253\n") }, report.Broken, "the node's resolver 169.254.169.253", "dns/nodelocal-down"},
		"a DNS Service without selector is another's":    {all(noCorefile("x"), func(s *scene) { s.dns.Spec.Selector = nil }), report.OK, "has no selector: what answers runs outside", "dns/dns-no-ready-endpoints"},
		"Windows has one suffix":                         {onWindows, report.OK, "on the 1st of 2 names that windows would try", "dns/search-list-missing"},
		"Windows takes a name with a dot for a full one": {all(onWindows, name("cache.shop")), report.Broken, "Windows takes cache.shop for a full name", "dns/search-list-missing"},
		"Windows finds a full name":                      {all(onWindows, name("cache.shop.svc.cluster.local")), report.OK, "on the 1st of 1 name", "dns/windows-dotted-name"},
		"Windows by the node's selector":                 {all(func(s *scene) { s.client.Spec.NodeSelector = map[string]string{corev1.LabelOSStable: "windows"} }, name("cache.shop")), report.Broken, "Windows takes cache.shop", ""},
	} {
		t.Run(title, func(t *testing.T) {
			s := newScene()
			c.change(s)
			r := s.explain(t)
			said := r.Summary + "\n" + way(r.Trace) + "\n" + strings.Join(r.Trace.Notes, "\n")
			for _, rung := range r.Trace.Ladder {
				said += "\n" + rung.Why
			}
			if r.Verdict != c.verdict || !strings.Contains(said, c.says) {
				t.Errorf("%s %s\n%v", r.Verdict, said, codes(r.Findings))
			}
			if slices.Contains(codes(r.Findings), c.not) {
				t.Errorf("%s is found", c.not)
			}
		})
	}
}

func TestAClientOutsideIsNotCreditedToTheClustersDNS(t *testing.T) {
	s := newScene()
	s.client.Spec.HostNetwork = true
	if p := Live(s.view(), s.ask, s.seen); len(p.Servers) > 0 {
		t.Errorf("%v are asked", p.Servers)
	}
	s.observe("nameserver 192.0.2.53\n")
	s.say("coredns-a", "redis.", A, NXDomain)
	r := s.explain(t)
	if got := way(r.Trace); got != "ok pod backend-1 → unknown the node's resolver 192.0.2.53" || r.Trace.Grid != nil || r.Trace.Corefile != nil {
		t.Error(got)
	}
	s.ask.Name, s.seen.Getent = "example.com", &Text{Text: "192.0.2.80 STREAM example.com\n192.0.2.80 DGRAM\n"}
	if r = s.explain(t); r.Verdict != report.OK || !strings.Contains(r.Summary, "example.com → 192.0.2.80, as getent in the pod says") {
		t.Error(r.Summary)
	}
	s.seen.Getent = &Text{ExitCode: 2}
	if r = s.explain(t); r.Verdict != report.Broken {
		t.Error(r.Summary)
	}
}

func TestAnAnswerOfAStrangerIsNotHeeded(t *testing.T) {
	s := newScene()
	s.say("coredns-gone", first, A, NXDomain)
	s.say("coredns-a", first, A, NoError, "10.97.34.93")
	r := s.explain(t)
	if r.Verdict != report.OK || len(r.Trace.Grid.Rows) != 2 {
		t.Errorf("%s %+v", r.Summary, r.Trace.Grid)
	}
}

func TestReverseNamesOfNamespacesThatWereNotSeenAreUnknown(t *testing.T) {
	for title, c := range map[string]struct {
		hidden bool
		want   report.Verdict
	}{"seen": {false, report.OK}, "not seen": {true, report.Unknown}} {
		t.Run(title, func(t *testing.T) {
			s := newScene()
			s.ask = Ask{Name: "10.97.34.94", Namespace: "default"}
			s.corefile = strings.NewReplacer("pods insecure", "namespaces shop", "        fallthrough in-addr.arpa ip6.arpa\n", "").Replace(stock)
			if c.hidden {
				s.hidden = []schema.GroupKind{namespaceKind}
			}
			if r := s.explain(t); r.Verdict != c.want {
				t.Errorf("%s %s", r.Verdict, r.Summary)
			}
		})
	}
}

func TestWhatThePodWillSayIsNotReadBefore(t *testing.T) {
	s := newScene()
	s.seen.Coming = true
	if queries := s.rounds(t); len(queries) > 9 {
		t.Errorf("%d requests: %v", len(queries), queries)
	}
	s.seen.Coming = false
	s.observe(conf)
	if queries := s.rounds(t); len(queries) > 9 {
		t.Errorf("%d requests: %v", len(queries), queries)
	}
	s.observe(strings.Replace(conf, "10.96.0.10", "10.96.0.99", 1))
	if !slices.ContainsFunc(s.rounds(t), func(q source.Query) bool { return q.Name == "kubelet-config" }) {
		t.Error("a file that differs is not held against the kubelet's configuration")
	}
}

func TestNslookupThatFindsProvesTheWay(t *testing.T) {
	s := newScene()
	s.policy("default", policyFor(egress))
	s.seen.Pod = s.client.UID
	s.seen.Nslookup = &Text{Text: "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n** server can't find redis.svc.cluster.local: NXDOMAIN\n\nName:\tredis.default.svc.cluster.local\nAddress: 10.97.34.93\n\n", ExitCode: 1}
	r := s.explain(t)
	if r.Verdict != report.OK || !slices.Contains(codes(r.Findings), "dns/nslookup-artefact") {
		t.Errorf("%s %v", r.Summary, codes(r.Findings))
	}
}

func TestADebugContainerIsSpokenOf(t *testing.T) {
	s := newScene()
	s.seen.Debugger = &Debugger{Container: "leadsman-dns-x", Image: "busybox"}
	if r := s.explain(t); !strings.Contains(strings.Join(r.Trace.Notes, " "), "It cannot be removed") {
		t.Error(r.Trace.Notes)
	}
}

func TestAClientThatMayNotBeSeenHasTheDefaultsOfItsNamespace(t *testing.T) {
	s := newScene()
	whole := s.view()
	known := source.NewStore(now)
	for range 5 {
		for _, q := range Needs(index.New(known.Contents()), s.ask, s.seen) {
			if q.Kind == podKind && q.Name != "" {
				known.Answer(q, source.Result{Gap: &source.Gap{Resource: "pods", Kind: podKind, Reason: source.Forbidden}})
				continue
			}
			var found []source.Object
			for _, it := range whole.List(q.Kind, q.Namespace) {
				if q.Name == "" || q.Name == it.Ref.Name {
					found = append(found, it.Object)
				}
			}
			known.Answer(q, source.Result{Objects: found})
		}
	}
	r, err := Explain(index.New(known.Contents()), s.ask, Options{})
	if err != nil || r.Verdict != report.OK || len(r.Gaps) != 1 {
		t.Errorf("%v %+v", err, r)
	}
}
