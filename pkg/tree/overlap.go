package tree

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// overlap finds selectors that reach into another workload's pods.
func overlap() Analyzer {
	return Analyzer{Name: "overlap", Docs: overlapDocs, Needs: needWorkloads, Run: func(p *Pass) {
		p.selectorOverlap()
		p.budgetOverlap()
	}}
}

// needWorkloads asks for the other workloads of a shown workload's namespace:
// selectors stand in the spec, so no label query can find them.
func needWorkloads(g *relation.Graph, roots []object.Ref) []source.Query {
	var qs []source.Query
	for _, r := range roots {
		top := g.Workload(r)
		if it, ok := g.View.Get(top); !ok || selectorOf(it) == nil {
			continue
		}
		for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
			qs = append(qs, source.Query{Kind: schema.GroupKind{Group: "apps", Kind: kind}, Namespace: top.Namespace})
		}
	}
	return qs
}

// selectorOf is the selector of a Deployment and its like, nil for what is none
// of them and for what another object owns.
func selectorOf(it index.Item) labels.Selector {
	if it.Ref.Group != "apps" || it.Ref.Kind == "ReplicaSet" && len(it.Object.GetOwnerReferences()) > 0 {
		return nil
	}
	return index.PodSelector(it.Object)
}

// selecting is a workload with its selector and what its pods carry.
type selecting struct {
	index.Item
	selector labels.Selector
	carried  labels.Set
}

// selections are the workloads of a namespace.
type selections struct {
	all      []selecting
	every    []int                 // the positions of all
	carrying map[index.Label][]int // and of those whose pods carry a pair
}

// selections of a namespace, found once.
func (p *Pass) selections(namespace string) selections {
	if known, ok := p.selecting[namespace]; ok {
		return known
	}
	s := selections{carrying: map[index.Label][]int{}}
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"} {
		for _, it := range p.View.List(schema.GroupKind{Group: "apps", Kind: kind}, namespace) {
			selector := selectorOf(it)
			if selector == nil {
				continue
			}
			carried := labels.Set(index.PodTemplate(it.Object).Labels)
			for key, value := range carried {
				pair := index.Label{Key: key, Value: value}
				s.carrying[pair] = append(s.carrying[pair], len(s.all))
			}
			s.every = append(s.every, len(s.all))
			s.all = append(s.all, selecting{it, selector, carried})
		}
	}
	p.selecting[namespace] = s
	return s
}

// matched are the workloads whose pods a selector matches. It goes by one
// required pair of the selector where there is one: of a thousand workloads
// beside each other hardly two have a pair in common.
func (s selections) matched(selector labels.Selector) []selecting {
	candidates := s.every
	if key, value, ok := index.Required(selector); ok {
		candidates = s.carrying[index.Label{Key: key, Value: value}]
	}
	var matched []selecting
	for _, i := range candidates {
		if selector.Matches(s.all[i].carried) {
			matched = append(matched, s.all[i])
		}
	}
	return matched
}

// selectorOverlap is reported once for each pair of which one is shown, at the
// one whose selector reaches too far; at the one that is shown where both do.
func (p *Pass) selectorOverlap() {
	shown, namespaces := map[object.Ref]bool{}, map[string]bool{}
	for _, it := range p.Shown {
		shown[it.Ref.Key()] = true
		if selectorOf(it) != nil {
			namespaces[it.Ref.Namespace] = true
		}
	}
	for _, namespace := range slices.Sorted(maps.Keys(namespaces)) {
		s := p.selections(namespace)
		for _, broad := range s.all {
			for _, other := range s.matched(broad.selector) {
				mutual := other.selector.Matches(broad.carried)
				if other.Ref.Key() != broad.Ref.Key() && (shown[broad.Ref.Key()] || shown[other.Ref.Key()] && !mutual) {
					p.report(overlapping(broad, other, mutual))
				}
			}
		}
	}
}

func overlapping(broad, other selecting, mutual bool) finding.Finding {
	message := fmt.Sprintf("its selector %s also matches the pods of %s", broad.selector, other.Ref)
	if mutual {
		message = fmt.Sprintf("its selector %s and that of %s match each other's pods", broad.selector, other.Ref)
	}
	return finding.Finding{
		Code: "tree/selector-overlap", Severity: finding.Warning, Object: broad.Ref, Message: message,
		Evidence: []finding.Evidence{
			evidence(broad.Ref, "spec.selector", broad.selector.String()),
			evidence(other.Ref, "spec.template.metadata.labels", other.carried.String()),
		},
		Fix: []finding.Fix{{Description: fmt.Sprintf("give %s a selector, and a template label, that %s does not carry; a selector cannot be changed in place: delete it with --cascade=orphan and create it anew", broad.Ref, other.Ref)}},
	}
}

// budgetOverlap finds pods that more than one PodDisruptionBudget selects: the
// eviction API refuses to evict those (pkg/registry/core/pod/storage/eviction.go).
func (p *Pass) budgetOverlap() {
	said := map[string]bool{}
	for _, it := range p.Shown {
		if it.Ref.Kind != "Pod" || it.Ref.Group != "" {
			continue
		}
		var names []string
		var budgets []object.Ref
		for _, e := range p.Graph.To(it.Ref) {
			if e.Row.Name == "pdb-pod" {
				names, budgets = append(names, e.From.Name), append(budgets, e.From)
			}
		}
		key := it.Ref.Namespace + "/" + strings.Join(names, ",")
		if len(names) < 2 || said[key] {
			continue
		}
		said[key] = true
		p.report(finding.Finding{
			Code: "tree/pdb-overlap", Severity: finding.Warning, Object: budgets[0],
			Message:  fmt.Sprintf("PodDisruptionBudgets %s select the same pods, so every eviction of them fails", strings.Join(names, " and ")),
			Evidence: []finding.Evidence{evidence(budgets[0], "spec.selector", "selects "+it.Ref.String()), evidence(budgets[1], "spec.selector", "selects "+it.Ref.String())},
			Fix:      []finding.Fix{{Description: "keep one of them", Command: finding.Kubectl(budgets[1].Namespace, "delete", "poddisruptionbudget", budgets[1].Name)}},
		})
	}
}

var overlapDocs = []finding.Doc{
	{Code: "tree/selector-overlap", Severity: finding.Warning, Title: "A workload's selector matches another workload's pods",
		Means:  "Each pod is kept by its ownerReference, so nothing breaks at once; but what goes by labels alone (a Service, a PodDisruptionBudget, kubectl -l, adoption of orphans) takes the pods of both.",
		Told:   "The selector of one workload matches the template labels of another in the same namespace.",
		Fix:    "Give each workload a label of its own in selector and template.",
		Source: "pkg/controller/controller_ref_manager.go"},
	{Code: "tree/pdb-overlap", Severity: finding.Warning, Title: "More than one PodDisruptionBudget on a pod",
		Means:  "The eviction API answers with an error for a pod that several budgets select, so drains cannot finish.",
		Told:   "Two budgets' selectors match one pod.",
		Fix:    "Keep one budget.",
		Source: "pkg/registry/core/pod/storage/eviction.go"},
}
