package endpoints

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// selection explains a selector that chooses no living pod, by what comes
// closest to it.
func selection() Analyzer {
	return Analyzer{Name: "selection", Docs: selectionDocs(), Each: func(c *subject) {
		switch {
		case isExternal(c.svc):
		case len(c.svc.Spec.Selector) == 0:
			c.selectorless()
		case c.unseen != "" && !c.listed(podKind, c.svc.Namespace, selectorText(c.svc)):
		case len(c.living) == 0:
			c.choosesNothing()
		default:
			c.emptiesSoon()
		}
	}}
}

// selectorless: somebody else writes the endpoints, and nobody has.
func (c *subject) selectorless() {
	_, owned := ownerOf(c.svc)
	if len(c.slices) > 0 || owned || c.unseen != "" || c.settling || len(c.place(c.svc.Namespace).unlabelled) > 0 && c.unlabelledSlice() != nil {
		return
	}
	if c.mislabelled() || c.notMirrored() || c.misnamed() {
		return
	}
	c.say("selectorless-empty", finding.Warning, "it has no selector, and nobody has written endpoints for it",
		[]finding.Evidence{fact(c.ref, "spec.selector", "none")},
		manual("give it a selector, or write an EndpointSlice with the label kubernetes.io/service-name=%s", c.svc.Name))
}

// choosesNothing goes from what explains the void best to what merely states it.
func (c *subject) choosesNothing() {
	for _, explains := range []func() bool{c.onlyCompleted, c.betweenRuns, c.scaledToZero, c.onWorkloadOnly, c.driftedAway, c.pinned, c.nearMiss, c.elsewhere} {
		if explains() {
			return
		}
	}
	c.noMatch()
}

func (c *subject) onlyCompleted() bool {
	for _, p := range c.pods {
		if p.Status.Phase != corev1.PodSucceeded || p.DeletionTimestamp != nil {
			return false
		}
	}
	if len(c.pods) == 0 {
		return false
	}
	whose, _ := c.whose(c.pods)
	c.say("only-completed-pods", finding.Info, fmt.Sprintf("all that it selects has run to its end (%s)", whose),
		[]finding.Evidence{fact(c.ref, "spec.selector", selectorText(c.svc)), fact(podRef(c.pods[0]), "status.phase", string(c.pods[0].Status.Phase))})
	return true
}

func (c *subject) scaledToZero() bool {
	for _, l := range c.crew(c.svc.Namespace).withTemplate(c.svc.Spec.Selector) {
		if l.replicas != 0 || l.owned {
			continue
		}
		message := fmt.Sprintf("%s makes its pods and is scaled to 0", l.item.Ref)
		evidence := []finding.Evidence{fact(l.item.Ref, "spec.replicas", "0")}
		fix := command("scale it up", l.item.Ref.Namespace, "scale", strings.ToLower(l.item.Ref.Kind)+"/"+l.item.Ref.Name, "--replicas=1")
		if by, ok := c.scaler(l.item.Ref); ok {
			message += fmt.Sprintf(", which %s decides", by)
			evidence = append(evidence, fact(by, "spec.scaleTargetRef.name", l.item.Ref.Name))
		}
		c.say("scaled-to-zero", finding.Info, message, evidence, fix)
		return true
	}
	return false
}

func (c *subject) onWorkloadOnly() bool {
	for _, l := range c.crew(c.svc.Namespace).withLabels(c.svc.Spec.Selector) {
		if l.owned || carries(l.template.Labels, c.svc.Spec.Selector) {
			continue
		}
		var lacking []pair
		for _, p := range pairsOf(c.svc.Spec.Selector) {
			if l.template.Labels[p.key] != p.value {
				lacking = append(lacking, p)
			}
		}
		fix := labelTemplate(fmt.Sprintf("give the pods of %s the label too", l.item.Ref), l.item.Ref, lacking...)
		if changesSelected(l, lacking) {
			fix = c.setSelector("select the labels that the pods carry; "+l.item.Ref.String()+"'s own selector fixes them", l.template.Labels)
		}
		c.say("label-on-workload-only", finding.Error,
			fmt.Sprintf("%s carries its selector on itself, but not in its pod template, so its pods lack %s", l.item.Ref, joinWords(lacking)),
			[]finding.Evidence{
				fact(c.ref, "spec.selector", selectorText(c.svc)),
				fact(l.item.Ref, "metadata.labels", joinPairs(l.item.Object.GetLabels())),
				fact(l.item.Ref, "spec.template.metadata.labels", joinPairs(l.template.Labels)),
			}, fix)
		return true
	}
	return false
}

// changesSelected says that a template label may not be changed, because the
// workload's own immutable selector rests on it.
func changesSelected(l *workload, pairs []pair) bool {
	var own map[string]string
	switch o := l.item.Object.(type) {
	case *appsv1.Deployment:
		if o.Spec.Selector != nil {
			own = o.Spec.Selector.MatchLabels
		}
	case *appsv1.StatefulSet:
		if o.Spec.Selector != nil {
			own = o.Spec.Selector.MatchLabels
		}
	case *appsv1.DaemonSet:
		if o.Spec.Selector != nil {
			own = o.Spec.Selector.MatchLabels
		}
	}
	return slices.ContainsFunc(pairs, func(p pair) bool { _, fixed := own[p.key]; return fixed })
}

func joinWords(pairs []pair) string {
	var words []string
	for _, p := range pairs {
		words = append(words, p.String())
	}
	return strings.Join(words, ",")
}

// pinned: the selector holds what every rollout makes anew.
func (c *subject) pinned() bool {
	for _, key := range []string{appsv1.DefaultDeploymentUniqueLabelKey, rolloutsHash, appsv1.ControllerRevisionHashLabelKey, "statefulset.kubernetes.io/pod-name", "version", "app.kubernetes.io/version"} {
		value, ok := c.svc.Spec.Selector[key]
		if !ok {
			continue
		}
		rest := without(pairsOf(c.svc.Spec.Selector), slices.Index(pairsOf(c.svc.Spec.Selector), pair{key, value}), nil)
		var carriers []*corev1.Pod
		if len(rest) > 0 {
			carriers = c.livingWith(rest)
		}
		carriers = slices.DeleteFunc(slices.Clone(carriers), func(p *corev1.Pod) bool { _, has := p.Labels[key]; return !has })
		machine := !strings.HasSuffix(key, "version")
		if len(carriers) == 0 && !(machine && len(rest) == 0) {
			continue
		}
		message := fmt.Sprintf("its selector is pinned to %s=%s, which no pod carries any more", key, value)
		evidence := []finding.Evidence{fact(c.ref, "spec.selector", selectorText(c.svc))}
		fix := manual("select labels that stay the same from one revision to the next")
		if len(carriers) > 0 {
			whose, _ := c.whose(carriers)
			message += fmt.Sprintf("; %s %s %s=%s", whose, verb(len(carriers), "has", "have"), key, carriers[0].Labels[key])
			evidence = append(evidence, fact(podRef(carriers[0]), "metadata.labels."+key, carriers[0].Labels[key]))
			fix = c.setSelector("select by the other labels, which stay the same from one revision to the next", rest)
			if !machine {
				rest[key] = carriers[0].Labels[key]
				fix = c.setSelector("select the version that runs", rest)
			}
		}
		c.say("pinned-revision", finding.Error, message, evidence, fix)
		return true
	}
	return false
}

// nearMiss says what the pods carry beside what was wanted.
func (c *subject) nearMiss() bool {
	m, pods, ok := c.nearest()
	if !ok {
		return false
	}
	whose, root := c.whose(pods)
	c.meant = pods
	evidence := []finding.Evidence{fact(c.ref, "spec.selector", selectorText(c.svc)), fact(podRef(pods[0]), "metadata.labels", joinPairs(pods[0].Labels))}
	if m.name == "label-partial" {
		c.partial(m, pods, whose, root, evidence)
		return true
	}
	wanted := without(pairsOf(c.svc.Spec.Selector), slices.Index(pairsOf(c.svc.Spec.Selector), m.want), &m.have)
	how := map[string]string{"label-case": "which differs in upper and lower case only", "label-typo": "which is spelt a little differently", "label-key-alias": "which is the same value under another key"}
	c.say(m.name, finding.Error, fmt.Sprintf("it wants %s; %s %s %s, %s", m.want, whose, verb(len(pods), "has", "have"), m.have, how[m.name]),
		evidence, c.setSelector("select what the pods carry", wanted))
	return true
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func (c *subject) partial(m miss, pods []*corev1.Pod, whose string, root object.Ref, evidence []finding.Evidence) {
	rest := without(pairsOf(c.svc.Spec.Selector), slices.Index(pairsOf(c.svc.Spec.Selector), m.want), nil)
	carried, has := pods[0].Labels[m.want.key]
	message := fmt.Sprintf("no pod carries its whole selector: %s %s %s but no %q", whose, verb(len(pods), "has", "have"), joinPairs(rest), m.want.key)
	if has {
		message = fmt.Sprintf("no pod carries its whole selector: %s %s %s, but %s=%s instead of %s", whose, verb(len(pods), "has", "have"), joinPairs(rest), m.want.key, carried, m.want.value)
	}
	var fixes []finding.Fix
	if it, ok := c.v.Get(root); ok && !root.IsZero() {
		l, isWorkload := asWorkload(it)
		if it.Object.GetLabels()[m.want.key] == m.want.value {
			message += fmt.Sprintf("; the label is on %s itself, not in spec.template.metadata.labels", root)
			evidence = append(evidence, fact(root, "metadata.labels."+m.want.key, m.want.value))
		}
		if isWorkload && !changesSelected(l, []pair{m.want}) {
			fixes = append(fixes, labelTemplate(fmt.Sprintf("give the pods of %s the label", root), root, m.want))
		}
	} else if root.Kind != "" && !has {
		fixes = append(fixes, labelTemplate(fmt.Sprintf("give the pods of %s the label", root), root, m.want))
	}
	fixes = append(fixes, c.setSelector("or select without it", rest))
	c.say("label-partial", finding.Error, message, evidence, fixes...)
}

// carriersElsewhere are pods with the whole selector in other namespaces, one of
// each namespace, in order.
func (c *subject) carriersElsewhere() []*corev1.Pod {
	if c.everywhere == nil {
		c.everywhere = map[pair][]*corev1.Pod{}
		for _, it := range c.v.List(podKind, "") {
			if pod, ok := it.Object.(*corev1.Pod); ok && !ended(pod) {
				for k, v := range pod.Labels {
					c.everywhere[pair{k, v}] = append(c.everywhere[pair{k, v}], pod)
				}
			}
		}
	}
	var rarest, found []*corev1.Pod
	for i, p := range pairsOf(c.svc.Spec.Selector) {
		if pods := c.everywhere[p]; i == 0 || len(pods) < len(rarest) {
			rarest = pods
		}
	}
	for _, pod := range rarest { // in order of namespace
		if pod.Namespace != c.svc.Namespace && (len(found) == 0 || found[len(found)-1].Namespace != pod.Namespace) && carries(pod.Labels, c.svc.Spec.Selector) {
			found = append(found, pod)
		}
	}
	return found
}

// elsewhere: the pods are in another namespace, and a selector never leaves its
// own. That is likely only where one other namespace has such pods, no Service
// there selects them (else it is another copy of the application), and more than
// a label that anybody may use tells that they are meant.
func (c *subject) elsewhere() bool {
	at := c.carriersElsewhere()
	if len(at) != 1 || c.served(at[0]) {
		return false
	}
	pod := at[0]
	alike, evidence := c.likeness(pod)
	if len(alike) < 2 {
		return false
	}
	c.say("wrong-namespace", finding.Error, fmt.Sprintf("no pod of namespace %s carries its selector; those in namespace %s that do are most likely meant (%s), and a Service selects in its own namespace only", c.svc.Namespace, pod.Namespace, strings.Join(alike, ", ")),
		append([]finding.Evidence{fact(c.ref, "spec.selector", selectorText(c.svc)), fact(podRef(pod), "metadata.namespace", pod.Namespace)}, evidence...),
		manual("create the Service in namespace %s, or the pods in namespace %s", pod.Namespace, c.svc.Namespace))
	return true
}

// likeness is what tells that a pod with the whole selector is meant: app=web
// alone is what many call theirs. A pod that has ports, and none of the
// Service's, is another application's.
func (c *subject) likeness(pod *corev1.Pod) (alike []string, evidence []finding.Evidence) {
	ports := declared(pod)
	i := slices.IndexFunc(c.svc.Spec.Ports, func(sp corev1.ServicePort) bool { return declaresTarget(pod, &sp) })
	switch {
	case i >= 0:
		alike = append(alike, "they have port "+c.svc.Spec.Ports[i].TargetPort.String())
		evidence = append(evidence, c.targetFact(i), fact(podRef(pod), "spec.containers[].ports", portWords(ports)))
	case len(ports) > 0 && len(c.svc.Spec.Ports) > 0:
		return nil, nil
	}
	if root := c.root(pod); root.Name == c.svc.Name {
		alike = append(alike, "they are of "+root.String())
	} else if pod.Name == c.svc.Name {
		alike = append(alike, "the pod is called "+pod.Name+" too")
	}
	if n := len(written(c.svc.Spec.Selector)); n > 1 {
		alike = append(alike, fmt.Sprintf("they carry all %d labels", n))
	}
	return alike, evidence
}

// served says whether a Service of the pod's own namespace selects it.
func (c *subject) served(pod *corev1.Pod) bool {
	return slices.ContainsFunc(c.place(pod.Namespace).services, func(s *corev1.Service) bool {
		return len(s.Spec.Selector) > 0 && carries(pod.Labels, s.Spec.Selector)
	})
}
