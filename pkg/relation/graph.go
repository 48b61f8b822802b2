package relation

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Graph is every relation between the objects of a view.
type Graph struct {
	View  *index.View
	Table *Table

	out map[object.Ref][]Edge
	in  map[object.Ref][]Edge
}

// Choice says which relations are followed.
type Choice struct {
	All   bool            // every row
	Only  map[string]bool // these rows beside ownership; nil is the default choice
	Asked map[object.Ref]bool
}

// takes says whether an edge of the row between two objects is followed.
func (c Choice) takes(row *Row, ends ...object.Ref) bool {
	switch {
	case c.All:
		return true
	case c.Only != nil:
		return c.Only[row.Name] || row.Side == Down && row.When == Always
	case row.When == Always:
		return true
	case row.When == Asked:
		for _, e := range ends {
			if c.Asked[e.Key()] {
				return true
			}
		}
	}
	return false
}

// Said is what objects say of themselves, from one graph to the next of the
// same table and the same served kinds: most objects are in both.
type Said map[source.Object][]Edge

// Build draws the graph of the relations that the choice takes. It uses what
// was said before, and adds to it.
func Build(v *index.View, t *Table, choice Choice, said Said) *Graph {
	g := &Graph{View: v, Table: t, out: map[object.Ref][]Edge{}, in: map[object.Ref][]Edge{}}
	for _, it := range v.Every() {
		own, known := said[it.Object]
		if !known {
			own = t.said(v, it)
			said[it.Object] = own
		}
		for _, e := range t.complete(v, it, own) {
			if choice.takes(e.Row, e.From, e.To) {
				g.add(e)
			}
		}
	}
	return g
}

func (g *Graph) add(e Edge) {
	from, to := e.From.Key(), e.To.Key()
	g.out[from] = append(g.out[from], e)
	g.in[to] = append(g.in[to], e)
}

// From are the edges that start from an object, in the order of the table.
func (g *Graph) From(r object.Ref) []Edge { return g.out[r.Key()] }

// To are the edges that lead to an object.
func (g *Graph) To(r object.Ref) []Edge { return g.in[r.Key()] }

// Owners are the objects that own an object: its ownerReferences whose UID
// matches, the controller first.
func (g *Graph) Owners(r object.Ref) []index.Item {
	it, ok := g.View.Get(r)
	if !ok {
		return nil
	}
	var owners []index.Item
	for _, o := range it.Object.GetOwnerReferences() {
		owner, ok := g.View.ByUID(o.UID)
		if !ok || owner.Ref.Key() == r.Key() {
			continue
		}
		if o.Controller != nil && *o.Controller {
			owners = append([]index.Item{owner}, owners...)
		} else {
			owners = append(owners, owner)
		}
	}
	return owners
}

// Owned are the objects that an object owns.
func (g *Graph) Owned(r object.Ref) []index.Item {
	it, ok := g.View.Get(r)
	if !ok || it.Object.GetUID() == "" {
		return nil
	}
	var owned []index.Item
	for child := range g.View.Owned(it.Object.GetUID()) {
		if child.Ref.Key() != r.Key() {
			owned = append(owned, child)
		}
	}
	return owned
}

// Top is the object at the head of an object's chain of controllers. A cycle
// ends where it closes.
func (g *Graph) Top(r object.Ref) object.Ref {
	seen := map[object.Ref]bool{}
	for !seen[r.Key()] {
		seen[r.Key()] = true
		owners := g.Owners(r)
		if len(owners) == 0 {
			break
		}
		r = owners[0].Ref
	}
	return r
}

// Workload is the highest object of an owner chain that holds a pod template,
// or the object itself where there is none.
func (g *Graph) Workload(r object.Ref) object.Ref {
	best, seen := r, map[object.Ref]bool{}
	for !seen[r.Key()] {
		seen[r.Key()] = true
		if PodSpecPath(r.GroupKind()) != "" {
			best = r
		}
		owners := g.Owners(r)
		if len(owners) == 0 {
			break
		}
		r = owners[0].Ref
	}
	return best
}

// OwnershipRow is the row of the table that names the ownership of one kind by
// another; nil where the table has none.
func (t *Table) OwnershipRow(owner, owned schema.GroupKind) *Row {
	for _, row := range t.byFrom[owner] {
		if to, ok := row.Target(); ok && to == owned && row.Side == Down {
			return row
		}
	}
	return nil
}
