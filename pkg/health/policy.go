package health

import (
	"fmt"
	"slices"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// ofAutoscaler: a target of zero replicas switches an autoscaler off on purpose
// (pkg/controller/podautoscaler, reconcileAutoscaler: ScalingDisabled).
func ofAutoscaler(h *autoscalingv2.HorizontalPodAutoscaler) State {
	ref := object.New("autoscaling/v2", "HorizontalPodAutoscaler", h.Namespace, h.Name)
	s := State{Level: OK, Status: fmt.Sprintf("%d replicas (%d–%d)", h.Status.CurrentReplicas, deref(h.Spec.MinReplicas, 1), h.Spec.MaxReplicas), Detail: h.Spec.ScaleTargetRef.Kind + "/" + h.Spec.ScaleTargetRef.Name}
	if h.Status.DesiredReplicas != h.Status.CurrentReplicas && h.Status.DesiredReplicas > 0 {
		s.Level, s.Status = Progressing, fmt.Sprintf("scaling %d → %d", h.Status.CurrentReplicas, h.Status.DesiredReplicas)
	}
	if len(h.Status.Conditions) == 0 {
		return State{Level: Progressing, Status: "not judged yet", Detail: s.Detail}
	}
	for i, c := range h.Status.Conditions {
		if c.Type == autoscalingv2.ScalingLimited || c.Status != corev1.ConditionFalse {
			continue
		}
		if c.Reason == "ScalingDisabled" {
			return State{Level: OK, Status: "off: target has 0 replicas", Detail: s.Detail}
		}
		// The target runs on as it is: what does not work is its scaling.
		s.Level, s.Status = Warning, clip(c.Reason, 30)
		s.Problems = append(s.Problems, Problem{
			Name: "condition", Severity: finding.Warning,
			Message:  fmt.Sprintf("the autoscaler does not scale %s: %s", s.Detail, clip(c.Message, 200)),
			Evidence: []finding.Evidence{fact(ref, fmt.Sprintf("status.conditions[%d].reason", i), c.Reason), fact(ref, fmt.Sprintf("status.conditions[%d].message", i), c.Message)},
			Fix:      []finding.Fix{manual(scalingAdvice(c.Reason))},
		})
	}
	return s
}

func scalingAdvice(reason string) string {
	switch {
	case reason == "FailedGetScale":
		return "correct spec.scaleTargetRef: it names nothing that can be scaled"
	case strings.HasPrefix(reason, "FailedGetResourceMetric"):
		return "see that metrics-server runs (kubectl top pods) and that every container sets the request that the metric is measured against"
	case strings.HasPrefix(reason, "FailedGet"):
		return "see that the metrics adapter that serves this metric runs (kubectl get apiservices)"
	case reason == "AmbiguousSelector":
		return "two autoscalers select the same pods: delete one of them where both scale the same target, else give their targets selectors that do not overlap"
	}
	return "correct what the message names"
}

// ofBudget: no disruption allowed blocks drains, not the pods themselves.
func ofBudget(b *policyv1.PodDisruptionBudget) State {
	s := State{Level: OK, Ready: count(b.Status.CurrentHealthy, b.Status.ExpectedPods), Status: fmt.Sprintf("%d disruptions allowed", b.Status.DisruptionsAllowed)}
	if b.Status.DisruptionsAllowed == 1 {
		s.Status = "1 disruption allowed"
	}
	switch {
	case b.Status.ObservedGeneration == 0 && len(b.Status.Conditions) == 0:
		return State{Level: Progressing, Status: "not judged yet"}
	case b.Status.ExpectedPods == 0:
		s.Level, s.Status = Warning, "no pods match"
	case b.Status.DisruptionsAllowed == 0:
		s.Level, s.Status = Warning, "no disruption allowed"
	}
	return s
}

func ofQuota(q *corev1.ResourceQuota) State {
	var full, all []string
	for name, hard := range q.Status.Hard {
		used := q.Status.Used[name]
		words := fmt.Sprintf("%s %s/%s", name, used.String(), hard.String())
		all = append(all, words)
		if used.Cmp(hard) >= 0 && !hard.IsZero() {
			full = append(full, words)
		}
	}
	slices.Sort(all)
	slices.Sort(full)
	s := State{Level: OK, Status: "within limits", Detail: strings.Join(all, ", ")}
	switch {
	case len(all) == 0:
		s.Level, s.Status = Progressing, "not counted yet"
	case len(full) > 0:
		s.Level, s.Status = Warning, clip("full: "+strings.Join(full, ", "), 30)
	}
	return s
}
