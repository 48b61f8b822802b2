package endpoints

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// The most that is read to explain faults: they mostly repeat.
const (
	witnesses    = 2  // unready pods of one Service, of different workloads, that are asked further
	allWitnesses = 24 // in all
	faultyPlaces = 16 // namespaces whose workloads are read
)

// explain reads what tells the cause of each fault.
func (p *plan) explain(w *world) {
	asked, late, empty, places, earlier := 0, 0, 0, map[string]bool{}, map[string]bool{}
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
		if c.has("selectorless-empty", "slice-label-typo", "endpoints-not-mirrored") {
			if empty++; empty <= fewNames {
				p.handmade(c)
			}
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

// handmade is what somebody may have written for a Service that has neither a
// selector nor endpoints.
func (p *plan) handmade(c *subject) {
	p.whole(sliceKind, c.svc.Namespace)
	p.whole(serviceKind, c.svc.Namespace)   // does a slice name one that is not there?
	p.whole(endpointsKind, c.svc.Namespace) // or Endpoints?
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
	if !p.ask.byName() && c.anyRow(isLeftOut) {
		p.events(c.svc.Namespace, string(c.svc.UID))
		p.whole(nodeKind, "")
	}
}

// isLeftOut is a pod that no slice lists although it has a node and an address.
func isLeftOut(e *entry) bool {
	return e.pod != nil && e.row.State == report.EndpointMissing && e.pod.Spec.NodeName != ""
}

// isAnew is a row of a slice that means a pod by its name, with another UID or
// address: that pod is not left out.
func (c *subject) isAnew(of *entry) bool {
	return c.anyRow(func(e *entry) bool {
		return e.slice != nil && e.pod != nil && e.pod == of.pod && (e.drift == "uid-mismatch" || e.drift == "ip-mismatch")
	})
}

// leftOut reads what tells at once why a pod is not listed: its node is gone.
func (p *plan) leftOut(c *subject) {
	leftOut := func(e *entry) bool { return isLeftOut(e) && !c.isAnew(e) }
	if !c.anyRow(leftOut) {
		return
	}
	p.events(c.svc.Namespace, string(c.svc.UID))
	nodes := map[string]bool{}
	for i := range c.entries {
		if e := &c.entries[i]; len(nodes) < witnesses && leftOut(e) {
			nodes[e.pod.Spec.NodeName] = true
			p.want(source.Query{Kind: nodeKind, Name: e.pod.Spec.NodeName})
		}
	}
}

// mayServeTheAPI says whether the API server may ask the Service: it speaks TLS
// only, and to port 443 where a webhook or an APIService says no other
// (admissionregistration.k8s.io/v1 and apiregistration.k8s.io/v1, ServiceReference).
func (c *subject) mayServeTheAPI() bool {
	return slices.ContainsFunc(c.svc.Spec.Ports, func(p corev1.ServicePort) bool {
		words := strings.ToLower(p.Name + " " + p.TargetPort.StrVal)
		if p.AppProtocol != nil {
			words += " " + strings.ToLower(*p.AppProtocol)
		}
		return p.Port%1000 == 443 || p.TargetPort.IntVal%1000 == 443 ||
			slices.ContainsFunc([]string{"https", "tls", "ssl", "webhook", "admission"}, func(w string) bool { return strings.Contains(words, w) })
	})
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

// builtIn says whether the API server itself serves a group, be it by a
// CustomResourceDefinition that is known.
func builtIn(group string) bool {
	if group == gatewayGroup || group == "gateway.networking.x-k8s.io" {
		return true
	}
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
	if !p.v.Answered(source.Query{Kind: podKind, Namespace: ns}) {
		return
	}
	if c.has("selector-no-match") && (!p.ask.byName() || p.knownElsewhere(c)) {
		p.whole(schema.GroupKind{Group: "batch", Kind: "CronJob"}, ns)                                       // its pods may come later
		if !slices.ContainsFunc(p.v.List(schema.GroupKind{Group: "apps", Kind: "Deployment"}, ns), rolled) { // then ReplicaSets are read
			p.whole(schema.GroupKind{Group: "apps", Kind: "DaemonSet"}, ns) // or wait for a node
		}
	}
	if !p.ask.byName() {
		return
	}
	if c.has("label-typo") {
		if m, _, ok := c.nearest(); ok && m.short() {
			p.whole(serviceKind, ns) // is it another Service's name?
		}
	}
	if c.has("selector-no-match", "wrong-namespace") {
		p.want(p.carriers(c))
		if at := c.carriersElsewhere(); len(at) == 1 {
			p.whole(serviceKind, at[0].Namespace) // are those pods another Service's?
		}
	}
}

// knownElsewhere says that it is settled whether its pods are in another namespace.
func (p *plan) knownElsewhere(c *subject) bool {
	if !p.v.Answered(p.carriers(c)) {
		return false
	}
	at := c.carriersElsewhere()
	return len(at) != 1 || p.v.Answered(source.Query{Kind: serviceKind, Namespace: at[0].Namespace})
}

// carriers are the pods of all namespaces that carry a Service's selector.
func (p *plan) carriers(c *subject) source.Query {
	return source.Query{Kind: podKind, Labels: labels.SelectorFromSet(c.svc.Spec.Selector).String()}
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
