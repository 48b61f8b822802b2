package endpoints

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// readiness says why pods that are listed get no traffic.
func readiness() Analyzer {
	return Analyzer{Name: "readiness", Docs: readinessDocs(), Each: func(c *subject) {
		if !c.selects() {
			c.manualUnready()
			return
		}
		var down, leaving []*corev1.Pod
		up := make([]*corev1.Pod, 0, len(c.living))
		for _, p := range c.living {
			switch {
			case p.DeletionTimestamp != nil:
				leaving = append(leaving, p)
			case len(p.Status.PodIPs) == 0 && p.Status.PodIP == "":
			case isReady(p):
				up = append(up, p)
			default:
				down = append(down, p)
			}
		}
		switch {
		case c.svc.Spec.PublishNotReadyAddresses:
			c.published(up, down)
		case len(up) == 0 && len(down) > 0:
			c.noneReady(down, leaving)
		case len(up) == 0 && slices.ContainsFunc(leaving, isReady):
			c.leaving(leaving)
		case len(down) > 0:
			c.partlyReady(up, down)
		}
		if c.single() && !c.has("selector-overlap") { // then it would be said of whoever comes first
			c.noProbe(up)
		}
	}}
}

// manualUnready: a hand-made slice may say itself that nothing is ready.
func (c *subject) manualUnready() {
	var off *entry
	for i := range c.entries {
		e := &c.entries[i]
		if e.row.Ready {
			return
		}
		off = e
	}
	if off != nil && off.slice != nil {
		c.say("none-ready", finding.Error, fmt.Sprintf("EndpointSlice/%s says of every endpoint that it is not ready", off.slice.Name),
			[]finding.Evidence{fact(sliceRef(off.slice), "endpoints[].conditions.ready", "false")},
			manual("whoever writes the slice must set ready to true"))
	}
}

// noneReady names the pods' own reason, and the special ones by name.
func (c *subject) noneReady(down, leaving []*corev1.Pod) {
	if slices.ContainsFunc(leaving, isReady) {
		c.leaving(leaving)
	}
	worst := c.worst(down)
	whose, _ := c.whose(down)
	reason, facts, stuck := c.reason(worst)
	name, message := "none-ready", fmt.Sprintf("no endpoint is ready: %s %s not ready: %s", whose, verb(len(down), "is", "are"), reason)
	evidence := slices.Concat(readyFacts(worst), facts)
	fix := c.podFix(worst)
	switch {
	case c.nodeDown(worst):
		name = "node-notready"
		message = fmt.Sprintf("no endpoint is ready, because node %s is not", worst.Spec.NodeName)
		if n, ok := c.node(worst.Spec.NodeName); ok {
			evidence = append(evidence, nodeFacts(n)...)
		}
	case c.gate(worst) != "":
		name = "readiness-gate"
		message = fmt.Sprintf("no endpoint is ready: the containers are, but the readiness gate %q is not", c.gate(worst))
		evidence = append(evidence, fact(podRef(worst), "spec.readinessGates", c.gate(worst)))
		fix = manual("the controller that sets the condition %s must say True: see whether it runs", c.gate(worst))
	case c.wrongProbe(worst) != nil:
		p := c.wrongProbe(worst)
		name = "probe-port-wrong"
		message = fmt.Sprintf("no endpoint is ready: the %s probe of container %s asks %s, and %s", p.kind, p.container, p.asks, p.but)
		evidence = append(evidence, fact(podRef(worst), p.field, p.value))
		fix = p.fix(c.root(worst))
	case c.sidecarDown(worst) != "":
		name = "sidecar-not-ready"
		message = fmt.Sprintf("no endpoint is ready: only container %s is not, which does not serve these ports: %s", c.sidecarDown(worst), reason)
	}
	s := finding.Error
	if name == "none-ready" && c.starting(worst, stuck) {
		s = finding.Info // a start is no failure
	}
	c.say(name, s, message, evidence, fix)
}

// worst is the pod that tells most: one with a problem that is certain, or with
// any, else the first.
func (c *subject) worst(pods []*corev1.Pod) *corev1.Pod {
	worst, suspected := pods[0], false
	for _, p := range pods[:min(len(pods), 50)] {
		ps := health.PodProblems(c.v, p)
		switch {
		case len(ps) > 0 && ps[0].Severity == finding.Error:
			return p
		case len(ps) > 0 && !suspected:
			worst, suspected = p, true
		}
	}
	return worst
}

// starting says that a pod is so young that not being ready yet is no failure:
// unless that is certain, or a container of it has failed and does not run.
func (c *subject) starting(p *corev1.Pod, stuck bool) bool {
	return !stuck && c.age(p.CreationTimestamp.Time) < startsWithin &&
		!slices.ContainsFunc(slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses), crashed)
}

func crashed(s corev1.ContainerStatus) bool {
	ended := s.State.Terminated
	return ended != nil && ended.ExitCode != 0 || s.State.Waiting != nil && s.State.Waiting.Reason == "CrashLoopBackOff"
}

func readyFacts(p *corev1.Pod) []finding.Evidence {
	for i, cond := range p.Status.Conditions {
		if cond.Type == corev1.PodReady {
			value := string(cond.Status)
			if cond.Reason != "" {
				value += " (" + cond.Reason + ")"
			}
			return []finding.Evidence{fact(podRef(p), fmt.Sprintf("status.conditions[%d].status", i), value)}
		}
	}
	return []finding.Evidence{fact(podRef(p), "status.conditions", "no Ready condition")}
}

func nodeFacts(n *corev1.Node) []finding.Evidence {
	for i, cond := range n.Status.Conditions {
		if cond.Type == corev1.NodeReady {
			return []finding.Evidence{fact(object.Ref{Version: "v1", Kind: "Node", Name: n.Name}, fmt.Sprintf("status.conditions[%d].status", i), string(cond.Status))}
		}
	}
	return nil
}

func (c *subject) nodeDown(p *corev1.Pod) bool {
	if n, ok := c.node(p.Spec.NodeName); ok {
		return nodeNotReady(n)
	}
	return slices.ContainsFunc(p.Status.Conditions, func(x corev1.PodCondition) bool {
		return x.Type == corev1.PodReady && x.Status == corev1.ConditionFalse && x.Reason == "NodeNotReady"
	})
}

// gate is the readiness gate that holds the pod back though its containers are ready.
func (c *subject) gate(p *corev1.Pod) string {
	is := func(t corev1.PodConditionType) bool {
		return slices.ContainsFunc(p.Status.Conditions, func(x corev1.PodCondition) bool { return x.Type == t && x.Status == corev1.ConditionTrue })
	}
	if !is(corev1.ContainersReady) {
		return ""
	}
	for _, g := range p.Spec.ReadinessGates {
		if !is(g.ConditionType) {
			return string(g.ConditionType)
		}
	}
	return ""
}

// sidecarDown is the only unready container, if it serves none of the ports
// and another does.
func (c *subject) sidecarDown(p *corev1.Pod) string {
	down := ""
	for _, s := range slices.Concat(p.Status.ContainerStatuses, sidecarStatuses(p)) {
		switch {
		case s.Ready:
		case down != "":
			return ""
		default:
			down = s.Name
		}
	}
	served := false
	for _, k := range slices.Concat(p.Spec.Containers, p.Spec.InitContainers) {
		one := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{k}}}
		serves := slices.ContainsFunc(c.svc.Spec.Ports, func(sp corev1.ServicePort) bool { return declaresTarget(one, &sp) })
		if k.Name == down && serves {
			return ""
		}
		served = served || k.Name != down && serves
	}
	if !served {
		return ""
	}
	return down
}

func sidecarStatuses(p *corev1.Pod) []corev1.ContainerStatus {
	var out []corev1.ContainerStatus
	for _, s := range p.Status.InitContainerStatuses {
		if i := slices.IndexFunc(p.Spec.InitContainers, func(k corev1.Container) bool { return k.Name == s.Name }); i >= 0 && restartable(&p.Spec.InitContainers[i]) {
			out = append(out, s)
		}
	}
	return out
}

func (c *subject) leaving(leaving []*corev1.Pod) {
	c.say("terminating-only", finding.Warning, fmt.Sprintf("only %s that %s shutting down can serve; kube-proxy falls back to %s for as long as %s", counted(len(leaving), "pod"), verb(len(leaving), "is", "are"), verb(len(leaving), "it", "them"), verb(len(leaving), "it does", "they do")),
		[]finding.Evidence{fact(podRef(leaving[0]), "metadata.deletionTimestamp", leaving[0].DeletionTimestamp.UTC().Format("2006-01-02T15:04:05Z"))},
		manual("wait for new pods, or see why none is started"))
}

func (c *subject) partlyReady(up, down []*corev1.Pod) {
	p := c.worst(down)
	whose, _ := c.whose(down)
	reason, facts, stuck := c.reason(p)
	s := finding.Warning
	if c.starting(p, stuck) {
		s = finding.Info
	}
	c.say("partial-ready", s, fmt.Sprintf("%d of %d endpoints are ready; %s %s not ready: %s", len(up), len(up)+len(down), whose, verb(len(down), "is", "are"), reason),
		slices.Concat(readyFacts(p), facts), c.podFix(p))
}

func (c *subject) published(up, down []*corev1.Pod) {
	if len(down) == 0 {
		return
	}
	if isHeadless(c.svc) { // peers that find each other by DNS want this, for as long as they start
		c.publishedBroken(up, down)
		return
	}
	evidence := []finding.Evidence{fact(c.ref, "spec.publishNotReadyAddresses", "true")}
	hide := c.patchService("send traffic to ready pods only", map[string]any{"op": "replace", "path": "/spec/publishNotReadyAddresses", "value": false})
	if len(up) > 0 {
		c.say("unready-published", finding.Warning, fmt.Sprintf("it publishes addresses that are not ready, so connections go to %s that cannot serve", counted(len(down), "pod")),
			append(evidence, readyFacts(down[0])...), hide)
		return
	}
	worst := c.worst(down)
	whose, _ := c.whose(down)
	reason, facts, stuck := c.reason(worst)
	s := finding.Error
	if c.starting(worst, stuck) {
		s = finding.Warning
	}
	c.say("unready-published", s, fmt.Sprintf("it publishes addresses that are not ready, and none is: connections go to %s that cannot serve: %s", whose, reason),
		slices.Concat(evidence, readyFacts(worst), facts), c.podFix(worst), hide)
}

// publishedBroken: DNS hands out pods that will not serve.
func (c *subject) publishedBroken(up, down []*corev1.Pod) {
	worst := c.worst(down)
	reason, facts, stuck := c.reason(worst)
	failed := func(s corev1.ContainerStatus) bool { return crashed(s) || stuck && s.State.Running == nil }
	if !slices.ContainsFunc(worst.Status.ContainerStatuses, failed) {
		return // what runs and is not ready may be waiting for its peers
	}
	whose, _ := c.whose(down)
	s, message := finding.Error, fmt.Sprintf("none of its pods is ready, and DNS hands out their addresses all the same (publishNotReadyAddresses): %s cannot serve: %s", whose, reason)
	if len(up) > 0 {
		s, message = finding.Warning, fmt.Sprintf("DNS hands out addresses that are not ready too (publishNotReadyAddresses), and %s cannot serve: %s", whose, reason)
	}
	c.say("unready-published", s, message, slices.Concat([]finding.Evidence{fact(c.ref, "spec.publishNotReadyAddresses", "true")}, readyFacts(worst), facts), c.podFix(worst))
}

// noProbe: the pod counts as ready as soon as its process has started.
func (c *subject) noProbe(up []*corev1.Pod) {
	for _, p := range up {
		for i := range p.Spec.Containers {
			k := &p.Spec.Containers[i]
			one := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{*k}}}
			serves := len(p.Spec.Containers) == 1 || slices.ContainsFunc(c.svc.Spec.Ports, func(sp corev1.ServicePort) bool { return declaresTarget(one, &sp) })
			if !serves || k.ReadinessProbe != nil {
				continue
			}
			c.say("no-readiness-probe", finding.Info, fmt.Sprintf("container %s of its pods has no readiness probe: it gets traffic as soon as its process starts", k.Name),
				[]finding.Evidence{fact(podRef(p), fmt.Sprintf("spec.containers[%d].readinessProbe", i), "none")},
				manual("add a readinessProbe to the pod template that asks the application whether it can serve"))
			return
		}
		return // one pod speaks for its like
	}
}
