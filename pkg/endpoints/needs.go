package endpoints

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/netpol"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
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
		w := judge(v, found, Options{From: ask.From})
		for _, c := range w.subjects {
			if ask.byName() {
				p.around(c)
			}
			p.kinds(c)
		}
		p.explain(w)
		p.doors(w)
		if p.ask.byName() && p.settled() && slices.ContainsFunc(w.subjects, wrong) {
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

// around is what one Service calls for whatever its state. Policies and the
// older Endpoints matter once there is an endpoint to connect to.
func (p *plan) around(c *subject) {
	ns := c.svc.Namespace
	if slices.ContainsFunc(c.entries, func(e entry) bool { return e.slice != nil && e.row.Ready }) {
		p.whole(netpol.Kind(), ns)
		p.want(source.Query{Kind: endpointsKind, Namespace: ns, Name: c.svc.Name})
	}
	if c.selects() {
		p.want(source.Query{Kind: podKind, Namespace: ns, Labels: labels.SelectorFromSet(c.svc.Spec.Selector).String()})
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
		return
	}
	for i := range c.entries {
		if e := &c.entries[i]; e.row.Address != "" && i < fewNames {
			p.want(source.Query{Kind: podKind, Fields: "status.podIP=" + e.row.Address})
			if e.row.State == report.EndpointManual && e.pod == nil {
				p.whole(nodeKind, "") // whose address is it then?
			}
		}
	}
	if len(c.slices) == 0 && !isExternal(c.svc) {
		p.whole(sliceKind, ns) // one without the label may have been meant
	}
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

// The most that is read to explain faults: they mostly repeat.
const (
	witnesses    = 2  // unready pods of one Service, of different workloads, that are asked further
	allWitnesses = 24 // in all
	faultyPlaces = 16 // namespaces whose workloads are read
)

// explain reads what tells the cause of each fault.
func (p *plan) explain(w *world) {
	asked, late, places, earlier := 0, 0, map[string]bool{}, map[string]bool{}
	for _, c := range w.subjects {
		if ns := c.svc.Namespace; c.selects() && len(c.living) == 0 && c.unseen == "" && (places[ns] || len(places) < faultyPlaces) {
			if !places[ns] {
				places[ns] = true
				p.workloads(c)
			}
			if !earlier[ns] && !c.has("only-completed-pods", "scaled-to-zero", "label-on-workload-only") {
				earlier[ns] = true
				p.earlier(ns)
			}
			p.void(c)
		}
		if c.has("selectorless-empty") {
			p.whole(sliceKind, c.svc.Namespace)
		}
		for _, pod := range c.troubled() {
			if asked++; asked > allWitnesses {
				break
			}
			p.witness(pod)
		}
		if c.has("slice-stale", "targetref-gone", "uid-mismatch", "ip-mismatch") {
			if late++; late <= allWitnesses {
				p.lagging(c)
			}
		}
		if p.ask.byName() && (!c.selects() || c.unseen == "") {
			p.strangers(c)
			p.leftOut(c)
		}
	}
}

// strangers are pods that the slices name and the selector does not choose.
func (p *plan) strangers(c *subject) {
	pods := map[object.Ref]bool{}
	for i := range c.entries {
		if e := &c.entries[i]; e.row.State == report.EndpointUnseen && e.row.Pod != nil && e.pod == nil {
			pods[*e.row.Pod] = true
		}
	}
	if len(pods) > fewNames {
		p.whole(podKind, c.svc.Namespace)
		return
	}
	for r := range pods { // queries are sorted in the end
		p.want(source.Query{Kind: podKind, Namespace: r.Namespace, Name: r.Name})
	}
}

func wrong(c *subject) bool {
	return slices.ContainsFunc(c.found, func(f finding.Finding) bool { return f.Severity == finding.Error })
}

// settled says that all that was wanted so far has been asked for: what is found
// now is what will be told.
func (p *plan) settled() bool {
	return !slices.ContainsFunc(p.queries, func(q source.Query) bool {
		return !slices.ContainsFunc([]source.Query{q, {Kind: q.Kind, Namespace: q.Namespace}, {Kind: q.Kind}}, func(wider source.Query) bool {
			return p.v.Answered(wider) || p.v.GapOf(wider) != nil
		})
	})
}

// lagging is what tells why slices do not follow their pods: the nodes that may
// be gone, and the controller's own words.
func (p *plan) lagging(c *subject) {
	p.want(source.Query{Kind: schema.GroupKind{Group: "coordination.k8s.io", Kind: "Lease"}, Namespace: "kube-system", Name: "kube-controller-manager"})
	if !p.ask.byName() && slices.ContainsFunc(c.entries, isLeftOut) {
		p.events(c.svc.Namespace, string(c.svc.UID))
		p.whole(nodeKind, "")
	}
}

// isLeftOut is a pod that no slice lists although it has a node and an address.
func isLeftOut(e entry) bool {
	return e.pod != nil && e.row.State == report.EndpointMissing && e.pod.Spec.NodeName != ""
}

// leftOut reads what tells at once why a pod is not listed: its node is gone.
func (p *plan) leftOut(c *subject) {
	if !slices.ContainsFunc(c.entries, isLeftOut) {
		return
	}
	p.events(c.svc.Namespace, string(c.svc.UID))
	nodes := map[string]bool{}
	for i := range c.entries {
		if e := &c.entries[i]; isLeftOut(*e) && len(nodes) < witnesses {
			nodes[e.pod.Spec.NodeName] = true
			p.want(source.Query{Kind: nodeKind, Name: e.pod.Spec.NodeName})
		}
	}
}

// dependants are what of the API server may rest on a Service. Where every
// served group is built in or nobody aggregates, there is no APIService to find.
func (p *plan) dependants() {
	p.whole(validatingKind, "")
	p.whole(mutatingKind, "")
	if slices.ContainsFunc(p.v.Kinds, func(k source.Kind) bool { return !builtIn(k.Group) }) || len(p.v.Kinds) == 0 {
		p.whole(apiServiceKind, "")
	}
}

// builtIn says whether the API server itself serves a group.
func builtIn(group string) bool {
	return !strings.Contains(group, ".") || strings.HasSuffix(group, ".k8s.io") && slices.ContainsFunc(scheme.Kinds(), func(k source.Kind) bool { return k.Group == group })
}

// workloads are those of a namespace that may make the pods that a selector
// misses.
func (p *plan) workloads(c *subject) {
	ns := c.svc.Namespace
	p.whole(podKind, ns)
	p.whole(schema.GroupKind{Group: "apps", Kind: "Deployment"}, ns)
	p.whole(schema.GroupKind{Group: "apps", Kind: "StatefulSet"}, ns)
	owner := func(it index.Item) string { o, _ := ownerOf(it.Object); return o.Kind }
	if slices.ContainsFunc(p.v.List(podKind, ns), func(it index.Item) bool { return owner(it) == "DaemonSet" }) {
		p.whole(schema.GroupKind{Group: "apps", Kind: "DaemonSet"}, ns)
	}
}

// earlier are the ReplicaSets of a namespace. Those of earlier revisions can tell
// something only where a Deployment has been rolled.
func (p *plan) earlier(ns string) {
	if slices.ContainsFunc(p.v.List(schema.GroupKind{Group: "apps", Kind: "Deployment"}, ns), rolled) {
		p.whole(schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}, ns)
	}
}

// rolled says that a Deployment is past its first revision, as far as it says
// (k8s.io/kubernetes pkg/controller/deployment/util, RevisionAnnotation).
func rolled(it index.Item) bool {
	return it.Object.GetAnnotations()["deployment.kubernetes.io/revision"] != "1"
}

// void is what else may tell why a selector chooses nothing.
func (p *plan) void(c *subject) {
	ns := c.svc.Namespace
	if c.has("scaled-to-zero") {
		p.whole(schema.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}, ns)
		if gk := (schema.GroupKind{Group: "keda.sh", Kind: "ScaledObject"}); p.served(gk) {
			p.whole(gk, ns)
		}
	}
	if !p.ask.byName() || !p.v.Answered(source.Query{Kind: podKind, Namespace: ns}) {
		return
	}
	if c.has("label-typo") {
		if m, _, ok := c.nearest(); ok && m.short() {
			p.whole(serviceKind, ns) // is it another Service's name?
		}
	}
	if c.has("selector-no-match", "wrong-namespace") {
		p.want(source.Query{Kind: podKind, Labels: labels.SelectorFromSet(c.svc.Spec.Selector).String()})
		if at := c.carriersElsewhere(); len(at) == 1 {
			p.whole(serviceKind, at[0].Namespace) // are those pods another Service's?
		}
	}
}

func (p *plan) served(gk schema.GroupKind) bool {
	_, ok := p.v.Served(gk)
	return ok
}

// troubled are pods that should serve and do not: of each workload the one that
// tells most.
func (c *subject) troubled() []*corev1.Pod {
	if !c.has("none-ready", "partial-ready", "no-pod-ip", "readiness-gate", "probe-port-wrong", "sidecar-not-ready", "node-notready", "unready-published") {
		return nil
	}
	byRoot := map[object.Ref][]*corev1.Pod{}
	var roots []object.Ref
	for _, pod := range c.living {
		if pod.DeletionTimestamp != nil || isReady(pod) {
			continue
		}
		root := c.root(pod).Key()
		if byRoot[root] == nil {
			roots = append(roots, root)
		}
		byRoot[root] = append(byRoot[root], pod)
	}
	var out []*corev1.Pod
	for _, root := range roots[:min(len(roots), witnesses)] {
		out = append(out, c.worst(byRoot[root]))
	}
	return out
}

func (p *plan) witness(pod *corev1.Pod) {
	p.events(pod.Namespace, string(pod.UID))
	if pod.Spec.NodeName != "" {
		p.want(source.Query{Kind: nodeKind, Name: pod.Spec.NodeName})
	}
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if t := s.LastTerminationState.Terminated; t != nil && s.RestartCount > 0 && !s.Ready || s.State.Terminated != nil && s.State.Terminated.ExitCode != 0 {
			p.logs = append(p.logs, source.LogQuery{Namespace: pod.Namespace, Pod: pod.Name, UID: string(pod.UID), Container: s.Name, Previous: s.State.Terminated == nil, Lines: 20})
		}
	}
}

func (p *plan) events(namespace, uid string) {
	if uid != "" {
		p.want(source.Query{Kind: schema.GroupKind{Kind: "Event"}, Namespace: namespace, Fields: "involvedObject.uid=" + uid})
	}
}

// doors are the routes where the server has them, the Services that doors lead
// to, and the classes that are to serve them.
func (p *plan) doors(w *world) {
	for _, gk := range routeKinds() {
		if !p.served(gk) {
			continue
		}
		p.whole(gk, "") // a route may lead here from any namespace
		refused := slices.ContainsFunc(p.v.Gaps, func(g source.Gap) bool { return g.Kind == gk && g.Namespace == "" })
		if refused && p.ask.Namespace != "" {
			p.whole(gk, p.ask.Namespace)
		}
	}
	for _, gk := range routeKinds() {
		for _, it := range p.v.List(gk, "") {
			if u, ok := asUnstructured(it); ok {
				p.behind(w, routeDoors(it.Ref, u))
			}
		}
	}
	for _, it := range p.v.List(ingressKind, "") {
		if ing, ok := it.Object.(*networkingv1.Ingress); ok {
			doors := ingressDoors(it.Ref, ing)
			p.behind(w, doors)
			if w.near(doors) {
				p.whole(classKind, "")
			}
		}
	}
	if slices.ContainsFunc(w.findings, func(f finding.Finding) bool {
		return strings.HasSuffix(f.Code, "-service-missing") || strings.HasSuffix(f.Code, "-backend-missing")
	}) {
		p.whole(serviceKind, p.ask.Namespace)
	}
}

func (p *plan) behind(w *world, doors []door) {
	concerned := w.near(doors)
	for i, d := range doors {
		if i >= 16 {
			return
		}
		if p.ask.byName() && (concerned || w.close(d)) {
			p.want(source.Query{Kind: serviceKind, Namespace: d.to.Namespace, Name: d.to.Name})
		}
		if d.to.Namespace != d.from.Namespace && p.ask.Namespace != "" {
			p.want(source.Query{Kind: serviceKind, Namespace: d.to.Namespace, Name: d.to.Name})
		}
		if d.to.Namespace != d.from.Namespace && p.served(grantKind) {
			p.whole(grantKind, d.to.Namespace)
		}
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
