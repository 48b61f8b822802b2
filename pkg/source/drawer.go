package source

import (
	"maps"
	"slices"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

// drawer holds the objects of one kind. It remembers the order in which it last
// handed them out: of thousands, few change between two looks.
type drawer struct {
	objects map[object.Ref]Object
	ordered []Object                // as it was handed out, or nil; others hold it, so it is never changed
	changed map[object.Ref]struct{} // since then
}

func newDrawer() *drawer {
	return &drawer{objects: map[object.Ref]Object{}, changed: map[object.Ref]struct{}{}}
}

func (d *drawer) put(key object.Ref, o Object) {
	d.touch(key)
	d.objects[key] = o
}

func (d *drawer) drop(key object.Ref) {
	if _, ok := d.objects[key]; ok {
		d.touch(key)
		delete(d.objects, key)
	}
}

func (d *drawer) dropAll(matches func(Object) bool) {
	for key, o := range d.objects {
		if matches(o) {
			d.drop(key)
		}
	}
}

// touch notes a change, until there are so many that all is ordered anew.
func (d *drawer) touch(key object.Ref) {
	if d.ordered == nil {
		return
	}
	d.changed[key] = struct{}{}
	if len(d.changed) > len(d.ordered)/4 {
		d.ordered = nil
		clear(d.changed)
	}
}

// inOrder are the objects by name. The list must not be changed.
func (d *drawer) inOrder() []Object {
	switch {
	case d.ordered == nil:
		d.ordered = slices.SortedFunc(maps.Values(d.objects), byName)
	case len(d.changed) > 0:
		d.ordered = d.merged()
		clear(d.changed)
	}
	return d.ordered
}

// merged is what was handed out, with what has changed in its place.
func (d *drawer) merged() []Object {
	keys := slices.SortedFunc(maps.Keys(d.changed), object.Compare) // of one kind: by namespace and name
	list := make([]Object, 0, len(d.objects))
	rest := d.ordered
	for _, key := range keys {
		at, found := slices.BinarySearchFunc(rest, key, func(o Object, key object.Ref) int {
			return object.Compare(object.Ref{Group: key.Group, Kind: key.Kind, Namespace: o.GetNamespace(), Name: o.GetName()}, key)
		})
		list = append(list, rest[:at]...)
		if found {
			at++
		}
		rest = rest[at:]
		if o, ok := d.objects[key]; ok {
			list = append(list, o)
		}
	}
	return append(list, rest...)
}
