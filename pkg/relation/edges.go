package relation

import (
	"iter"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Edge is one relation between two objects, with the field that says so.
type Edge struct {
	Row      *Row
	From, To object.Ref
	Field    string   // where the reference stands in From
	Why      string   // seen from From
	Inverse  string   // seen from To
	Keys     []string // keys that must exist in To
	Optional bool
	Default  bool // the reference is unset and a default applies
	Presence index.Presence
	Gap      *source.Gap // what hides To, where its Presence is Unknown and that is known
}

// said are the relations that an object's own fields name: of all that a view
// holds only the served kinds matter to them.
func (t *Table) said(v *index.View, it index.Item) []Edge {
	if source.MetadataOnly(it.Object) {
		return nil
	}
	var edges []Edge
	subject := t.subject(it.Object)
	for _, row := range t.from(it.Ref.GroupKind()) {
		if row.plain() {
			edges = append(edges, t.referenced(v, it, row, subject)...)
		}
	}
	return edges
}

// complete adds to what an object says the relations that depend on the other
// objects of a view, in the order of the table, and says what is there. Ownership
// is none of them: the children's ownerReferences say it (see Owners).
func (t *Table) complete(v *index.View, it index.Item, said []Edge) []Edge {
	edges := make([]Edge, 0, len(said))
	subject := t.subject(it.Object)
	for _, row := range t.from(it.Ref.GroupKind()) {
		if !row.plain() {
			edges = append(edges, t.sought(v, it, row, subject)...)
			continue
		}
		for len(said) > 0 && said[0].Row == row {
			edges, said = append(edges, said[0]), said[1:]
		}
	}
	for i := range edges {
		e := &edges[i]
		if e.To.Version == "" {
			e.To.Version = version(v, e.To)
		}
		e.Presence, e.Gap = v.Presence(e.To)
	}
	return edges
}

// from are the rows that may start from a kind.
func (t *Table) from(gk schema.GroupKind) []*Row {
	rows, ok := t.starting[gk]
	if !ok {
		rows = slices.Concat(t.byFrom[gk], t.byFrom[schema.GroupKind{Kind: "*"}])
		if !Builtin(gk) {
			rows = append(rows, t.byFrom[schema.GroupKind{Kind: "custom"}]...)
		}
		t.starting[gk] = rows
	}
	return rows
}

// Builtin says whether a kind belongs to Kubernetes itself rather than to a CRD.
func Builtin(gk schema.GroupKind) bool {
	return !strings.Contains(gk.Group, ".") || strings.HasSuffix(gk.Group, ".k8s.io") && !strings.HasPrefix(gk.Group, "gateway.")
}

// plain says that the row is a reference by name, without a default that other
// objects decide.
func (r *Row) plain() bool {
	return r.Ref != "" && r.Resolver == "" && r.Selector == "" && r.Label == "" && r.DefaultAnnotation == ""
}

// sought are the relations of a row that is not plain.
func (t *Table) sought(v *index.View, it index.Item, row *Row, subject subject) []Edge {
	switch {
	case row.Resolver != "":
		return resolvers[row.Resolver].edges(t, v, it, row)
	case row.Label != "":
		return t.labelled(it, row, subject.value)
	case source.MetadataOnly(it.Object):
		return nil
	case row.Selector != "":
		return t.selected(v, it, row, subject.value)
	case row.Ref != "":
		return t.referenced(v, it, row, subject)
	}
	return nil
}

// labelled reads a reference from a label of the object.
func (t *Table) labelled(it index.Item, row *Row, subject value) []Edge {
	name := it.Object.GetLabels()[row.Label]
	if name == "" {
		return nil
	}
	e := t.edge(it, row, subject, row.target(it, name))
	e.Field = join("metadata.labels", row.Label)
	return []Edge{e}
}

// referenced reads references by name.
func (t *Table) referenced(v *index.View, it index.Item, row *Row, subject subject) []Edge {
	var edges []Edge
	for element := range t.elements(it, row, subject) {
		name := t.walk.first(element, row.Ref)
		e := Edge{}
		switch {
		case name != "":
			if contains(row.Except, name) {
				continue
			}
			e = t.edge(it, row, element, row.target(it, name))
			e.Field = fieldOf(element, row.Ref)
		case row.Default != "":
			if contains(row.Except, row.Default) {
				continue
			}
			e = t.edge(it, row, element, row.target(it, row.Default))
			e.Field, e.Default = fieldOf(element, row.Ref), true
		case row.DefaultAnnotation != "":
			marked, ok := t.marked(v, row)
			if !ok || t.explicitlyNone(element, row) {
				continue
			}
			e = t.edge(it, row, element, marked)
			e.Field, e.Default, e.Why = fieldOf(element, row.Ref), true, e.Why+" (default)"
		default:
			continue
		}
		if row.Kind != "" && !t.retarget(&e, row, element, it) {
			continue
		}
		if row.Namespace != "" {
			if ns := t.walk.first(element, row.Namespace); ns != "" {
				e.To.Namespace = ns
			}
		}
		if clusterScoped(v, e.To) {
			e.To.Namespace = ""
		}
		e.Optional = t.walk.first(element, row.Optional) == "true" || t.settled(row, subject.value)
		if row.Key != "" {
			for _, k := range t.walk.find(element, row.Key) {
				e.Keys = append(e.Keys, k.text())
			}
		}
		edges = append(edges, e)
	}
	return edges
}

// settled says that from no longer needs the target: a bound claim is served by
// its volume, whatever became of its class.
func (t *Table) settled(row *Row, subject value) bool {
	path, want, ok := strings.Cut(row.Settled, "=")
	return ok && slices.Contains(strings.Split(want, "|"), t.walk.first(subject, path))
}

// explicitlyNone says that the field is set to "", which asks for no default
// (a PersistentVolumeClaim with storageClassName ""). An unset pointer leads to
// no valid value.
func (t *Table) explicitlyNone(element value, row *Row) bool {
	for _, v := range t.walk.step(nil, element, row.Ref) {
		return v.at.IsValid()
	}
	return false
}

// subject is an object whose relations are looked for. Many rows of the table
// start at the same places of it.
type subject struct {
	value
	places map[string][]value // by the row's own words
}

// subject is good until the next one is asked for.
func (t *Table) subject(o source.Object) subject {
	clear(t.places)
	return subject{rootOf(o), t.places}
}

// elements are the places that hold the row's references.
func (t *Table) elements(it index.Item, row *Row, subject subject) iter.Seq[value] {
	return func(yield func(value) bool) {
		if len(row.At) == 0 {
			yield(subject.value)
			return
		}
		for _, at := range row.At {
			for _, element := range t.elementsAt(it, at, subject) {
				if !yield(element) {
					return
				}
			}
		}
	}
}

func (t *Table) elementsAt(it index.Item, at string, subject subject) []value {
	places, ok := subject.places[at]
	if !ok {
		if path, ok := inPodSpec(it, at); ok {
			places = t.walk.find(subject.value, path)
		}
		subject.places[at] = places
	}
	return places
}

// inPodSpec fills in where the kind keeps its pods' spec; false where it has none.
func inPodSpec(it index.Item, at string) (string, bool) {
	if !strings.Contains(at, "{podspec}") {
		return at, true
	}
	prefix := PodSpecPath(it.Ref.GroupKind())
	return strings.Replace(at, "{podspec}", prefix, 1), prefix != ""
}

func fieldOf(element value, ref string) string {
	if element.path == "" {
		return ref
	}
	return element.path + "." + ref
}

// marked is the object of the target kind that an annotation makes the default.
// Where several are marked the newest counts (admission plugin
// DefaultStorageClass, and DefaultIngressClass refuses to choose).
func (t *Table) marked(v *index.View, row *Row) (object.Ref, bool) {
	to, _ := row.Target()
	var best *index.Item
	for _, it := range v.List(to, "") {
		if it.Object.GetAnnotations()[row.DefaultAnnotation] != "true" {
			continue
		}
		if best == nil || it.Object.GetCreationTimestamp().After(best.Object.GetCreationTimestamp().Time) {
			best = &it
		}
	}
	if best == nil {
		return object.Ref{}, false
	}
	return best.Ref, true
}

// retarget reads the target's kind from the reference itself.
func (t *Table) retarget(e *Edge, row *Row, element value, it index.Item) bool {
	kind := t.walk.first(element, row.Kind)
	group, given := "", false
	if row.Group != "" {
		group = t.walk.first(element, row.Group)
		given = group != ""
		if gv, err := schema.ParseGroupVersion(group); err == nil && strings.Contains(group, "/") {
			group = gv.Group
		} else if group == "v1" {
			group = ""
		}
	}
	if to, fixed := row.Target(); fixed {
		if kind == "" && !given {
			return true
		}
		if row.Side == Guards && (kind != to.Kind || group != to.Group) && row.Name != "keda-target" {
			return false
		}
	}
	if kind == "" {
		return false
	}
	if group == "" && !given && row.Side == Guards && row.Name != "referencegrant-target" {
		group = guessGroup(kind)
	}
	e.To.Kind, e.To.Group, e.To.Version = kind, group, ""
	return true
}

func guessGroup(kind string) string {
	for _, gk := range podSpecKinds {
		if gk.Kind == kind {
			return gk.Group
		}
	}
	return ""
}

// target is the object of the row's kind with this name, beside from.
func (r *Row) target(it index.Item, name string) object.Ref {
	to, _ := r.Target()
	return object.Ref{Group: to.Group, Kind: to.Kind, Namespace: it.Ref.Namespace, Name: name}
}

func (t *Table) edge(it index.Item, row *Row, element value, to object.Ref) Edge {
	e := Edge{Row: row, From: it.Ref, To: to, Why: row.Why, Inverse: cmpOr(row.Inverse, row.Why)}
	e.Why, e.Inverse = t.say(e.Why, element, it), t.say(e.Inverse, element, it)
	return e
}

func version(v *index.View, r object.Ref) string {
	if it, ok := v.Get(r); ok {
		return it.Ref.Version
	}
	k, _ := v.Served(r.GroupKind())
	return k.Version
}

func clusterScoped(v *index.View, r object.Ref) bool {
	k, ok := v.Served(r.GroupKind())
	return ok && !k.Namespaced
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
