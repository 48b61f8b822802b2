package relation

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// value is one place in an object: what stands there and its JSON path.
type value struct {
	at   reflect.Value
	path string
}

// walker follows JSON paths through Go types and unstructured content alike.
// It remembers the JSON names of the struct types it has met, and the steps of
// the paths. One goroutine at a time may use it.
type walker struct {
	fields map[reflect.Type]map[string][]int
	paths  map[string][]string
	here   []value // where the walk stands, and
	next   []value // where its next step leads: kept from walk to walk
}

func newWalker() *walker {
	return &walker{fields: map[reflect.Type]map[string][]int{}, paths: map[string][]string{}}
}

// find returns every place that a path such as "spec.volumes[].configMap"
// leads to; "[]" stands for each element of a list or map. Places that are
// absent, null or empty are left out, but for objects: a spec in which nothing
// is set is one to which defaults apply.
func (w *walker) find(root value, path string) []value {
	return slices.Clone(w.walk(root, path))
}

// walk is find whose result holds until the next walk.
func (w *walker) walk(root value, path string) []value {
	here, next := append(w.here[:0], root), w.next
	for _, step := range w.steps(path) {
		next = next[:0]
		for _, p := range here {
			next = w.step(next, p, step)
		}
		here, next = next, here
		if len(here) == 0 {
			break
		}
	}
	w.here, w.next = here, next
	return slices.DeleteFunc(here, func(v value) bool { return !v.at.IsValid() || empty(v.at) })
}

// empty says that nothing stands in a place.
func empty(at reflect.Value) bool { return at.Kind() != reflect.Struct && at.IsZero() }

func (w *walker) steps(path string) []string {
	known, ok := w.paths[path]
	if !ok {
		known = slices.Collect(steps(path))
		w.paths[path] = known
	}
	return known
}

// steps splits a path at its dots; a key that holds dots stands in quotes:
// metadata.annotations."example.com/x".
func steps(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for path != "" {
			var step string
			if strings.HasPrefix(path, `"`) {
				step, path, _ = strings.Cut(path[1:], `"`)
				path = strings.TrimPrefix(path, ".")
			} else {
				step, path, _ = strings.Cut(path, ".")
			}
			name, each := strings.CutSuffix(step, "[]")
			if name != "" && !yield(name) {
				return
			}
			if each && !yield("[]") {
				return
			}
		}
	}
}

// step adds the places that one step leads to; an absent one is none.
func (w *walker) step(out []value, v value, step string) []value {
	at := settle(v.at)
	if step == "[]" {
		return each(out, value{at, v.path})
	}
	switch at.Kind() {
	case reflect.Struct:
		if index, ok := w.byJSON(at.Type())[step]; ok {
			if f, err := at.FieldByIndexErr(index); err == nil {
				out = appendPlace(out, settle(f), v.path, step)
			}
		}
	case reflect.Map:
		if at.Type().Key().Kind() == reflect.String {
			out = appendPlace(out, settle(at.MapIndex(reflect.ValueOf(step).Convert(at.Type().Key()))), v.path, step)
		}
	}
	return out
}

// appendPlace leaves the path of an empty place out: nothing is told of it, and
// most places are empty.
func appendPlace(out []value, at reflect.Value, path, step string) []value {
	switch {
	case !at.IsValid():
		return out
	case empty(at):
		return append(out, value{at: at})
	}
	return append(out, value{at, join(path, step)})
}

func each(out []value, v value) []value {
	switch v.at.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range v.at.Len() {
			out = append(out, value{settle(v.at.Index(i)), v.path + "[" + strconv.Itoa(i) + "]"})
		}
	case reflect.Map:
		keys := v.at.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			out = append(out, value{settle(v.at.MapIndex(k)), join(v.path, k.String())})
		}
	}
	return out
}

func join(path, step string) string {
	if strings.ContainsAny(step, "./") {
		step = `"` + step + `"`
	}
	if path == "" {
		return step
	}
	return path + "." + step
}

// settle follows pointers and interfaces to what they hold.
func settle(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	return v
}

func (w *walker) byJSON(t reflect.Type) map[string][]int {
	if known, ok := w.fields[t]; ok {
		return known
	}
	names := map[string][]int{}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" && f.IsExported() {
			names[name] = f.Index
		}
	}
	w.fields[t] = names
	return names
}

// rootOf is the place at which paths into an object start.
func rootOf(o any) value {
	if u, ok := o.(*unstructured.Unstructured); ok {
		return value{at: reflect.ValueOf(u.Object)}
	}
	return value{at: settle(reflect.ValueOf(o))}
}

// text is the place's content as a string, "" for lists and objects.
func (v value) text() string {
	switch v.at.Kind() {
	case reflect.String:
		return v.at.String()
	case reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64, reflect.Float64, reflect.Uint16:
		return fmt.Sprint(v.at.Interface())
	}
	return ""
}

// first is the text at the first place that a path leads to.
func (w *walker) first(root value, path string) string {
	if path == "" {
		return ""
	}
	for _, v := range w.walk(root, path) {
		if t := v.text(); t != "" {
			return t
		}
		if v.at.Kind() == reflect.Struct && v.at.Type().Name() == "IntOrString" {
			return fmt.Sprint(v.at.Addr().Interface())
		}
	}
	return ""
}

// fill replaces each {path} of a sentence by the text found there, and drops a
// trailing separator that an empty one leaves behind.
func (w *walker) fill(sentence string, root value) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(sentence, "{")
		b.WriteString(before)
		if !ok {
			break
		}
		path, after, closed := strings.Cut(rest, "}")
		if !closed {
			break
		}
		b.WriteString(w.first(root, path))
		sentence = after
	}
	return strings.TrimRight(b.String(), " :=,→")
}
