package relation

import (
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

func (p *planner) owned(it index.Item, part Part) {
	for _, row := range p.t.from(it.Ref.GroupKind()) {
		if row.Side != Down || !p.choice.takes(row, it.Ref) {
			continue
		}
		p.search(it, row)
	}
	if part == Root && p.searches(it.Ref.GroupKind()) {
		p.searchAll(it)
	}
	for _, child := range p.g.Owned(it.Ref) {
		if source.MetadataOnly(child.Object) {
			p.wantRef(child.Ref, metadataWillDo(child.Ref.GroupKind(), nil))
		}
		p.visit(child.Ref, Below)
	}
	for _, e := range p.g.From(it.Ref) {
		if e.Row.Side == Down && part == Root {
			p.visit(e.To, Below)
		}
	}
}

// searches says whether what an object of the kind owns can only be found by
// searching every kind: there is no server-side owner filter, and the table
// knows the children of built-in kinds alone.
func (p *planner) searches(gk schema.GroupKind) bool {
	return !Builtin(gk) || p.choice.All && gk.Kind != "Namespace" && gk.Kind != "Node"
}

// search wants what a row's selector, or its label with the owner's UID, finds.
func (p *planner) search(it index.Item, row *Row) {
	to, _ := row.Target()
	q := source.Query{Kind: to, Namespace: it.Ref.Namespace}
	switch {
	case row.SearchUID != "":
		q.Labels = labels.Set{row.SearchUID: string(it.Object.GetUID())}.String()
		p.want(q)
	case row.Search == "*":
		p.want(q)
	case row.Search != "":
		for _, s := range p.t.selectors(rootOf(it.Object), row.Search) {
			q.Labels = s.selector.String()
			p.want(q)
		}
	case row.Resolver == "namespace-content":
		p.content(it)
	case row.Resolver != "" && resolvers[row.Resolver].wants != nil:
		for _, q := range resolvers[row.Resolver].wants(it) {
			p.want(q)
		}
	}
}

// HiddenBelow are the gaps in what was read to find what an object owns.
func (g *Graph) HiddenBelow(it index.Item) []source.Gap {
	p := &planner{g: g, v: g.View, t: g.Table, wanted: map[source.Query]bool{}}
	for _, row := range p.t.byFrom[it.Ref.GroupKind()] {
		if row.Side == Down && row.When == Always {
			p.search(it, row)
		}
	}
	var gaps []source.Gap
	for _, q := range p.queries() {
		if gap := g.View.GapOf(q); gap != nil {
			gaps = append(gaps, *gap)
		}
	}
	return source.SortGaps(gaps)
}

func (p *planner) searchAll(it index.Item) {
	for _, k := range p.v.Kinds {
		if k.Listable && (k.Namespaced || it.Ref.Namespace == "") && searchable(k) {
			p.want(source.Query{Kind: k.GroupKind(), Namespace: it.Ref.Namespace, Metadata: true, Owned: true})
		}
	}
}

// searchable leaves out what is never owned or is no stored object.
func searchable(k source.Kind) bool {
	return k.Kind != "Event" && k.Kind != "ComponentStatus" && !strings.HasPrefix(k.Group, "metrics.")
}

// content wants what lives in a namespace: in full where it has a state,
// metadata alone otherwise.
func (p *planner) content(it index.Item) {
	for _, k := range p.v.Kinds {
		if k.Namespaced && k.Listable && searchable(k) && !noise(k.GroupKind()) {
			p.want(source.Query{Kind: k.GroupKind(), Namespace: it.Ref.Name, Metadata: metadataWillDo(k.GroupKind(), nil) || !Builtin(k.GroupKind())})
		}
	}
}

// noise are kinds that say nothing of their own about a namespace.
func noise(gk schema.GroupKind) bool {
	switch gk.Kind {
	case "Endpoints", "PodTemplate", "ControllerRevision", "EndpointSlice", "Lease":
		return true
	}
	return false
}
