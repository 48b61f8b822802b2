package endpoints

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

const gatewayGroup = "gateway.networking.k8s.io"

var (
	grantKind   = schema.GroupKind{Group: gatewayGroup, Kind: "ReferenceGrant"}
	gatewayKind = schema.GroupKind{Group: gatewayGroup, Kind: "Gateway"}
)

func routeKinds() []schema.GroupKind {
	var kinds []schema.GroupKind
	for _, k := range []string{"HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute"} {
		kinds = append(kinds, schema.GroupKind{Group: gatewayGroup, Kind: k})
	}
	return kinds
}

// routes judges what routes of the Gateway API lead to.
func routes() Analyzer {
	return Analyzer{Name: "routes", Docs: routeDocs(), Whole: func(w *world) {
		for _, gk := range routeKinds() {
			for _, it := range w.v.List(gk, "") {
				u, ok := it.Object.(*unstructured.Unstructured)
				if !ok {
					continue
				}
				doors := routeDoors(it.Ref, u)
				if !w.near(doors) {
					continue
				}
				w.hangs(it.Ref, u)
				w.weighs(it.Ref, u)
				for _, d := range doors {
					if d.to.Namespace != d.from.Namespace && w.refused(d, u) {
						continue
					}
					w.doorLeads(d, "route-backend-missing", "route-port-missing")
				}
			}
		}
	}}
}

// routeDoors reads the backends of spec.rules[] of an object that may hold
// anything, and those to which a filter copies requests.
func routeDoors(r object.Ref, u *unstructured.Unstructured) []door {
	var doors []door
	add := func(ref map[string]any, mirror bool, field, path string) {
		name := text(ref, "name")
		if name == "" || text(ref, "group") != "" || text(ref, "kind") != "" && text(ref, "kind") != "Service" {
			return
		}
		to := object.Ref{Version: "v1", Kind: "Service", Namespace: cmp.Or(text(ref, "namespace"), r.Namespace), Name: name}
		doors = append(doors, door{from: r, route: true, mirror: mirror, number: number(ref, "port"), field: field, path: path, to: to})
	}
	mirrors := func(of map[string]any, field, path string) {
		for k, filter := range elements(of, "filters") {
			copies, _ := filter["requestMirror"].(map[string]any)
			ref, _ := copies["backendRef"].(map[string]any)
			add(ref, true, fmt.Sprintf("%s.filters[%d].requestMirror.backendRef", field, k), fmt.Sprintf("%s/filters/%d/requestMirror/backendRef", path, k))
		}
	}
	for i, rule := range elements(u.Object, "spec", "rules") {
		field, path := fmt.Sprintf("spec.rules[%d]", i), fmt.Sprintf("/spec/rules/%d", i)
		for j, ref := range elements(rule, "backendRefs") {
			field, path := fmt.Sprintf("%s.backendRefs[%d]", field, j), fmt.Sprintf("%s/backendRefs/%d", path, j)
			add(ref, false, field, path)
			mirrors(ref, field, path)
		}
		mirrors(rule, field, path)
	}
	return doors
}

func elements(m map[string]any, path ...string) []map[string]any {
	at := any(m)
	for _, p := range path {
		next, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = next[p]
	}
	list, _ := at.([]any)
	var out []map[string]any
	for _, e := range list {
		o, _ := e.(map[string]any)
		out = append(out, o) // a nil map reads as empty, and the index stays right
	}
	return out
}

func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

// number reads what JSON decoders make of an integer.
func number(m map[string]any, key string) int32 {
	switch n := m[key].(type) {
	case int64:
		return int32(n)
	case float64:
		return int32(n)
	}
	return 0
}

// refused says, and reports, that a route into another namespace has no grant
// there. The controller's own word is trusted before the grants that were read.
func (w *world) refused(d door, u *unstructured.Unstructured) bool {
	message, evidence := "", []finding.Evidence{fact(d.from, d.field+".namespace", d.to.Namespace)}
	for i, parent := range elements(u.Object, "status", "parents") {
		for j, c := range elements(parent, "conditions") {
			if text(c, "type") == "ResolvedRefs" && text(c, "status") == "False" && text(c, "reason") == "RefNotPermitted" {
				message = text(c, "message")
				evidence = append(evidence, fact(d.from, fmt.Sprintf("status.parents[%d].conditions[%d].message", i, j), message))
			}
		}
	}
	granted := slices.ContainsFunc(w.v.List(grantKind, d.to.Namespace), func(it index.Item) bool { return grants(it.Object, d) })
	if len(evidence) == 1 && (granted || !w.listed(grantKind, d.to.Namespace, "")) {
		return false
	}
	if granted && message == "" {
		return false
	}
	grant := fmt.Sprintf(`{"apiVersion":"%s/v1beta1","kind":"ReferenceGrant","metadata":{"name":%s,"namespace":%s},"spec":{"from":[{"group":"%s","kind":%s,"namespace":%s}],"to":[{"group":"","kind":"Service","name":%s}]}}`,
		gatewayGroup, finding.JSON("allow-"+d.from.Namespace), finding.JSON(d.to.Namespace), gatewayGroup, finding.JSON(d.from.Kind), finding.JSON(d.from.Namespace), finding.JSON(d.to.Name))
	w.blame(d.from, "route-no-referencegrant", finding.Error, strings.TrimSuffix(fmt.Sprintf("it may not send requests to Service/%s of namespace %s: no ReferenceGrant there allows it. %s", d.to.Name, d.to.Namespace, message), ". "),
		evidence, finding.Fix{Description: "allow it, in the Service's namespace", Command: "echo " + finding.Quote(grant) + " | kubectl apply -f -"})
	return true
}

func grants(o any, d door) bool {
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return false
	}
	from := slices.ContainsFunc(elements(u.Object, "spec", "from"), func(f map[string]any) bool {
		return text(f, "group") == d.from.Group && text(f, "kind") == d.from.Kind && text(f, "namespace") == d.from.Namespace
	})
	to := slices.ContainsFunc(elements(u.Object, "spec", "to"), func(t map[string]any) bool {
		return text(t, "group") == "" && text(t, "kind") == "Service" && (text(t, "name") == "" || text(t, "name") == d.to.Name)
	})
	return from && to
}

func asUnstructured(it index.Item) (*unstructured.Unstructured, bool) {
	u, ok := it.Object.(*unstructured.Unstructured)
	return u, ok
}
