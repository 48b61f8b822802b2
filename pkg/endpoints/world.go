package endpoints

import (
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/netpol"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// world is what the judgements of all Services share. What is costly is
// indexed when the first Service needs it.
type world struct {
	v        *index.View
	opts     Options
	asked    map[object.Ref]bool
	within   map[string]bool // the namespaces of what was asked about
	subjects []*subject
	policies *netpol.Policies
	byNS     map[string]*place
	findings []finding.Finding

	analyzers []Analyzer

	vocabularies map[string]*vocabulary
	everywhere   map[pair][]*corev1.Pod // pods of all namespaces
	crews        map[string]*crew
	roots        map[types.UID]object.Ref // controller → the workload at the top
	shared       map[string][]*corev1.Pod // memo of podsWith
	nodesGone    map[string]bool          // memo of nodeless
	lastRoot     rooted                   // memo of root: pods of one owner stand together
	clashes      func() map[string][]*corev1.Pod
}

// place is what one namespace holds.
type place struct {
	services   []*corev1.Service
	unlabelled []*discoveryv1.EndpointSlice // slices that name no Service
	selected   map[pair]bool                // memo of chosen
	bare       []*corev1.Pod                // memo of unlabelledPods
	looked     bool                         // for them
	teams      map[string]*team             // memo of teamsOf
}

// chosen are the pairs by which the namespace's Services select.
func (p *place) chosen() map[pair]bool {
	if p.selected == nil {
		p.selected = map[pair]bool{}
		for _, s := range p.services {
			for k, v := range s.Spec.Selector {
				p.selected[pair{k, v}] = true
			}
		}
	}
	return p.selected
}

// subject is one Service under judgement.
type subject struct {
	*world
	svc      *corev1.Service
	ref      object.Ref
	pods     []*corev1.Pod // selected, whatever their state, in order of name
	living   []*corev1.Pod // of those, the ones that have not ended
	meant    []*corev1.Pod // those that a selector which chooses none must have meant
	slices   []*discoveryv1.EndpointSlice
	unseen   string // why there can be no verdict
	settling bool   // something changed so lately that a lag is normal
	found    []finding.Finding
	entries  []entry
	rows     []report.Endpoint // of the entries, as they were made
}

var (
	podKind       = schema.GroupKind{Kind: "Pod"}
	serviceKind   = schema.GroupKind{Kind: "Service"}
	nodeKind      = schema.GroupKind{Kind: "Node"}
	endpointsKind = schema.GroupKind{Kind: "Endpoints"}
	sliceKind     = schema.GroupKind{Group: discoveryv1.GroupName, Kind: "EndpointSlice"}
)

func newWorld(v *index.View, refs []object.Ref, opts Options) *world {
	w := &world{
		v: v, opts: opts, asked: map[object.Ref]bool{}, within: map[string]bool{}, policies: netpol.New(v), byNS: map[string]*place{},
		analyzers: Analyzers(), shared: map[string][]*corev1.Pod{}, roots: map[types.UID]object.Ref{}, nodesGone: map[string]bool{},
	}
	w.clashes = sync.OnceValue(w.clashing)
	for _, it := range v.List(serviceKind, "") {
		if svc, ok := it.Object.(*corev1.Service); ok {
			p := w.place(svc.Namespace)
			p.services = append(p.services, svc)
		}
	}
	for _, it := range v.List(sliceKind, "") {
		if s, ok := it.Object.(*discoveryv1.EndpointSlice); ok && s.Labels[discoveryv1.LabelServiceName] == "" {
			p := w.place(s.Namespace)
			p.unlabelled = append(p.unlabelled, s)
		}
	}
	for _, r := range refs {
		if w.asked[r.Key()] {
			continue
		}
		w.asked[r.Key()] = true
		if it, ok := v.Get(r); ok {
			if svc, ok := it.Object.(*corev1.Service); ok {
				w.within[svc.Namespace] = true
				w.subjects = append(w.subjects, &subject{world: w, svc: svc, ref: it.Ref})
			}
		}
	}
	return w
}

func (w *world) place(namespace string) *place {
	p := w.byNS[namespace]
	if p == nil {
		p = &place{}
		w.byNS[namespace] = p
	}
	return p
}

func (w *world) namespaces() []string { return slices.Sorted(maps.Keys(w.byNS)) }

// single says that one Service was asked about: then what is merely good to
// know is said too.
func (w *world) single() bool { return len(w.asked) == 1 }

// gather finds a Service's pods and slices. It is judged at once: a hundred
// thousand pods are far apart in memory, and what was just read is near.
func (c *subject) gather() {
	svc := c.svc
	if isExternal(svc) {
		return
	}
	if len(svc.Spec.Selector) > 0 {
		c.pods = c.podsWith(svc.Namespace, svc.Spec.Selector)
	}
	c.living = c.pods
	if slices.ContainsFunc(c.pods, ended) {
		c.living = slices.DeleteFunc(slices.Clone(c.pods), ended)
	}
	for it := range c.v.WithLabel(sliceKind, svc.Namespace, discoveryv1.LabelServiceName, svc.Name) {
		if s, ok := it.Object.(*discoveryv1.EndpointSlice); ok {
			c.slices = append(c.slices, s)
		}
	}
	c.unseen = c.unseenOf(svc)
	c.settling = c.lately()
}

// podsWith are the pods of a namespace that carry every pair. It goes by the
// rarest pair: a pair that all pods share would make it a walk over them all.
func (w *world) podsWith(namespace string, pairs map[string]string) []*corev1.Pod {
	rarest, fewest := "", -1
	for k, v := range pairs {
		if n := w.v.CountWithLabel(podKind, namespace, k, v); fewest < 0 || n < fewest {
			rarest, fewest = k, n
		}
	}
	if fewest <= 0 {
		return nil
	}
	pods := make([]*corev1.Pod, 0, fewest)
	for it := range w.v.WithLabel(podKind, namespace, rarest, pairs[rarest]) {
		if pod, ok := it.Object.(*corev1.Pod); ok && carriesBeside(rarest, pod.Labels, pairs) {
			pods = append(pods, pod)
		}
	}
	return pods
}

func carries(have, want map[string]string) bool {
	for k, v := range want {
		if got, ok := have[k]; !ok || got != v {
			return false
		}
	}
	return true
}

// carriesBeside says of labels that have the value of one key whether they have
// those of the others.
func carriesBeside(key string, have, want map[string]string) bool {
	if len(want) == 1 {
		return true
	}
	for k, v := range want {
		if got, ok := have[k]; k != key && (!ok || got != v) {
			return false
		}
	}
	return true
}

// unseenOf says which of the facts without which there is no verdict are
// missing. Objects that were seen all the same do not make a list complete.
func (w *world) unseenOf(svc *corev1.Service) string {
	if !w.listed(sliceKind, svc.Namespace, "") && !w.listed(sliceKind, svc.Namespace, discoveryv1.LabelServiceName+"="+svc.Name) {
		return w.why(sliceKind, "EndpointSlices", svc.Namespace)
	}
	if len(svc.Spec.Selector) > 0 && !w.listed(podKind, svc.Namespace, "") && !w.listed(podKind, svc.Namespace, labels.SelectorFromSet(svc.Spec.Selector).String()) {
		return w.why(podKind, "pods", svc.Namespace)
	}
	return ""
}

// listed says whether all objects of a kind that a selector may choose were read.
func (w *world) listed(gk schema.GroupKind, namespace, selector string) bool {
	return w.v.Answered(source.Query{Kind: gk}) || w.v.Answered(source.Query{Kind: gk, Namespace: namespace}) ||
		selector != "" && (w.v.Answered(source.Query{Kind: gk, Namespace: namespace, Labels: selector}) || w.v.Answered(source.Query{Kind: gk, Labels: selector}))
}

func (w *world) why(gk schema.GroupKind, what, namespace string) string {
	text := "the " + what + " of namespace " + namespace
	for _, g := range w.v.Gaps {
		if g.Kind == gk && (g.Namespace == namespace || g.Namespace == "") {
			return text + " could not be seen (" + string(g.Reason) + ")"
		}
	}
	return text + " were not read"
}

// lag is how long the controller may take after a change before it is accused.
const lag = 30 * time.Second

// lately says that the Service or one of its pods has just changed.
func (c *subject) lately() bool {
	if c.svc.DeletionTimestamp != nil || c.recent(c.svc.CreationTimestamp.Time) {
		return true
	}
	for _, p := range c.pods {
		if c.changedLately(p) {
			return true
		}
	}
	return false
}

func (w *world) changedLately(p *corev1.Pod) bool {
	if w.recent(p.CreationTimestamp.Time) {
		return true
	}
	if p.DeletionTimestamp != nil { // it stands at the end of the grace period
		asked := p.DeletionTimestamp.Time
		if p.DeletionGracePeriodSeconds != nil {
			asked = asked.Add(-time.Duration(*p.DeletionGracePeriodSeconds) * time.Second)
		}
		if w.recent(asked) {
			return true
		}
	}
	for i := range p.Status.Conditions {
		if w.recent(p.Status.Conditions[i].LastTransitionTime.Time) {
			return true
		}
	}
	return false
}

func (w *world) recent(t time.Time) bool { return w.v.Now.Sub(t) < lag && !t.IsZero() }

func (w *world) age(t time.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return w.v.Now.Sub(t)
}

// node finds a node, if nodes were read.
func (w *world) node(name string) (*corev1.Node, bool) {
	it, ok := w.v.Get(object.Ref{Kind: "Node", Name: name})
	if !ok {
		return nil, false
	}
	n, ok := it.Object.(*corev1.Node)
	return n, ok
}

//go:noinline
func podRef(p *corev1.Pod) object.Ref {
	return object.Ref{Version: "v1", Kind: "Pod", Namespace: p.Namespace, Name: p.Name}
}

func isExternal(svc *corev1.Service) bool { return svc.Spec.Type == corev1.ServiceTypeExternalName }

func isHeadless(svc *corev1.Service) bool { return svc.Spec.ClusterIP == corev1.ClusterIPNone }

func (c *subject) selects() bool { return len(c.svc.Spec.Selector) > 0 && !isExternal(c.svc) }

// say reports a finding about the Service itself.
//
//go:noinline
func (c *subject) say(name string, s finding.Severity, message string, evidence []finding.Evidence, fix ...finding.Fix) {
	c.accuse(c.ref, name, s, message, evidence, fix...)
}

// accuse reports a finding about an object that has to do with the Service.
//
//go:noinline
func (c *subject) accuse(r object.Ref, name string, s finding.Severity, message string, evidence []finding.Evidence, fix ...finding.Fix) {
	c.found = append(c.found, finding.Finding{Code: code(name), Severity: s, Object: r, Message: message, Evidence: evidence, Fix: fix})
}

// blame reports a finding about an object that is none Service's own, or that of
// several.
func (w *world) blame(r object.Ref, name string, s finding.Severity, message string, evidence []finding.Evidence, fix ...finding.Fix) {
	w.findings = append(w.findings, finding.Finding{Code: code(name), Severity: s, Object: r, Message: message, Evidence: evidence, Fix: fix})
}

// has says whether one of these was reported about the Service.
//
//go:noinline
func (c *subject) has(names ...string) bool {
	return slices.ContainsFunc(c.found, func(f finding.Finding) bool {
		return slices.ContainsFunc(names, func(n string) bool { return f.Code == code(n) })
	})
}
