package index

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// shelf holds the objects of one kind by namespace and name. By label they are
// found through positions, made when first asked for: of most kinds nobody asks,
// and copies of items would be the larger part of a view. A nil shelf is empty.
type shelf struct {
	items  []Item
	byPair func() map[Label][]int32
}

// Label is a pair that objects of a namespace carry.
type Label struct{ Namespace, Key, Value string }

func newShelf(gk schema.GroupKind, served string, objects []source.Object) *shelf {
	s := &shelf{items: make([]Item, 0, len(objects))}
	for _, o := range objects {
		version := served
		if read := o.GetObjectKind().GroupVersionKind(); read.Version != "" && read.Kind == gk.Kind {
			version = read.Version
		}
		s.items = append(s.items, Item{Ref: object.Of(gk.WithVersion(version), o), Object: o})
	}
	if !slices.IsSortedFunc(s.items, byName) { // a Store hands them out in order
		slices.SortFunc(s.items, byName)
	}
	s.byPair = sync.OnceValue(s.pairs)
	return s
}

func byName(a, b Item) int {
	return cmp.Or(strings.Compare(a.Ref.Namespace, b.Ref.Namespace), strings.Compare(a.Ref.Name, b.Ref.Name))
}

func (s *shelf) pairs() map[Label][]int32 {
	by := map[Label][]int32{}
	for i, it := range s.items {
		for key, value := range it.Object.GetLabels() {
			p := Label{it.Ref.Namespace, key, value}
			by[p] = append(by[p], int32(i))
		}
	}
	return by
}

func (s *shelf) get(namespace, name string) (Item, bool) {
	if s == nil {
		return Item{}, false
	}
	i, found := slices.BinarySearchFunc(s.items, Item{Ref: object.Ref{Namespace: namespace, Name: name}}, byName)
	if !found {
		return Item{}, false
	}
	return s.items[i], true
}

// in are the items of one namespace, or with "" all.
func (s *shelf) in(namespace string) []Item {
	switch {
	case s == nil:
		return nil
	case namespace == "":
		return s.items
	}
	from, _ := slices.BinarySearchFunc(s.items, namespace, func(it Item, ns string) int { return strings.Compare(it.Ref.Namespace, ns) })
	to, _ := slices.BinarySearchFunc(s.items, namespace+"\x00", func(it Item, ns string) int { return strings.Compare(it.Ref.Namespace, ns) })
	return s.items[from:to:to]
}

// named are the items of a namespace whose names begin so.
func (s *shelf) named(namespace, prefix string) []Item {
	items := s.in(namespace)
	from, _ := slices.BinarySearchFunc(items, prefix, func(it Item, name string) int { return strings.Compare(it.Ref.Name, name) })
	to := from
	for to < len(items) && strings.HasPrefix(items[to].Ref.Name, prefix) {
		to++
	}
	return items[from:to:to]
}

func (s *shelf) at(p Label) []int32 {
	if s == nil {
		return nil
	}
	return s.byPair()[p]
}

func (s *shelf) labels() iter.Seq[Label] {
	if s == nil {
		return func(func(Label) bool) {}
	}
	return maps.Keys(s.byPair())
}

func (s *shelf) with(p Label) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for _, i := range s.at(p) {
			if !yield(s.items[i]) {
				return
			}
		}
	}
}
