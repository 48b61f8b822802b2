package endpoints

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// weighs judges how a route shares requests out: a backend of weight 0 gets
// none, and where all of a rule have weight 0 they are answered with 500
// (gateway.networking.k8s.io/v1, HTTPRouteRule.BackendRefs).
func (w *world) weighs(r object.Ref, u *unstructured.Unstructured) {
	for i, rule := range elements(u.Object, "spec", "rules") {
		refs := elements(rule, "backendRefs")
		idle, mine := 0, -1
		var others []string
		for j, ref := range refs {
			name, namespace := text(ref, "name"), cmp.Or(text(ref, "namespace"), r.Namespace)
			if !weightless(ref) {
				others = append(others, name)
				continue
			}
			idle++
			if asked := w.asked[object.Ref{Kind: "Service", Namespace: namespace, Name: name}]; asked || mine < 0 && w.opts.All {
				mine = j
			}
		}
		if mine < 0 {
			continue
		}
		field, name := fmt.Sprintf("spec.rules[%d].backendRefs[%d].weight", i, mine), text(refs[mine], "name")
		give := command("give it a share of the requests", r.Namespace, "patch", plural(r), r.Name, "--type=json", "-p",
			finding.JSON([]map[string]any{{"op": "replace", "path": fmt.Sprintf("/spec/rules/%d/backendRefs/%d/weight", i, mine), "value": 1}}))
		switch {
		case idle == len(refs) && !redirects(rule):
			w.blame(r, "route-weight-zero", finding.Error, fmt.Sprintf("it sends no requests to Service/%s, whose weight is 0, nor to anything else: they are answered with 500", name),
				[]finding.Evidence{fact(r, field, "0")}, give)
		case idle < len(refs) && w.single() && !slices.Contains(others, name):
			w.blame(r, "route-weight-zero", finding.Info, fmt.Sprintf("it sends no requests to Service/%s, whose weight is 0; all go to Service/%s", name, strings.Join(others, ", Service/")),
				[]finding.Evidence{fact(r, field, "0")}, give)
		}
	}
}

// weightless: a weight that is not given is 1.
func weightless(ref map[string]any) bool {
	_, given := ref["weight"]
	return given && number(ref, "weight") == 0
}

// redirects says that a rule answers by itself.
func redirects(rule map[string]any) bool {
	return slices.ContainsFunc(elements(rule, "filters"), func(f map[string]any) bool { return text(f, "type") == "RequestRedirect" })
}
