// Package tree judges a hierarchy: which objects hang together, drawn as a
// forest, and which of them is the root of what is wrong.
package tree

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// Options are what the user chose.
type Options struct {
	Learn   bool         // say one plain sentence about each kind
	Written []object.Ref // objects as manifests write them, in the versions that those use
}

// builder draws each object once; a second way to it is marked as such.
type builder struct {
	g      *relation.Graph
	v      *index.View
	opts   Options
	asked  map[object.Ref]bool
	home   string // the namespace that titles leave out
	drawn  map[object.Ref]*report.Node
	order  []object.Ref // drawn objects, in the order of the picture
	taught map[string]bool

	outline bool // only what is drawn, and how it is, will be asked
}

func newBuilder(g *relation.Graph, roots []object.Ref, opts Options) *builder {
	b := &builder{
		g: g, v: g.View, opts: opts, asked: map[object.Ref]bool{}, drawn: map[object.Ref]*report.Node{},
		taught: map[string]bool{},
	}
	for i, r := range roots {
		b.asked[r.Key()] = true
		if i == 0 {
			b.home = homeOf(r)
		}
		if homeOf(r) != b.home {
			b.home = "" // several namespaces: name them all
		}
	}
	return b
}

func homeOf(r object.Ref) string {
	if r.Kind == "Namespace" && r.Group == "" {
		return r.Name
	}
	return r.Namespace
}

// forest draws every root with what is above and below it.
func (b *builder) forest(roots []object.Ref) []*report.Node {
	var heads []*report.Node
	for _, r := range roots {
		if b.drawn[r.Key()] != nil {
			continue
		}
		heads = append(heads, b.spines(r)...)
	}
	return heads
}

// stateOf is the key of an object's state among what a view remembers.
type stateOf struct{ object.Ref }

// state is how an object is, judged once: of what is still to be read and of
// what is drawn, the same view is asked.
func (b *builder) state(it index.Item) health.State {
	return index.Memo(b.v, stateOf{it.Ref.Key()}, func() health.State { return health.Of(b.v, it) })
}

// node draws one object without its children, or a pointer to where it was
// drawn before; the second result says which.
func (b *builder) node(it index.Item, relationName, why string) (*report.Node, bool) {
	key := it.Ref.Key()
	if b.drawn[key] != nil {
		return &report.Node{Object: it.Ref, Title: b.title(it.Ref), Relation: relationName, Why: why, Above: true, Health: report.NoHealth, Asked: b.asked[key]}, false
	}
	s := b.state(it)
	if rs, ok := it.Object.(*appsv1.ReplicaSet); ok && b.keptForRollback(rs) {
		s.Status = "kept for rollback"
	}
	created := it.Object.GetCreationTimestamp().Time
	n := &report.Node{
		Object: it.Ref, Title: b.title(it.Ref), Relation: relationName, Why: why,
		Ready: s.Ready, Health: report.Health(s.Level), Status: s.Status, Wide: s.Detail,
		Asked: b.asked[key],
	}
	if !created.IsZero() {
		n.Created, n.Age = &created, b.age(created)
	}
	b.drawn[key] = n
	b.order = append(b.order, it.Ref)
	b.teach(n)
	return n, true
}

// absent draws an object that a reference names but that was not read.
func (b *builder) absent(e relation.Edge, to object.Ref, why string) *report.Node {
	n := &report.Node{Object: to, Title: b.title(to), Relation: e.Row.Name, Why: why, Guessed: e.Row.Guessed}
	switch {
	case e.Presence == index.Missing && e.Optional:
		n.Health, n.Status = report.NoHealth, "absent, optional"
	case e.Presence == index.Missing && !e.Row.Required:
		n.Health, n.Status = report.NoHealth, "absent"
	case e.Presence == index.Missing:
		n.Health, n.Status = report.Failing, "missing"
	case e.Gap != nil:
		n.Health, n.Status = report.Unseen, "not seen ("+string(e.Gap.Reason)+")"
	default:
		n.Health, n.Status = report.Unseen, "not seen"
	}
	b.teach(n)
	return n
}

func (b *builder) title(r object.Ref) string {
	if r.Namespace != "" && r.Namespace != b.home {
		return r.Long()
	}
	return r.String()
}

// age is in kubectl's form: "3d", "5m20s".
func (b *builder) age(created time.Time) string {
	return duration.HumanDuration(b.v.Now.Sub(created))
}

// containers draws the containers of a pod, in the order in which they start.
func (b *builder) containers(pod *corev1.Pod) []*report.Node {
	var nodes []*report.Node
	for _, c := range health.Containers(b.v, pod) {
		n := &report.Node{
			Object: object.Ref{Kind: "Container", Namespace: pod.Namespace, Name: c.Name},
			Title:  string(c.Type) + " " + c.Name, Relation: "container", Why: c.Image,
			Health: report.Health(c.Level), Status: c.Status,
		}
		b.teach(n)
		nodes = append(nodes, n)
	}
	return nodes
}
