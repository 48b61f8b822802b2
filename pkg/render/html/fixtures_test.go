package html

import (
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func at(seconds float64) *time.Time {
	t := noon.Add(time.Duration(seconds * float64(time.Second)))
	return &t
}

func ref(kind, name string) object.Ref {
	r := object.Ref{Version: "v1", Kind: kind, Namespace: "shop", Name: name}
	switch kind {
	case "Deployment", "ReplicaSet":
		r.Group = "apps"
	}
	return r
}

func node(kind, name string, health report.Health, children ...*report.Node) *report.Node {
	r := ref(kind, name)
	return &report.Node{Object: r, Title: r.String(), Health: health, Children: children}
}

func with(n *report.Node, change func(*report.Node)) *report.Node {
	change(n)
	return n
}

func crash() finding.Finding {
	pod := ref("Pod", "web-7f9c-x2x9h")
	return finding.Finding{
		Code: "tree/crash-app", Severity: finding.Error, Object: pod, Message: `container "app" exits with code 1 again and again`,
		Evidence: []finding.Evidence{
			{Object: pod, Field: "status.containerStatuses[0].restartCount", Value: "2"},
			{Object: ref("Deployment", "web"), Field: "spec.template.spec.containers[0].image", Value: "netapp:v2"},
		},
		Fix: []finding.Fix{{Description: "read why it ends", Command: "kubectl -n shop logs web-7f9c-x2x9h -c app --previous"}, {Description: "ask its author"}},
	}
}

// shop is a tree with an edge to what is shown above, a guess and a lesson.
func shop() *report.Report {
	pod := with(node("Pod", "web-7f9c-x2x9h", report.Failing), func(n *report.Node) {
		n.Relation, n.Ready, n.Status, n.Codes, n.Why, n.Wide, n.Age = "owner", "0/1", "CrashLoopBackOff", []string{"tree/crash-app"}, "node-1", "10.1.1.9 on node-1", "2m"
	})
	pod.Children = []*report.Node{{Object: pod.Object, Title: "container app", Relation: "container", Health: report.Failing, Status: "exit 1", Why: "netapp:v2"}}
	config := with(node("ConfigMap", "settings", report.NoHealth), func(n *report.Node) { n.Relation, n.Why = "pod-configmap", "read by container app" })
	above := with(node("ConfigMap", "settings", report.NoHealth), func(n *report.Node) { n.Relation, n.Above = "pod-configmap", true })
	secret := with(node("Secret", "db", report.Unseen), func(n *report.Node) { n.Relation, n.Guessed, n.Status = "guess", true, "forbidden" })
	deployment := with(node("Deployment", "web", report.Warned, pod, config, secret), func(n *report.Node) {
		n.Asked, n.Ready, n.Status, n.Relation, n.Learn = true, "0/1", "0 of 1 available", "service-pod", "A Deployment manages ReplicaSets."
	})
	job := with(node("CronJob", "nightly", report.Healthy, above), func(n *report.Node) { n.Status = "ran 2h ago" })
	return &report.Report{
		APIVersion: report.APIVersion, Kind: "ExplainTree", Target: "shop/Deployment/web", Verdict: report.Broken,
		Summary:  "Deployment/web does not run: its program ends again and again.",
		Findings: []finding.Finding{crash(), {Code: "tree/no-limits", Severity: finding.Info, Object: ref("Deployment", "web"), Message: "container app has no memory limit"}},
		Gaps:     []report.Gap{{Resource: "secrets", Namespace: "shop", Reason: "forbidden"}},
		Budget:   report.Budget{Requests: 14, Seconds: 0.12},
		Tree:     []*report.Node{with(node("Service", "web", report.Warned, deployment), func(n *report.Node) { n.Status = "0 of 1 ready" }), job},
	}
}

func endpoint(pod, ip string, state report.EndpointState, ready bool, why string) report.Endpoint {
	o := ref("Pod", pod)
	e := report.Endpoint{ServicePort: "http", Address: ip, Port: 8080, Protocol: "TCP", Pod: &o, PodIP: ip, Ready: ready, Serving: ready, Node: "node-1", Zone: "a", Slice: "web-x", State: state, Why: why}
	if state == report.EndpointMissing {
		e.Address = ""
	}
	return e
}

func service(name string, verdict report.Verdict) *report.Service {
	return &report.Service{
		Object: ref("Service", name), Verdict: verdict, Summary: "Service/" + name + ": 1 of 3 pods can serve.", Type: "ClusterIP", Addresses: []string{"10.96.0.7"}, Selector: "app=web", Age: "3d",
		Ports: []report.ServicePort{{Name: "http", Port: 80, TargetPort: "web", Resolved: "8080", NodePort: 30080, Protocol: "TCP", Ready: 1, Total: 3}, {Port: 53, TargetPort: "53", Protocol: "UDP", Ready: 3, Total: 3}},
		Endpoints: []report.Endpoint{
			endpoint("web-1", "10.1.1.5", report.EndpointMatched, true, ""),
			endpoint("web-2", "10.1.1.6", report.EndpointMissing, true, "the slice controller does not run"),
			endpoint("web-3", "10.1.1.7", report.EndpointMatched, false, "readiness probe fails: 503"),
		},
		Learn: []report.Lesson{{Term: "EndpointSlice", Text: "A slice lists the addresses behind a Service."}},
	}
}

func services() *report.Report {
	r := &report.Report{
		APIVersion: report.APIVersion, Kind: "CheckEndpoints", Target: "services", Verdict: report.Broken, Budget: report.Budget{Snapshot: true},
		Findings: []finding.Finding{{Code: "endpoints/partial-ready", Severity: finding.Warning, Object: ref("Service", "web"), Message: "1 of 3 endpoints is ready", Fix: []finding.Fix{{Description: "look at the probe", Command: "kubectl -n shop describe pod web-3"}}}},
		Services: []*report.Service{service("web", report.Broken), service("cart", report.OK)},
	}
	r.Services[1].Endpoints = nil
	return r
}

func lookup() *report.Report {
	client, redis, config := ref("Pod", "backend-1"), ref("Service", "redis"), object.New("v1", "ConfigMap", "kube-system", "coredns")
	ladder := []report.Rung{
		{N: 1, Name: "redis.shop.svc.cluster.local.", From: "search shop.svc.cluster.local", Types: []string{"A"}, State: report.RungPassed, Answers: []report.RungAnswer{{Type: "A", Rcode: "NXDOMAIN", Claim: report.Observed, Expected: "expected 10.97.34.93"}}, By: "kubernetes", Line: 6, Object: &redis, Field: "spec.clusterIP", Agreement: "1 of 2 replicas"},
		{N: 2, Name: "redis.", From: "as is", Types: []string{"A", "AAAA"}, State: report.RungStops, Answers: []report.RungAnswer{{Type: "A", Rcode: "NXDOMAIN", Claim: report.Computed}}, By: "forward", Line: 9, Why: "nothing is left to ask"},
		{N: 3, Name: "redis.example.org.", Types: []string{"A"}, State: report.RungSkipped},
	}
	return &report.Report{
		APIVersion: report.APIVersion, Kind: "TraceDNS", Target: "redis", Verdict: report.Broken, Summary: "redis is not found: one replica runs an old Corefile.",
		Findings: []finding.Finding{{Code: "dns/stale-config", Severity: finding.Error, Object: config, Message: "1 of 2 replicas runs an old Corefile"}},
		Trace: &report.Trace{
			Client: &client, Node: "node-1", Name: "redis", Domain: report.Known{Value: "cluster.local", Claim: report.Observed, Why: "suffix of the search list"}, Libc: report.Known{Value: "musl", Claim: report.Unproven},
			ResolvConf: &report.ResolvConf{Nameservers: []string{"10.96.0.10"}, Search: []string{"shop.svc.cluster.local", "svc.cluster.local"}, Options: []string{"ndots:5"}, Claim: report.Observed, Differs: []string{"ndots:5, and the pod asks for 2"}},
			Path: []report.Hop{
				{Title: "Pod/backend-1", State: report.HopOK, Claim: report.Observed},
				{Title: "10.96.0.10", State: report.HopOK, Claim: report.Computed},
				{Title: "1 of 2 replicas", State: report.HopBroken, Claim: report.Observed, Why: "coredns-b runs an old Corefile"},
			},
			Ladder: ladder, Cost: "3 queries, 2 wasted", Notes: []string{"What the node caches is not seen."},
			Resolvers: []report.Resolver{{Libc: "musl", Ladder: ladder, Outcome: "not found", Queries: 3}, {Libc: "glibc", Ladder: ladder[:1], Outcome: "not found", Queries: 2, Cost: "2 queries"}},
			Grid: &report.Grid{
				Columns: []report.GridColumn{{Name: "redis.shop.svc.cluster.local.", Type: "A", Expected: "10.97.34.93"}},
				Rows: []report.GridRow{
					{Replica: ref("Pod", "coredns-a"), Node: "node-1", Ready: report.HopOK, Version: "1.15.0", ConfigHash: "0123456789ab", Cells: []report.Cell{{Text: "10.97.34.93"}}},
					{Replica: ref("Pod", "coredns-b"), Node: "node-2", Ready: report.HopOK, Version: "1.15.0", ConfigHash: "ba9876543210", Stale: true, Cells: []report.Cell{{Text: "NXDOMAIN", Deviant: true}}, Error: "it was asked twice"},
				},
			},
			Corefile: &report.Excerpt{Object: config, Key: "Corefile", Lines: []report.ExcerptLine{{N: 1, Text: ".:53 {"}, {N: 6, Text: "\tkubernetes cluster.local", Arrow: true}, {N: 9, Text: "}"}}},
		},
	}
}

// roll is a rollout that fell below its floor and could not be seen for a while.
func roll() *report.Report {
	proof := report.Proof{
		Service: ref("Service", "web"), Verdict: report.BrokenProof, Floor: 8, Now: 10, Min: 5, Max: 12, MinAt: at(15), Below: 4, Area: 10, Gaps: 3,
		Broken: []report.Interval{{From: *at(14), To: at(18), Min: 5}}, Unseen: []report.Interval{{From: *at(26), To: at(29)}}, Limits: []string{"connections that are kept open"},
	}
	for _, c := range [][3]int{{0, 10, 0}, {4, 10, 2}, {9, 8, 2}, {12, 8, 3}, {14, 4, 3}, {15, 2, 3}, {18, 2, 6}, {21, 2, 9}, {24, 1, 10}, {30, 0, 10}} {
		proof.Curve = append(proof.Curve, report.CurvePoint{At: *at(float64(c[0])), Old: c[1], New: c[2]})
	}
	failing := ref("Pod", "web-7f9c-x2x9h")
	ro := &report.Rollout{
		Object: ref("Deployment", "web"), Phase: report.PhaseFailed, Verdict: report.Broken, Summary: "Deployment/web cannot finish rolling out revision 5: a pod crashes.",
		Strategy: "RollingUpdate, at most 2 more, 2 fewer", Started: at(0), Elapsed: 34,
		From: &report.Revision{Number: 4, Name: "web-5d8", Images: []string{"netapp:v1"}}, To: &report.Revision{Number: 5, Name: "web-7f9c", Images: []string{"netapp:v2"}, Changes: []string{"image netapp:v1 → v2"}},
		Counts: report.Counts{Desired: 10, Updated: 10, Ready: 9, Available: 8, Failing: 1, Old: 1, OldReady: 1, OldTerminating: 1, Floor: 8},
		Pods:   []report.RolloutPod{{Object: failing, New: true, State: report.PodFailing, Problem: "rollout/crash-app", Restarts: 2, Node: "node-1"}, {Object: ref("Pod", "web-5d8-a"), State: report.PodAvailable, Node: "node-2"}},
		Proof:  []report.Proof{proof, {Service: ref("Service", "metrics"), Port: "http", Family: "IPv6", Verdict: report.NotProvable, Why: "endpointslices may not be listed"}},
		Probes: []report.LiveProbe{{Target: "svc/web:80/healthz", Sent: 340, Failed: 12, P50: 3, P99: 12, Max: 40.2, First: at(14.2), Last: at(17.6), Words: "connection refused"}},
		Events: []report.Happened{
			{At: *at(2), Object: ref("ReplicaSet", "web-7f9c"), Type: "Normal", Reason: "SuccessfulCreate", Message: "Created pod: web-7f9c-x2x9h", Times: 9, Objects: 1},
			{At: *at(19), Object: failing, Type: "Warning", Reason: "BackOff", Message: "Back-off restarting failed container app", Times: 3, Objects: 2},
		},
		Logs: []report.LogTail{{Pod: failing, Container: "app", Previous: true, Lines: []string{"listening on :8080", "panic: cannot reach database"}}},
		Back: &report.WayBack{To: &report.Revision{Number: 4, Images: []string{"netapp:v1"}}, Why: "it was fully available when this rollout began", Diff: []string{"  containers:", "- image: netapp:v2", "+ image: netapp:v1"}, Command: "kubectl -n shop rollout undo deployment/web --to-revision=4", Needs: "patch deployments.apps"},
	}
	f := crash()
	f.Code = "rollout/crash-app"
	return &report.Report{
		APIVersion: report.APIVersion, Kind: "GuardRollout", Target: "deployment/web", Verdict: report.Broken, Summary: ro.Summary,
		Findings: []finding.Finding{f}, Rollouts: []*report.Rollout{ro}, Budget: report.Budget{Requests: 9, Seconds: 34},
	}
}

// evil is text that would like to be something else.
const evil = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\" onmouseover='x' javascript:alert(1) `${x}` {{.}} \u202eevil\u2028\u2029\u200b\x00\x1b[2J\xff]]>--><!--"

// tamper puts evil wherever a report has text.
func tamper(r *report.Report) *report.Report {
	bad := object.Ref{Group: evil, Version: evil, Kind: evil, Namespace: evil, Name: evil}
	r.Target, r.Summary, r.Kind = evil, evil, evil
	r.Findings = []finding.Finding{
		{Code: evil, Severity: finding.Error, Object: bad, Message: evil, Evidence: []finding.Evidence{{Object: bad, Field: evil, Value: evil}}, Fix: []finding.Fix{{Description: evil, Command: evil}}},
		{Code: evil, Severity: evil, Object: bad, Message: evil, CausedBy: &finding.Cause{Code: evil, Object: bad}},
	}
	r.Gaps = []report.Gap{{Resource: evil, Namespace: evil, Name: evil, Reason: evil, Detail: evil}}
	report.Walk(r.Tree, func(n *report.Node, _ int) {
		*n = report.Node{Object: bad, Title: bad.String(), Relation: evil, Why: evil, Ready: evil, Health: evil, Status: evil, Age: evil, Learn: evil, Codes: []string{evil}, Wide: evil, Asked: n.Asked, Guessed: n.Guessed, Children: n.Children}
	})
	for _, s := range r.Services {
		*s = report.Service{Object: bad, Verdict: evil, Summary: evil, Type: evil, Addresses: []string{evil}, Selector: evil, Age: evil, Learn: []report.Lesson{{Term: evil, Text: evil}},
			Ports:     []report.ServicePort{{Name: evil, TargetPort: evil, Resolved: evil + ".", Protocol: evil, Ready: -5, Total: -1}},
			Endpoints: []report.Endpoint{{ServicePort: evil, Address: evil, Pod: &bad, PodIP: evil, Node: evil, Zone: evil, Slice: evil, State: evil, Why: evil, Observed: evil}}}
	}
	if t := r.Trace; t != nil {
		rung := report.Rung{Name: evil, From: evil, Types: []string{evil}, State: evil, By: evil, Line: 1, Object: &bad, Field: evil, Agreement: evil, Why: evil, Server: evil, Answers: []report.RungAnswer{{Type: evil, Rcode: evil, Records: []string{evil}, Claim: evil, Expected: evil}}}
		known := report.Known{Value: evil, Claim: evil, Why: evil}
		r.Trace = &report.Trace{Client: &bad, Node: evil, Name: evil, ASCII: evil, Domain: known, Libc: known, Cost: evil, Notes: []string{evil}, Learn: []report.Lesson{{Term: evil, Text: evil}},
			ResolvConf: &report.ResolvConf{Nameservers: []string{evil}, Search: []string{evil}, Options: []string{evil}, Claim: evil, Why: evil, Differs: []string{evil}},
			Path:       []report.Hop{{Title: evil, State: evil, Claim: evil, Why: evil}}, Ladder: []report.Rung{rung},
			Resolvers: []report.Resolver{{Libc: evil, Ladder: []report.Rung{rung}, Outcome: evil, Cost: evil}, {Libc: evil}},
			Grid:      &report.Grid{Columns: []report.GridColumn{{Name: evil, Type: evil, Expected: evil}}, Rows: []report.GridRow{{Replica: bad, Node: evil, Version: evil, ConfigHash: evil, Stale: true, Error: evil, Cells: []report.Cell{{Text: evil, Deviant: true}}}}},
			Corefile:  &report.Excerpt{Object: bad, Key: evil, Lines: []report.ExcerptLine{{N: 1, Text: evil, Arrow: true}}},
		}
	}
	for _, ro := range r.Rollouts {
		revision := &report.Revision{Name: evil, Hash: evil, Images: []string{evil}, Changes: []string{evil}}
		*ro = report.Rollout{Object: bad, Phase: evil, Verdict: evil, Summary: evil, Strategy: evil, Elapsed: -1e300, From: revision, To: revision, Waiting: evil, Counts: report.Counts{Desired: -1, Updated: 3, Available: -9},
			Pods: []report.RolloutPod{{Object: bad, State: evil, Waiting: evil, Node: evil}},
			Proof: []report.Proof{{Service: bad, Port: evil, Family: evil, Verdict: evil, Why: evil, Floor: -3, Min: -7, MinAt: at(0), Limits: []string{evil},
				Curve: []report.CurvePoint{{At: *at(5), Old: -5}, {At: *at(0), New: 1 << 40}}, Broken: []report.Interval{{From: *at(9), To: at(-9)}}, Unseen: []report.Interval{{From: *at(1)}}}},
			Probes: []report.LiveProbe{{Target: evil, Failed: 1, First: at(1), Last: at(0), Words: evil}},
			Events: []report.Happened{{At: *at(1), Object: bad, Type: evil, Reason: evil, Message: evil}},
			Logs:   []report.LogTail{{Pod: bad, Container: evil, Lines: []string{evil, strings.Repeat("x", 500)}}},
			Back:   &report.WayBack{To: revision, Why: evil, Diff: []string{evil, "+" + evil}, Refused: evil, Command: evil, Done: evil, Needs: evil}, Learn: []report.Lesson{{Term: evil, Text: evil}}}
	}
	return r
}
