package relation

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Part is the part that an object plays in an answer; it decides which of its
// relations are looked for.
type Part int

// The parts.
const (
	Root     Part = iota // the object that was asked about
	Below                // owned by it, or reached by the traffic it leads
	Ancestor             // owns it
	Door                 // leads traffic to it: Service, Ingress, Route, Gateway
	Branch               // needed by it, or guarding it
	User                 // needs the object that was asked about
)

// Plan says which reads would complete the answer about the roots, as far as
// the view shows: reading them and planning again, until nothing new is
// wanted, collects all that the answer is judged by. It is a pure function.
func Plan(g *Graph, choice Choice, roots []object.Ref) []source.Query {
	p := &planner{g: g, v: g.View, t: g.Table, choice: choice, seen: map[visit]bool{}, wanted: map[source.Query]bool{}}
	for _, r := range roots {
		p.visit(r, Root)
	}
	return p.queries()
}

type visit struct {
	ref  object.Ref
	part Part
}

type planner struct {
	g      *Graph
	v      *index.View
	t      *Table
	choice Choice
	seen   map[visit]bool
	wanted map[source.Query]bool
}

// queries are the wanted reads that are worth a request, in a fixed order. A
// read of an object's metadata is dropped where the whole is wanted too.
func (p *planner) queries() []source.Query {
	var qs []source.Query
	for q := range p.wanted {
		whole := q
		whole.Metadata = false
		if q.Metadata && p.wanted[whole] {
			continue
		}
		qs = append(qs, q)
	}
	slices.SortFunc(qs, source.Query.Compare)
	return qs
}

func (p *planner) want(q source.Query) {
	if k, ok := p.v.Served(q.Kind); ok && k.Listable {
		if !k.Namespaced {
			q.Namespace = ""
		}
		p.wanted[q] = true
	}
}

func (p *planner) wantRef(r object.Ref, metadata bool) {
	if r.Name != "" {
		p.want(source.Query{Kind: r.GroupKind(), Namespace: r.Namespace, Name: r.Name, Metadata: metadata})
	}
}

func (p *planner) visit(r object.Ref, part Part) {
	at := visit{r.Key(), part}
	if p.seen[at] || part != Root && p.seen[visit{r.Key(), Root}] {
		return
	}
	p.seen[at] = true
	it, ok := p.v.Get(r)
	if !ok {
		p.wantRef(r, false)
		return
	}
	switch part {
	case Root, Below:
		p.trunk(it, part)
	case Ancestor:
		p.owners(it)
	case Door:
		p.owners(it)
		p.doors(it)
	case Branch:
		p.forward(it, func(row *Row) bool { return row.Chain })
		p.slices(it)
	case User:
		p.owners(it)
	}
}

// trunk completes an object of the tree's trunk: owners, owned, what it needs,
// what stands in front of it and what guards it.
func (p *planner) trunk(it index.Item, part Part) {
	p.owners(it)
	p.owned(it, part)
	p.forward(it, func(row *Row) bool { return true })
	for _, e := range p.g.To(it.Ref) {
		switch e.Row.Side {
		case Route:
			p.visit(e.From, Door)
		case Guards:
			p.visit(e.From, Branch)
		case Under:
			p.visit(e.From, Branch)
		case Needs:
			if part == Root {
				p.visit(e.From, User)
			}
		}
	}
	p.reverse(it, part)
}

func (p *planner) owners(it index.Item) {
	for _, o := range it.Object.GetOwnerReferences() {
		ref := object.New(o.APIVersion, o.Kind, it.Ref.Namespace, o.Name)
		if owner, ok := p.v.ByUID(o.UID); ok {
			p.visit(owner.Ref, Ancestor)
			continue
		}
		if clusterScoped(p.v, ref) {
			ref.Namespace = ""
		}
		p.visit(ref, Ancestor)
	}
}

// forward follows the relations that start from an object and stay on its
// side: what it needs, and what it leads traffic to.
func (p *planner) forward(it index.Item, follow func(*Row) bool) {
	for _, row := range p.t.from(it.Ref.GroupKind()) {
		if row.Side == Down || !follow(row) || !p.choice.takes(row, it.Ref) {
			continue
		}
		p.forwardRow(it, row)
	}
	for _, e := range p.g.From(it.Ref) {
		if e.Row.Side == Down || !follow(e.Row) {
			continue
		}
		if e.Presence != index.Present {
			p.wantRef(e.To, metadataWillDo(e.To.GroupKind(), e.Row))
			continue
		}
		p.keysOf(e)
		p.visit(e.To, partOf(e))
	}
}

// keysOf wants the whole of an object whose metadata was read, where a
// reference names a key in it.
func (p *planner) keysOf(e Edge) {
	if to, ok := p.v.Get(e.To); ok && len(e.Keys) > 0 && source.MetadataOnly(to.Object) {
		p.wantRef(e.To, metadataWillDo(e.To.GroupKind(), e.Row))
	}
}

func partOf(e Edge) Part {
	switch e.Row.Side {
	case Route:
		return Below
	case Under:
		return Door
	case Guards:
		return User
	}
	return Branch
}

func (p *planner) forwardRow(it index.Item, row *Row) {
	to, fixed := row.Target()
	if row.Resolver != "" && resolvers[row.Resolver].wants != nil {
		for _, q := range resolvers[row.Resolver].wants(it) {
			p.want(q)
		}
	}
	if !fixed {
		return
	}
	if row.Search != "" {
		p.search(it, row)
	}
	if row.Selector != "" {
		for _, s := range p.t.selectors(rootOf(it.Object), row.Selector) {
			p.want(source.Query{Kind: to, Namespace: it.Ref.Namespace, Labels: s.selector.String()})
		}
	}
	if row.DefaultAnnotation != "" && p.unset(it, row) {
		p.want(source.Query{Kind: to})
	}
}

func (p *planner) unset(it index.Item, row *Row) bool {
	for element := range p.t.elements(it, row, p.t.subject(it.Object)) {
		if p.t.walk.first(element, row.Ref) == "" && !p.t.explicitlyNone(element, row) {
			return true
		}
	}
	return false
}

// doors looks for what stands in front of a door, and what it hangs on.
func (p *planner) doors(it index.Item) {
	for _, e := range p.g.From(it.Ref) {
		if e.Row.Side == Under {
			p.visit(e.To, Door)
		}
	}
	for _, e := range p.g.To(it.Ref) {
		if e.Row.Side == Route {
			p.visit(e.From, Door)
		}
	}
	for _, row := range p.t.byTo[it.Ref.GroupKind()] {
		if row.Side == Route && p.choice.takes(row, it.Ref) {
			p.listSources(it, row)
		}
	}
	p.slices(it)
}

// slices asks for a Service's EndpointSlices: they tell how many addresses it
// really has, without a look at all of its pods.
func (p *planner) slices(it index.Item) {
	if it.Ref.Kind == "Service" && it.Ref.Group == "" {
		p.want(source.Query{
			Kind: schema.GroupKind{Group: "discovery.k8s.io", Kind: "EndpointSlice"}, Namespace: it.Ref.Namespace,
			Labels: labels.Set{"kubernetes.io/service-name": it.Ref.Name}.String(),
		})
	}
}

// reverse looks for what points at an object: what leads traffic to it or
// guards it, and, for the object asked about, what needs it.
func (p *planner) reverse(it index.Item, part Part) {
	gk := it.Ref.GroupKind()
	for i := range p.t.Rows {
		row := &p.t.Rows[i]
		to, fixed := row.Target()
		switch {
		case row.Side == Down || fixed && to != gk || !p.choice.takes(row, it.Ref):
			continue
		case !fixed && !p.mayPointAt(row, gk):
			continue
		case row.Side == Needs && (part != Root || row.Guessed):
			continue
		}
		p.listSources(it, row)
	}
	if PodSpecPath(gk) != "" {
		p.ahead(it)
	}
}

// ahead asks for what its pods, once they are read, would lead to anyway, so
// that a workload takes two round trips rather than four.
func (p *planner) ahead(it index.Item) {
	for _, to := range []schema.GroupKind{{Kind: "Pod"}, {Kind: "Service"}} {
		for _, row := range p.t.byTo[to] {
			if row.When == Always && (row.Side == Route || row.Side == Guards && row.Selector != "") && p.choice.takes(row) {
				p.listSources(it, row)
			}
		}
	}
}

// mayPointAt says whether a reference that names its own kind is ever made to
// the given one: a scaler scales workloads, and nothing else is worth a list.
func (p *planner) mayPointAt(row *Row, gk schema.GroupKind) bool {
	switch row.Name {
	case "hpa-target", "vpa-target":
		return PodSpecPath(gk) != "" && gk.Kind != "Pod" && gk.Kind != "Job" && gk.Kind != "CronJob" && gk.Kind != "DaemonSet" || !Builtin(gk)
	case "rolebinding-role":
		return gk.Group == "rbac.authorization.k8s.io" && strings.HasSuffix(gk.Kind, "Role")
	case "event":
		return true
	case "claim-source":
		return gk.Kind == "PersistentVolumeClaim" || gk.Kind == "VolumeSnapshot"
	case "referencegrant-target":
		return gk.Group == "" && (gk.Kind == "Service" || gk.Kind == "Secret")
	case "endpointslice-target":
		return gk.Kind == "Pod"
	}
	return false
}

func (p *planner) listSources(it index.Item, row *Row) {
	for _, from := range row.Sources() {
		if k, ok := p.v.Served(from); ok {
			p.want(p.sourceQuery(it, row, k))
		}
	}
}

// sourceQuery asks for the objects of a kind that may point at it by the row,
// as narrowly as the server can select.
func (p *planner) sourceQuery(it index.Item, row *Row, from source.Kind) source.Query {
	q := source.Query{Kind: from.GroupKind(), Namespace: it.Ref.Namespace}
	target, _ := p.v.Served(it.Ref.GroupKind())
	switch {
	case row.Label != "":
		q.Labels = labels.Set{row.Label: it.Ref.Name}.String()
	case row.Name == "pod-node":
		q.Fields = "spec.nodeName=" + it.Ref.Name
	case row.Name == "lease-node":
		q.Namespace, q.Name = corev1.NamespaceNodeLease, it.Ref.Name
	case row.Name == "csinode-node":
		q.Name = it.Ref.Name
	case row.Name == "event":
		q.Fields = "involvedObject.uid=" + string(it.Object.GetUID())
	case row.Namespace != "" && target.Namespaced && row.Kind == "":
		q.Namespace = "" // a reference that may cross namespaces
	}
	return q
}

// metadataWillDo says whether an object's metadata is all that is needed: of
// Secrets never more is read; a ConfigMap is read whole only for its keys.
func metadataWillDo(gk schema.GroupKind, row *Row) bool {
	switch gk.Kind {
	case "Secret", "Role", "ClusterRole", "PriorityClass", "RuntimeClass", "CSIDriver", "DeviceClass":
		return true
	case "ConfigMap":
		return row == nil || row.Key == ""
	}
	return false
}
