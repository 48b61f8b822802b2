package endpoints

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/netpol"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Ask says which Services are asked about. Without Names, all Services of the
// Namespace (or, with "", of every namespace) that the labels select.
type Ask struct {
	Names     []string
	Namespace string
	Labels    string
	From      object.Ref // --from pod/X or node/X
}

// fewNames are so few Services that each is asked for by name.
const fewNames = 3

// fromNode says that it is asked what becomes of traffic which arrives at a node.
func (a Ask) fromNode() bool { return a.From.Kind == nodeKind.Kind }

func (a Ask) byName() bool { return len(a.Names) > 0 && len(a.Names) <= fewNames }

// Selected are the Services of the view that were asked about, in order, and
// those that were named and are not in the view: whether they do not exist or
// could not be seen, the view's Presence says.
func Selected(v *index.View, ask Ask) (found, absent []object.Ref) {
	if len(ask.Names) > 0 {
		for _, n := range ask.Names {
			r := object.Ref{Version: "v1", Kind: "Service", Namespace: ask.Namespace, Name: n}
			if it, ok := v.Get(r); ok {
				found = append(found, it.Ref)
			} else {
				absent = append(absent, r)
			}
		}
		return found, absent
	}
	selector, err := labels.Parse(ask.Labels)
	if err != nil {
		return nil, nil
	}
	for _, it := range v.List(serviceKind, "") {
		if (ask.Namespace == "" || it.Ref.Namespace == ask.Namespace) && selector.Matches(labels.Set(it.Object.GetLabels())) {
			found = append(found, it.Ref)
		}
	}
	return found, nil
}

// Needs are the reads that the view calls for: the plugin reads what is new
// among them, indexes again and asks again, until nothing is. An empty view
// gives the first round.
//
// One Service is asked for by name, and its slices and pods by label. Many are
// read in bulk: Services, slices, pods, and beside them the policies and
// Ingresses, which are few. What explains a fault is read only where there is
// one.
func Needs(v *index.View, ask Ask) ([]source.Query, []source.LogQuery) {
	p := &plan{v: v, ask: ask}
	p.first()
	found, _ := Selected(v, ask)
	if len(found) > 0 {
		w := judge(v, found, Options{From: ask.From, All: len(ask.Names) == 0})
		for _, c := range w.subjects {
			if ask.byName() {
				p.around(c)
			}
			p.kinds(c)
		}
		p.explain(w)
		p.doors(w)
		if p.ask.byName() && p.settled() && slices.ContainsFunc(w.subjects, func(c *subject) bool { return wrong(c) && c.mayServeTheAPI() }) {
			p.dependants()
		}
	}
	slices.SortFunc(p.queries, source.Query.Compare)
	return slices.Compact(p.queries), p.logs
}

type plan struct {
	v       *index.View
	ask     Ask
	queries []source.Query
	logs    []source.LogQuery
	sought  map[string]bool // Services that are looked for in all namespaces
	guarded int             // Services whose clients were looked for
}

//go:noinline
func (p *plan) want(qs ...source.Query) { p.queries = append(p.queries, qs...) }

func (p *plan) whole(gk schema.GroupKind, namespace string) {
	p.want(source.Query{Kind: gk, Namespace: namespace})
}

func (p *plan) first() {
	ns := p.ask.Namespace
	if p.ask.byName() {
		for _, n := range p.ask.Names {
			p.want(source.Query{Kind: serviceKind, Namespace: ns, Name: n},
				source.Query{Kind: sliceKind, Namespace: ns, Labels: discoveryv1.LabelServiceName + "=" + n})
		}
	} else {
		p.whole(serviceKind, ns) // labels choose among them later: doors lead to others too
		p.whole(sliceKind, ns)
		p.whole(podKind, ns)
		p.whole(netpol.Kind(), ns)
	}
	p.whole(ingressKind, ns)
	switch {
	case p.ask.fromNode():
		p.want(source.Query{Kind: nodeKind, Name: p.ask.From.Name})
	case !p.ask.From.IsZero():
		p.whole(netpol.Kind(), ns)
		p.want(source.Query{Kind: podKind, Namespace: p.ask.From.Namespace, Name: p.ask.From.Name})
	}
}

// around is what one Service calls for whatever its state. Policies matter once
// there is a pod to connect to, the older Endpoints once it is ready.
func (p *plan) around(c *subject) {
	ns := c.svc.Namespace
	if c.anyRow(func(e *entry) bool { return e.slice != nil }) {
		p.whole(netpol.Kind(), ns)
	}
	if c.anyRow(func(e *entry) bool { return e.slice != nil && e.row.Ready }) {
		p.want(source.Query{Kind: endpointsKind, Namespace: ns, Name: c.svc.Name})
	}
	if c.selects() {
		p.selected(c)
		if len(c.living) > 0 && c.living[0].Spec.Subdomain != "" {
			p.want(source.Query{Kind: serviceKind, Namespace: ns, Name: c.living[0].Spec.Subdomain})
		}
		roots := map[object.Ref]bool{}
		for _, pod := range c.living {
			if r := c.root(pod); !roots[r.Key()] && r.Group == "apps" && len(roots) < 3 {
				roots[r.Key()] = true
				p.want(source.Query{Kind: r.GroupKind(), Namespace: ns, Name: r.Name})
			}
		}
	}
	p.handWritten(c)
	if c.selects() {
		return
	}
	if len(c.slices) == 0 && !isExternal(c.svc) {
		p.whole(sliceKind, ns) // one without the label may have been meant
	}
}

// handWritten is what tells whose the addresses are that somebody wrote.
func (p *plan) handWritten(c *subject) {
	asked := 0
	for i := range c.entries {
		e := &c.entries[i]
		byHand := e.row.State == report.EndpointManual && e.pod == nil && e.endpoint.TargetRef == nil
		if e.row.Address == "" || e.row.Pod != nil || c.selects() && (!byHand || managedBy(e.slice) == mirrorName) {
			continue
		}
		if asked++; asked > fewNames {
			return
		}
		p.want(source.Query{Kind: podKind, Fields: "status.podIP=" + e.row.Address})
		if byHand {
			p.whole(nodeKind, "")
			p.want(source.Query{Kind: serviceKind, Fields: "spec.clusterIP=" + e.row.Address})
		}
	}
}

// selected are the pods that a Service selects. Where its slices list none it
// most likely selects none, and then the others tell why.
func (p *plan) selected(c *subject) {
	whole := source.Query{Kind: podKind, Namespace: c.svc.Namespace}
	if !c.settling && c.listed(sliceKind, c.svc.Namespace, discoveryv1.LabelServiceName+"="+c.svc.Name) && !c.anyRow(func(e *entry) bool { return e.slice != nil }) {
		p.want(whole)
		if p.v.GapOf(whole) == nil {
			return
		}
	}
	p.want(source.Query{Kind: podKind, Namespace: c.svc.Namespace, Labels: labels.SelectorFromSet(c.svc.Spec.Selector).String()})
}

// kinds are what a Service's own fields call for.
func (p *plan) kinds(c *subject) {
	if isExternal(c.svc) {
		if r, ok := inCluster(c.svc.Spec.ExternalName); ok {
			p.want(source.Query{Kind: serviceKind, Namespace: r.Namespace, Name: r.Name})
			if chain, _ := c.chain(); len(chain) > 2 {
				last := target(chain[len(chain)-1])
				p.want(source.Query{Kind: serviceKind, Namespace: last.Namespace, Name: last.Name})
			}
		}
		if r, short := c.shortFor(); short {
			p.want(source.Query{Kind: serviceKind, Namespace: r.Namespace, Name: r.Name})
		}
		return
	}
	local := c.svc.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal ||
		c.svc.Spec.InternalTrafficPolicy != nil && *c.svc.Spec.InternalTrafficPolicy == corev1.ServiceInternalTrafficPolicyLocal
	if local || !c.selects() && p.ask.Namespace == "" && len(p.ask.Names) == 0 && len(c.entries) > 0 {
		p.whole(nodeKind, "")
	}
	if c.svc.Spec.Type == corev1.ServiceTypeLoadBalancer && len(c.svc.Status.LoadBalancer.Ingress) == 0 {
		p.events(c.svc.Namespace, string(c.svc.UID))
	}
	fromPod := !p.ask.From.IsZero() && !p.ask.fromNode()
	if !c.policies.Any(c.svc.Namespace) && !fromPod {
		return
	}
	p.clients(c)
	for _, gk := range netpol.PluginKinds() {
		if k, ok := p.v.Served(gk); ok {
			q := source.Query{Kind: gk, Metadata: true}
			if k.Namespaced {
				q.Namespace = c.svc.Namespace
			}
			p.want(q)
		}
	}
	if fromPod {
		p.whole(netpol.Kind(), p.ask.From.Namespace)
		p.want(source.Query{Kind: schema.GroupKind{Kind: "Namespace"}, Name: p.ask.From.Namespace})
	}
}

// Recheck are the reads to repeat once before the controller is accused: pods
// and slices are not read at the same moment, and what differs may only have
// changed in between. It is empty where nothing hangs on that.
func Recheck(r *report.Report, ask Ask) []source.Query {
	doubtful := func(f finding.Finding) bool {
		switch f.Code {
		case code("slice-stale"), code("targetref-gone"), code("uid-mismatch"), code("ip-mismatch"), code("terminal-pod-ip"), code("endpoints-diverge"), code("controller-stalled"):
			return true
		}
		return false
	}
	if !slices.ContainsFunc(r.Findings, doubtful) {
		return nil
	}
	p := &plan{ask: ask}
	p.first()
	p.whole(podKind, ask.Namespace)
	return slices.DeleteFunc(p.queries, func(q source.Query) bool {
		return q.Kind != sliceKind && q.Kind != podKind && q.Kind != endpointsKind
	})
}
