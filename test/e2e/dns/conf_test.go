package dns

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

// settings are all ways to set a pod's DNS.
var settings = []struct{ name, spec string }{
	{"first", ``},
	{"first-host", `hostNetwork: true`},
	{"with-host", "hostNetwork: true\ndnsPolicy: ClusterFirstWithHostNet"},
	{"with-host-alone", `dnsPolicy: ClusterFirstWithHostNet`},
	{"host", `dnsPolicy: Default`},
	{"host-more", "dnsPolicy: Default\ndnsConfig: {nameservers: [10.96.0.10], searches: [x.test], options: [{name: ndots, value: \"2\"}]}"},
	{"none", "dnsPolicy: None\ndnsConfig: {nameservers: [10.96.0.10]}"},
	{"none-more", "dnsPolicy: None\ndnsConfig: {nameservers: [10.96.0.10, 192.0.2.1], searches: [a.test, b.test], options: [{name: ndots, value: \"2\"}, {name: edns0}]}"},
	{"override", `dnsConfig: {options: [{name: ndots, value: "2"}, {name: single-request-reopen}]}`},
	{"bare", `dnsConfig: {options: [{name: ndots}]}`},
	{"append", `dnsConfig: {searches: [svc.cluster.local, more.test], nameservers: [192.0.2.1]}`},
	{"four-servers", `dnsConfig: {nameservers: [192.0.2.1, 192.0.2.2, 192.0.2.3]}`},
	{"repeated", `dnsConfig: {nameservers: [10.96.0.10], searches: [svc.cluster.local]}`},
}

func TestTheResolvConfIsTheKubelets(t *testing.T) {
	t.Parallel()
	ns := lab.Namespace(t, "dns-conf")
	var manifests []string
	for _, s := range settings {
		manifests = append(manifests, e2e.Pod(s.name, "containers: [{name: c, image: busybox, command: [sleep, \"100000\"]}]\n"+s.spec))
	}
	apply(t, ns, manifests...)
	kubectl(t, "-n", ns, "wait", "--for=condition=Ready", "pod", "--all", "--timeout=90s")
	for _, s := range settings {
		a, err := lab.askJSON(t.Context(), "kubernetes.default", "-n", ns, "--from", "pod/"+s.name, "--probe=false")
		if err != nil {
			t.Fatal(err)
		}
		predicted := a.Report.Trace.ResolvConf
		actual := parse(kubectl(t, "-n", ns, "exec", s.name, "--", "cat", "/etc/resolv.conf"))
		host := strings.Contains(s.name, "host") && !strings.Contains(s.name, "with")
		if host && predicted.Claim == "unproven" {
			continue // the node's own file cannot be read; it says so
		}
		slices.Sort(predicted.Options)
		if diff := cmp.Diff(actual, ResolvConf{Nameservers: predicted.Nameservers, Search: predicted.Search, Options: predicted.Options}); diff != "" {
			t.Errorf("%s: the file (-) and the prediction (+) differ: %s", s.name, diff)
		}
		observed, err := lab.askJSON(t.Context(), "kubernetes.default", "-n", ns, "--from", "pod/"+s.name)
		if err != nil {
			t.Fatal(err)
		}
		if seen := observed.Report.Trace.ResolvConf; seen.Claim != "observed" || len(seen.Differs) > 0 {
			t.Errorf("%s: %+v", s.name, seen)
		}
	}
}

func parse(file string) ResolvConf {
	var c ResolvConf
	for line := range strings.Lines(file) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		switch fields[0] {
		case "nameserver":
			c.Nameservers = append(c.Nameservers, fields[1])
		case "search":
			c.Search = fields[1:]
		case "options":
			c.Options = append(c.Options, fields[1:]...)
		}
	}
	slices.Sort(c.Options)
	return c
}
