package preflight

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// ledger is what one quota has left, and what each new pod takes of it.
type ledger struct {
	quota *corev1.ResourceQuota
	free  corev1.ResourceList
	takes corev1.ResourceList
}

func (l *ledger) ref() object.Ref { return coreRef("ResourceQuota", l.quota.Namespace, l.quota.Name) }

// lacks is the first resource, by name, of which there is too little for a pod.
func (l *ledger) lacks() (corev1.ResourceName, bool) {
	for _, name := range slices.Sorted(maps.Keys(l.takes)) {
		free, want := l.free[name], l.takes[name]
		if want.Sign() > 0 && free.Cmp(want) < 0 {
			return name, true
		}
	}
	return "", false
}

func (l *ledger) change(by corev1.ResourceList, sign int) {
	for name, q := range by {
		free, ok := l.free[name]
		if !ok {
			continue
		}
		if sign > 0 {
			free.Add(q)
		} else {
			free.Sub(q)
		}
		l.free[name] = free
	}
}

// quotas plays the roll against what the quotas have left, as if every new pod
// became available at once: where even that stops, the roll stops.
func (s *subject) quotas() {
	if s.w.OnDelete() && s.live != nil {
		return
	}
	s.objectQuotas()
	if s.w.Replicas == 0 || s.podsHidden() {
		return
	}
	spec := s.newPod()
	ledgers := s.ledgers(spec)
	if s.unspecified(spec, ledgers) {
		return
	}
	if len(ledgers) == 0 {
		return
	}
	before := make([]corev1.ResourceList, len(ledgers))
	for i, l := range ledgers {
		before[i] = l.free.DeepCopy()
	}
	r := s.play(ledgers)
	if r.blocked < 0 {
		return
	}
	l, name := ledgers[r.blocked], r.lacks
	hard, used, takes := l.quota.Status.Hard[name], l.quota.Status.Used[name], l.takes[name]
	free := before[r.blocked][name]
	evidence := []finding.Evidence{
		fact(l.ref(), "status.hard."+string(name), hard.String()), fact(l.ref(), "status.used."+string(name), used.String()),
		s.fact("spec.template", fmt.Sprintf("a new pod takes %s of %s", takes.String(), name)),
	}
	fixes := []finding.Fix{
		s.run("see what is used", "describe", "resourcequota", l.quota.Name),
		manual(fmt.Sprintf("raise %s of ResourceQuota %q, lower what a pod asks for, or free some of it", name, l.quota.Name)),
	}
	left := fmt.Sprintf("ResourceQuota %q has %s of %s left, and a new pod takes %s", l.quota.Name, clamp(free), name, takes.String())
	switch {
	case r.stuck:
		message := fmt.Sprintf("the roll stops at %d of %s: %s", r.reached, plural(r.goal, "new pod"), left)
		if s.surges() && r.reached == 0 {
			message += ", while no old pod goes before a new one is ready (maxUnavailable is 0)"
			if s.is("Deployment") || s.is("DaemonSet") {
				fixes = append(fixes, s.takeOneFirst())
			}
		}
		s.say("quota-headroom", finding.Error, message, evidence, fixes...)
	case r.late:
		s.say("quota-headroom", finding.Info, left+": no pod more than now fits, so old pods go before new ones come, as far as maxUnavailable allows", evidence, fixes...)
	}
}

func clamp(q resource.Quantity) string {
	if q.Sign() < 0 {
		return "nothing"
	}
	return q.String()
}

// ledgers are the quotas that count the new pod. One whose status has not been
// counted yet, or whose scope cannot be told, is left out.
func (s *subject) ledgers(spec *corev1.PodSpec) []*ledger {
	takes := usage(podRequests(spec), podLimits(spec))
	var out []*ledger
	for _, q := range index.Typed[*corev1.ResourceQuota](s.v, core("ResourceQuota"), s.ref.Namespace) {
		if len(q.Status.Hard) == 0 || !s.inScope(q, spec) {
			continue
		}
		l := &ledger{quota: q, free: corev1.ResourceList{}, takes: corev1.ResourceList{}}
		for name, hard := range q.Status.Hard {
			used, ok := q.Status.Used[name]
			if !ok {
				continue
			}
			free := hard.DeepCopy()
			free.Sub(used)
			l.free[name] = free
			if take, ok := takes[name]; ok {
				l.takes[name] = take
			}
		}
		out = append(out, l)
	}
	return out
}

// inScope says whether a quota counts a pod: in all of its scopes
// (pkg/quota/v1/evaluator/core, podMatchesScopeFunc).
func (s *subject) inScope(q *corev1.ResourceQuota, spec *corev1.PodSpec) bool {
	var all []corev1.ScopedResourceSelectorRequirement
	for _, scope := range q.Spec.Scopes {
		all = append(all, corev1.ScopedResourceSelectorRequirement{ScopeName: scope, Operator: corev1.ScopeSelectorOpExists})
	}
	if q.Spec.ScopeSelector != nil {
		all = append(all, q.Spec.ScopeSelector.MatchExpressions...)
	}
	return !slices.ContainsFunc(all, func(r corev1.ScopedResourceSelectorRequirement) bool { return !s.scoped(r, spec) })
}

func (s *subject) scoped(r corev1.ScopedResourceSelectorRequirement, spec *corev1.PodSpec) bool {
	terminating := spec.ActiveDeadlineSeconds != nil && *spec.ActiveDeadlineSeconds >= 0
	switch r.ScopeName {
	case corev1.ResourceQuotaScopeTerminating:
		return terminating
	case corev1.ResourceQuotaScopeNotTerminating:
		return !terminating
	case corev1.ResourceQuotaScopeBestEffort:
		return bestEffort(spec)
	case corev1.ResourceQuotaScopeNotBestEffort:
		return !bestEffort(spec)
	case corev1.ResourceQuotaScopePriorityClass:
		return s.ofPriority(r, spec)
	case corev1.ResourceQuotaScopeCrossNamespacePodAffinity:
		return crossesNamespaces(spec.Affinity)
	}
	return false
}

// ofPriority: a template without a class may be given the default one, which
// must have been looked for.
func (s *subject) ofPriority(r corev1.ScopedResourceSelectorRequirement, spec *corev1.PodSpec) bool {
	class := spec.PriorityClassName
	if class == "" && !s.seen(priorityClasses) {
		return false
	}
	if r.Operator == corev1.ScopeSelectorOpExists {
		return class != ""
	}
	set := labels.Set{}
	if class != "" {
		set["class"] = class
	}
	return expressionMatches(corev1.NodeSelectorRequirement{Key: "class", Operator: corev1.NodeSelectorOperator(r.Operator), Values: r.Values}, set)
}

func crossesNamespaces(a *corev1.Affinity) bool {
	if a == nil {
		return false
	}
	var terms []corev1.PodAffinityTerm
	var preferred []corev1.WeightedPodAffinityTerm
	if a.PodAffinity != nil {
		terms, preferred = append(terms, a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution...), append(preferred, a.PodAffinity.PreferredDuringSchedulingIgnoredDuringExecution...)
	}
	if a.PodAntiAffinity != nil {
		terms, preferred = append(terms, a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution...), append(preferred, a.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution...)
	}
	for _, w := range preferred {
		terms = append(terms, w.PodAffinityTerm)
	}
	return slices.ContainsFunc(terms, func(t corev1.PodAffinityTerm) bool { return len(t.Namespaces) > 0 || t.NamespaceSelector != nil })
}

// must are the resources that every container has to name where a quota counts
// them (pkg/quota/v1/evaluator/core, validationSet).
var must = []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceLimitsCPU, corev1.ResourceLimitsMemory, corev1.ResourceMemory, corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory}

// unspecified: a quota on cpu or memory refuses a pod of which a container does
// not say what it asks for. A LimitRange that was not seen may say it.
func (s *subject) unspecified(spec *corev1.PodSpec, ledgers []*ledger) bool {
	if !s.seen(limitRanges) || spec.Resources != nil && len(spec.Resources.Requests)+len(spec.Resources.Limits) > 0 {
		return false
	}
	for _, l := range ledgers {
		for _, name := range must {
			if _, counted := l.quota.Status.Hard[name]; !counted {
				continue
			}
			for _, c := range slices.Concat(spec.Containers, spec.InitContainers) {
				if _, ok := usage(c.Resources.Requests, c.Resources.Limits)[name]; ok {
					continue
				}
				hard := l.quota.Status.Hard[name]
				s.say("quota-headroom", finding.Error,
					fmt.Sprintf("no new pod can be created: ResourceQuota %q counts %s, and container %q does not set it", l.quota.Name, name, c.Name),
					[]finding.Evidence{fact(l.ref(), "status.hard."+string(name), hard.String()), s.fact("spec.template.spec", fmt.Sprintf("container %s sets no %s", c.Name, name))},
					s.run("set it", "set", "resources", s.ref.Arg(), "-c", c.Name, flagOf(name)))
				return true
			}
		}
	}
	return false
}

// flagOf is kubectl set resources' flag for a quota's resource; the amount is
// for a person to choose.
func flagOf(name corev1.ResourceName) string {
	if limit, ok := strings.CutPrefix(string(name), "limits."); ok {
		return "--limits=" + limit + "=AMOUNT"
	}
	return "--requests=" + strings.TrimPrefix(string(name), "requests.") + "=AMOUNT"
}

// objectQuotas: each new template is kept in an object of its own, which a
// quota may count.
func (s *subject) objectQuotas() {
	name, what := corev1.ResourceName("count/replicasets.apps"), "ReplicaSet"
	if !s.is("Deployment") {
		name, what = "count/controllerrevisions.apps", "ControllerRevision"
	}
	if s.w.Current != nil || s.live != nil && len(s.live.Revisions) == 0 { // none: they may not be seen
		return
	}
	for _, q := range index.Typed[*corev1.ResourceQuota](s.v, core("ResourceQuota"), s.ref.Namespace) {
		hard, counted := q.Status.Hard[name]
		used, known := q.Status.Used[name]
		if counted && known && used.Cmp(hard) >= 0 {
			ref := coreRef("ResourceQuota", q.Namespace, q.Name)
			s.say("quota-headroom", finding.Error,
				fmt.Sprintf("the roll cannot begin: ResourceQuota %q allows %s %ss, all are used, and the new template needs one more", q.Name, hard.String(), what),
				[]finding.Evidence{fact(ref, "status.hard."+string(name), hard.String()), fact(ref, "status.used."+string(name), used.String())},
				manual(fmt.Sprintf("raise %s of ResourceQuota %q, or delete %ss that nobody needs", name, q.Name, what)))
		}
	}
}
