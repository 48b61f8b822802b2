package relation

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/leadsman-dev/leadsman/pkg/index"
)

// selected reads a label selector. An absent one matches nothing; an empty one
// matches nothing where it is a plain map (Service) and everything where it is
// a LabelSelector (NetworkPolicy, PodDisruptionBudget of policy/v1).
func (t *Table) selected(v *index.View, it index.Item, row *Row, subject value) []Edge {
	to, _ := row.Target()
	var edges []Edge
	for _, place := range t.selectors(subject, row.Selector) {
		namespace := it.Ref.Namespace
		for _, found := range v.Select(to, namespace, place.selector) {
			if found.Ref.Key() == it.Ref.Key() {
				continue
			}
			e := t.edge(it, row, subject, found.Ref)
			e.Field = place.path
			edges = append(edges, e)
		}
	}
	return edges
}

type selectorAt struct {
	selector labels.Selector
	path     string
}

// selectors reads the selectors at a path, in either of the API's two forms.
func (t *Table) selectors(subject value, path string) []selectorAt {
	parent, last := "", path
	if i := strings.LastIndex(path, "."); i >= 0 {
		parent, last = path[:i], path[i+1:]
	}
	last, list := strings.CutSuffix(last, "[]")
	places := []value{subject}
	if parent != "" {
		places = t.walk.find(subject, parent)
	}
	var out []selectorAt
	for _, p := range places {
		for _, v := range t.walk.step(nil, p, last) {
			if list {
				for _, e := range each(nil, v) {
					out = appendSelector(out, e)
				}
				continue
			}
			out = appendSelector(out, v)
		}
	}
	return out
}

func appendSelector(out []selectorAt, v value) []selectorAt {
	if !v.at.IsValid() {
		return out
	}
	switch content := v.at.Interface().(type) {
	case map[string]string:
		if len(content) > 0 {
			return append(out, selectorAt{labels.SelectorFromSet(content), v.path})
		}
	case metav1.LabelSelector:
		if s, err := metav1.LabelSelectorAsSelector(&content); err == nil {
			return append(out, selectorAt{s, v.path})
		}
	case map[string]any:
		if s, ok := looseSelector(content); ok {
			return append(out, selectorAt{s, v.path})
		}
	}
	return out
}

// looseSelector reads a selector out of unstructured content.
func looseSelector(content map[string]any) (labels.Selector, bool) {
	pairs := content
	if nested, ok := content["matchLabels"].(map[string]any); ok {
		pairs = nested
	} else if _, expressions := content["matchExpressions"]; expressions {
		return nil, false
	}
	set := labels.Set{}
	for k, v := range pairs {
		s, ok := v.(string)
		if !ok {
			return nil, false
		}
		set[k] = s
	}
	return labels.SelectorFromSet(set), len(set) > 0
}
