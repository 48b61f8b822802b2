package tree

import (
	"fmt"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// unused finds what selects or targets nothing.
func unused() Analyzer {
	return Analyzer{Name: "unused", Docs: unusedDocs, Needs: needTemplates, Run: func(p *Pass) {
		for _, it := range p.Shown {
			switch o := it.Object.(type) {
			case *policyv1.PodDisruptionBudget:
				p.budgetUnused(it, o)
			case *autoscalingv2.HorizontalPodAutoscaler:
				p.scalerUnused(it, o)
			case *corev1.Service:
				p.serviceUnused(it, o)
			}
		}
	}}
}

// needTemplates asks, for a selector that matched no pod, for the workloads
// whose templates it may match: scaled to zero is not unused.
func needTemplates(g *relation.Graph, roots []object.Ref) []source.Query {
	var qs []source.Query
	for _, r := range roots {
		if r.Kind != "PodDisruptionBudget" && r.Kind != "Service" || len(g.From(r)) > 0 {
			continue
		}
		for _, kind := range []schema.GroupKind{
			{Group: "apps", Kind: "Deployment"}, {Group: "apps", Kind: "StatefulSet"}, {Group: "apps", Kind: "DaemonSet"}, {Group: "apps", Kind: "ReplicaSet"},
		} {
			qs = append(qs, source.Query{Kind: kind, Namespace: r.Namespace})
		}
	}
	return qs
}

// matches says whether a selector reaches a pod or a template of the
// namespace, and whether everything that it could reach was seen.
func (p *Pass) matches(namespace string, sel labels.Selector) (found, seen bool) {
	pods := schema.GroupKind{Kind: "Pod"}
	if len(p.View.Select(pods, namespace, sel)) > 0 {
		return true, true
	}
	if len(p.selections(namespace).matched(sel)) > 0 {
		return true, true
	}
	seen = p.View.Answered(source.Query{Kind: pods, Namespace: namespace, Labels: sel.String()}) ||
		p.View.Answered(source.Query{Kind: pods, Namespace: namespace}) || p.View.Answered(source.Query{Kind: pods})
	return false, seen
}

func (p *Pass) budgetUnused(it index.Item, b *policyv1.PodDisruptionBudget) {
	sel, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
	if err != nil {
		return
	}
	if found, seen := p.matches(b.Namespace, sel); found || !seen {
		return
	}
	p.report(finding.Finding{
		Code: "tree/pdb-unused", Severity: finding.Warning, Object: it.Ref,
		Message:  fmt.Sprintf("protects nothing: no pod and no workload of the namespace carries %s", sel),
		Evidence: []finding.Evidence{evidence(it.Ref, "spec.selector", sel.String()), evidence(it.Ref, "status.expectedPods", fmt.Sprint(b.Status.ExpectedPods))},
		Fix:      []finding.Fix{{Description: "correct the selector, or remove the budget; with: " + finding.Kubectl(it.Ref.Namespace, "edit", "poddisruptionbudget", it.Ref.Name)}},
	})
}

func (p *Pass) scalerUnused(it index.Item, h *autoscalingv2.HorizontalPodAutoscaler) {
	t := h.Spec.ScaleTargetRef
	target := object.New(t.APIVersion, t.Kind, h.Namespace, t.Name)
	if presence, _ := p.View.Presence(target); presence != index.Missing {
		return
	}
	f := finding.Finding{
		Code: "tree/hpa-target-missing", Severity: finding.Error, Object: it.Ref,
		Message:  fmt.Sprintf("scales nothing: its target %s does not exist", target),
		Evidence: []finding.Evidence{evidence(it.Ref, "spec.scaleTargetRef", t.APIVersion+" "+target.String())},
	}
	for _, name := range p.namesakes(target) {
		f.Message += "; there is " + name
		f.Fix = append(f.Fix, finding.Fix{Description: "scale that one, if it is what was meant",
			Command: finding.Kubectl(it.Ref.Namespace, "patch", "hpa", it.Ref.Name, "--type=merge", "-p",
				finding.JSON(map[string]any{"spec": map[string]any{"scaleTargetRef": map[string]any{"name": name}}}))})
		break
	}
	if len(f.Fix) == 0 {
		f.Fix = []finding.Fix{{Description: "name a target that exists in spec.scaleTargetRef, or remove the autoscaler; with: " + finding.Kubectl(it.Ref.Namespace, "edit", "hpa", it.Ref.Name)}}
	}
	p.report(f)
}

func (p *Pass) serviceUnused(it index.Item, s *corev1.Service) {
	if len(s.Spec.Selector) == 0 || s.Spec.Type == corev1.ServiceTypeExternalName {
		return
	}
	sel := labels.SelectorFromSet(s.Spec.Selector)
	if found, seen := p.matches(s.Namespace, sel); found || !seen {
		return
	}
	p.report(finding.Finding{
		Code: "tree/service-unused", Severity: finding.Warning, Object: it.Ref,
		Message:  fmt.Sprintf("reaches nothing: no pod and no workload of the namespace carries %s", sel),
		Evidence: []finding.Evidence{evidence(it.Ref, "spec.selector", sel.String())},
		Fix:      []finding.Fix{{Description: "compare the selector with the pods' labels", Command: finding.Kubectl(it.Ref.Namespace, "get", "pods", "--show-labels")}},
	})
}

var unusedDocs = []finding.Doc{
	{Code: "tree/pdb-unused", Severity: finding.Warning, Title: "A PodDisruptionBudget that protects nothing",
		Means: "No pod and no pod template of the namespace matches its selector, so drains ignore it.",
		Told:  "All pods and workloads of the namespace were seen. A workload scaled to zero still counts.",
		Fix:   "Correct the selector.", Source: "pkg/controller/disruption"},
	{Code: "tree/hpa-target-missing", Severity: finding.Error, Title: "An autoscaler without a target",
		Means: "The object named in scaleTargetRef does not exist, so nothing is scaled.",
		Told:  "The target was read by name and is not there; an unknown target (forbidden) is not missing.",
		Fix:   "Correct the name.", Source: "pkg/controller/podautoscaler"},
	{Code: "tree/service-unused", Severity: finding.Warning, Title: "A Service that reaches nothing",
		Means: "No pod and no pod template of the namespace carries its whole selector.",
		Told:  "All pods and workloads of the namespace were seen. A Service without a selector is managed by hand and not judged; a workload scaled to zero still counts.",
		Fix:   "Compare selector and labels; check-endpoints finds the near misses.", Source: "endpointslice controller"},
}
