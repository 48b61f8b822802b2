package tree

import (
	"fmt"
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
		for _, it := range p.Shown {
			p.selectorOverlap(it)
		}
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

func templateLabels(it index.Item) labels.Set {
	if t := index.PodTemplate(it.Object); t != nil {
		return t.Labels
	}
	return nil
}

// selectorOverlap is reported once for each pair, at the one whose selector
// reaches too far.
func (p *Pass) selectorOverlap(it index.Item) {
	sel := selectorOf(it)
	if sel == nil {
		return
	}
	for _, other := range p.workloads(it.Ref.Namespace) {
		if other.Ref.Key() == it.Ref.Key() {
			continue
		}
		mine := sel.Matches(templateLabels(other))
		theirs := selectorOf(other).Matches(templateLabels(it))
		switch {
		case mine:
			p.report(overlapping(it, other, sel))
		case theirs && !p.shown(other.Ref):
			p.report(overlapping(other, it, selectorOf(other)))
		}
	}
}

func (p *Pass) workloads(namespace string) []index.Item {
	var all []index.Item
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"} {
		for _, it := range p.View.List(schema.GroupKind{Group: "apps", Kind: kind}, namespace) {
			if selectorOf(it) != nil {
				all = append(all, it)
			}
		}
	}
	return all
}

func (p *Pass) shown(r object.Ref) bool {
	for _, it := range p.Shown {
		if it.Ref.Key() == r.Key() {
			return true
		}
	}
	return false
}

func overlapping(broad, other index.Item, sel labels.Selector) finding.Finding {
	message := fmt.Sprintf("its selector %s also matches the pods of %s", sel, other.Ref)
	if selectorOf(other).Matches(templateLabels(broad)) {
		message = fmt.Sprintf("its selector %s and that of %s match each other's pods", sel, other.Ref)
	}
	return finding.Finding{
		Code: "tree/selector-overlap", Severity: finding.Warning, Object: broad.Ref, Message: message,
		Evidence: []finding.Evidence{
			evidence(broad.Ref, "spec.selector", sel.String()),
			evidence(other.Ref, "spec.template.metadata.labels", templateLabels(other).String()),
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
			Fix:      []finding.Fix{{Description: "keep one of them", Command: kubectl(budgets[1], "delete poddisruptionbudget "+budgets[1].Name)}},
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
