package preflight

import (
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

var (
	autoscalers = schema.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}
	disruptions = schema.GroupKind{Group: "policy", Kind: "PodDisruptionBudget"}
)

// autoscaled: two that set the number of replicas undo each other's work.
func (s *subject) autoscaled() {
	var mine []*autoscalingv2.HorizontalPodAutoscaler
	for _, h := range index.Typed[*autoscalingv2.HorizontalPodAutoscaler](s.v, autoscalers, s.ref.Namespace) {
		t := h.Spec.ScaleTargetRef
		if t.Kind == s.ref.Kind && t.Name == s.ref.Name && object.New(t.APIVersion, t.Kind, "", "").Group == s.ref.Group {
			mine = append(mine, h)
		}
	}
	if len(mine) == 0 {
		return
	}
	h := mine[0]
	ref := object.New("autoscaling/v2", "HorizontalPodAutoscaler", h.Namespace, h.Name)
	target := fact(ref, "spec.scaleTargetRef", s.ref.String())
	if len(mine) > 1 {
		other := object.New("autoscaling/v2", "HorizontalPodAutoscaler", h.Namespace, mine[1].Name)
		s.say("hpa-conflict", finding.Warning, fmt.Sprintf("autoscalers %q and %q both set its replicas, and each undoes what the other does", h.Name, mine[1].Name),
			[]finding.Evidence{target, fact(other, "spec.scaleTargetRef", s.ref.String())}, s.run("keep one of them", "delete", other.Arg()))
		return
	}
	least := int32(1)
	if h.Spec.MinReplicas != nil {
		least = *h.Spec.MinReplicas
	}
	if least == h.Spec.MaxReplicas {
		return // it scales nothing
	}
	evidence := []finding.Evidence{target, fact(ref, "spec.minReplicas", itoa(least)), fact(ref, "spec.maxReplicas", itoa(h.Spec.MaxReplicas))}
	leave := manual("leave replicas out of the manifest: the autoscaler sets it")
	if s.opts.Next != nil && s.live != nil && s.w.Replicas != s.live.Replicas && s.live.Replicas > 0 {
		s.say("hpa-conflict", finding.Warning,
			fmt.Sprintf("the manifest sets replicas to %d, where autoscaler %q has set %d: it is scaled in the midst of the roll, and back again", s.w.Replicas, h.Name, s.live.Replicas),
			append([]finding.Evidence{s.fact("spec.replicas", itoa(s.w.Replicas))}, evidence...), leave)
		return
	}
	if n, ok := appliedReplicas(s.w.Object); ok && s.w.Replicas > 0 {
		s.say("hpa-conflict", finding.Warning,
			fmt.Sprintf("the manifest that was applied sets replicas to %d, and so does autoscaler %q: every apply scales it to %d until the autoscaler has it back", n, h.Name, n),
			append([]finding.Evidence{s.fact("metadata.annotations["+corev1.LastAppliedConfigAnnotation+"]", fmt.Sprintf("spec.replicas: %d", n))}, evidence...), leave)
	}
}

// appliedReplicas is what the manifest said that kubectl apply sent last.
func appliedReplicas(o metav1.Object) (int32, bool) {
	var applied struct {
		Spec struct {
			Replicas *int32 `json:"replicas"`
		} `json:"spec"`
	}
	if json.Unmarshal([]byte(o.GetAnnotations()[corev1.LastAppliedConfigAnnotation]), &applied) != nil || applied.Spec.Replicas == nil {
		return 0, false
	}
	return *applied.Spec.Replicas, true
}

// overlaps: controllers expect that no other of their kind selects their pods
// (apps/v1, DeploymentSpec.Selector).
func (s *subject) overlaps() {
	mine := labels.Set(s.w.Template.Labels)
	for _, gk := range workloadKinds {
		for _, it := range s.v.List(gk, s.ref.Namespace) {
			sel := index.PodSelector(it.Object)
			if sel == nil || !sel.Matches(mine) || it.Ref.Key() == s.ref.Key() || it.Object.GetDeletionTimestamp() != nil {
				continue
			}
			if owner, owned := index.Controller(it.Object); owned && gk.Kind == "ReplicaSet" && owner.Kind == "Deployment" {
				continue // its selector holds the hash of its template
			}
			s.say("selector-overlap", finding.Warning,
				fmt.Sprintf("%s selects the pods of this workload too: what goes by its selector (autoscalers, budgets, kubectl) takes them for its own", it.Ref),
				[]finding.Evidence{fact(it.Ref, "spec.selector", sel.String()), s.fact("spec.template.metadata.labels", mine.String())},
				manual(fmt.Sprintf("give the pods of one of them a label of its own and select by it; a selector cannot be changed, so %s or this one must be created anew", it.Ref)))
			return
		}
	}
}

var workloadKinds = []schema.GroupKind{{Group: "apps", Kind: "Deployment"}, {Group: "apps", Kind: "StatefulSet"}, {Group: "apps", Kind: "DaemonSet"}, {Group: "apps", Kind: "ReplicaSet"}}

// budgets block evictions, and so drains of nodes; never a rollout.
func (s *subject) budgets() {
	if s.is("DaemonSet") || s.w.Replicas == 0 {
		return
	}
	var mine []*policyv1.PodDisruptionBudget
	for _, b := range index.Typed[*policyv1.PodDisruptionBudget](s.v, disruptions, s.ref.Namespace) {
		sel, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
		if err == nil && sel.Matches(labels.Set(s.w.Template.Labels)) {
			mine = append(mine, b)
		}
	}
	if len(mine) > 1 {
		s.say("pdb-blocks-drain", finding.Warning, fmt.Sprintf("%d PodDisruptionBudgets select its pods (%s, %s): the API server then refuses every eviction, and nodes cannot be drained. The rollout itself is not held up", len(mine), mine[0].Name, mine[1].Name),
			[]finding.Evidence{selectedBy(mine[0]), selectedBy(mine[1])}, manual("keep one of them, or let each select other pods"))
		return
	}
	for _, b := range mine {
		expected := s.expected(b)
		field, value, needed := need(b, expected)
		if field == "" || needed < expected {
			continue
		}
		s.say("pdb-blocks-drain", finding.Warning,
			fmt.Sprintf("PodDisruptionBudget %q allows no pod to be evicted (%d of %d must stay): draining a node waits for ever. The rollout itself is not held up", b.Name, needed, expected),
			[]finding.Evidence{selectedBy(b), fact(budgetRef(b), field, value), s.fact("spec.replicas", itoa(s.w.Replicas))},
			s.run("let one go at a time", "patch", budgetRef(b).Arg(), "--type=merge", "-p", `{"spec":{"minAvailable":null,"maxUnavailable":1}}`))
	}
}

// expected is how many pods a budget counts: those of other workloads too.
func (s *subject) expected(b *policyv1.PodDisruptionBudget) int {
	if b.Status.ExpectedPods == 0 {
		return s.w.Replicas
	}
	before := 0
	if s.live != nil {
		before = s.live.Replicas
	}
	return max(s.w.Replicas, int(b.Status.ExpectedPods)+s.w.Replicas-before)
}

// need is how many pods must stay; percentages are rounded up in either field
// (pkg/controller/disruption, getExpectedPodCount).
func need(b *policyv1.PodDisruptionBudget, expected int) (field, value string, needed int) {
	switch {
	case b.Spec.MaxUnavailable != nil:
		n, err := intstr.GetScaledValueFromIntOrPercent(b.Spec.MaxUnavailable, expected, true)
		if err != nil {
			return "", "", 0
		}
		return "spec.maxUnavailable", b.Spec.MaxUnavailable.String(), max(0, expected-n)
	case b.Spec.MinAvailable != nil:
		n, err := intstr.GetScaledValueFromIntOrPercent(b.Spec.MinAvailable, expected, true)
		if err != nil {
			return "", "", 0
		}
		return "spec.minAvailable", b.Spec.MinAvailable.String(), n
	}
	return "", "", 0
}

func budgetRef(b *policyv1.PodDisruptionBudget) object.Ref {
	return object.New("policy/v1", "PodDisruptionBudget", b.Namespace, b.Name)
}

func selectedBy(b *policyv1.PodDisruptionBudget) finding.Evidence {
	return fact(budgetRef(b), "spec.selector", metav1.FormatLabelSelector(b.Spec.Selector))
}

// made says whether a StatefulSet makes the claim behind a volume itself.
func (s *subject) made(volume string) bool {
	set, ok := s.w.Object.(*appsv1.StatefulSet)
	return ok && slices.ContainsFunc(set.Spec.VolumeClaimTemplates, func(c corev1.PersistentVolumeClaim) bool { return c.Name == volume })
}
