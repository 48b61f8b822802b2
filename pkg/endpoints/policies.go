package endpoints

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/netpol"
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
		for i := range c.svc.Spec.Ports {
			for _, pod := range distinct(pods) {
				if c.judgePolicies(i, pod, client) {
					return // one port's story is enough
				}
			}
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

func (c *subject) judgePolicies(i int, pod, client *corev1.Pod) bool {
	sp := &c.svc.Spec.Ports[i]
	number, ok := targetPort(pod, sp)
	if !ok {
		return false
	}
	a := c.policies.Decide(netpol.Question{Client: client, Server: pod, Port: netpol.Port{Number: number, Protocol: sp.Protocol}})
	evidence := []finding.Evidence{c.targetFact(i), fact(podRef(pod), "metadata.labels", joinPairs(pod.Labels))}
	if !a.Policy.IsZero() {
		evidence = append(evidence, fact(a.Policy, a.Rule, a.Why))
	}
	switch {
	case a.Value == netpol.Denied && a.Direction == netpol.Ingress && c.usesServicePort(i, number, pod) != nil:
		p := c.usesServicePort(i, number, pod)
		c.say("netpol-uses-service-port", finding.Error, fmt.Sprintf("NetworkPolicy/%s admits port %d, which is the Service's; policies see the pods' port, %d", p.policy, sp.Port, number),
			append(evidence, fact(a.Policy, p.field, fmt.Sprint(sp.Port))),
			command("admit the pods' port", c.svc.Namespace, "patch", "networkpolicy", p.policy, "--type=json", "-p",
				compact([]map[string]any{{"op": "replace", "path": p.path, "value": number}})))
	case a.Value == netpol.Denied && client != nil && (a.PortAdmitted || a.Direction == netpol.Egress):
		c.say("netpol-source", finding.Warning, fmt.Sprintf("pod %s/%s may not connect: %s", client.Namespace, client.Name, a.Why), append(evidence, fact(podRef(client), "metadata.labels", joinPairs(client.Labels))),
			manual("let a rule of %s admit the client's labels and namespace", a.Policy))
	case a.Value == netpol.Denied:
		c.say("netpol-denies", finding.Warning, a.Why, evidence, c.admit(a, number, sp))
	case a.Value == netpol.Unknown && worthSaying(a, client != nil):
		c.undecided(a, pod, evidence)
	default:
		return false
	}
	return true
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

// admit adds a rule to the policy that selects the pods.
func (c *subject) admit(a netpol.Answer, number int32, sp *corev1.ServicePort) finding.Fix {
	rule := map[string]any{"ports": []map[string]any{{"port": number, "protocol": string(protocolOf(sp.Protocol))}}}
	op := map[string]any{"op": "add", "path": "/spec/ingress/-", "value": rule}
	for _, p := range c.policies.In(a.Policy.Namespace) {
		if p.Name == a.Policy.Name && len(p.Spec.Ingress) == 0 {
			op = map[string]any{"op": "add", "path": "/spec/ingress", "value": []any{rule}}
		}
	}
	return command("admit the port, if that is meant", a.Policy.Namespace, "patch", "networkpolicy", a.Policy.Name, "--type=json", "-p", compact([]any{op}))
}

type confusedRule struct{ policy, field, path string }

// usesServicePort finds a rule that admits the Service's port where the pods
// need another.
func (c *subject) usesServicePort(i int, number int32, pod *corev1.Pod) *confusedRule {
	want := c.svc.Spec.Ports[i].Port
	if want == number {
		return nil
	}
	for _, p := range c.policies.In(c.svc.Namespace) {
		if !netpol.Selects(p, pod) {
			continue
		}
		for r, rule := range p.Spec.Ingress {
			for j, port := range rule.Ports {
				if port.Port != nil && port.Port.Type == intstr.Int && port.Port.IntVal == want && port.EndPort == nil {
					return &confusedRule{p.Name, fmt.Sprintf("spec.ingress[%d].ports[%d].port", r, j), fmt.Sprintf("/spec/ingress/%d/ports/%d/port", r, j)}
				}
			}
		}
	}
	return nil
}
