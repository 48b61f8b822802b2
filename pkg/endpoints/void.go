package endpoints

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
)

// betweenRuns: the pods of a CronJob come and go.
func (c *subject) betweenRuns() bool {
	for _, l := range c.crew(c.svc.Namespace).withTemplate(c.svc.Spec.Selector) {
		if l.item.Ref.Kind == "CronJob" {
			c.say("only-completed-pods", finding.Info, fmt.Sprintf("%s makes its pods, and none of them runs now", l.item.Ref),
				[]finding.Evidence{fact(c.ref, "spec.selector", selectorText(c.svc)), fact(l.item.Ref, "spec.jobTemplate.spec.template.metadata.labels", joinPairs(l.template.Labels))})
			return true
		}
	}
	return false
}

// noMatch states the void, and what is known of those that should fill it.
func (c *subject) noMatch() {
	severity, message := finding.Error, "no pod carries its whole selector"
	if len(c.svc.Spec.Selector) == 1 {
		message = "no pod carries the label that it selects"
	}
	evidence := []finding.Evidence{fact(c.ref, "spec.selector", selectorText(c.svc))}
	fix := manual("label the pods so, or select what they carry; list them with: %s", finding.Kubectl(c.svc.Namespace, "get", "pods", "--show-labels"))
	maker, made, bare := c.maker(), c.crew(c.svc.Namespace).beingMade(c), c.unlabelledPods(c.svc.Namespace)
	switch {
	case len(c.pods) > 0:
		var ended []finding.Evidence
		message, ended, fix = c.haveEnded(c.pods[0])
		evidence = append(evidence, ended...)
	case made != nil:
		severity = finding.Info // a start is no failure
		message = fmt.Sprintf("%s is new, and its pods are still being made", made.item.Ref)
	case maker != nil:
		message = fmt.Sprintf("%s would make its pods, but has none", maker.item.Ref)
		fix = command("see why", c.svc.Namespace, "describe", strings.ToLower(maker.item.Ref.Kind), maker.item.Ref.Name)
		if ps := health.Of(c.v, maker.item).Problems; len(ps) > 0 {
			message += ": " + strings.TrimSuffix(ps[0].Message, ".")
			evidence = append(evidence, ps[0].Evidence...)
			if len(ps[0].Fix) > 0 {
				fix = ps[0].Fix[0]
			}
		} else if why, facts := onNoNode(maker); why != "" {
			message += ": " + why
			evidence = append(evidence, facts...)
			fix = manual("label a node so, if one is meant to run it; list them with: %s", finding.Kubectl("", "get", "nodes", "--show-labels"))
		}
	case len(bare) > 0:
		message += fmt.Sprintf("; nobody gave %s a label", c.title(bare[0]))
		evidence = append(evidence, fact(podRef(bare[0]), "metadata.labels", cmp.Or(joinPairs(bare[0].Labels), "none")))
		fix = command("give it the label, if that is meant", c.svc.Namespace, append([]string{"label", "pod", bare[0].Name}, strings.Split(selectorText(c.svc), ",")...)...)
	default:
		if hint, pod := c.atHand(); pod != nil {
			message += hint
			evidence = append(evidence, fact(podRef(pod), "metadata.labels", joinPairs(pod.Labels)))
			fix = c.setSelector("select those pods, if they are meant", named(pod.Labels))
			break
		}
		message += c.othersDo()
	}
	c.say("selector-no-match", severity, message, evidence, fix)
}

// atHand are the pods that a selector with nothing in common may mean: those of
// the workload that has the Service's name, or the only ones of the namespace
// that no Service has. It is a guess, and said as one.
func (c *subject) atHand() (hint string, pod *corev1.Pod) {
	teams := c.teamsOf(c.svc.Namespace)
	if t := teams[c.svc.Name]; t != nil {
		return fmt.Sprintf("; the pods of %s, which has its name, carry %s", t.root, joinPairs(named(t.pods[0].Labels))), t.pods[0]
	}
	for _, t := range teams {
		if pod := t.pods[0]; len(teams) == 1 && !c.served(pod) && len(named(pod.Labels)) > 0 {
			return fmt.Sprintf("; the only pods of the namespace, of %s, carry %s", t.root, joinPairs(named(pod.Labels))), pod
		}
	}
	return "", nil
}

// teamsOf are the workloads of a namespace that have living pods with labels,
// each with the first of its pods, by name.
func (w *world) teamsOf(namespace string) map[string]*team {
	p := w.place(namespace)
	if p.teams == nil {
		p.teams = map[string]*team{}
		for _, it := range w.v.List(podKind, namespace) {
			pod, ok := it.Object.(*corev1.Pod)
			if !ok || ended(pod) {
				continue
			}
			if root := w.root(pod); !root.IsZero() && p.teams[root.Name] == nil && !onlyMachineMade(pod.Labels) {
				p.teams[root.Name] = &team{root, []*corev1.Pod{pod}}
			}
		}
	}
	return p.teams
}

// named are the labels that say whose a pod is, or else all that people gave it.
func named(labels map[string]string) map[string]string {
	given := written(labels)
	names := maps.Clone(given)
	maps.DeleteFunc(names, func(key, _ string) bool { return !slices.Contains(aliases(), key) })
	if len(names) > 0 {
		return names
	}
	return given
}

// othersDo are the words about pods with that selector in other namespaces.
func (c *subject) othersDo() string {
	switch at := c.carriersElsewhere(); len(at) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("; %s of namespace %s does, which may be what is meant, or another application: a Service selects in its own namespace only", c.sort(at[0]), at[0].Namespace)
	default:
		return fmt.Sprintf("; pods of other namespaces do (%s and %d more), which a Service never selects", at[0].Namespace, len(at)-1)
	}
}

// sort is the workload whose pods are like one, or the pod itself.
func (c *subject) sort(pod *corev1.Pod) string {
	if root := c.root(pod); !root.IsZero() {
		return "a pod of " + root.String()
	}
	return podRef(pod).String()
}

// maker is the workload whose pods it would select.
func (c *subject) maker() *workload {
	for _, l := range c.crew(c.svc.Namespace).withTemplate(c.svc.Spec.Selector) {
		if !l.owned && l.item.Ref.Kind != "Job" {
			return l
		}
	}
	return nil
}

// onNoNode: a DaemonSet has a pod for each node that fits, and none does.
func onNoNode(l *workload) (why string, evidence []finding.Evidence) {
	d, ok := l.item.Object.(*appsv1.DaemonSet)
	if !ok || d.Status.DesiredNumberScheduled > 0 || d.Status.ObservedGeneration < d.Generation {
		return "", nil
	}
	evidence = []finding.Evidence{fact(l.item.Ref, "status.desiredNumberScheduled", "0")}
	if s := d.Spec.Template.Spec.NodeSelector; len(s) > 0 {
		return "no node fits it, as it asks for " + joinPairs(s), append(evidence, fact(l.item.Ref, "spec.template.spec.nodeSelector", joinPairs(s)))
	}
	return "no node fits it", evidence
}

// haveEnded says how all that it selects has ended, by the first of them.
func (c *subject) haveEnded(pod *corev1.Pod) (message string, evidence []finding.Evidence, fix finding.Fix) {
	how := string(pod.Status.Phase)
	evidence = []finding.Evidence{fact(podRef(pod), "status.phase", how)}
	if pod.Status.Reason != "" {
		how = pod.Status.Reason
		evidence = append(evidence, fact(podRef(pod), "status.reason", how))
	}
	message = fmt.Sprintf("every pod that it selects has ended (%s)", how)
	fix = command("see why", c.svc.Namespace, "describe", "pod", pod.Name)
	switch {
	case pod.DeletionTimestamp != nil && len(pod.Finalizers) > 0:
		message = fmt.Sprintf("the last pod that it selected, %s, was deleted and has ended; a finalizer (%s) keeps its record", pod.Name, strings.Join(pod.Finalizers, ", "))
		evidence = append(evidence, fact(podRef(pod), "metadata.finalizers", strings.Join(pod.Finalizers, ", ")))
	case c.root(pod).IsZero():
		message += "; nothing owns them, so nothing makes new ones"
	}
	return message, evidence, fix
}
