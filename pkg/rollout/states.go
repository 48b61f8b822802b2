package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var (
	kindPod                = schema.GroupKind{Kind: "Pod"}
	kindEvent              = schema.GroupKind{Kind: "Event"}
	kindReplicaSet         = schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}
	kindControllerRevision = schema.GroupKind{Group: "apps", Kind: "ControllerRevision"}
	kindSlice              = schema.GroupKind{Group: "discovery.k8s.io", Kind: "EndpointSlice"}
)

func distinct(queries []source.Query) []source.Query {
	slices.SortFunc(queries, source.Query.Compare)
	return slices.Compact(queries)
}

// own are the findings that only the fold over time can tell.
func (t *target) own(v *index.View, wl *workload.Workload) []finding.Finding {
	var found []finding.Finding
	say := func(code string, severity finding.Severity, message string, evidence []finding.Evidence, fix ...finding.Fix) {
		found = append(found, finding.Finding{Code: code, Severity: severity, Object: t.ref, Message: message, Evidence: evidence, Fix: fix})
	}
	fact := func(field, value string) finding.Evidence {
		return finding.Evidence{Object: t.ref, Field: field, Value: value}
	}
	switch t.phase {
	case report.PhaseDeleted:
		if wl == nil {
			say("rollout/deleted", finding.Error, "it was deleted while it was watched", []finding.Evidence{fact("metadata.uid", string(t.uid))},
				finding.Fix{Description: "if that was not meant, apply its manifest again; who deleted it stands in the audit log of the API server"})
			break
		}
		say("rollout/recreated", finding.Error, "it was deleted and created anew while it was watched: what was rolling out is gone",
			[]finding.Evidence{fact("metadata.uid", fmt.Sprintf("%s, was %s", wl.Object.GetUID(), t.uid))},
			finding.Fix{Description: "watch the new one", Command: guard(t.ref)})
	case report.PhaseSuperseded:
		say("rollout/superseded", finding.Error, "another template took the place of the one that was rolling out"+byWhom(wl, t.turned),
			[]finding.Evidence{fact("metadata.generation", fmt.Sprint(wl.Generation))},
			finding.Fix{Description: "watch the newer rollout", Command: guard(t.ref)},
			finding.Fix{Description: "see the revisions", Command: finding.Kubectl(t.ref.Namespace, "rollout", "history", t.ref.Arg())})
	}
	if t.scaled != nil {
		say("rollout/scaled-midway", finding.Info, fmt.Sprintf("it was scaled from %d to %d while it was rolling out; the floor moved with it", t.scaled.from, t.scaled.to),
			[]finding.Evidence{fact("spec.replicas", fmt.Sprint(t.scaled.to))})
	}
	stays := wl != nil && slices.ContainsFunc(wl.Pods, func(p workload.Pod) bool { return !p.New && p.Live() }) // OnDelete, a partition
	if t.nothing && t.phase.Final() && !stays {
		say("rollout/nothing-to-roll", finding.Info, "the newest template is what its pods already run",
			[]finding.Evidence{fact("status.observedGeneration", fmt.Sprint(wl.Observed))})
	}
	return found
}

// byWhom is the manager that last wrote the spec, if it wrote when the newest
// spec came in: who only takes fields away is not recorded.
func byWhom(wl *workload.Workload, turned time.Time) string {
	newest, manager := "", ""
	for _, m := range wl.Object.GetManagedFields() {
		if m.Subresource != "" || m.Time == nil {
			continue
		}
		if at := m.Time.UTC().Format("2006-01-02T15:04:05Z"); at >= newest {
			newest, manager = at, m.Manager
		}
	}
	wrote, err := time.Parse("2006-01-02T15:04:05Z", newest)
	if manager == "" || err != nil || !turned.IsZero() && turned.Sub(wrote) > 3*time.Second {
		return ""
	}
	return fmt.Sprintf(" (last written by %s)", manager)
}

// guard is the command that watches it. kubectl takes no flags before the name
// of a plugin.
func guard(ref object.Ref) string {
	words := []string{"guard-rollout", ref.Arg()}
	if ref.Namespace != "" {
		words = append(words, "-n", ref.Namespace)
	}
	return finding.Kubectl("", words...)
}

// limits say what could not be seen, or is not seen right now: a rollout is
// never called fine where nobody looked.
func (w *Watch) limits(r *report.Report, v *index.View) {
	if len(w.targets) == 0 {
		return
	}
	first := w.targets[0].ref
	add := func(code string, severity finding.Severity, message, value string) {
		r.Findings = append(r.Findings, finding.Finding{Code: code, Severity: severity, Object: first, Message: message,
			Evidence: []finding.Evidence{{Object: first, Field: "watch", Value: value}}})
	}
	var lost []string
	for q := range w.gaps {
		if q.Name == "" {
			lost = append(lost, strings.ToLower(q.Kind.Kind)+"s")
		}
	}
	slices.Sort(lost)
	if len(lost) > 0 && !w.Final(true) {
		add("rollout/watch-gap", finding.Warning, "the connection is lost right now; what is shown may be old: "+strings.Join(slices.Compact(lost), ", "), "reconnecting")
	}
	if v.LogsForbidden() {
		add("rollout/rbac", finding.Info, "SKIP: pods/log may not be read, so the last words of failing containers cannot be shown", "forbidden")
	}
	for _, g := range v.Gaps {
		costs := blindness[g.Kind]
		switch {
		case costs == "":
		case g.Reason == source.Forbidden:
			add("rollout/rbac", finding.Info, fmt.Sprintf("SKIP: %s may not be read, so %s", g.Resource, costs), "forbidden")
		case g.Reason == source.ServerError || g.Reason == source.TimedOut:
			add("rollout/throttled", finding.Warning, fmt.Sprintf("SKIP: the API server does not answer for %s, so %s", g.Resource, costs), string(g.Reason))
		}
	}
}

// blindness is what cannot be told without a kind.
var blindness = map[schema.GroupKind]string{
	kindEvent:              "why pods of a StatefulSet or DaemonSet are not created cannot be told",
	kindSlice:              "whether service was kept cannot be proven",
	{Kind: "Service"}:      "whether service was kept cannot be proven",
	kindPod:                "what the pods wait for cannot be told",
	kindReplicaSet:         "old and new revision cannot be told apart",
	kindControllerRevision: "old and new revision cannot be told apart",
	{Kind: "Node"}:         "failures of nodes cannot be told from failures of the pods",
}
