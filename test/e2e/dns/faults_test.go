package dns

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

const client = `containers: [{name: c, image: busybox, command: [sleep, "100000"]}]`

// fault is something wrong, and what is to be said of it.
type fault struct {
	name      string
	manifests []string
	ask       string // NS is the namespace
	code      string // of the first finding; "" for none that is an error
	exit      int
	says      string // part of the summary or the message
}

func faults() []fault {
	other := `{"apiVersion":"v1","kind":"Service","metadata":{"name":"redis","namespace":"OTHER"},"spec":{"ports":[{"port":6379}]}}`
	return []fault{
		{name: "typo", manifests: []string{e2e.Service("redis")}, ask: "reddis --from pod/client", code: "dns/service-missing", exit: 2, says: "redis"},
		{name: "other-namespace", manifests: []string{other}, ask: "redis --from pod/client", code: "dns/wrong-namespace", exit: 2, says: "redis"},
		{name: "headless-not-ready", manifests: []string{
			e2e.Service("redis", "clusterIP: None"),
			e2e.Pod("redis", `containers: [{name: c, image: busybox, command: [sleep, "100000"], readinessProbe: {exec: {command: ["false"]}}}]`),
		}, ask: "redis --from pod/client", code: "dns/headless-no-ready", exit: 2, says: "ready"},
		{name: "headless-nobody", manifests: []string{e2e.Service("redis", "clusterIP: None")}, ask: "redis --from pod/client", code: "dns/headless-selector-empty", exit: 2},
		{name: "host-network", manifests: []string{e2e.Service("redis"), e2e.Pod("hosted", "hostNetwork: true\n"+client)}, ask: "redis --from pod/hosted", code: "dns/hostnet-clusterfirst", exit: 2, says: "node's network"},
		{name: "no-searches", manifests: []string{e2e.Service("redis"), e2e.Pod("alone", "dnsPolicy: None\ndnsConfig: {nameservers: [10.96.0.10]}\n"+client)}, ask: "redis --from pod/alone", code: "dns/search-list-missing", exit: 2, says: "search"},
		{name: "policy-default", manifests: []string{e2e.Service("redis"), e2e.Pod("alone", "dnsPolicy: Default\n"+client)}, ask: "redis --from pod/alone", code: "dns/search-list-missing", exit: 2},
		{name: "external-dangling", manifests: []string{external("redis", "gone.example.com")}, ask: "redis --from pod/client", code: "dns/externalname-dangling", exit: 2, says: "gone.example.com"},
		{name: "external-internal", manifests: []string{external("redis", "nope.NS.svc.cluster.local")}, ask: "redis --from pod/client", code: "dns/externalname-internal-missing", exit: 2, says: "nope"},
		{name: "external-ip", manifests: []string{external("redis", "192.0.2.1")}, ask: "redis --from pod/client", code: "dns/externalname-ip", exit: 2, says: "192.0.2.1"},
		{name: "srv-unnamed", manifests: []string{e2e.Service("redis")}, ask: "_80._tcp.redis.NS.svc.cluster.local --type SRV --from pod/client", code: "dns/srv-unnamed-port", exit: 2},
		{name: "pod-hostname", manifests: []string{
			e2e.Service("redis", "clusterIP: None"), e2e.Pod("redis", "hostname: zero\nsubdomain: other\n"+client),
		}, ask: "zero.redis --from pod/client", code: "dns/pod-hostname-unpublished", exit: 2},
		{name: "fine", manifests: []string{e2e.Service("redis")}, ask: "redis --from pod/client"},
		{name: "fine-external", ask: "example.com --from pod/client"},
		{name: "fine-address", manifests: []string{e2e.Service("redis")}, ask: "10.96.0.1 --from pod/client"},
		{name: "fine-dot", manifests: []string{e2e.Service("redis")}, ask: "redis.NS.svc.cluster.local. --from pod/client"},
	}
}

func TestFaultsAreNamed(t *testing.T) {
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			ns := lab.Namespace(t, "dns-"+f.name)
			fill := func(text string) string { return strings.ReplaceAll(text, "NS", ns) }
			if strings.Contains(strings.Join(f.manifests, ""), "OTHER") {
				other := lab.Namespace(t, "dns-other")
				apply(t, other, strings.ReplaceAll(f.manifests[0], "OTHER", other))
				f.manifests = nil
			}
			manifests := []string{e2e.Pod("client", client)}
			for _, m := range f.manifests {
				manifests = append(manifests, fill(m))
			}
			apply(t, ns, manifests...)
			a, err := lab.until(t.Context(), 40*time.Second, func(a Answer) error { return f.differs(a) }, append(strings.Fields(fill(f.ask)), "-n", ns)...)
			if err != nil {
				text, _ := lab.ask(t.Context(), append(strings.Fields(fill(f.ask)), "-n", ns)...)
				t.Errorf("%v\n%s\n%s%s", err, a.Report.Outline(), text.Stdout, text.Stderr)
			}
		})
	}
}

func (f fault) differs(a Answer) error {
	first, said := "", a.Report.Summary
	if len(a.Report.Findings) > 0 && (a.Report.Findings[0].Severity == "error" || f.code != "") {
		first = a.Report.Findings[0].Code
		said += " " + a.Report.Findings[0].Message
	}
	switch {
	case first != f.code && !slices.Contains(strings.Split(f.code, " or "), first):
		return fmt.Errorf("%q comes first instead of %q", first, f.code)
	case a.Exit != f.exit:
		return fmt.Errorf("exit code %d instead of %d", a.Exit, f.exit)
	case !strings.Contains(said, f.says):
		return fmt.Errorf("%q is not said", f.says)
	}
	return nil
}
