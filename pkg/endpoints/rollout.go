package endpoints

import (
	"fmt"
	"maps"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// driftedAway: no pod is left of the revision that the selector fits; the
// newest template has other labels.
func (c *subject) driftedAway() bool {
	for _, l := range c.crew(c.svc.Namespace).withTemplate(c.svc.Spec.Selector) {
		owner, owned := index.Controller(l.item.Object)
		if !owned {
			continue
		}
		top, ok := c.v.ByUID(owner.UID)
		if !ok {
			continue
		}
		if newest, ok := asWorkload(top); ok && !carries(newest.template.Labels, written(c.svc.Spec.Selector)) {
			c.drifted(newest, finding.Error, fmt.Sprintf("%s fits it, but the pods that %s makes now do not carry its selector", l.item.Ref, top.Ref))
			return true
		}
	}
	return false
}

// emptiesSoon: the pods that are selected are of a revision that is going.
func (c *subject) emptiesSoon() {
	said := map[object.Ref]bool{}
	var last object.Ref
	for _, p := range c.living {
		root := c.root(p)
		if root.IsZero() || root == last || said[root.Key()] {
			continue
		}
		last, said[root.Key()] = root, true
		it, ok := c.v.Get(root)
		if !ok {
			continue
		}
		if newest, ok := asWorkload(it); ok && !carries(newest.template.Labels, written(c.svc.Spec.Selector)) {
			c.drifted(newest, finding.Warning, fmt.Sprintf("the pods that %s makes now do not carry its selector: it empties as the rollout goes on", root))
		}
	}
}

// written is a selector without what controllers put on pods themselves: no
// template carries those.
func written(selector map[string]string) map[string]string {
	kept := maps.Clone(selector)
	maps.DeleteFunc(kept, func(key, _ string) bool { return machineMade(key) })
	return kept
}

func (c *subject) drifted(newest *workload, s finding.Severity, message string) {
	var lacking []pair
	for _, p := range pairsOf(written(c.svc.Spec.Selector)) {
		if newest.template.Labels[p.key] != p.value {
			lacking = append(lacking, p)
		}
	}
	r := newest.item.Ref
	fix := labelTemplate(fmt.Sprintf("give the pods of %s the labels back", r), r, lacking...)
	if changesSelected(newest, lacking) {
		fix = manual("select the labels that the new pods carry once the rollout is done: %s", joinPairs(newest.template.Labels))
	}
	c.say("rollout-label-drift", s, message, []finding.Evidence{
		fact(c.ref, "spec.selector", selectorText(c.svc)),
		fact(r, "spec.template.metadata.labels", joinPairs(newest.template.Labels)),
	}, fix)
}
