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

var gatewayClassKind = schema.GroupKind{Group: gatewayGroup, Kind: "GatewayClass"}

// gatewayResource is the name in full: other groups have gateways too.
const gatewayResource = "gateways." + gatewayGroup

// detached is why a route gets no requests by one of its parents.
type detached struct {
	message  string
	evidence []finding.Evidence
	fix      finding.Fix
}

// hangs checks that a Gateway serves the route: that it is there, that a
// listener of it takes the route, and that the controller does not say otherwise.
func (w *world) hangs(r object.Ref, u *unstructured.Unstructured) {
	parents := elements(u.Object, "spec", "parentRefs")
	var off []detached
	for i, parent := range parents {
		if d := w.detachment(r, u, i, parent); d != nil {
			off = append(off, *d)
		}
	}
	switch {
	case len(parents) == 0:
		w.blame(r, "route-not-attached", finding.Warning, "it names no Gateway in spec.parentRefs, so none sends requests by it",
			[]finding.Evidence{fact(r, "spec.parentRefs", "none")},
			manual("name the Gateway that is to serve it in spec.parentRefs; list them with: %s", finding.Kubectl("", "get", gatewayResource, "-A")))
	case len(off) == len(parents):
		w.blame(r, "route-not-attached", finding.Error, off[0].message, off[0].evidence, off[0].fix)
	case len(off) > 0: // the others serve it
		w.blame(r, "route-not-attached", finding.Warning, off[0].message, off[0].evidence, off[0].fix)
	}
}

// detachment judges one parent. Those that are no Gateways, such as a Service
// of a mesh, are left to their own controllers.
func (w *world) detachment(r object.Ref, u *unstructured.Unstructured, i int, parent map[string]any) *detached {
	if cmp.Or(text(parent, "group"), gatewayGroup) != gatewayGroup || cmp.Or(text(parent, "kind"), "Gateway") != "Gateway" || text(parent, "name") == "" {
		return nil
	}
	to := object.Ref{Group: gatewayGroup, Version: "v1", Kind: "Gateway", Namespace: cmp.Or(text(parent, "namespace"), r.Namespace), Name: text(parent, "name")}
	it, ok := w.v.Get(to)
	if !ok {
		if presence, _ := w.v.Presence(to); presence != index.Missing {
			return nil
		}
		return w.noGateway(r, i, to)
	}
	gateway, ok := asUnstructured(it)
	if !ok {
		return nil
	}
	for _, judge := range []func() *detached{
		func() *detached { return noListener(r, i, parent, it.Ref, gateway) },
		func() *detached { return w.refusedByAll(r, u, parent, it.Ref, gateway) },
		func() *detached { return notAccepted(r, u, parent, to) },
		func() *detached { return w.notServed(it.Ref, gateway) },
	} {
		if d := judge(); d != nil {
			return d
		}
	}
	return nil
}

// noGateway names the one that must have been meant, where there is one that
// takes the route.
func (w *world) noGateway(r object.Ref, i int, missing object.Ref) *detached {
	d := &detached{
		message:  fmt.Sprintf("it hangs on Gateway/%s, which does not exist in namespace %s, so nobody sends requests by it", missing.Name, missing.Namespace),
		evidence: []finding.Evidence{fact(r, fmt.Sprintf("spec.parentRefs[%d].name", i), missing.Name)},
		fix:      manual("create the Gateway, or name one that is there; list them with: %s", finding.Kubectl("", "get", gatewayResource, "-A")),
	}
	all := w.v.List(gatewayKind, "")
	meant := slices.IndexFunc(all, func(it index.Item) bool {
		return it.Ref.Namespace == missing.Namespace && misspelt(missing.Name, it.Ref.Name)
	})
	if meant < 0 {
		meant = slices.IndexFunc(all, func(it index.Item) bool { return it.Ref.Name == missing.Name })
	}
	if meant < 0 && len(all) == 1 {
		meant = 0
	}
	if meant < 0 {
		return d
	}
	there := all[meant].Ref
	d.message += "; " + there.String() + " is there"
	path := fmt.Sprintf("/spec/parentRefs/%d/", i)
	patch := []map[string]any{{"op": "replace", "path": path + "name", "value": there.Name}}
	if there.Namespace != missing.Namespace {
		d.message += ", in namespace " + there.Namespace
		patch = append(patch, map[string]any{"op": "add", "path": path + "namespace", "value": there.Namespace})
	}
	d.evidence = append(d.evidence, fact(there, "metadata.namespace", there.Namespace))
	d.fix = command("name that Gateway, if it is meant", r.Namespace, "patch", plural(r), r.Name, "--type=json", "-p", finding.JSON(patch))
	return d
}

// meant are the listeners that a parentRef chooses: by name, by port, or all.
func meant(parent map[string]any, listeners []map[string]any) []int {
	var chosen []int
	for i, l := range listeners {
		name, port := text(parent, "sectionName"), number(parent, "port")
		if (name == "" || text(l, "name") == name) && (port == 0 || number(l, "port") == port) {
			chosen = append(chosen, i)
		}
	}
	return chosen
}

// noListener: the route asks for a listener that the Gateway does not have.
func noListener(r object.Ref, i int, parent map[string]any, to object.Ref, gateway *unstructured.Unstructured) *detached {
	listeners := elements(gateway.Object, "spec", "listeners")
	name, port := text(parent, "sectionName"), number(parent, "port")
	if name == "" && port == 0 || len(listeners) == 0 || len(meant(parent, listeners)) > 0 {
		return nil
	}
	field, wanted := "sectionName", name
	if name == "" {
		field, wanted = "port", fmt.Sprint(port)
	}
	var words []string
	best := -1
	for j, l := range listeners {
		words = append(words, fmt.Sprintf("%s %d", text(l, "name"), number(l, "port")))
		if name != "" && misspelt(name, text(l, "name")) || len(listeners) == 1 {
			best = j
		}
	}
	d := &detached{
		message: fmt.Sprintf("it hangs on listener %s of %s, which has only %s, so nobody sends requests by it", wanted, to, strings.Join(words, ", ")),
		evidence: []finding.Evidence{fact(r, fmt.Sprintf("spec.parentRefs[%d].%s", i, field), wanted),
			fact(to, "spec.listeners", strings.Join(words, ", "))},
		fix: manual("name one of its listeners: %s", strings.Join(words, ", ")),
	}
	if best >= 0 {
		value := any(text(listeners[best], "name"))
		if field == "port" {
			value = number(listeners[best], "port")
		}
		d.fix = command("name the listener that is there", r.Namespace, "patch", plural(r), r.Name, "--type=json", "-p",
			finding.JSON([]map[string]any{{"op": "replace", "path": fmt.Sprintf("/spec/parentRefs/%d/%s", i, field), "value": value}}))
	}
	return d
}

// refusedByAll: every listener that is meant takes routes of its own namespace
// only, which is the default, or serves other host names.
func (w *world) refusedByAll(r object.Ref, u *unstructured.Unstructured, parent map[string]any, to object.Ref, gateway *unstructured.Unstructured) *detached {
	listeners := elements(gateway.Object, "spec", "listeners")
	hosts, _, _ := unstructured.NestedStringSlice(u.Object, "spec", "hostnames")
	var outside, elsewhere *detached
	for _, i := range meant(parent, listeners) {
		l := listeners[i]
		allowed, _ := l["allowedRoutes"].(map[string]any)
		spaces, _ := allowed["namespaces"].(map[string]any)
		switch from, host := cmp.Or(text(spaces, "from"), "Same"), text(l, "hostname"); {
		case from == "Same" && r.Namespace != to.Namespace:
			outside = cmp.Or(outside, takesOwnOnly(r, to, gateway, i, l))
		case !slices.ContainsFunc(hosts, func(h string) bool { return hostsMeet(h, host) }) && len(hosts) > 0:
			elsewhere = &detached{
				message: fmt.Sprintf("it is for %s, and listener %s of %s serves %s only, so nobody sends requests by it", strings.Join(hosts, ", "), text(l, "name"), to, host),
				evidence: []finding.Evidence{fact(r, "spec.hostnames", strings.Join(hosts, ", ")),
					fact(to, fmt.Sprintf("spec.listeners[%d].hostname", i), host)},
				fix: manual("give the route a host name that the listener serves (%s), or let a listener serve %s", host, hosts[0]),
			}
		default:
			return nil
		}
	}
	return cmp.Or(outside, elsewhere)
}

func takesOwnOnly(r, to object.Ref, gateway *unstructured.Unstructured, i int, l map[string]any) *detached {
	name := text(l, "name")
	patch := map[string]any{"op": "add", "path": fmt.Sprintf("/spec/listeners/%d/allowedRoutes", i), "value": map[string]any{"namespaces": map[string]any{"from": "All"}}}
	if _, has := l["allowedRoutes"].(map[string]any); has {
		patch = map[string]any{"op": "add", "path": fmt.Sprintf("/spec/listeners/%d/allowedRoutes/namespaces", i), "value": map[string]any{"from": "All"}}
	}
	return &detached{
		message: fmt.Sprintf("it is in namespace %s, and listener %s of Gateway/%s in namespace %s takes routes of its own namespace only, so nobody sends requests by it", r.Namespace, name, to.Name, to.Namespace),
		evidence: []finding.Evidence{fact(r, "metadata.namespace", r.Namespace),
			fact(to, fmt.Sprintf("spec.listeners[%d].allowedRoutes.namespaces.from", i), "Same, or unset")},
		fix: command("let the listener take routes of every namespace, if that is meant", gateway.GetNamespace(), "patch", gatewayResource, to.Name, "--type=json", "-p", finding.JSON([]map[string]any{patch})),
	}
}

// hostsMeet says whether a name of a route and one of a listener have a name in
// common; a wildcard stands for any number of labels
// (gateway.networking.k8s.io/v1, HTTPRouteSpec.Hostnames).
func hostsMeet(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	if a == b || a == "" || b == "" {
		return true
	}
	under := func(name, wild string) bool {
		suffix, is := strings.CutPrefix(wild, "*")
		return is && strings.HasSuffix(name, suffix)
	}
	return under(a, b) || under(b, a)
}

// notAccepted is the controller's own word about the route, if it is about the
// route as it is now.
func notAccepted(r object.Ref, u *unstructured.Unstructured, parent map[string]any, to object.Ref) *detached {
	for i, p := range elements(u.Object, "status", "parents") {
		ref, _ := p["parentRef"].(map[string]any)
		if text(ref, "name") != to.Name || cmp.Or(text(ref, "namespace"), r.Namespace) != to.Namespace || text(ref, "sectionName") != text(parent, "sectionName") {
			continue
		}
		if j, c := condition(p, "Accepted", u.GetGeneration()); text(c, "status") == "False" {
			why := cmp.Or(strings.TrimSuffix(text(c, "message"), "."), text(c, "reason"))
			return &detached{
				message:  fmt.Sprintf("%s does not take it: %s", to, why),
				evidence: []finding.Evidence{fact(r, fmt.Sprintf("status.parents[%d].conditions[%d].message", i, j), why)},
				fix:      command("see all that its controller says", r.Namespace, "describe", plural(r), r.Name),
			}
		}
	}
	return nil
}

// condition finds one that was written of this generation.
func condition(of map[string]any, kind string, generation int64) (int, map[string]any) {
	for i, c := range elements(of, "conditions") {
		if seen := number(c, "observedGeneration"); text(c, "type") == kind && (seen == 0 || generation == 0 || int64(seen) == generation) {
			return i, c
		}
	}
	return -1, nil
}

// notServed: no controller carries the Gateway out.
func (w *world) notServed(to object.Ref, gateway *unstructured.Unstructured) *detached {
	spec, _ := gateway.Object["spec"].(map[string]any)
	class := object.Ref{Group: gatewayGroup, Version: "v1", Kind: "GatewayClass", Name: text(spec, "gatewayClassName")}
	if presence, _ := w.v.Presence(class); class.Name != "" && presence == index.Missing {
		d := &detached{
			message:  fmt.Sprintf("the class %q of %s does not exist, so no controller serves it", class.Name, to),
			evidence: []finding.Evidence{fact(to, "spec.gatewayClassName", class.Name)},
			fix:      manual("install a Gateway controller; it brings its class"),
		}
		if classes := w.v.List(gatewayClassKind, ""); len(classes) > 0 {
			d.fix = command("name a class that is there", to.Namespace, "patch", gatewayResource, to.Name, "--type=merge", "-p", finding.JSON(map[string]any{"spec": map[string]any{"gatewayClassName": classes[0].Ref.Name}}))
		}
		return d
	}
	status, _ := gateway.Object["status"].(map[string]any)
	for _, kind := range []string{"Accepted", "Programmed"} {
		i, c := condition(status, kind, gateway.GetGeneration())
		waits := text(c, "status") == "Unknown" && text(c, "reason") == "Pending" && w.age(gateway.GetCreationTimestamp().Time) > startsWithin
		if text(c, "status") != "False" && !waits {
			continue
		}
		why := cmp.Or(strings.TrimSuffix(text(c, "message"), "."), text(c, "reason"))
		return &detached{
			message:  fmt.Sprintf("%s does not serve: %s", to, why),
			evidence: []finding.Evidence{fact(to, fmt.Sprintf("status.conditions[%d].message", i), why)},
			fix:      command("see all that its controller says", to.Namespace, "describe", gatewayResource, to.Name),
		}
	}
	return nil
}
