package preflight

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Needs are the facts that Judge reads beside the workload, its revisions and
// its pods. Asked again once they are answered, it also names what only the
// answers tell, such as the volume behind a claim.
func Needs(v *index.View, w *workload.Workload, opts Options) []source.Query {
	s, ok := newSubject(v, w, opts)
	if !ok {
		return nil
	}
	var qs []source.Query
	list := func(gk schema.GroupKind) {
		qs = append(qs, source.Query{Kind: gk, Namespace: s.namespaceOf(gk)})
	}
	for _, gk := range slices.Concat([]schema.GroupKind{core("Service"), core("ResourceQuota"), limitRanges, autoscalers, disruptions}, workloadKinds) {
		list(gk)
	}
	for _, r := range s.needed() {
		// A key is looked for in a ConfigMap, overhead in a RuntimeClass, access
		// modes in a claim; of a Secret nothing but that it is there.
		content := r.key != "" && r.to.Kind == "ConfigMap" || r.to.Kind == "RuntimeClass" || r.to.Kind == "PersistentVolumeClaim"
		qs = append(qs, source.Query{Kind: r.to.GroupKind(), Namespace: r.to.Namespace, Name: r.to.Name, Metadata: !content})
	}
	sharing := false
	for _, c := range s.claims() {
		if c.once() && s.is("Deployment") && s.rolls() && c.object.Spec.VolumeName != "" {
			sharing = true
			qs = append(qs, source.Query{Kind: core("PersistentVolume"), Name: c.object.Spec.VolumeName})
		}
	}
	if s.asksForDefaultPriority() {
		list(priorityClasses)
	}
	crowded := s.surges() && len(s.obstacles()) > 0
	if crowded || sharing || opts.Headroom {
		list(core("Node"))
	}
	if crowded || opts.Headroom {
		qs = append(qs, autoscaler)
	}
	if n := s.nodeCount(); opts.Headroom && n > 0 && n <= mostNodes {
		qs = append(qs, source.Query{Kind: core("Pod")})
	}
	slices.SortFunc(qs, source.Query.Compare)
	return slices.CompactFunc(qs, func(a, b source.Query) bool { // what is read in full comes first
		a.Metadata = b.Metadata
		return a == b
	})
}

// asksForDefaultPriority: a quota counts by priority class, and the template
// leaves the class to the cluster.
func (s *subject) asksForDefaultPriority() bool {
	return s.spec.PriorityClassName == "" && slices.ContainsFunc(index.Typed[*corev1.ResourceQuota](s.v, core("ResourceQuota"), s.ref.Namespace), func(q *corev1.ResourceQuota) bool {
		return slices.Contains(q.Spec.Scopes, corev1.ResourceQuotaScopePriorityClass) || q.Spec.ScopeSelector != nil && slices.ContainsFunc(q.Spec.ScopeSelector.MatchExpressions, func(r corev1.ScopedResourceSelectorRequirement) bool {
			return r.ScopeName == corev1.ResourceQuotaScopePriorityClass
		})
	})
}
