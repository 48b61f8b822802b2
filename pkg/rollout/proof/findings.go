package proof

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// Broken is the code of lost service.
const Broken = "rollout/availability-broken"

// The other codes.
const (
	codeGaps        = "rollout/availability-gaps"
	codeNotProvable = "rollout/not-provable"
	codeProbe       = "rollout/probe-failed"
)

// Findings are what proofs say about a rollout, in the order of the proofs.
func Findings(w *workload.Workload, proofs []report.Proof) []finding.Finding {
	var all []finding.Finding
	for _, p := range proofs {
		switch p.Verdict {
		case report.BrokenProof:
			all = append(all, broken(w, p))
		case report.HeldWithGaps:
			all = append(all, gaps(w, p))
		case report.NotProvable:
			all = append(all, notProvable(w, p))
		}
	}
	return all
}

func broken(w *workload.Workload, p report.Proof) finding.Finding {
	f := finding.Finding{
		Code: Broken, Severity: finding.Error, Object: w.Ref,
		Message:  "Service " + title(p) + " was not available all the time: " + p.Summary + ".",
		Evidence: []finding.Evidence{{Object: p.Service, Field: conditions, Value: lowest(p)}},
		Fix:      mend(w, p),
	}
	if p.Why != "" {
		f.Message = fmt.Sprintf("Service %s was not available all the time: %s; %s.", title(p), p.Why, p.Summary)
		return f
	}
	f.Evidence = append(f.Evidence, promises(w)...)
	return f
}

// conditions is where it is written which endpoints serve.
const conditions = "EndpointSlices: endpoints[*].conditions"

// lowest is the fewest below the floor. What served before a floor was raised
// does not count.
func lowest(p report.Proof) string {
	fewest, since := p.Min, p.MinAt
	if at := slices.IndexFunc(p.Broken, func(i report.Interval) bool { return i.Min == p.Min }); at < 0 && len(p.Broken) > 0 {
		worst := slices.MinFunc(p.Broken, func(a, b report.Interval) int { return a.Min - b.Min })
		fewest, since = worst.Min, &worst.From
	}
	at := ""
	if since != nil {
		at = " at " + Clock(*since)
	}
	return strconv.Itoa(fewest) + " serving and not terminating" + at
}

func title(p report.Proof) string {
	switch {
	case p.Port != "" && p.Family != "":
		return fmt.Sprintf("%s (port %s, %s)", p.Service.Name, p.Port, p.Family)
	case p.Port != "":
		return fmt.Sprintf("%s (port %s)", p.Service.Name, p.Port)
	case p.Family != "":
		return fmt.Sprintf("%s (%s)", p.Service.Name, p.Family)
	}
	return p.Service.Name
}

// promises is where the floor comes from.
func promises(w *workload.Workload) []finding.Evidence {
	field := "spec.updateStrategy"
	if w.Ref.Kind == "Deployment" {
		field = "spec.strategy"
	}
	value := w.Strategy.Type
	if value == string(appsv1.RollingUpdateDeploymentStrategyType) {
		value += ", maxUnavailable " + strconv.Itoa(w.Strategy.MaxUnavailable) + " of " + strconv.Itoa(w.Replicas)
	}
	return []finding.Evidence{{Object: w.Ref, Field: field, Value: value}}
}

// mend says how the next rollout keeps what this one lost: by its strategy
// where that promises nothing, and else by pods that stay ready.
func mend(w *workload.Workload, p report.Proof) []finding.Fix {
	ns := w.Ref.Namespace
	patch := func(description, document string) []finding.Fix {
		return []finding.Fix{{Description: description, Command: finding.Kubectl(ns, "patch", w.Ref.Arg(), "--type=merge", "-p", document)}}
	}
	if p.Why != "" {
		return []finding.Fix{{
			Description: "make it anew, or set its selector back; who changed it stands in the audit log of the API server. These are the labels of the pods",
			Command:     finding.Kubectl(ns, "get", "pods", "-l", w.Selector.String(), "--show-labels"),
		}}
	}
	switch promisesNothing := w.Floor() == 0; {
	case promisesNothing && w.Ref.Kind == "Deployment":
		return patch("start a new pod before an old one ends; this needs pods that can run side by side, also with their volumes",
			`{"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}}}`)
	case promisesNothing && w.Ref.Kind == "DaemonSet" && !w.OnDelete():
		return patch("start a node's new pod before its old one ends; this needs pods without host ports",
			`{"spec":{"updateStrategy":{"rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}}}`)
	case promisesNothing && w.Ref.Kind == "StatefulSet" && w.Replicas == 1:
		return []finding.Fix{{Description: "run a second pod, if the program can share its work", Command: finding.Kubectl(ns, "scale", w.Ref.Arg(), "--replicas=2")}}
	case promisesNothing && w.Ref.Kind == "StatefulSet" && !w.OnDelete():
		return patch("replace one pod at a time", `{"spec":{"updateStrategy":{"rollingUpdate":{"maxUnavailable":1}}}}`)
	}
	return []finding.Fix{{
		Description: "more pods left service than the strategy takes away: see which ones stopped being ready, and why",
		Command:     finding.Kubectl(ns, "get", "events", "--field-selector=involvedObject.kind=Pod", "--sort-by=.metadata.creationTimestamp"),
	}, {
		Description: "see what serves now",
		Command:     finding.Kubectl(ns, "get", "endpointslices", "-l", "kubernetes.io/service-name="+p.Service.Name, "-o", "yaml"),
	}}
}

func gaps(w *workload.Workload, p report.Proof) finding.Finding {
	f := finding.Finding{
		Code: codeGaps, Severity: finding.Warning, Object: w.Ref,
		Message: fmt.Sprintf("Service %s never fell below its floor while it was watched, but for %s nobody watched: %s.", title(p), Seconds(p.Gaps), p.Summary),
		Fix: []finding.Fix{{
			Description: "what was lost in that time stands in the clients' own records; watch the next rollout from nearer to the API server, or send requests meanwhile (--probe)",
		}},
	}
	for _, i := range p.Unseen {
		value := "from " + Clock(i.From) + ", still"
		if i.To != nil {
			value = "from " + Clock(i.From) + " for " + Seconds(i.To.Sub(i.From).Seconds())
		}
		f.Evidence = append(f.Evidence, finding.Evidence{Object: p.Service, Field: "EndpointSlices: not watched", Value: value})
		if len(f.Evidence) == 10 {
			break
		}
	}
	return f
}

func notProvable(w *workload.Workload, p report.Proof) finding.Finding {
	subject, object := "The availability of "+w.Ref.Arg(), w.Ref
	if p.Service.Name != "" {
		subject, object = "The availability of Service "+title(p), p.Service
	}
	return finding.Finding{
		Code: codeNotProvable, Severity: finding.Info, Object: w.Ref,
		Message:  subject + " cannot be proven: " + p.Why + ".",
		Evidence: []finding.Evidence{{Object: object, Field: conditions, Value: "not enough to count by"}},
		Fix:      []finding.Fix{{Description: "send requests while the rollout goes on (--probe-url, or --probe svc/NAME:PORT/PATH): they show what clients get"}},
	}
}

// ProbeFindings are what live requests say about a rollout.
func ProbeFindings(w *workload.Workload, probes []report.LiveProbe) []finding.Finding {
	var all []finding.Finding
	for _, p := range probes {
		if p.Failed == 0 {
			continue
		}
		f := finding.Finding{
			Code: codeProbe, Severity: finding.Error, Object: w.Ref,
			Message: fmt.Sprintf("%d of %d live requests to %s failed%s; the last one: %s.", p.Failed, p.Sent, p.Target, between(p.First, p.Last), p.Words),
			Fix: []finding.Fix{{
				Description: "let pods go on answering for a while after they are told to end (lifecycle.preStop: sleep), and be ready only when they can answer; then see what the pods logged at that time",
				Command:     finding.Kubectl(w.Ref.Namespace, "logs", w.Ref.Arg(), "--all-pods", "--prefix", "--timestamps", "--since=10m"),
			}},
		}
		for _, e := range []struct {
			field string
			at    *time.Time
		}{{"first failure", p.First}, {"last failure", p.Last}} {
			if e.at != nil {
				f.Evidence = append(f.Evidence, finding.Evidence{Object: w.Ref, Field: "live requests: " + e.field, Value: Clock(*e.at)})
			}
		}
		all = append(all, f)
	}
	return all
}

func between(first, last *time.Time) string {
	switch {
	case first == nil || last == nil:
		return ""
	case first.Equal(*last):
		return ", at " + Clock(*first)
	}
	return ", between " + Clock(*first) + " and " + Clock(*last)
}
