package cause

import (
	"fmt"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// overlaps warns of workloads that select each other's pods. Each pod is kept
// by its ownerReference, so this alone never stops a rollout; but numbers that
// go by labels count the pods of both.
func (j *judgement) overlaps() {
	if j.w.Selector == nil || j.w.Selector.Empty() || j.w.Template == nil {
		return
	}
	for _, other := range selections(j.v, j.w.Ref.Namespace) {
		if other.Ref.Key() == j.w.Ref.Key() {
			continue
		}
		mine, theirs := j.w.Selector.Matches(other.carried), other.selector.Matches(labels.Set(j.w.Template.Labels))
		if !mine && !theirs {
			continue
		}
		message := fmt.Sprintf("its selector %s also matches the pods of %s", j.w.Selector, other.Ref)
		if !mine {
			message = fmt.Sprintf("the selector %s of %s also matches the pods of this rollout", other.selector, other.Ref)
		}
		j.add(Cause{Class: Held, Finding: finding.Finding{
			Code: domain + "selector-overlap", Severity: finding.Warning, Object: j.w.Ref, Message: message,
			Evidence: []finding.Evidence{j.fact("spec.selector", j.w.Selector.String()), {Object: other.Ref, Field: "spec.selector", Value: other.selector.String()}},
			Fix:      []finding.Fix{manual(fmt.Sprintf("give %s or %s a label of its own in selector and template; a selector cannot be changed in place: delete the workload with --cascade=orphan and create it anew", j.w.Ref, other.Ref))},
		}})
		return
	}
}

// selecting is a workload with its selector and what its pods carry.
type selecting struct {
	index.Item
	selector labels.Selector
	carried  labels.Set
}

type selectionsOf struct{ namespace string }

// selections are the workloads of a namespace, read once for all that roll.
func selections(v *index.View, namespace string) []selecting {
	return index.Memo(v, selectionsOf{namespace}, func() []selecting {
		var all []selecting
		for _, kind := range workload.Kinds {
			for _, it := range v.List(schema.GroupKind{Group: "apps", Kind: kind}, namespace) {
				if sel, carried := selection(it); sel != nil {
					all = append(all, selecting{it, sel, carried})
				}
			}
		}
		return all
	})
}

// selection is a workload's selector and what its pods carry; nil where it
// selects nothing.
func selection(it index.Item) (labels.Selector, labels.Set) {
	sel := index.PodSelector(it.Object)
	if sel == nil {
		return nil, nil
	}
	return sel, index.PodTemplate(it.Object).Labels
}
