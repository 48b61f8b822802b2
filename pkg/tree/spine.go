package tree

import (
	"cmp"
	"slices"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// step is one row above the root.
type step struct {
	item index.Item
	gone *report.Node // in place of item: an owner that is not there
	row  string
	why  string
}

// spines draws the root below all that stands above it: first its owners and
// the longest way in from outside, then each other way in as a head of its own.
func (b *builder) spines(root object.Ref) []*report.Node {
	it, ok := b.v.Get(root)
	if !ok {
		return nil
	}
	owners, top := b.owners(it)
	ways := b.ways(b.reached(it), top)
	first := []step{}
	if len(ways) > 0 {
		first, ways = ways[0], ways[1:]
	}
	heads := []*report.Node{b.hang(append(first, owners...), it)}
	for _, way := range ways {
		heads = append(heads, b.hang(way, top))
	}
	return slices.DeleteFunc(heads, func(n *report.Node) bool { return n == nil })
}

// hang draws the steps one below the other, and the target with everything
// below it at the end. A way that begins with rows that are drawn already goes
// on from them, and has then no head of its own.
func (b *builder) hang(steps []step, target index.Item) *report.Node {
	var head, at *report.Node
	begun := false
	below := func(n *report.Node) {
		if at == nil {
			head = n
		} else {
			at.Children = append(at.Children, n)
		}
		at, begun = n, true
	}
	for i, s := range steps {
		if s.gone != nil {
			below(s.gone)
			continue
		}
		if drawn := b.drawn[s.item.Ref.Key()]; drawn != nil && !begun {
			at = drawn
			continue
		}
		n, fresh := b.node(s.item, b.stepRelation(steps, i), s.why)
		below(n)
		if !fresh {
			return head
		}
	}
	if at != nil && b.hasChild(at, target.Ref) {
		return head
	}
	n, fresh := b.node(target, b.stepRelation(append(steps[:len(steps):len(steps)], step{item: target}), len(steps)), b.whyOwned(target))
	below(n)
	if fresh {
		b.grow(n, target, inheritance{top: true})
	}
	return head
}

// stepRelation names the relation of a row to the one above it; the topmost
// has none. A door says the way to what it opens, so its own row is the next
// one's.
func (b *builder) stepRelation(steps []step, i int) string {
	switch {
	case i == 0 || steps[i-1].gone != nil:
		return ""
	case steps[i-1].row != "":
		return steps[i-1].row
	}
	return b.ownershipName(steps[i-1].item, steps[i].item)
}

// owners are the controllers above an object, the highest first, and the
// highest that exists. A missing owner heads the chain; a cycle ends where it
// closes.
func (b *builder) owners(it index.Item) ([]step, index.Item) {
	var up []step
	seen := map[object.Ref]bool{it.Ref.Key(): true}
	top := it
	for {
		owners := b.g.Owners(top.Ref)
		if len(owners) == 0 {
			if gone := b.missingOwner(top); gone != nil {
				up = append(up, step{gone: gone})
			}
			break
		}
		if seen[owners[0].Ref.Key()] {
			break
		}
		top = owners[0]
		seen[top.Ref.Key()] = true
		up = append(up, step{item: top, why: b.whyOwned(top)})
	}
	slices.Reverse(up)
	return up, top
}

func (b *builder) missingOwner(it index.Item) *report.Node {
	for _, o := range it.Object.GetOwnerReferences() {
		if _, there := b.v.ByUID(o.UID); there {
			continue // a self-owner, or an owner that the cycle has drawn
		}
		ref := object.New(o.APIVersion, o.Kind, it.Ref.Namespace, o.Name)
		if k, ok := b.v.Served(ref.GroupKind()); ok && !k.Namespaced {
			ref.Namespace = ""
		}
		n := &report.Node{Object: ref, Title: b.title(ref), Relation: "owner", Health: report.Failing, Status: "missing", Why: "named in ownerReferences"}
		presence, gap := b.v.Presence(ref)
		kind, served := b.v.Served(ref.GroupKind())
		switch {
		case served && kind.Namespaced && it.Ref.Namespace == "":
			n.Status = "cannot be an owner"
		case presence == index.Present:
			n.Status = "another object of that name"
		case presence == index.Unknown && b.kindGone(ref):
			n.Status = "missing, its kind too"
		case presence == index.Unknown && gap != nil:
			n.Health, n.Status = report.Unseen, "not seen ("+string(gap.Reason)+")"
		case presence == index.Unknown:
			n.Health, n.Status = report.Unseen, "not seen"
		}
		return n
	}
	return nil
}

// kindGone says that discovery was complete and does not know the kind.
func (b *builder) kindGone(r object.Ref) bool {
	_, served := b.v.Served(r.GroupKind())
	return !served && len(b.v.Kinds) > 0
}

// reached are the objects through which traffic reaches an object: itself and
// all that it owns.
func (b *builder) reached(it index.Item) []object.Ref {
	reached := []object.Ref{it.Ref}
	seen := map[object.Ref]bool{it.Ref.Key(): true}
	for i := 0; i < len(reached); i++ {
		for _, child := range b.g.Owned(reached[i]) {
			if !seen[child.Ref.Key()] {
				seen[child.Ref.Key()] = true
				reached = append(reached, child.Ref)
			}
		}
	}
	return reached
}

// ways are the chains of front doors that lead to the top of a workload, the
// longest first.
func (b *builder) ways(reached []object.Ref, top index.Item) [][]step {
	var ways [][]step
	for _, door := range b.doorsTo(append(reached, top.Ref)) {
		ways = append(ways, b.waysTo(door, map[object.Ref]bool{top.Ref.Key(): true})...)
	}
	slices.SortStableFunc(ways, func(a, c []step) int {
		return cmp.Or(cmp.Compare(len(c), len(a)), object.Compare(a[0].item.Ref, c[0].item.Ref))
	})
	return ways
}

type door struct {
	item index.Item
	edge relation.Edge
}

// doorsTo are what leads traffic straight to one of the objects, each once.
func (b *builder) doorsTo(refs []object.Ref) []door {
	var doors []door
	seen := map[object.Ref]bool{}
	take := func(r object.Ref, e relation.Edge) {
		if it, ok := b.v.Get(r); ok && !seen[r.Key()] {
			seen[r.Key()] = true
			doors = append(doors, door{it, e})
		}
	}
	for _, r := range refs {
		for _, e := range b.g.To(r) {
			if e.Row.Side == relation.Route {
				take(e.From, e)
			}
		}
		for _, e := range b.g.From(r) {
			if e.Row.Side == relation.Under {
				take(e.To, e)
			}
		}
	}
	return doors
}

// waysTo are the chains that end at a door, each from its outermost door. A
// chain that comes back to itself ends there.
func (b *builder) waysTo(d door, passed map[object.Ref]bool) [][]step {
	key := d.item.Ref.Key()
	if passed[key] {
		return nil
	}
	passed[key] = true
	defer delete(passed, key)
	own := step{item: d.item, row: d.edge.Row.Name, why: d.edge.Why}
	var ways [][]step
	for _, outer := range b.doorsTo([]object.Ref{d.item.Ref}) {
		for _, way := range b.waysTo(outer, passed) {
			ways = append(ways, append(way, own))
		}
	}
	if len(ways) == 0 {
		ways = [][]step{{own}}
	}
	return ways
}
