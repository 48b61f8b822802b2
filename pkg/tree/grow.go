package tree

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// inheritance is what the rows above already say, so that those below are
// silent about it.
type inheritance struct {
	top    bool                // nothing of the owner chain is drawn above
	needed map[object.Ref]bool // drawn as needed by an owner
}

// grow draws everything below an object: what it owns, where it leads, what it
// needs and what guards it.
func (b *builder) grow(n *report.Node, it index.Item, from inheritance) {
	needs, needed := b.needs(it, from)
	below := inheritance{needed: needed}
	for _, child := range b.ordered(b.g.Owned(it.Ref)) {
		why := b.whyOwned(child)
		if e, ok := b.joined(it, child); ok && why == "" {
			why = e.Why
		}
		b.child(n, child, b.ownershipName(it, child), why, below)
	}
	n.Children = append(n.Children, b.hidden(it)...)
	for _, e := range outermostFirst(b.g.From(it.Ref)) {
		switch e.Row.Side {
		case relation.Down:
			b.down(n, e, below)
		case relation.Route:
			b.route(n, e)
		case relation.Guards:
			if b.asked[it.Ref.Key()] {
				b.target(n, e)
			}
		}
	}
	for _, e := range b.g.To(it.Ref) {
		if e.Row.Side == relation.Under && !b.hasChild(n, e.From) {
			b.branch(n, e, e.From, e.Why)
		}
	}
	for _, e := range needs {
		b.branch(n, e, e.To, e.Why)
	}
	if from.top {
		b.guards(n, it)
	}
	if b.asked[it.Ref.Key()] {
		b.users(n, it)
	}
	if pod, ok := it.Object.(*corev1.Pod); ok && !b.outline {
		n.Children = append(b.containers(pod), n.Children...)
	}
}

// hidden are rows for what an object may own and nobody let us see.
func (b *builder) hidden(it index.Item) []*report.Node {
	var rows []*report.Node
	for _, gap := range b.g.HiddenBelow(it) {
		rows = append(rows, &report.Node{
			Object: object.Ref{Group: gap.Kind.Group, Kind: gap.Kind.Kind, Namespace: gap.Namespace},
			Title:  gap.Resource, Relation: "owner", Health: report.Unseen, Status: "not seen (" + string(gap.Reason) + ")",
		})
	}
	return rows
}

// child draws an owned object with everything below it.
func (b *builder) child(parent *report.Node, it index.Item, name, why string, from inheritance) {
	n, fresh := b.node(it, name, why)
	parent.Children = append(parent.Children, n)
	if fresh {
		b.grow(n, it, from)
	}
}

// ownershipName is the row of the table that joins the two, "owner" where only
// the ownerReference does.
func (b *builder) ownershipName(owner, owned index.Item) string {
	if e, ok := b.joined(owner, owned); ok {
		return e.Row.Name
	}
	if row := b.g.Table.OwnershipRow(owner.Ref.GroupKind(), owned.Ref.GroupKind()); row != nil {
		return row.Name
	}
	return "owner"
}

// joined is the relation that ties an owned object to its owner beside the
// ownerReference, and says more than that: an EndpointSlice, a node's Lease.
func (b *builder) joined(owner, owned index.Item) (relation.Edge, bool) {
	for _, e := range b.g.From(owned.Ref) {
		if e.Row.Side == relation.Under && e.To.Key() == owner.Ref.Key() {
			return e, true
		}
	}
	return relation.Edge{}, false
}

// down draws what an edge of the trunk leads to that is not owned: the content
// of a namespace, the instances of a definition.
func (b *builder) down(parent *report.Node, e relation.Edge, from inheritance) {
	if it, ok := b.v.Get(e.To); ok && !uninteresting(it) && b.drawn[e.To.Key()] == nil {
		b.child(parent, it, e.Row.Name, b.whyOwned(it), inheritance{top: true, needed: from.needed})
	}
}

// uninteresting are objects that every namespace has.
func uninteresting(it index.Item) bool {
	switch it.Ref.Kind {
	case "ConfigMap":
		return it.Ref.Name == "kube-root-ca.crt"
	case "ServiceAccount":
		return it.Ref.Name == "default"
	}
	return false
}

// route draws what traffic is led to: the workload of a selected pod, or the
// next door.
func (b *builder) route(parent *report.Node, e relation.Edge) {
	if e.Presence != index.Present {
		parent.Children = append(parent.Children, b.absent(e, e.To, e.Why))
		return
	}
	it, ok := b.v.Get(b.g.Workload(e.To))
	if !ok || b.hasChild(parent, it.Ref) {
		return
	}
	why := e.Why
	if it.Ref.Key() != e.To.Key() || e.To.Kind == "Pod" {
		why = b.whyOwned(it)
	}
	b.child(parent, it, e.Row.Name, why, inheritance{top: true})
}

// target draws the workload that the asked guard acts on.
func (b *builder) target(parent *report.Node, e relation.Edge) {
	if e.Presence != index.Present {
		parent.Children = append(parent.Children, b.absent(e, e.To, e.Inverse))
		return
	}
	if it, ok := b.v.Get(b.g.Workload(e.To)); ok && !b.hasChild(parent, it.Ref) {
		n, _ := b.node(it, e.Row.Name, e.Inverse)
		parent.Children = append(parent.Children, n)
	}
}

// needs are the objects that it needs and no row above has named, each once,
// and the set that rows below need not name again.
func (b *builder) needs(it index.Item, from inheritance) ([]relation.Edge, map[object.Ref]bool) {
	named := map[object.Ref]bool{}
	for r := range from.needed {
		named[r] = true
	}
	var edges []relation.Edge
	for _, e := range b.g.From(it.Ref) {
		key := e.To.Key()
		if e.Row.Side != relation.Needs || key == it.Ref.Key() || b.heads(e) {
			continue
		}
		if i := slices.IndexFunc(edges, func(x relation.Edge) bool { return x.To.Key() == key }); i >= 0 {
			if edges[i].Row.Guessed && !e.Row.Guessed {
				edges[i] = e
			}
			continue
		}
		if !named[key] {
			named[key] = true
			edges = append(edges, e)
		}
	}
	return edges, named
}

// heads says that the needed object is drawn as a door above, where its own
// row says it better (the Service of a StatefulSet).
func (b *builder) heads(e relation.Edge) bool {
	return e.Row.Name == "statefulset-service" && b.drawn[e.To.Key()] != nil
}

// branch draws a side branch and the chain of what it stands on in turn.
func (b *builder) branch(parent *report.Node, e relation.Edge, ref object.Ref, why string) {
	it, ok := b.v.Get(ref)
	if !ok {
		parent.Children = append(parent.Children, b.absent(e, ref, why))
		return
	}
	if pv, ok := it.Object.(*corev1.PersistentVolume); ok {
		why += "; " + whatBecomesOf(pv)
	}
	n, fresh := b.node(it, e.Row.Name, why)
	n.Guessed = e.Row.Guessed
	parent.Children = append(parent.Children, n)
	if !fresh {
		return
	}
	seen := map[object.Ref]bool{}
	for _, next := range b.g.From(ref) {
		if next.Row.Chain && next.Row.Side == relation.Needs && !seen[next.To.Key()] {
			seen[next.To.Key()] = true
			b.branch(n, next, next.To, next.Why)
		}
	}
}

// whatBecomesOf says what deleting the claim does to the data.
func whatBecomesOf(pv *corev1.PersistentVolume) string {
	if pv.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete {
		return "its data is deleted with the claim"
	}
	return "its data is kept when the claim goes"
}

// guards draws what acts on a workload: on itself or on any pod below it.
func (b *builder) guards(parent *report.Node, it index.Item) {
	seen := map[object.Ref]bool{}
	for _, r := range b.reached(it) {
		for _, e := range b.g.To(r) {
			if e.Row.Side != relation.Guards || seen[e.From.Key()] || b.hasChild(parent, e.From) {
				continue
			}
			seen[e.From.Key()] = true
			b.branch(parent, e, e.From, e.Why)
		}
	}
}

// users draws who needs the object that was asked about: whole workloads
// rather than each of their pods, except below a node.
func (b *builder) users(parent *report.Node, it index.Item) {
	type use struct {
		item index.Item
		edge relation.Edge
	}
	var uses []use
	seen := map[object.Ref]bool{}
	for _, e := range b.g.To(it.Ref) {
		if e.Row.Side != relation.Needs {
			continue
		}
		ref := e.From
		if it.Ref.Kind != "Node" {
			ref = b.g.Workload(e.From)
		}
		user, ok := b.v.Get(ref)
		if ok && !seen[ref.Key()] && !b.hasChild(parent, ref) {
			seen[ref.Key()] = true
			uses = append(uses, use{user, e})
		}
	}
	slices.SortStableFunc(uses, func(a, c use) int {
		return cmp.Or(cmp.Compare(rank(b.state(a.item).Level), rank(b.state(c.item).Level)), object.Compare(a.item.Ref, c.item.Ref))
	})
	for _, u := range uses {
		n, _ := b.node(u.item, u.edge.Row.Name, u.edge.Inverse)
		n.Guessed = u.edge.Row.Guessed
		parent.Children = append(parent.Children, n)
	}
}

func (b *builder) hasChild(parent *report.Node, r object.Ref) bool {
	return slices.ContainsFunc(parent.Children, func(n *report.Node) bool { return n.Object.Key() == r.Key() })
}
