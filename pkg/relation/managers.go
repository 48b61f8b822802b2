package relation

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// helmRelease finds the newest release Secret of the release that marked the
// object (helm v3: type helm.sh/release.v1, labels owner, name, version).
func helmRelease(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	secrets := schema.GroupKind{Kind: "Secret"}
	for _, q := range wantHelm(it) {
		sel, err := labels.Parse(q.Labels)
		if err != nil {
			continue
		}
		found := v.Select(secrets, q.Namespace, sel)
		if len(found) == 0 {
			continue
		}
		newest := slices.MaxFunc(found, func(a, b index.Item) int {
			return a.Object.GetCreationTimestamp().Compare(b.Object.GetCreationTimestamp().Time)
		})
		e := t.edge(it, row, rootOf(it.Object), newest.Ref)
		e.Field = `metadata.annotations."meta.helm.sh/release-name"`
		e.Why = "Helm release " + it.Object.GetAnnotations()["meta.helm.sh/release-name"]
		return []Edge{e}
	}
	return nil
}

func wantHelm(it index.Item) []source.Query {
	a := it.Object.GetAnnotations()
	release, namespace := a["meta.helm.sh/release-name"], a["meta.helm.sh/release-namespace"]
	if release == "" {
		return nil
	}
	if namespace == "" {
		namespace = it.Ref.Namespace
	}
	set := labels.Set{"owner": "helm", "name": release}
	return []source.Query{{Kind: schema.GroupKind{Kind: "Secret"}, Namespace: namespace, Labels: set.String(), Metadata: true}}
}

// argoApplication reads the tracking id APPLICATION:GROUP/KIND:NAMESPACE/NAME.
func argoApplication(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	name, _, ok := strings.Cut(it.Object.GetAnnotations()["argocd.argoproj.io/tracking-id"], ":")
	if !ok {
		return nil
	}
	to, _ := row.Target()
	for _, found := range v.List(to, "") {
		if found.Ref.Name == name {
			e := t.edge(it, row, rootOf(it.Object), found.Ref)
			e.Field = `metadata.annotations."argocd.argoproj.io/tracking-id"`
			return []Edge{e}
		}
	}
	return nil
}

func wantArgo(it index.Item) []source.Query {
	if it.Object.GetAnnotations()["argocd.argoproj.io/tracking-id"] == "" {
		return nil
	}
	return []source.Query{{Kind: schema.GroupKind{Group: "argoproj.io", Kind: "Application"}}}
}

// flux reads the labels GROUP/name and GROUP/namespace that Flux's controllers set.
func flux(group string) func(*Table, *index.View, index.Item, *Row) []Edge {
	return func(t *Table, v *index.View, it index.Item, row *Row) []Edge {
		l := it.Object.GetLabels()
		if l[group+"/name"] == "" {
			return nil
		}
		to, _ := row.Target()
		e := t.edge(it, row, rootOf(it.Object), object.Ref{Group: to.Group, Kind: to.Kind, Namespace: l[group+"/namespace"], Name: l[group+"/name"]})
		e.Field = `metadata.labels."` + group + `/name"`
		return []Edge{e}
	}
}

func wantFlux(group, kind string) func(index.Item) []source.Query {
	return func(it index.Item) []source.Query {
		l := it.Object.GetLabels()
		if l[group+"/name"] == "" {
			return nil
		}
		return []source.Query{{Kind: schema.GroupKind{Group: group, Kind: kind}, Namespace: l[group+"/namespace"], Name: l[group+"/name"]}}
	}
}

// customReferences guesses: fields of a custom object's spec whose name ends in
// Ref and whose content has a name and a kind.
func customReferences(t *Table, v *index.View, it index.Item, row *Row) []Edge {
	u, ok := it.Object.(*unstructured.Unstructured)
	if !ok {
		return nil
	}
	spec, _ := u.Object["spec"].(map[string]any)
	var edges []Edge
	for _, key := range slices.Sorted(maps.Keys(spec)) {
		ref, ok := spec[key].(map[string]any)
		if !ok || !strings.HasSuffix(key, "Ref") {
			continue
		}
		name, _ := ref["name"].(string)
		kind, _ := ref["kind"].(string)
		if name == "" || kind == "" {
			continue
		}
		apiVersion, _ := ref["apiVersion"].(string)
		to := object.New(apiVersion, kind, it.Ref.Namespace, name)
		if ns, ok := ref["namespace"].(string); ok && ns != "" {
			to.Namespace = ns
		}
		if group, ok := ref["group"].(string); ok {
			to.Group = group
		}
		if clusterScoped(v, to) {
			to.Namespace = ""
		}
		e := t.edge(it, row, rootOf(u), to)
		e.Field, e.Why = "spec."+key, "spec."+key
		edges = append(edges, e)
	}
	return edges
}
