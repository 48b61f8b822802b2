package dns

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/google/go-cmp/cmp"
)

// One healthy cluster, and what CoreDNS says of each shape of name.
func TestExpectedAnswers(t *testing.T) {
	const z = ".svc.cluster.local."
	base := func(s *scene) {
		s.add(service("default", "dual", "10.97.0.1", "fd00::1"))
		v := service("default", "ext", "x")
		v.Spec = corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "redis.default.svc.cluster.local"}
		s.add(v)
		h := "db-0"
		s.slices["db"].Endpoints[0].Hostname = &h
	}
	for title, c := range map[string]struct {
		name string
		kind Type
		want string
		with func(*scene)
	}{
		"a Service has its ClusterIP":                            {"redis.default" + z, A, "10.97.34.93", nil},
		"case does not matter":                                   {"REDIS.Default.SVC.cluster.local.", A, "10.97.34.93", nil},
		"a missing family is NODATA":                             {"redis.default" + z, AAAA, "NODATA", nil},
		"dual stack answers each family":                         {"dual.default" + z, AAAA, "fd00::1", nil},
		"an unknown Service is NXDOMAIN":                         {"none.default" + z, A, "NXDOMAIN", nil},
		"the apex is NODATA":                                     {"cluster.local.", A, "NODATA", nil},
		"svc is NODATA":                                          {"svc.cluster.local.", A, "NODATA", nil},
		"a namespace is NODATA":                                  {"shop" + z, A, "NODATA", nil},
		"a namespace that is not there is NXDOMAIN":              {"none" + z, A, "NXDOMAIN", nil},
		"too many labels are NXDOMAIN":                           {"a.b.c.redis.default" + z, A, "NXDOMAIN", nil},
		"a headless Service has its endpoints":                   {"db.default" + z, A, "10.244.1.7", nil},
		"a headless Service without ready endpoints is NXDOMAIN": {"db.default" + z, A, "NXDOMAIN", notReady},
		"an endpoint has its hostname":                           {"db-0.db.default" + z, A, "10.244.1.7", nil},
		"SRV of a ClusterIP leads to the Service":                {"_tcp._tcp.redis.default" + z, SRV, "0 100 6379 redis.default.svc.cluster.local.", nil},
		"SRV of a headless Service leads to the endpoint":        {"_tcp._tcp.db.default" + z, SRV, "0 100 6379 db-0.db.default.svc.cluster.local.", nil},
		"SRV of an unnamed port is NXDOMAIN":                     {"_http._tcp.redis.default" + z, SRV, "NXDOMAIN", nil},
		"an ExternalName in the zone is followed":                {"ext.default" + z, A, "10.97.34.93 CNAME redis.default.svc.cluster.local.", nil},
		"an ExternalName is a CNAME":                             {"ext.default" + z, CNAME, "CNAME redis.default.svc.cluster.local.", nil},
		"an insecure pod record echoes":                          {"10-1-2-3.default.pod.cluster.local.", A, "10.1.2.3", nil},
		"a disabled pod record is NXDOMAIN":                      {"10-1-2-3.default.pod.cluster.local.", A, "NXDOMAIN", corefileWith("pods insecure", "pods disabled")},
		"a verified pod record needs the pod":                    {"10-1-2-3.default.pod.cluster.local.", A, "NXDOMAIN", corefileWith("pods insecure", "pods verified")},
		"a verified pod record of a pod":                         {"10-244-1-5.default.pod.cluster.local.", A, "10.244.1.5", corefileWith("pods insecure", "pods verified")},
		"the version of the specification":                       {"dns-version.cluster.local.", TXT, `"1.1.0"`, nil},
		"PTR of a ClusterIP":                                     {"93.34.97.10.in-addr.arpa.", PTR, "redis.default.svc.cluster.local.", nil},
		"PTR of an endpoint":                                     {"7.1.244.10.in-addr.arpa.", PTR, "db-0.db.default.svc.cluster.local.", nil},
		"TXT of a Service is NODATA":                             {"redis.default" + z, TXT, "NODATA", nil},
		"an outside name is not known":                           {"example.com.", A, "", nil},
	} {
		t.Run(title, func(t *testing.T) {
			s := newScene()
			base(s)
			if c.with != nil {
				c.with(s)
			}
			w, err := newWorld(s.view(), s.ask, s.seen)
			if err != nil {
				t.Fatal(err)
			}
			e := w.expect(Question{Name: c.name, Type: c.kind})
			if got := answerText(e.Rcode, e.Records); got != c.want {
				t.Errorf("got %q (%s), want %q", got, e.Why, c.want)
			}
		})
	}
}

func TestTheSummaryNamesTheObjectAndTheRung(t *testing.T) {
	for title, c := range map[string]struct {
		change func(*scene)
		want   string
	}{
		"found at once":           {func(*scene) {}, "ok: redis → 10.97.34.93   (Service/redis spec.clusterIP), on the 1st of 4 names that glibc would try."},
		"in another namespace":    {name("cache"), "broken: cache is not found: Service cache is in namespace shop, and the pod looks in default."},
		"misspelt":                {name("rediss"), "broken: rediss is not found: there is no Service rediss in namespace default; near: redis."},
		"outside":                 {name("example.com"), "unknown: Whether example.com is found cannot be told: example.com. forwarded to /etc/resolv.conf, which was not asked."},
		"an address has a name":   {name("10.97.34.93"), "ok: 10.97.34.93 → redis.default.svc.cluster.local.   (Service/redis spec.clusterIPs), on the 1st of 1 name that glibc would try."},
		"without ready servers":   {func(s *scene) { s.dnsSlice = slice(systemNamespace, "kube-dns", false, "10.244.0.2") }, "broken: redis would be 10.97.34.93, but none of 2 DNS pods is ready: every query to 10.96.0.10 fails."},
		"another namespace, full": {name("cache.shop"), "ok: cache.shop → 10.97.34.94   (Service/cache spec.clusterIP), on the 2nd of 4 names that glibc would try."},
	} {
		t.Run(title, func(t *testing.T) {
			s := newScene()
			c.change(s)
			r := s.explain(t)
			if diff := cmp.Diff(c.want, string(r.Verdict)+": "+r.Summary); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestACorefileReadsItsImportsAndVariablesFromTheClusterOnly(t *testing.T) {
	t.Setenv("ZONE", "local.example")
	files := map[string]string{"/etc/coredns/Corefile": "{$ZONE}:53 {\n import custom/*.override\n import /etc/hosts\n whoami\n}\n", "/etc/coredns/custom/a.override": "log\n"}
	c := ParseCorefile(Sources{Path: "/etc/coredns/Corefile", Files: files, Env: func(n string) (string, bool) { return map[string]string{"ZONE": "pod.example"}[n], true }})
	if c.Err != nil || len(c.Blocks) != 1 || c.Blocks[0].Zones[0].Zone != "pod.example." {
		t.Fatalf("%+v", c)
	}
	if c.Blocks[0].plugin("log") == nil || !cmp.Equal(c.Missing, []string{"/etc/hosts"}) {
		t.Errorf("imports: %+v, missing %v", c.Blocks[0].Plugins, c.Missing)
	}
}

func TestReverseZonesOfNetworks(t *testing.T) {
	for network, want := range map[string]string{
		"10.0.0.0/8": "10.in-addr.arpa.", "10.244.0.0/16": "244.10.in-addr.arpa.", "10.0.0.0/15": "0.10.in-addr.arpa. 1.10.in-addr.arpa.",
		"fd00::/8": "d.f.ip6.arpa.", "cluster.local": "cluster.local.",
	} {
		if got := strings.Join(originsOf(network), " "); got != want {
			t.Errorf("%s: got %s, want %s", network, got, want)
		}
	}
}

func TestNeedsStaysWithinItsBudget(t *testing.T) {
	for title, change := range map[string]func(*scene){"a Service": func(*scene) {}, "a headless Service": name("db"), "an outside name": name("example.com"), "a name in a namespace": name("cache.shop")} {
		t.Run(title, func(t *testing.T) {
			s := newScene()
			change(s)
			if n := len(s.rounds(t)); n > 14 {
				t.Errorf("%d requests: %v", n, s.rounds(t))
			}
		})
	}
}
