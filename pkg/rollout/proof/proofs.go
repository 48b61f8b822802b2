package proof

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Proofs are what can be said of each Service that selects the workload's pods,
// from since to until. Without since they go back to where the watch began,
// without until they go up to now. Where there is no such Service, one proof
// without a Service's name says why.
func (t *Tracker) Proofs(v *index.View, w *workload.Workload, since, until time.Time) []report.Proof {
	t.mu.Lock()
	defer t.mu.Unlock()
	if until.IsZero() {
		until = latest(v.Now, t.at)
	}
	j := &judge{t: t, v: v, w: w, k: t.workloads[idOf(w)], since: since, until: until}
	if j.k == nil {
		j.k = &known{}
	}
	var proofs []report.Proof
	for _, svc := range j.services() {
		proofs = append(proofs, j.service(svc)...)
	}
	if len(proofs) == 0 {
		proofs = append(proofs, j.unproven("", j.whyNone()))
	}
	return proofs
}

type judge struct {
	t            *Tracker
	v            *index.View
	w            *workload.Workload
	k            *known
	since, until time.Time
	single       []string // Services of one pod each that are not judged
}

func (j *judge) ref(service string) object.Ref {
	return object.Ref{Version: "v1", Kind: "Service", Namespace: j.w.Ref.Namespace, Name: service}
}

func (j *judge) unproven(service, why string) report.Proof {
	return report.Proof{Service: j.ref(service), Verdict: report.NotProvable, Why: why, Summary: "availability cannot be proven: " + why}
}

// services are the names of those that selected the pods in that time. Those of
// one pod each, as a StatefulSet may have by the dozen, are named only where
// there is no other.
func (j *judge) services() []string {
	var names, single []string
	for n, s := range j.k.services {
		switch {
		case s.last.Before(j.since):
		case s.single:
			single = append(single, n)
		default:
			names = append(names, n)
		}
	}
	slices.Sort(names)
	slices.Sort(single)
	if len(names) == 0 {
		return single
	}
	j.single = single
	return names
}

// whyNone says why there is no Service to speak of.
func (j *judge) whyNone() string {
	ns := j.w.Ref.Namespace
	if gap, hidden := unseen(j.v, serviceKind, ns); hidden {
		return "Services cannot be seen" + because(gap)
	}
	for _, svc := range index.Typed[*corev1.Service](j.v, serviceKind, ns) {
		if len(svc.Spec.Selector) == 0 && svc.Spec.Type != corev1.ServiceTypeExternalName && j.leadsToPods(svc.Name) {
			return fmt.Sprintf("Service %s leads to the pods but has no selector: somebody else keeps its endpoints, and they do not follow readiness", svc.Name)
		}
	}
	return "no Service selects the pods of " + j.w.Ref.Arg()
}

// leadsToPods says whether a Service without a selector has addresses of the pods.
func (j *judge) leadsToPods(service string) bool {
	for _, l := range j.t.lines[name{j.w.Ref.Namespace, service}] {
		for _, p := range j.w.Pods {
			if _, byUID := l.now[string(p.UID)]; byUID && p.UID != "" {
				return true
			}
			for _, ip := range p.Status.PodIPs {
				if _, ok := l.now["@"+ip.IP]; ok {
					return true
				}
			}
		}
	}
	return false
}

// unseen says whether a kind cannot be seen in a namespace, and why.
func unseen(v *index.View, gk schema.GroupKind, namespace string) (*source.Gap, bool) {
	narrow, wide := source.Query{Kind: gk, Namespace: namespace}, source.Query{Kind: gk}
	if v.Answered(narrow) || v.Answered(wide) {
		return nil, false
	}
	return cmp.Or(v.GapOf(narrow), v.GapOf(wide)), true
}

func because(gap *source.Gap) string {
	if gap == nil {
		return ""
	}
	return " (" + string(gap.Reason) + ")"
}

// service proves one Service, or says why it cannot.
func (j *judge) service(service string) []report.Proof {
	svc := j.object(service)
	watch := j.t.watchOf(j.w.Ref.Namespace)
	if why := j.whyNot(service, svc, watch); why != "" {
		return []report.Proof{j.unproven(service, why)}
	}
	ways := j.ways(svc)
	var lines []report.Proof
	var empty []string
	for _, id := range ways {
		l := j.t.lines[name{j.w.Ref.Namespace, service}][id]
		if l == nil {
			l = &line{}
		}
		p, c := j.line(svc, id, l, watch)
		if c.max == 0 && !c.any && len(ways) > 1 {
			empty = append(empty, wayWords(id))
			continue
		}
		lines = append(lines, p)
	}
	if len(lines) == 0 {
		return []report.Proof{j.unproven(service, nothingServed)}
	}
	for i := range lines {
		if len(empty) > 0 {
			lines[i].Limits = append(lines[i].Limits, "No endpoint was ever seen for "+list(empty)+": nothing is said of that.")
		}
	}
	return fold(lines)
}

const nothingServed = "no endpoint served when it began, and none has since: there was nothing to lose"

// object is the Service as it was last seen.
func (j *judge) object(service string) *seenService {
	if s := j.t.services[name{j.w.Ref.Namespace, service}]; s != nil {
		return s
	}
	if it, ok := j.v.Get(j.ref(service)); ok {
		if svc, ok := it.Object.(*corev1.Service); ok {
			return &seenService{Service: svc}
		}
	}
	return nil
}

func (j *judge) whyNot(service string, svc *seenService, w *watched) string {
	gap, hidden := unseen(j.v, sliceKind, j.w.Ref.Namespace)
	switch {
	case svc == nil:
		return "the Service cannot be seen"
	case svc.Spec.Type == corev1.ServiceTypeExternalName:
		return "it is only a name for " + svc.Spec.ExternalName + ": no endpoints stand behind it"
	case j.k.services[service].single:
		return "it selects a single pod by name, which is replaced in its place: nothing can serve instead of it"
	case (w == nil || w.since.IsZero()) && hidden && gap != nil:
		return "EndpointSlices cannot be seen" + because(gap)
	case w == nil || w.since.IsZero() || w.since.After(j.until):
		return "its EndpointSlices were not watched in that time"
	}
	return ""
}

// ways are the families and ports of a Service.
func (j *judge) ways(svc *seenService) []lineID {
	families := make([]string, 0, 2)
	for _, f := range svc.Spec.IPFamilies {
		families = append(families, string(f))
	}
	if len(families) == 0 {
		for id := range j.t.lines[name{svc.Namespace, svc.Name}] {
			families = append(families, id.family)
		}
	}
	ports := []string{portless}
	if len(svc.Spec.Ports) > 0 {
		ports = ports[:0]
		for _, p := range svc.Spec.Ports {
			ports = append(ports, p.Name)
		}
	}
	var ways []lineID
	for _, f := range families {
		for _, p := range ports {
			ways = append(ways, lineID{f, p})
		}
	}
	slices.SortFunc(ways, lineID.compare)
	return slices.Compact(ways)
}

// line proves one family and port.
func (j *judge) line(svc *seenService, id lineID, l *line, w *watched) (report.Proof, counted) {
	since := j.since
	if since.IsZero() {
		since = w.since
	}
	gaps, seconds, matter := w.gapsOf(l, since, j.until)
	c := countLine(l, j.k.promises, j.own(), latest(latest(since, w.since), l.from), j.until)
	p := report.Proof{
		Service: j.ref(svc.Name), Port: portWords(svc.Service, id.port), Family: id.family,
		Floor: c.floor, Now: c.now, Min: c.min, Max: c.max, MinAt: &c.minAt,
		Below: c.below.Seconds(), Area: c.area, Broken: c.broken,
		Unseen: gaps, Gaps: seconds, Curve: thin(c.curve),
		Verdict: report.Held, Limits: j.limits(svc, c),
	}
	switch {
	case len(c.broken) > 0:
		p.Verdict, p.Why = report.BrokenProof, j.servicesOwn(svc)
	case c.max == 0 && c.others > 0:
		p.Verdict, p.Why = report.NotProvable, "none of the endpoints that served is known to be a pod of "+j.w.Ref.Arg()
	case c.max == 0:
		p.Verdict, p.Why = report.NotProvable, nothingServed
	case !probed(j.w):
		p.Verdict, p.Why = report.NotProvable, "no container has a readiness probe: its pods count as ready as soon as they run, whether they answer or not"
	case matter:
		p.Verdict = report.HeldWithGaps
	}
	p.Summary = j.summary(p, c)
	return p, c
}

// servicesOwn says what became of a Service that leads to the pods no more: what
// it lost was not for the pods to keep.
func (j *judge) servicesOwn(svc *seenService) string {
	if at := svc.deleted; !at.IsZero() && !at.After(j.until) {
		return "the Service was deleted at " + Clock(at)
	}
	if len(svc.reselected) == 0 {
		return ""
	}
	if selected, _ := selects(svc.Service, j.w, labelsOf(j.w)); selected {
		return ""
	}
	return "its selector was changed at " + Clock(svc.reselected[len(svc.reselected)-1]) + ", and selects the pods no more"
}

// own says of an endpoint whether it is a pod of the workload, and of its
// current revision.
func (j *judge) own() func(string) (isNew, isOwn bool) {
	current, known := "", j.w.Current != nil
	if known {
		current = j.w.Current.Hash
	}
	return func(id string) (bool, bool) {
		hash, own := j.k.pods[id]
		return known && hash == current, own
	}
}

// probed says whether readiness means more than that the containers run.
func probed(w *workload.Workload) bool {
	if w.Template == nil {
		return true // nobody knows
	}
	spec := w.Template.Spec
	has := func(c corev1.Container) bool { return c.ReadinessProbe != nil }
	return slices.ContainsFunc(spec.Containers, has) || slices.ContainsFunc(spec.InitContainers, has) || len(spec.ReadinessGates) > 0
}

func portWords(svc *corev1.Service, port string) string {
	if port == portless {
		return ""
	}
	if port == "" && len(svc.Spec.Ports) > 0 {
		return strconv.Itoa(int(svc.Spec.Ports[0].Port))
	}
	return port
}
