// Package relation knows how objects hang together: one declarative table of
// relations, and the graph that is built with it, in which each edge says why.
package relation

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

//go:embed relations.yaml
var builtin []byte

// Side says where a relation is drawn: which end stands above the other.
type Side string

// The sides. Down, Route and Under make the trunk of a tree; Needs and Guards
// are its side branches.
const (
	Down   Side = "down"   // from owns to: Deployment above ReplicaSet
	Route  Side = "route"  // from leads traffic to to: Service above its pods' Deployment
	Under  Side = "under"  // from belongs to to: EndpointSlice below Service
	Needs  Side = "needs"  // from uses to: ConfigMap beside the workload
	Guards Side = "guards" // from acts on to: HorizontalPodAutoscaler beside the workload
)

// When says when a relation is looked for.
type When string

// The occasions. Always is the default; Asked waits until one of its ends is the
// object that was asked about, since it costs a list that few want; All waits
// for --relations.
const (
	Always When = "always"
	Asked  When = "asked"
	All    When = "all"
)

// Row is one relation. Paths are JSON paths below the object; At leads to the
// elements that hold a reference, and the other paths start there.
type Row struct {
	Name string   `json:"name"`
	From []string `json:"from"` // "Kind" or "Kind.group"; "podspec" is every kind that holds a pod's spec
	To   string   `json:"to"`   // "" where the reference itself says the kind
	Side Side     `json:"side"`
	When When     `json:"when,omitempty"`

	At        []string `json:"at,omitempty"`        // "{podspec}" is the pod's spec
	Ref       string   `json:"ref,omitempty"`       // the name of the target
	Namespace string   `json:"namespace,omitempty"` // its namespace; unset: that of from
	Kind      string   `json:"kind,omitempty"`      // its kind, where the reference says it
	Group     string   `json:"group,omitempty"`     // its group or apiVersion, likewise
	Key       string   `json:"key,omitempty"`       // the key that must exist in it
	Optional  string   `json:"optional,omitempty"`  // true where it may be absent
	Except    []string `json:"except,omitempty"`    // names that are no reference
	Settled   string   `json:"settled,omitempty"`   // "PATH=VALUE|VALUE" of from: once so, the target may be absent

	Selector  string `json:"selector,omitempty"`  // a label selector, in either of the API's forms
	Label     string `json:"label,omitempty"`     // a label of from whose value names the target
	Search    string `json:"search,omitempty"`    // a selector in from that finds what it owns
	SearchUID string `json:"searchUID,omitempty"` // a label of the owned that holds the owner's UID
	Resolver  string `json:"resolver,omitempty"`  // a rule that needs Go: see resolvers

	Default           string `json:"default,omitempty"`           // name when the reference is unset
	DefaultAnnotation string `json:"defaultAnnotation,omitempty"` // marks the default target when it is unset

	Required bool   `json:"required,omitempty"` // a missing target is a fault
	Chain    bool   `json:"chain,omitempty"`    // is followed from a side branch too
	Guessed  bool   `json:"guessed,omitempty"`
	Why      string `json:"why"`               // what the row says; {path} is filled in
	Inverse  string `json:"inverse,omitempty"` // said when drawn from the other end
	Learn    string `json:"learn,omitempty"`

	sources []schema.GroupKind // From and To, read once
	goal    schema.GroupKind
}

// Table is a set of relations.
type Table struct {
	Rows []Row `json:"relations"`

	walk     *walker
	byFrom   map[schema.GroupKind][]*Row
	byTo     map[schema.GroupKind][]*Row
	starting map[schema.GroupKind][]*Row // see from
	places   map[string][]value          // see subject
}

// NewTable is the built-in table with the users' own rows after it. Each extra
// is a YAML document of the same form as relations.yaml.
func NewTable(extra ...[]byte) (*Table, error) {
	t := &Table{
		walk: newWalker(), places: map[string][]value{},
		byFrom: map[schema.GroupKind][]*Row{}, byTo: map[schema.GroupKind][]*Row{}, starting: map[schema.GroupKind][]*Row{},
	}
	for i, doc := range append([][]byte{builtin}, extra...) {
		var part Table
		if err := yaml.UnmarshalStrict(doc, &part); err != nil {
			return nil, fmt.Errorf("relations %s: %w", which(i), err)
		}
		t.Rows = append(t.Rows, part.Rows...)
	}
	seen := map[string]bool{}
	for i := range t.Rows {
		row := &t.Rows[i]
		if err := row.check(); err != nil {
			return nil, fmt.Errorf("relation %q: %w", row.Name, err)
		}
		if seen[row.Name] {
			return nil, fmt.Errorf("relation %q is defined twice; give yours another name", row.Name)
		}
		seen[row.Name] = true
		t.file(row)
	}
	return t, nil
}

func which(i int) string {
	if i == 0 {
		return "built in"
	}
	return fmt.Sprintf("file %d", i)
}

func (r *Row) check() error {
	r.When = cmpOr(r.When, Always)
	switch {
	case r.Name == "" || len(r.From) == 0:
		return fmt.Errorf("needs a name and a from")
	case !slices.Contains([]Side{Down, Route, Under, Needs, Guards}, r.Side):
		return fmt.Errorf("side %q is none of down, route, under, needs, guards", r.Side)
	case !slices.Contains([]When{Always, Asked, All}, r.When):
		return fmt.Errorf("when %q is none of always, asked, all", r.When)
	case r.To == "" && r.Kind == "" && r.Resolver == "":
		return fmt.Errorf("needs a to, or a kind that says where the reference holds it")
	case r.Ref == "" && r.Selector == "" && r.Label == "" && r.Search == "" && r.SearchUID == "" && r.Resolver == "":
		return fmt.Errorf("needs one of ref, selector, label, search, searchUID")
	}
	if _, ok := resolvers[r.Resolver]; r.Resolver != "" && !ok {
		return fmt.Errorf("resolver %q is not known", r.Resolver)
	}
	return nil
}

func cmpOr[T ~string](a, b T) T {
	if a != "" {
		return a
	}
	return b
}

func (t *Table) file(row *Row) {
	for _, f := range row.From {
		if f == "podspec" {
			row.sources = append(row.sources, podSpecKinds...)
			continue
		}
		row.sources = append(row.sources, parseKind(f))
	}
	for _, gk := range row.sources {
		t.byFrom[gk] = append(t.byFrom[gk], row)
	}
	row.goal = parseKind(row.To)
	if row.To != "" {
		t.byTo[row.goal] = append(t.byTo[row.goal], row)
	}
}

// Sources are the kinds that a row of a table starts from.
func (r *Row) Sources() []schema.GroupKind { return r.sources }

// Target is the kind that a row leads to; false where the reference says it.
func (r *Row) Target() (schema.GroupKind, bool) {
	return r.goal, r.To != ""
}

// Trunk says whether the relation carries the tree on, rather than hanging a
// side branch on it.
func (r *Row) Trunk() bool { return r.Side == Down || r.Side == Route || r.Side == Under }

func parseKind(s string) schema.GroupKind {
	kind, group, _ := strings.Cut(s, ".")
	return schema.GroupKind{Group: group, Kind: kind}
}

var podSpecKinds = []schema.GroupKind{
	{Kind: "Pod"}, {Group: "apps", Kind: "Deployment"}, {Group: "apps", Kind: "ReplicaSet"},
	{Group: "apps", Kind: "StatefulSet"}, {Group: "apps", Kind: "DaemonSet"}, {Group: "batch", Kind: "Job"},
	{Group: "batch", Kind: "CronJob"}, {Kind: "ReplicationController"},
}

// PodSpecPath is where a kind keeps its pods' spec, "" where it has none.
func PodSpecPath(gk schema.GroupKind) string {
	switch {
	case !slices.Contains(podSpecKinds, gk):
		return ""
	case gk.Kind == "Pod":
		return "spec"
	case gk.Kind == "CronJob":
		return "spec.jobTemplate.spec.template.spec"
	}
	return "spec.template.spec"
}

// Choose reads the value of --relations: "" is the default choice, "owner"
// ownership alone, "all" every row, otherwise names separated by commas.
func (t *Table) Choose(value string) (Choice, error) {
	switch value {
	case "":
		return Choice{}, nil
	case "all":
		return Choice{All: true}, nil
	case "owner":
		return Choice{Only: map[string]bool{}}, nil
	}
	choice := Choice{Only: map[string]bool{}}
	for name := range strings.SplitSeq(value, ",") {
		if !slices.ContainsFunc(t.Rows, func(r Row) bool { return r.Name == name }) {
			if close := source.Close(t.Names(), name); len(close) > 0 {
				return Choice{}, fmt.Errorf("there is no relation %q; did you mean %s?", name, strings.Join(close, ", "))
			}
			return Choice{}, fmt.Errorf("there is no relation %q; docs/relations.md lists them, and owner and all are words for many", name)
		}
		choice.Only[name] = true
	}
	return choice, nil
}

// Names are the names of all rows, in the order of the table.
func (t *Table) Names() []string {
	names := make([]string, 0, len(t.Rows))
	for _, r := range t.Rows {
		names = append(names, r.Name)
	}
	return names
}

// Kinds are all kinds that the table mentions.
func (t *Table) Kinds() []schema.GroupKind {
	var kinds []schema.GroupKind
	take := func(gk schema.GroupKind) {
		if gk.Kind != "*" && gk.Kind != "custom" && !slices.Contains(kinds, gk) {
			kinds = append(kinds, gk)
		}
	}
	for i := range t.Rows {
		for _, gk := range t.Rows[i].Sources() {
			take(gk)
		}
		if to, ok := t.Rows[i].Target(); ok {
			take(to)
		}
	}
	return kinds
}
