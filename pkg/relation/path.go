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
// the paths.
type walker struct {
	fields map[reflect.Type]map[string][]int
	paths  map[string][]string
}

func newWalker() *walker {
	return &walker{fields: map[reflect.Type]map[string][]int{}, paths: map[string][]string{}}
}

// find returns every place that a path such as "spec.volumes[].configMap"
// leads to; "[]" stands for each element of a list or map. Places that are
// absent, null or empty are left out, but for objects: a spec in which nothing
// is set is one to which defaults apply.
func (w *walker) find(root value, path string) []value {
	places := []value{root}
	for _, step := range w.steps(path) {
		var next []value
		for _, p := range places {
			next = w.step(next, p, step)
		}
		places = next
	}
	return slices.DeleteFunc(places, func(v value) bool {
		return !v.at.IsValid() || v.at.IsZero() && v.at.Kind() != reflect.Struct
	})
}

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

func (w *walker) step(out []value, v value, step string) []value {
	at := settle(v.at)
	if !at.IsValid() {
		return out
	}
	if step == "[]" {
		return each(out, value{at, v.path})
	}
	path := join(v.path, step)
	switch at.Kind() {
	case reflect.Struct:
		if index, ok := w.byJSON(at.Type())[step]; ok {
			if f, err := at.FieldByIndexErr(index); err == nil {
				out = append(out, value{settle(f), path})
			}
		}
	case reflect.Map:
		if at.Type().Key().Kind() == reflect.String {
			e := at.MapIndex(reflect.ValueOf(step).Convert(at.Type().Key()))
			out = append(out, value{settle(e), path})
		}
	}
	return out
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
	for _, v := range w.find(root, path) {
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
