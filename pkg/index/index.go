// Package index is the immutable, typed view of the facts that every
// judgement reads: by reference, UID, owner, label, node and IP. It carries
// the moment of judgement and what could not be seen.
package index

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Item is one object with the identity under which it was read.
type Item struct {
	Ref    object.Ref
	Object source.Object
}

// View is what is known at one moment. It is never changed after New, and may
// be read concurrently.
type View struct {
	Now   time.Time
	Gaps  []source.Gap
	Kinds []source.Kind

	shelves map[schema.GroupKind]*shelf
	byUID   map[types.UID]*Item
	byOwner map[types.UID][]*Item
	pods    func() podsBy
	every   func() []Item
	events  map[types.UID][]*corev1.Event
	logs    map[logKey]string
	logless bool // logs were asked for and may not be read
	asked   map[source.Query]source.Asked
	served  map[schema.GroupKind]source.Kind
	memo    sync.Map
}

type podsBy struct{ node, ip, shared map[string][]*corev1.Pod }

type logKey struct {
	pod       types.UID
	container string
	previous  bool
}

// New indexes what a Store holds.
func New(c source.Contents) *View {
	v := &View{
		Now: c.Now, Kinds: c.Kinds,
		shelves: make(map[schema.GroupKind]*shelf, len(c.Objects)),
		byOwner: map[types.UID][]*Item{},
		events:  map[types.UID][]*corev1.Event{}, logs: map[logKey]string{},
		asked: make(map[source.Query]source.Asked, len(c.Asked)), served: map[schema.GroupKind]source.Kind{},
	}
	for _, k := range slices.Backward(c.Kinds) { // the first of a kind is the preferred one
		v.served[k.GroupKind()] = k
	}
	count := 0
	for gk, objects := range c.Objects {
		v.shelves[gk] = newShelf(gk, v.served[gk].Version, objects)
		count += len(objects)
	}
	v.byUID = make(map[types.UID]*Item, count)
	for _, gk := range slices.SortedFunc(maps.Keys(v.shelves), byKind) {
		for i := range v.shelves[gk].items {
			v.add(&v.shelves[gk].items[i])
		}
	}
	v.order()
	v.pods, v.every = sync.OnceValue(v.placePods), sync.OnceValue(v.all)
	v.remember(c)
	return v
}

func (v *View) add(it *Item) {
	if e, ok := it.Object.(*corev1.Event); ok {
		v.events[e.InvolvedObject.UID] = append(v.events[e.InvolvedObject.UID], e)
	}
	if uid := it.Object.GetUID(); uid != "" {
		v.byUID[uid] = it
	}
	for _, owner := range it.Object.GetOwnerReferences() {
		v.byOwner[owner.UID] = append(v.byOwner[owner.UID], it)
	}
}

// byKind is the order of object.Compare.
func byKind(a, b schema.GroupKind) int {
	return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Group, b.Group))
}

// order puts in order what did not come so: of an owner, nearly always all that
// it owns is of one namespace.
func (v *View) order() {
	inOrder := func(a, b *Item) int { return object.Compare(a.Ref, b.Ref) }
	for _, items := range v.byOwner {
		if !slices.IsSortedFunc(items, inOrder) {
			slices.SortFunc(items, inOrder)
		}
	}
	for _, events := range v.events {
		slices.SortStableFunc(events, func(a, b *corev1.Event) int { return EventTime(a).Compare(EventTime(b)) })
	}
}

// placePods finds pods by where they are: in the order of their names, as the
// shelf has them.
func (v *View) placePods() podsBy {
	by := podsBy{node: map[string][]*corev1.Pod{}, ip: map[string][]*corev1.Pod{}, shared: map[string][]*corev1.Pod{}}
	for _, it := range v.List(schema.GroupKind{Kind: "Pod"}, "") {
		pod, ok := it.Object.(*corev1.Pod)
		if !ok {
			continue
		}
		by.node[pod.Spec.NodeName] = append(by.node[pod.Spec.NodeName], pod)
		for _, ip := range pod.Status.PodIPs {
			pods := append(by.ip[ip.IP], pod)
			by.ip[ip.IP] = pods
			if len(pods) > 1 {
				by.shared[ip.IP] = pods
			}
		}
	}
	return by
}

func (v *View) remember(c source.Contents) {
	gaps := slices.Clone(c.KindGap)
	for _, a := range c.Asked {
		v.asked[a.Query] = a
		if a.Gap != nil {
			gaps = append(gaps, *a.Gap)
		}
	}
	for _, l := range c.Logs {
		switch {
		case l.Gap != nil:
			v.logless = v.logless || l.Gap.Reason == source.Forbidden
		default:
			v.logs[logKey{types.UID(l.Query.UID), l.Query.Container, l.Query.Previous}] = l.Text
		}
	}
	v.Gaps = source.SortGaps(gaps)
}

// EventTime is when an event was last seen, whichever of its generations of
// fields says so.
func EventTime(e *corev1.Event) time.Time {
	switch {
	case e.Series != nil && !e.Series.LastObservedTime.IsZero():
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	case !e.EventTime.IsZero():
		return e.EventTime.Time
	}
	return e.CreationTimestamp.Time
}

// EventCount is how often an event was seen.
func EventCount(e *corev1.Event) int {
	if e.Series != nil {
		return int(e.Series.Count)
	}
	return max(1, int(e.Count))
}

// Memo computes what is derived from a view once, however many ask. A view
// never changes, so neither does what a pure function makes of it.
func Memo[T any](v *View, key any, compute func() T) T {
	if known, ok := v.memo.Load(key); ok {
		return known.(T)
	}
	made := compute()
	v.memo.Store(key, made)
	return made
}

// Get finds an object by reference, whatever its version.
func (v *View) Get(r object.Ref) (Item, bool) {
	return v.shelves[r.GroupKind()].get(r.Namespace, r.Name)
}

// ByUID finds an object by UID.
func (v *View) ByUID(uid types.UID) (Item, bool) {
	if it, ok := v.byUID[uid]; ok {
		return *it, true
	}
	return Item{}, false
}

// Owned are the objects whose ownerReferences carry the UID, in order.
func (v *View) Owned(uid types.UID) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for _, it := range v.byOwner[uid] {
			if !yield(*it) {
				return
			}
		}
	}
}

// List are the objects of a kind, in one namespace or, with "", in all, in
// order. The list is the view's own: it must not be changed.
func (v *View) List(gk schema.GroupKind, namespace string) []Item {
	return v.shelves[gk].in(namespace)
}

// Named are the objects of a kind in a namespace whose names begin so, in order.
func (v *View) Named(gk schema.GroupKind, namespace, prefix string) []Item {
	return v.shelves[gk].named(namespace, prefix)
}

// Every is all objects of all kinds, in order. The list is the view's own: it
// must not be changed.
func (v *View) Every() []Item { return v.every() }

// all puts the shelves together kind by kind: within a namespace that is the order.
func (v *View) all() []Item {
	var all []Item
	for _, gk := range slices.SortedFunc(maps.Keys(v.shelves), byKind) {
		all = append(all, v.shelves[gk].items...)
	}
	slices.SortStableFunc(all, func(a, b Item) int { return strings.Compare(a.Ref.Namespace, b.Ref.Namespace) })
	return all
}

// Select are the objects of a kind in a namespace whose labels match, in order.
// It goes by one required pair of the selector where there is one, not over all
// objects.
func (v *View) Select(gk schema.GroupKind, namespace string, sel labels.Selector) []Item {
	candidates := slices.Values(v.List(gk, namespace))
	if key, value, ok := Required(sel); ok && namespace != "" {
		candidates = v.WithLabel(gk, namespace, key, value)
	}
	var found []Item
	for it := range candidates {
		if sel.Matches(labels.Set(it.Object.GetLabels())) {
			found = append(found, it)
		}
	}
	return found
}

// Required is one label pair that whatever a selector matches carries; false
// where it demands none.
func Required(sel labels.Selector) (key, value string, ok bool) {
	requirements, selectable := sel.Requirements()
	if !selectable {
		return "", "", false
	}
	for _, r := range requirements {
		if only, ok := sel.RequiresExactMatch(r.Key()); ok {
			return r.Key(), only, true
		}
	}
	return "", "", false
}

// WithLabel are the objects of a kind in a namespace that carry one label
// pair, in order.
func (v *View) WithLabel(gk schema.GroupKind, namespace, key, value string) iter.Seq[Item] {
	return v.shelves[gk].with(Label{namespace, key, value})
}

// CountWithLabel is how many objects WithLabel has.
func (v *View) CountWithLabel(gk schema.GroupKind, namespace, key, value string) int {
	return len(v.shelves[gk].at(Label{namespace, key, value}))
}

// OnNode are the pods bound to a node.
func (v *View) OnNode(name string) []*corev1.Pod { return v.pods().node[name] }

// WithIP are the pods that report an IP.
func (v *View) WithIP(ip string) []*corev1.Pod { return v.pods().ip[ip] }

// Sharing are the pods that report an IP which another reports too, by IP.
func (v *View) Sharing() map[string][]*corev1.Pod { return v.pods().shared }

// Labels are the pairs that objects of a kind carry, in no order.
func (v *View) Labels(gk schema.GroupKind) iter.Seq[Label] {
	return v.shelves[gk].labels()
}

// Events are the events about the object with this UID, oldest first.
func (v *View) Events(uid types.UID) []*corev1.Event { return v.events[uid] }

// Log is the end of a container's log, if it was read.
func (v *View) Log(pod types.UID, container string, previous bool) (string, bool) {
	text, ok := v.logs[logKey{pod, container, previous}]
	return text, ok
}

// LogsForbidden says whether a log was asked for that may not be read.
func (v *View) LogsForbidden() bool { return v.logless }

// Served is the kind as the server offers it.
func (v *View) Served(gk schema.GroupKind) (source.Kind, bool) {
	k, ok := v.served[gk]
	return k, ok
}

// Presence says whether an object is there, with three answers: what was not
// seen is not missing.
type Presence int

// The presences.
const (
	Unknown Presence = iota
	Missing
	Present
)

// Presence of an object, with the gap that hides it where it is Unknown and a
// gap is known.
func (v *View) Presence(r object.Ref) (Presence, *source.Gap) {
	if _, ok := v.Get(r); ok {
		return Present, nil
	}
	var hidden *source.Gap
	for _, q := range coveringQueries(r) {
		a, ok := v.asked[q]
		switch {
		case ok && a.Gap == nil:
			return Missing, nil
		case ok && a.Gap.Reason == source.NotServed:
			return Missing, a.Gap
		case ok:
			hidden = a.Gap
		}
	}
	return Unknown, hidden
}

func coveringQueries(r object.Ref) [6]source.Query {
	kind := r.GroupKind()
	return [...]source.Query{
		{Kind: kind, Namespace: r.Namespace, Name: r.Name, Metadata: true},
		{Kind: kind, Namespace: r.Namespace, Metadata: true},
		{Kind: kind, Metadata: true},
		{Kind: kind, Namespace: r.Namespace, Name: r.Name},
		{Kind: kind, Namespace: r.Namespace},
		{Kind: kind},
	}
}

// GapOf is what a query's answer lacks; nil where it was answered in full or
// never asked.
func (v *View) GapOf(q source.Query) *source.Gap { return v.asked[q].Gap }

// Answered says whether a query was answered without a gap.
func (v *View) Answered(q source.Query) bool {
	a, ok := v.asked[q]
	return ok && a.Gap == nil
}

// Typed are the objects of a kind as their Go type, in one namespace or, with
// "", in all. Objects of which only metadata was read are passed over.
func Typed[T source.Object](v *View, gk schema.GroupKind, namespace string) []T {
	var out []T
	for _, it := range v.List(gk, namespace) {
		if o, ok := it.Object.(T); ok {
			out = append(out, o)
		}
	}
	return out
}

// Controller is the owner reference that has controller=true.
func Controller(o metav1.Object) (metav1.OwnerReference, bool) {
	ref := metav1.GetControllerOfNoCopy(o)
	if ref == nil {
		return metav1.OwnerReference{}, false
	}
	return *ref, true
}
