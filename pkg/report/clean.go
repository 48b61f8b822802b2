package report

import (
	"reflect"
	"slices"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/redact"
)

// Clean is the report without what is secret in it. Judgements quote messages,
// logs and commands as they stand; each hands out what Clean leaves of that, so
// that no renderer need think of it. What nothing is taken out of is shared
// with the report that was given.
func Clean(r *Report) *Report {
	if r == nil {
		return nil
	}
	cleaned, _ := clean(reflect.ValueOf(r))
	return cleaned.Interface().(*Report)
}

// clean is a value without what is secret, and whether that is another one.
// The names of objects are no secrets, and commands must find them.
func clean(v reflect.Value) (reflect.Value, bool) {
	switch v.Kind() {
	case reflect.String:
		was := v.String()
		if is := redact.Text(was); is != was {
			return reflect.ValueOf(is).Convert(v.Type()), true
		}
	case reflect.Pointer:
		if v.IsNil() || v.Type().Elem() == reflect.TypeFor[object.Ref]() {
			break
		}
		if elem, changed := clean(v.Elem()); changed {
			pointer := reflect.New(v.Type().Elem())
			pointer.Elem().Set(elem)
			return pointer, true
		}
	case reflect.Struct:
		if v.Type().PkgPath() != ours && v.Type().PkgPath() != findings || v.Type() == reflect.TypeFor[object.Ref]() {
			break
		}
		return cleanEach(v, v.NumField(), reflect.Value.Field, func() reflect.Value {
			whole := reflect.New(v.Type()).Elem()
			whole.Set(v)
			return whole
		})
	case reflect.Slice:
		if pods, ok := v.Interface().([]RolloutPod); ok && !slices.ContainsFunc(pods, soiled) {
			break
		}
		return cleanEach(v, v.Len(), reflect.Value.Index, func() reflect.Value {
			whole := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(whole, v)
			return whole
		})
	}
	return v, false
}

const (
	ours     = "github.com/leadsman-dev/leadsman/pkg/report"
	findings = "github.com/leadsman-dev/leadsman/pkg/finding"
)

// cleanEach cleans the parts of a value, in a copy as soon as one changes.
func cleanEach(v reflect.Value, n int, part func(reflect.Value, int) reflect.Value, copied func() reflect.Value) (reflect.Value, bool) {
	changed := false
	for i := range n {
		if cleaned, ok := clean(part(v, i)); ok {
			if !changed {
				v, changed = copied(), true
			}
			part(v, i).Set(cleaned)
		}
	}
	return v, changed
}

// soiled says whether there is something secret in what is said of a pod. Pods
// come in thousands and are looked at every second, so they are not reflected on
// without need.
func soiled(p RolloutPod) bool {
	for _, text := range [...]string{p.Revision, string(p.State), p.Waiting, p.Problem, p.Node} {
		if redact.Text(text) != text {
			return true
		}
	}
	return false
}
