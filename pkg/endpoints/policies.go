package endpoints

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/netpol"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// policies says what NetworkPolicies do to connections: they see the pod's
// port, never the Service's.
func policies() Analyzer {
	return Analyzer{Name: "policies", Docs: policyDocs(), Each: func(c *subject) {
		pods := c.serving()
		client := c.client()
		if len(pods) == 0 || client == nil && !c.policies.Any(c.svc.Namespace) {
			return
		}
		var lesser func() // what is told where nothing is refused
		for i := range c.svc.Spec.Ports {
			for _, pod := range distinct(pods) {
				port, ok := c.dialled(i, pod)
				if !ok {
					continue
				}
				q := netpol.Question{Client: client, Server: pod, Port: port}
				switch a := c.policies.Decide(q); {
				case a.Value == netpol.Denied:
					c.refused(i, q, a, pods)
					return // one port's story is enough
				case lesser != nil || a.Value != netpol.Unknown:
				case worthSaying(a, client != nil):
					lesser = func() { c.undecided(a, pod, c.policyFacts(i, pod, a)) }
				case a.Doubt == netpol.AnySource:
					if peers := c.admittedOnly(pod, port); len(peers) > 0 && !c.anybody(peers) {
						lesser = func() { c.admitsNobody(i, pod, port, peers) }
					}
				}
			}
		}
		if lesser != nil {
			lesser()
		}
	}}
}

func (c *subject) client() *corev1.Pod {
	if c.opts.From.IsZero() {
		return nil
	}
	it, ok := c.v.Get(c.opts.From)
	if !ok {
		return nil
	}
	pod, _ := it.Object.(*corev1.Pod)
	return pod
}

// distinct are pods that differ in their labels, a few of them: a policy
// cannot tell the others apart.
func distinct(pods []*corev1.Pod) []*corev1.Pod {
	var out []*corev1.Pod
	seen := map[string]bool{}
	for _, p := range pods[:min(len(pods), 200)] {
		labels := map[string]string{}
		for k, v := range p.Labels {
			if !machineMade(k) {
				labels[k] = v
			}
		}
		if key := joinPairs(labels); !seen[key] && len(out) < 5 {
			seen[key] = true
			out = append(out, p)
		}
	}
	return out
}

// dialled is the port of a pod to which a Service port leads.
func (c *subject) dialled(i int, pod *corev1.Pod) (netpol.Port, bool) {
	sp := &c.svc.Spec.Ports[i]
	number, ok := targetPort(pod, sp)
	return netpol.Port{Number: number, Protocol: sp.Protocol}, ok
}

func (c *subject) policyFacts(i int, pod *corev1.Pod, a netpol.Answer) []finding.Evidence {
	facts := []finding.Evidence{c.targetFact(i), fact(podRef(pod), "metadata.labels", joinPairs(pod.Labels))}
	if !a.Policy.IsZero() {
		facts = append(facts, fact(a.Policy, a.Rule, cmp.Or(a.Stands, a.Why)))
	}
	return facts
}

// refused says why nobody, or not this client, may connect.
func (c *subject) refused(i int, q netpol.Question, a netpol.Answer, pods []*corev1.Pod) {
	sp := &c.svc.Spec.Ports[i]
	slip, confused := c.policies.AdmitsPort(a.Direction, q, sp.Port)
	if confused = confused && sp.Port != q.Port.Number; confused {
		a.Policy = object.Ref{} // the slip says more than the rule that came closest
	}
	facts := c.policyFacts(i, q.Server, a)
	if q.Client != nil {
		facts = append(facts, fact(podRef(q.Client), "metadata.labels", joinPairs(q.Client.Labels)))
	}
	switch {
	case confused:
		c.say("netpol-uses-service-port", finding.Error, fmt.Sprintf("%s admits port %d, which is the Service's; policies see the pods' port, %d", slip.Policy, sp.Port, q.Port.Number),
			append(facts, fact(slip.Policy, slip.Rule, slip.Value)),
			command("admit the pods' port", slip.Policy.Namespace, "patch", "networkpolicy", slip.Policy.Name, "--type=json", "-p",
				finding.JSON([]map[string]any{{"op": "replace", "path": finding.Pointer(slip.Rule), "value": q.Port.Number}})))
	case q.Client != nil && (a.PortAdmitted || a.Direction == netpol.Egress):
		message := fmt.Sprintf("pod %s/%s may not connect: %s", q.Client.Namespace, q.Client.Name, a.Why)
		if slip, ok := c.policies.AdmitsAddress(q, c.svc.Spec.ClusterIP); ok && a.Direction == netpol.Egress {
			message = fmt.Sprintf("pod %s/%s may not connect: %s lets it out to %s, where the Service's own address is; policies see the pods' addresses (%s)", q.Client.Namespace, q.Client.Name, slip.Policy, slip.Value, podIPs(q.Server))
			facts = append(facts, fact(slip.Policy, slip.Rule, slip.Value), fact(c.ref, "spec.clusterIP", c.svc.Spec.ClusterIP))
		}
		fix := c.admit(a, q)
		message, facts, fix = c.norOut(a, q, message, facts, fix)
		c.say("netpol-source", finding.Warning, message, facts, fix)
	default:
		message, cut := a.Why, c.cutOff(i, q.Client, pods)
		if len(cut) < len(pods) {
			whose, _ := c.whose(cut)
			message = fmt.Sprintf("of its %d pods, %s %s no connections: %s", len(pods), whose, verb(len(cut), "gets", "get"), a.Why)
		}
		fix := c.admit(a, q)
		message, facts, fix = c.norOut(a, q, message, facts, fix)
		c.say("netpol-denies", finding.Warning, message, facts, fix)
	}
}

// norOut adds that the client's own policies do not let it out either: to admit
// it at the server would not be enough.
func (c *subject) norOut(in netpol.Answer, q netpol.Question, message string, facts []finding.Evidence, fix finding.Fix) (string, []finding.Evidence, finding.Fix) {
	out := c.policies.LetsOut(q)
	if in.Direction != netpol.Ingress || out.Value != netpol.Denied {
		return message, facts, fix
	}
	second := c.admit(out, q)
	return message + "; nor is it let out: " + out.Why, append(facts, fact(out.Policy, out.Rule, cmp.Or(out.Stands, out.Why))),
		finding.Fix{Description: "admit the client and let it out, if that is meant", Command: fix.Command + " && " + second.Command}
}

// cutOff are the pods to which nobody, or not this client, may connect.
func (c *subject) cutOff(i int, client *corev1.Pod, pods []*corev1.Pod) []*corev1.Pod {
	var cut []*corev1.Pod
	for _, pod := range pods {
		if port, ok := c.dialled(i, pod); ok && c.policies.Decide(netpol.Question{Client: client, Server: pod, Port: port}).Value == netpol.Denied {
			cut = append(cut, pod)
		}
	}
	return cut
}

// undecided: it depends on the network plugin. A rule whose port name the pods
// do not have is most likely a slip, and plugins let nobody in by it.
func (c *subject) undecided(a netpol.Answer, pod *corev1.Pod, evidence []finding.Evidence) {
	if ports := declared(pod); a.Doubt == netpol.NamedPort && len(ports) > 0 {
		c.say("netpol-unknown", finding.Warning, fmt.Sprintf("%s (it declares %s); most network plugins then let nobody in", a.Why, portWords(ports)),
			append(evidence, fact(podRef(pod), "spec.containers[].ports", portWords(ports))),
			manual("name a port of the pods in %s (%s), or its number", a.Policy, portWords(ports)))
		return
	}
	c.say("netpol-unknown", finding.Info, a.Why, evidence)
}

// worthSaying: that policies were not listed is a gap, and that some clients
// may connect and others not is what policies are for.
func worthSaying(a netpol.Answer, asked bool) bool {
	switch a.Doubt {
	case netpol.HostNetwork, netpol.NamedPort, netpol.IPBlock, netpol.Malformed, netpol.Namespace:
		return true
	case netpol.OwnKinds:
		return asked || a.Otherwise == netpol.Denied
	case netpol.NotSeen:
		return asked
	}
	return false
}

// admit adds a rule to the policy that refuses: for the port alone, or where a
// client was asked about, for it and the pods alone.
func (c *subject) admit(a netpol.Answer, q netpol.Question) finding.Fix {
	rule := map[string]any{"ports": []map[string]any{{"port": q.Port.Number, "protocol": string(protocolOf(q.Port.Protocol))}}}
	side, description := string(a.Direction), "admit the port, if that is meant"
	switch {
	case q.Client == nil:
	case a.Direction == netpol.Egress:
		rule["to"], description = []any{peerFor(q.Server.Namespace, c.svc.Spec.Selector, a.Policy)}, "let the client out to the pods, if that is meant"
	default:
		rule["from"], description = []any{peerFor(q.Client.Namespace, named(q.Client.Labels), a.Policy)}, "admit the client, if that is meant"
	}
	op := map[string]any{"op": "add", "path": "/spec/" + side + "/-", "value": rule}
	i := slices.IndexFunc(c.policies.In(a.Policy.Namespace), func(p *networkingv1.NetworkPolicy) bool { return p.Name == a.Policy.Name })
	if i >= 0 {
		if p := c.policies.In(a.Policy.Namespace)[i]; side == "ingress" && len(p.Spec.Ingress) == 0 || side == "egress" && len(p.Spec.Egress) == 0 {
			op = map[string]any{"op": "add", "path": "/spec/" + side, "value": []any{rule}}
		}
	}
	return command(description, a.Policy.Namespace, "patch", "networkpolicy", a.Policy.Name, "--type=json", "-p", finding.JSON([]any{op}))
}

// peerFor is the peer that stands for pods of a namespace, in a policy.
func peerFor(namespace string, labels map[string]string, in object.Ref) map[string]any {
	peer := map[string]any{"podSelector": map[string]any{}}
	if len(labels) > 0 {
		peer["podSelector"] = map[string]any{"matchLabels": labels}
	}
	if namespace != in.Namespace {
		peer["namespaceSelector"] = map[string]any{"matchLabels": map[string]string{corev1.LabelMetadataName: namespace}}
	}
	return peer
}
