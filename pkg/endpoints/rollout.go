package endpoints

import (
	"fmt"
	"maps"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
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
			message := fmt.Sprintf("the pods that %s makes now do not carry its selector: it empties as the rollout goes on", root)
			if n, all := c.ofRoot(root), rolledOut(it.Object); n <= all {
				message = fmt.Sprintf("%s does not give its pods the labels that it selects; %d of its %s %s them by hand, until %s made anew", root, n, counted(all, "pod"), verb(n, "has", "have"), verb(n, "it is", "they are"))
			}
			c.drifted(newest, finding.Warning, message)
		}
	}
}

// ofRoot counts the living pods that it selects of one workload.
func (c *subject) ofRoot(root object.Ref) int {
	n := 0
	for _, p := range c.living {
		if c.root(p).Key() == root.Key() {
			n++
		}
	}
	return n
}

// rolledOut is how many pods a workload has that are all of its newest revision;
// none while it rolls.
func rolledOut(o source.Object) int {
	switch w := o.(type) {
	case *appsv1.Deployment:
		if s := w.Status; s.ObservedGeneration >= w.Generation && s.UpdatedReplicas == s.Replicas {
			return int(s.Replicas)
		}
	case *appsv1.StatefulSet:
		if s := w.Status; s.ObservedGeneration >= w.Generation && s.UpdateRevision == s.CurrentRevision {
			return int(s.Replicas)
		}
	case *appsv1.DaemonSet:
		if s := w.Status; s.ObservedGeneration >= w.Generation && s.UpdatedNumberScheduled == s.DesiredNumberScheduled {
			return int(s.CurrentNumberScheduled)
		}
	}
	return 0
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
