package rollout

import (
	"fmt"
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func after(seconds float64) time.Time {
	return noon.Add(time.Duration(seconds * float64(time.Second)))
}

func at(seconds float64) *time.Time { t := after(seconds); return &t }

func ref(kind, name string) object.Ref {
	r := object.Ref{Version: "v1", Kind: kind, Namespace: "shop", Name: name}
	switch kind {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet":
		r.Group = "apps"
	}
	return r
}

func pod(name string, state report.PodState, isNew bool, waits string) report.RolloutPod {
	return report.RolloutPod{Object: ref("Pod", name), New: isNew, State: state, Waiting: waits, Node: "node-" + name[len(name)-1:]}
}

func crash() finding.Finding {
	return finding.Finding{
		Code: "rollout/crash-app", Severity: finding.Error, Object: ref("Pod", "web-7f9c-x2x9h"),
		Message: `crash loop: exit 1, "panic: cannot reach database payments-db:5432" (2nd time, 12 s ago)`,
		Evidence: []finding.Evidence{
			{Object: ref("Pod", "web-7f9c-x2x9h"), Field: "status.containerStatuses[app].lastState.terminated.exitCode", Value: "1"},
			{Object: ref("Pod", "web-7f9c-x2x9h"), Field: "status.containerStatuses[app].restartCount", Value: "2"},
		},
		Fix: []finding.Fix{{Description: "read why it ends", Command: "kubectl -n shop logs web-7f9c-x2x9h -c app --previous"}},
	}
}

func proof(verdict report.ProofVerdict) report.Proof {
	pr := report.Proof{
		Service: ref("Service", "web"), Verdict: verdict, Summary: "served by 9 to 12, floor 8", Floor: 8, Now: 10, Min: 9, Max: 12,
		Limits: []string{"how long the nodes' rules lag behind", "connections that are kept open"},
	}
	for i := range 13 {
		c := report.CurvePoint{At: after(float64(i) * 3), Old: max(0, 10-i), New: min(10, i)}
		if i == 5 {
			c.Old--
		}
		if i > 5 && i < 9 {
			c.New += 2
		}
		pr.Curve = append(pr.Curve, c)
	}
	return pr
}

// rolling is the picture of the middle of a rollout.
func rolling() *report.Rollout {
	return &report.Rollout{
		Object: ref("Deployment", "web"), Phase: report.PhaseRolling, Verdict: report.Broken,
		Summary: "Deployment/web cannot finish: the new pods crash.", Strategy: "RollingUpdate, at most 2 more, 2 fewer", Elapsed: 41,
		From:   &report.Revision{Number: 4, Name: "web-5d8", Images: []string{"netapp:v1"}},
		To:     &report.Revision{Number: 5, Name: "web-7f9c", Images: []string{"netapp:v2"}, Changes: []string{"image netapp:v1 → v2"}},
		Counts: report.Counts{Desired: 10, Updated: 9, Ready: 7, Available: 7, Failing: 1, Old: 3, OldReady: 3, OldTerminating: 2, Floor: 8},
		Pods: []report.RolloutPod{
			{Object: ref("Pod", "web-7f9c-x2x9h"), New: true, State: report.PodFailing, Problem: "rollout/crash-app", Restarts: 2, Node: "node-a"},
			pod("web-7f9c-n5k2p", report.PodStarting, true, "readiness probe, 4 s of ~6 s"),
			pod("web-7f9c-aaaaa", report.PodAvailable, true, ""),
			pod("web-5d8-bbbbb", report.PodAvailable, false, ""),
		},
		Proof: []report.Proof{proof(report.Held)},
		Logs: []report.LogTail{{Pod: ref("Pod", "web-7f9c-x2x9h"), Container: "app", Previous: true, Lines: []string{
			"listening on :8080", "connecting to payments-db:5432", "retry 1", "retry 2", "panic: cannot reach database payments-db:5432", "exit status 1"}}},
		Events: []report.Happened{
			{At: after(10), Object: ref("ReplicaSet", "web-7f9c"), Type: "Normal", Reason: "SuccessfulCreate", Message: "Created pod: web-7f9c-x2x9h", Times: 9, Objects: 1},
			{At: after(30), Object: ref("Pod", "web-7f9c-x2x9h"), Type: "Warning", Reason: "BackOff", Message: "Back-off restarting failed container app", Times: 3, Objects: 2},
		},
		Back: &report.WayBack{
			To: &report.Revision{Number: 4, Images: []string{"netapp:v1"}}, Why: "it was fully available when this rollout began",
			Diff: []string{"  containers:", "- image: netapp:v2", "+ image: netapp:v1"}, Command: "kubectl -n shop rollout undo deployment/web --to-revision=4", Needs: "patch deployments.apps in shop",
		},
		Codes: []string{"rollout/crash-app"},
		Learn: []report.Lesson{{Term: "revision", Text: "A revision is one version of the pod template; the Deployment keeps a ReplicaSet for each."}},
	}
}

func starting() *report.Rollout {
	ro := rolling()
	eta := 20.0
	ro.Verdict, ro.Summary, ro.Waiting, ro.ETA = report.Progressing, "Deployment/web rolls: 7 of 10 new pods are available.", "the readiness probe of web-7f9c-n5k2p", &eta
	ro.Counts.Failing, ro.Counts.Updated, ro.Pods, ro.Logs, ro.Codes = 0, 8, ro.Pods[1:], nil, nil
	ro.Probes = []report.LiveProbe{{Target: "svc/web:80/healthz", Sent: 410, P50: 3, P99: 12, Max: 40.2}}
	return ro
}

func failed() *report.Rollout {
	ro := rolling()
	ro.Phase = report.PhaseFailed
	return ro
}

func complete(name string) *report.Rollout {
	ro := starting()
	ro.Object.Name = name
	ro.Phase, ro.Verdict, ro.Waiting, ro.ETA = report.PhaseComplete, report.OK, "", nil
	ro.Summary = "Deployment/" + name + " is rolled out: 10 of 10 pods are available, and nobody lost service."
	ro.Counts = report.Counts{Desired: 10, Updated: 10, Ready: 10, Available: 10, Floor: 8}
	ro.Pods, ro.Elapsed, ro.Probes[0].Sent = nil, 62, 620
	return ro
}

func broken() *report.Rollout {
	ro := complete("web")
	pr := &ro.Proof[0]
	ro.Verdict, ro.Summary = report.Broken, "Deployment/web is rolled out, but Service/web fell below its floor."
	pr.Verdict, pr.Min, pr.MinAt, pr.Below, pr.Area, pr.Gaps = report.BrokenProof, 2, at(16.5), 3.2, 19, 4
	pr.Curve[5].New = 2
	pr.Curve[5].Old = 0
	pr.Unseen = []report.Interval{{From: after(28), To: at(32)}}
	ro.Probes[0].Failed, ro.Probes[0].First, ro.Probes[0].Last, ro.Probes[0].Words, ro.Probes[0].Unasked = 3, at(16), at(18), "connection refused", 2
	ro.Proof = append(ro.Proof, report.Proof{Service: ref("Service", "metrics"), Port: "http", Family: "IPv6", Verdict: report.NotProvable, Why: "endpointslices may not be listed"})
	return ro
}

func envelope(verdict report.Verdict, ros ...*report.Rollout) *report.Report {
	r := &report.Report{
		APIVersion: report.APIVersion, Kind: "GuardRollout", Target: "deployment/web", Verdict: verdict,
		Rollouts: ros, Budget: report.Budget{Requests: 9, Seconds: 41.3},
	}
	if len(ros) == 1 {
		r.Summary = ros[0].Summary
	}
	return r
}

func failing(ro *report.Rollout) *report.Report {
	r := envelope(report.Broken, ro)
	warns := finding.Finding{Code: "preflight/no-readiness-probe", Severity: finding.Warning, Object: ref("Deployment", "web"), Message: "container sidecar has no readiness probe: it counts as ready as soon as it runs"}
	r.Findings = []finding.Finding{crash(), warns}
	return r
}

func preflight(findings ...finding.Finding) *report.Report {
	ro := rolling()
	ro.Phase, ro.Verdict, ro.Logs, ro.Events, ro.Pods, ro.Proof, ro.Counts.Failing = report.PhaseBefore, report.OK, nil, nil, nil, nil, 0
	ro.To.Changes = append(ro.To.Changes, "env LOG_LEVEL of container app: info → debug")
	ro.Summary = "Deployment/web is safe to roll."
	if len(findings) > 0 {
		ro.Summary = "Deployment/web can roll, with 1 warning."
	}
	r := envelope(report.OK, ro)
	r.Findings = findings
	return r
}

// named gives a rollout objects of its own.
func named(ro *report.Rollout, name string) *report.Rollout {
	rename := func(text string) string { return strings.ReplaceAll(text, "web", name) }
	ro.Object.Name, ro.Waiting = rename(ro.Object.Name), rename(ro.Waiting)
	ro.From.Name, ro.To.Name = rename(ro.From.Name), rename(ro.To.Name)
	for i := range ro.Pods {
		ro.Pods[i].Object.Name = rename(ro.Pods[i].Object.Name)
	}
	for i := range ro.Logs {
		ro.Logs[i].Pod.Name = rename(ro.Logs[i].Pod.Name)
	}
	for i := range ro.Proof {
		ro.Proof[i].Service.Name = rename(ro.Proof[i].Service.Name)
	}
	return ro
}

// fleet is 50 rollouts: two fail, some roll, most are done.
func fleet() *report.Report {
	r := envelope(report.Broken)
	for i := range 50 {
		ro := complete(fmt.Sprintf("service-%02d", i))
		switch {
		case i == 17 || i == 31:
			ro = named(rolling(), ro.Object.Name)
			f := crash()
			f.Object, f.Evidence = ro.Pods[0].Object, nil
			f.Fix[0].Command = "kubectl -n shop logs " + f.Object.Name + " -c app --previous"
			r.Findings = append(r.Findings, f)
		case i%5 == 0:
			ro = named(starting(), ro.Object.Name)
		}
		r.Rollouts = append(r.Rollouts, ro)
	}
	return r
}

func few() *report.Report {
	paused := named(starting(), "db")
	paused.Object.Kind = "StatefulSet"
	paused.Phase, paused.Proof, paused.Waiting, paused.Probes = report.PhasePaused, nil, "somebody to resume it", nil
	r := failing(rolling())
	r.Rollouts = append(r.Rollouts, paused, complete("cart"))
	r.Summary = ""
	r.Findings = r.Findings[:1]
	return r
}

const evil = "a\x1b[2J\u202e\u0000\xff\n::error::b%0A]]>\u009b31m"

func hostile() *report.Report {
	ro := rolling()
	ro.Object.Name, ro.Object.Namespace, ro.Object.Kind = evil, evil, evil
	ro.Summary, ro.Strategy, ro.Waiting = evil, evil, evil
	ro.To.Changes, ro.To.Images, ro.To.Name = []string{evil}, []string{evil}, evil
	ro.Back = &report.WayBack{To: ro.To, Why: evil, Diff: []string{evil, "+" + evil, strings.Repeat("x", 500)}, Refused: evil, Command: evil, Done: evil, Needs: evil}
	for i := range ro.Pods {
		ro.Pods[i] = report.RolloutPod{Object: object.Ref{Kind: evil, Name: evil}, New: i < 2, State: report.PodState([]report.PodState{report.PodFailing, evil, report.PodStarting, report.PodStarting}[i]), Waiting: evil, Problem: evil, Node: evil}
	}
	ro.Proof = []report.Proof{{Service: ro.Object, Port: evil, Family: evil, Verdict: evil, Why: evil, Limits: []string{evil}, Floor: -1, Min: -7, Max: -3,
		Curve: []report.CurvePoint{{At: noon, Old: -5}, {At: noon, New: -3}}}}
	ro.Probes = []report.LiveProbe{{Target: evil, Sent: 1, Failed: 1, Words: evil}}
	ro.Logs = []report.LogTail{{Pod: ro.Object, Container: evil, Lines: []string{evil, strings.Repeat("名", 300)}}}
	ro.Events = []report.Happened{{Object: ro.Object, Type: evil, Reason: evil, Message: evil, Times: 2, Objects: 2}}
	ro.Learn = []report.Lesson{{Term: evil, Text: evil}}
	ro.Codes = nil
	r := envelope(report.Broken, ro)
	r.Findings = []finding.Finding{{Code: evil, Severity: finding.Error, Object: ro.Object, Message: evil, Evidence: []finding.Evidence{{Object: ro.Object, Field: evil, Value: evil}}, Fix: []finding.Fix{{Description: evil, Command: evil}}}}
	r.Gaps = []report.Gap{{Resource: evil, Reason: evil}}
	return r
}
