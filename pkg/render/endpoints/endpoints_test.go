package endpoints

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

var update = flag.Bool("update", false, "write the golden files")

func ref(name string) object.Ref {
	kind, name, _ := strings.Cut(name, "/")
	return object.Ref{Version: "v1", Kind: kind, Namespace: "default", Name: name}
}

func endpoint(pod, ip, node, zone string) report.Endpoint {
	r := ref("Pod/" + pod)
	return report.Endpoint{
		ServicePort: "80", Address: ip, Port: 8080, Protocol: "TCP", Pod: &r, PodIP: ip, Ready: true, Serving: true,
		Node: node, Zone: zone, Slice: "web-x2k9p", State: report.EndpointMatched,
	}
}

func envelope(verdict report.Verdict, services ...*report.Service) *report.Report {
	return &report.Report{
		APIVersion: report.APIVersion, Kind: "CheckEndpoints", Target: services[0].Object.String(), Verdict: verdict, Summary: services[0].Summary,
		Services: services, Budget: report.Budget{Requests: 7, Seconds: 0.041},
	}
}

func web() *report.Service {
	return &report.Service{
		Object: ref("Service/web"), Verdict: report.OK, Summary: `Service/web reaches 3 of 3 pods on port 80 → 8080 (named "http").`,
		Type: "ClusterIP", Addresses: []string{"10.96.11.12"}, Selector: "app=web",
		Ports: []report.ServicePort{{Name: "http", Port: 80, TargetPort: "http", Resolved: "8080", Protocol: "TCP", Ready: 3, Total: 3}},
		Endpoints: []report.Endpoint{
			endpoint("web-6779b-27n5s", "10.244.1.3", "lab-n1", "zone-1"),
			endpoint("web-6779b-8xk2p", "10.244.2.4", "lab-n2", "zone-2"),
			endpoint("web-6779b-vvzq7", "10.244.2.5", "lab-n2", "zone-2"),
		},
		Age: "3d",
	}
}

func healthy() *report.Report { return envelope(report.OK, web()) }

func partial() *report.Report {
	s := web()
	s.Verdict, s.Summary = report.Broken, "Service/nginx reaches nothing: no pod carries its whole selector."
	s.Object, s.Selector, s.Endpoints = ref("Service/nginx"), "app=web,service=nginx", nil
	s.Ports[0].Ready, s.Ports[0].Total, s.Ports[0].Resolved = 0, 0, ""
	r := envelope(report.Broken, s)
	r.Findings = []finding.Finding{{
		Code: "endpoints/label-partial", Severity: finding.Error, Object: ref("Service/nginx"), Message: "no pod carries its whole selector",
		Evidence: []finding.Evidence{
			{Object: ref("Service/nginx"), Field: "spec.selector", Value: "app=web,service=nginx"},
			{Object: ref("Deployment/frontend"), Field: "spec.template.metadata.labels", Value: "app=web"},
		},
		Fix: []finding.Fix{{Description: "put the label on the pods", Command: `kubectl -n default patch deployment frontend --type=merge -p '{"spec":{"template":{"metadata":{"labels":{"service":"nginx"}}}}}'`}},
	}}
	return r
}

// mixed has a row of every state.
func mixed() *report.Report {
	s := web()
	s.Verdict, s.Summary = report.Broken, "Service/web reaches 2 of 9 pods on port 80."
	s.Ports = append(s.Ports, report.ServicePort{Name: "dns", Port: 53, TargetPort: "53", Resolved: "53", NodePort: 30053, Protocol: "UDP", Ready: 1, Total: 1})
	states := []report.EndpointState{report.EndpointMissing, report.EndpointStale, report.EndpointForeign, report.EndpointManual, report.EndpointNoPort, report.EndpointUnseen}
	for i, state := range states {
		e := endpoint(fmt.Sprintf("web-6779b-%05d", i), fmt.Sprintf("10.244.1.%d", 20+i), "lab-n1", "zone-1")
		e.State, e.Ready, e.Serving = state, false, false
		if state == report.EndpointMissing {
			e.Address, e.Slice = "", ""
		}
		s.Endpoints = append(s.Endpoints, e)
	}
	s.Endpoints[1].Ready, s.Endpoints[1].Why = false, "readiness probe fails: HTTP 503"
	s.Endpoints[2].Ready, s.Endpoints[2].Terminating = false, true
	s.Endpoints[4].Pod, s.Endpoints[4].Why = nil, "the pod is gone"
	udp := endpoint("web-6779b-27n5s", "fd00::3", "lab-n1", "zone-1")
	udp.ServicePort, udp.Port, udp.Protocol, udp.Serving, udp.Observed = "dns", 53, "UDP", false, "refused"
	s.Endpoints = append(s.Endpoints, udp)
	s.Learn = []report.Lesson{
		{Term: "Service", Text: "A Service is one stable address in front of pods that come and go."},
		{Term: "selector", Text: "A pod belongs to a Service when it carries every pair of the selector."},
		{Term: "targetPort", Text: "The targetPort is the port of the container; a name is looked up in each pod."},
		{Term: "EndpointSlice", Text: "EndpointSlices are the lists of addresses that kube-proxy reads."},
		{Term: "NetworkPolicy", Text: "A NetworkPolicy says who may connect to a pod."},
	}
	r := envelope(report.Broken, s)
	r.Findings = []finding.Finding{
		{Code: "endpoints/slice-stale", Severity: finding.Error, Object: ref("EndpointSlice/web-x2k9p"), Message: "the slice lists a pod that is gone"},
		{Code: "endpoints/partial-ready", Severity: finding.Warning, Object: ref("Service/web"), Message: "2 of 9 are ready", CausedBy: &finding.Cause{Code: "endpoints/slice-stale", Object: ref("EndpointSlice/web-x2k9p")}},
		{Code: "endpoints/no-readiness-probe", Severity: finding.Info, Object: ref("Deployment/web"), Message: "ready as soon as the process starts"},
	}
	r.Gaps = []report.Gap{{Resource: "networkpolicies.networking.k8s.io", Namespace: "default", Reason: "forbidden"}}
	return r
}

func crowd() *report.Report {
	s := web()
	s.Endpoints = nil
	for i := range 60 {
		e := endpoint(fmt.Sprintf("web-6779b-%05d", i), fmt.Sprintf("10.244.1.%d", i), "lab-n1", "")
		if i%20 == 19 {
			e.Ready, e.Serving = false, false
		}
		s.Endpoints = append(s.Endpoints, e)
	}
	return envelope(report.OK, s)
}

func list() *report.Report {
	other := web()
	other.Object = ref("Service/api")
	other.Object.Namespace = "shop"
	unseen := &report.Service{Object: ref("Service/legacy"), Verdict: report.Unknown, Summary: "Service/legacy: the pods may not be seen.", Type: "ClusterIP"}
	r := envelope(report.Broken, partial().Services[0], unseen, mixed().Services[0], web(), other)
	r.Summary = ""
	r.Findings = append(partial().Findings, mixed().Findings...)
	return r
}

func hostile() *report.Report {
	evil := "web\x1b[2J\x1b]0;x\a\u202egnp\n✓ Service/fake\u200b\xff"
	r := mixed()
	s := r.Services[0]
	s.Summary, s.Type, s.Selector, s.Addresses, s.Age = evil, evil, evil, []string{evil}, evil
	s.Object.Name, s.Object.Namespace = evil, evil
	for i := range s.Ports {
		s.Ports[i].Name, s.Ports[i].TargetPort, s.Ports[i].Resolved, s.Ports[i].Protocol = evil, evil, evil, evil
	}
	for i := range s.Endpoints {
		e := &s.Endpoints[i]
		e.ServicePort, e.Address, e.PodIP, e.Node, e.Zone, e.Slice, e.Why, e.Observed, e.Protocol = evil, evil, evil, evil, evil, evil, evil, evil, evil
		e.Pod = &object.Ref{Kind: "Pod", Name: evil}
	}
	s.Learn = []report.Lesson{{Term: "selector", Text: evil}, {Term: evil, Text: evil}}
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Message, f.Object.Name, f.Code = evil, evil, evil
		f.Evidence = []finding.Evidence{{Object: f.Object, Field: evil, Value: evil}}
		f.Fix = []finding.Fix{{Description: evil, Command: evil}, {Description: evil}}
	}
	r.Gaps = []report.Gap{{Resource: evil, Namespace: evil, Name: evil, Reason: evil}}
	return r
}

func TestGolden(t *testing.T) {
	wide := term.Style{Unicode: true, Width: 160}
	narrow := term.Style{Unicode: true, Width: 80}
	for name, c := range map[string]struct {
		report  *report.Report
		options Options
		style   term.Style
	}{
		"healthy-80":    {healthy(), Options{}, narrow},
		"healthy-piped": {healthy(), Options{}, term.Style{Unicode: true}},
		"partial-80":    {partial(), Options{}, narrow},
		"mixed-80":      {mixed(), Options{}, narrow},
		"mixed-160":     {mixed(), Options{}, wide},
		"mixed-color":   {mixed(), Options{NoHeaders: true}, term.Style{Unicode: true, Color: true, Width: 120}},
		"mixed-ascii":   {mixed(), Options{}, term.Style{Width: 160}},
		"crowd-80":      {crowd(), Options{}, narrow},
		"list-80":       {list(), Options{}, narrow},
		"list-160":      {list(), Options{}, wide},
		"list-wide":     {list(), Options{Wide: true}, term.Style{Unicode: true}},
		"list-ascii":    {list(), Options{NoHeaders: true}, term.Style{Width: 120}},
		"all-well":      {envelope(report.OK, web(), web()), Options{}, narrow},
		"nothing":       {&report.Report{Verdict: report.OK, Summary: "There is no Service in namespace default."}, Options{}, narrow},
		"hostile-160":   {hostile(), Options{}, wide},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := c.options.Render(&b, c.report, c.style); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestHostileTextReachesNoTerminal(t *testing.T) {
	several := hostile()
	several.Services = append(several.Services, web(), hostile().Services[0])
	for _, style := range []term.Style{{}, {Unicode: true}, {Unicode: true, Width: 80}, {Unicode: true, Width: 7}} {
		for _, r := range []*report.Report{hostile(), several} {
			var b bytes.Buffer
			if err := (Options{Wide: true}).Render(&b, r, style); err != nil {
				t.Fatal(err)
			}
			for _, r := range b.String() {
				if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar) {
					t.Errorf("%+v lets %U through", style, r)
				}
			}
		}
	}
}

func TestNoRowIsWiderThanTheScreen(t *testing.T) {
	for width := 1; width < 160; width++ {
		style := term.Style{Unicode: true, Width: width}
		var b bytes.Buffer
		if err := (Options{}).endpointTable(mixed().Services[0], style).Write(&b, style); err != nil {
			t.Fatal(err)
		}
		if err := (Options{}).serviceTable(list(), true, style).Write(&b, style); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(b.String(), "\n") {
			if got := term.Width(line); got > width {
				t.Errorf("%d wide on a screen of %d: %q", got, width, line)
			}
		}
	}
}
