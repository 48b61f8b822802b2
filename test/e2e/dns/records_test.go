package dns

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

// shapes are Services of every shape, and pods behind them.
func shapes(ns string) []string {
	sleeper := `containers: [{name: c, image: busybox, command: [sleep, "100000"]}]`
	return []string{
		e2e.Deployment("web", sleeper, "replicas: 2"),
		e2e.Service("web", `ports: [{name: http, port: 80, targetPort: 8080}, {name: dns, port: 53, protocol: UDP}]`),
		e2e.Service("plain", `selector: {app: web}`, `ports: [{port: 81}]`),
		e2e.StatefulSet("db", sleeper, "replicas: 2"),
		e2e.Service("db", `clusterIP: None`, `ports: [{name: sql, port: 5432}]`),
		e2e.Pod("named", "hostname: quick\nsubdomain: inside\n"+sleeper),
		e2e.Service("inside", `clusterIP: None`, `selector: {app: named}`, `ports: [{name: a, port: 1}]`),
		e2e.Pod("late", `containers: [{name: c, image: busybox, command: [sleep, "100000"], readinessProbe: {exec: {command: ["false"]}}}]`),
		e2e.Service("late", `clusterIP: None`),
		e2e.Service("early", `clusterIP: None`, `selector: {app: late}`, `publishNotReadyAddresses: true`),
		e2e.Service("nobody", `clusterIP: None`),
		e2e.Service("bare", `clusterIP: None`, `selector: {app: web}`, `ports: []`),
		`{"apiVersion":"v1","kind":"Service","metadata":{"name":"byhand"},"spec":{"ports":[{"name":"x","port":80}]}}`,
		`{"apiVersion":"v1","kind":"Service","metadata":{"name":"byhand-headless"},"spec":{"clusterIP":"None","ports":[{"name":"x","port":80}]}}`,
		`{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"byhand-1","labels":{"kubernetes.io/service-name":"byhand-headless"}},"addressType":"IPv4","ports":[{"name":"x","port":80,"protocol":"TCP"}],"endpoints":[{"addresses":["192.0.2.7"]},{"addresses":["192.0.2.8"],"hostname":"eight"},{"addresses":["192.0.2.9"],"conditions":{"ready":false}}]}`,
		external("ext", "example.com"), external("ext-in", "web."+ns+".svc.cluster.local"), external("ext-gone", "nope."+ns+".svc.cluster.local"),
		external("ext-ip", "192.0.2.1"), external("ext-out-gone", "gone.example.com"), external("ext-twice", "ext."+ns+".svc.cluster.local"),
	}
}

func external(name, target string) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Service","metadata":{"name":%q},"spec":{"type":"ExternalName","externalName":%q}}`, name, target)
}

func TestAnswersAreThoseOfTheServers(t *testing.T) {
	t.Parallel()
	ns := lab.Namespace(t, "dns-records")
	apply(t, ns, shapes(ns)...)
	kubectl(t, "-n", ns, "wait", "--for=condition=Ready", "pod", "-l", "app in (web,db,named)", "--timeout=90s")
	time.Sleep(3 * time.Second) // DNS follows the slices
	pods := strings.Fields(kubectl(t, "-n", ns, "get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].status.podIP}"))
	from := strings.TrimPrefix(strings.Fields(kubectl(t, "-n", ns, "get", "pods", "-l", "app=web", "-o", "name"))[0], "pod/")
	vip := strings.TrimSpace(kubectl(t, "-n", ns, "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"))
	db0 := strings.TrimSpace(kubectl(t, "-n", ns, "get", "pod", "db-0", "-o", "jsonpath={.status.podIP}"))
	dashed := strings.ReplaceAll(pods[0], ".", "-")

	type asked struct{ name, kinds string }
	var all []asked
	in := func(kinds string, names ...string) {
		for _, n := range names {
			all = append(all, asked{n + "." + ns + ".svc.cluster.local.", kinds})
		}
	}
	in("A,AAAA", "web", "plain", "db", "inside", "late", "early", "nobody", "bare", "byhand", "byhand-headless", "gone", "WEB",
		"db-0.db", "db-9.db", "quick.inside", "named.inside", dashed+".web", "eight.byhand-headless", "192-0-2-7.byhand-headless", "192-0-2-9.byhand-headless",
		"ext-in", "ext-gone", "ext-ip", "ext-out-gone", "ext", "ext-twice", "x.y.z.web")
	in("SRV", "web", "_http._tcp.web", "_dns._udp.web", "_http._udp.web", "_nope._tcp.web", "_81._tcp.plain", "plain", "_sql._tcp.db", "db", "_a._tcp.inside", "_x._tcp.byhand-headless", "nobody", "late", "bare")
	in("CNAME,TXT,NS,MX", "web", "ext", "gone")
	all = append(all, []asked{
		{ns + ".svc.cluster.local.", "A,AAAA,SRV"}, {"nowhere.svc.cluster.local.", "A"}, {"svc.cluster.local.", "A"}, {"cluster.local.", "A,SOA,NS"},
		{"dns-version.cluster.local.", "TXT"}, {"web." + ns + ".svc.cluster.local.x.", "A"}, {"a.b.cluster.local.", "A"}, {"pod.cluster.local.", "A"},
		{dashed + "." + ns + ".pod.cluster.local.", "A,AAAA"}, {"1-2-3-4." + ns + ".pod.cluster.local.", "A"}, {"1-2-3-4.nowhere.pod.cluster.local.", "A"}, {"no-ip." + ns + ".pod.cluster.local.", "A"},
		{reverse(vip), "PTR"}, {reverse(pods[0]), "PTR"}, {reverse(db0), "PTR"}, {reverse("192.0.2.7"), "PTR"}, {reverse("10.96.0.1"), "PTR"}, {reverse("10.96.0.10"), "PTR"}, {reverse("198.51.100.77"), "PTR"},
		{"kubernetes.default.svc.cluster.local.", "A,AAAA,SRV"}, {"_https._tcp.kubernetes.default.svc.cluster.local.", "SRV"},
	}...)
	var compared, unknown int
	differs := make([]string, len(all))
	counts := make([][2]int, len(all))
	err := each(4, len(all), func(i int) error {
		args := []string{all[i].name, "--type", all[i].kinds, "-n", ns, "--from", "pod/" + from}
		computed, err := lab.askJSON(t.Context(), append(args, "--probe=false")...)
		if err != nil {
			return err
		}
		observed, err := lab.askJSON(t.Context(), args...)
		if err != nil {
			return err
		}
		want, got := answersOf(computed.Report), answersOf(observed.Report)
		for kind, answer := range got {
			if answer == "?" || partly(want[kind], answer) {
				counts[i][1]++
				delete(want, kind)
				delete(got, kind)
				continue
			}
			counts[i][0]++
		}
		differs[i] = cmp.Diff(got, want)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range differs {
		compared, unknown = compared+counts[i][0], unknown+counts[i][1]
		if d != "" {
			t.Errorf("%s: observed (-) and computed (+) differ: %s", all[i].name, d)
		}
		if counts[i][1] > 0 {
			t.Logf("%s %s: %d answers cannot be computed", all[i].name, all[i].kinds, counts[i][1])
		}
	}
	t.Logf("%d answers compared, %d not computed", compared, unknown)
}

// partly says whether no more than a part of an answer was computed, and that
// part is right: what a server outside says is not known.
func partly(computed, answer string) bool {
	if computed == "?" || computed == "NOERROR" && strings.HasPrefix(answer, "NOERROR ") {
		return true
	}
	chain := strings.ReplaceAll(computed, "CNAME ", "")
	if !strings.HasPrefix(computed, "CNAME ") {
		return false
	}
	for _, target := range strings.Fields(chain) {
		if !strings.Contains(answer, "CNAME "+target) {
			return false
		}
	}
	return true
}

func answersOf(r Report) map[string]string {
	all := map[string]string{}
	if len(r.Trace.Ladder) == 0 {
		return all
	}
	for _, a := range r.Trace.Ladder[0].Answers {
		records := slices.Clone(a.Records)
		slices.Sort(records)
		text := strings.TrimSpace(a.Rcode + " " + strings.Join(records, " "))
		if text == "" {
			text = "?"
		}
		all[a.Type] = text
	}
	return all
}

func reverse(ip string) string {
	parts := strings.Split(ip, ".")
	slices.Reverse(parts)
	return strings.Join(parts, ".") + ".in-addr.arpa."
}
