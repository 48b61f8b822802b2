package endpoints

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// namedPorts judges targetPorts that are names: each pod resolves them for
// itself, and a name that resolves nowhere leaves a slice of ready endpoints
// without ports, which looks healthy and serves nothing.
func namedPorts() Analyzer {
	return Analyzer{Name: "named ports", Docs: namedPortDocs(), Each: func(c *subject) {
		pods := c.serving()
		if len(c.living) == 0 {
			pods = c.meant
		}
		if len(pods) == 0 {
			return
		}
		for i := range c.svc.Spec.Ports {
			if c.svc.Spec.Ports[i].TargetPort.Type == intstr.String {
				c.namedPort(i, pods)
			}
		}
	}}
}

// serving are the pods that are there to stay.
func (c *subject) serving() []*corev1.Pod {
	if !c.selects() {
		return nil
	}
	if !slices.ContainsFunc(c.living, leaves) {
		return c.living
	}
	return slices.DeleteFunc(slices.Clone(c.living), leaves)
}

func leaves(pod *corev1.Pod) bool { return pod.DeletionTimestamp != nil }

func (c *subject) namedPort(i int, pods []*corev1.Pod) {
	sp := &c.svc.Spec.Ports[i]
	resolves := func(p *corev1.Pod) bool { _, ok := targetPort(p, sp); return ok }
	having, lacking := pods, []*corev1.Pod(nil)
	if slices.ContainsFunc(pods, func(p *corev1.Pod) bool { return !resolves(p) }) {
		having = slices.DeleteFunc(slices.Clone(pods), func(p *corev1.Pod) bool { return !resolves(p) })
		lacking = slices.DeleteFunc(slices.Clone(pods), resolves)
	}
	if len(having) > 0 {
		c.duplicateName(i, having)
	}
	switch {
	case len(lacking) == 0:
	case len(having) > 0:
		whose, _ := c.whose(lacking)
		c.say("named-port-partial", finding.Warning, fmt.Sprintf("%s %s no port called %q, so %s nothing on port %d", whose, verb(len(lacking), "declares", "declare"), sp.TargetPort.StrVal, verb(len(lacking), "it gets", "they get"), sp.Port),
			[]finding.Evidence{c.targetFact(i), fact(podRef(lacking[0]), "spec.containers[].ports", portWords(declared(lacking[0])))},
			manual("give the port of those pods the name %q", sp.TargetPort.StrVal))
	default:
		c.resolvesNowhere(i, lacking[0])
	}
}

func (c *subject) targetFact(i int) finding.Evidence {
	sp := &c.svc.Spec.Ports[i]
	return fact(c.ref, fmt.Sprintf("spec.ports[%d].targetPort", i), sp.TargetPort.String())
}

// resolvesNowhere says why a name leads nowhere, from the surest to the vaguest.
func (c *subject) resolvesNowhere(i int, pod *corev1.Pod) {
	sp := &c.svc.Spec.Ports[i]
	want, ports := sp.TargetPort.StrVal, declared(pod)
	evidence := []finding.Evidence{c.targetFact(i), fact(podRef(pod), "spec.containers[].ports", portWords(ports))}
	consequence := fmt.Sprintf("so port %d leads nowhere", sp.Port)
	if p, ok := called(ports, want); ok {
		c.say("named-port-protocol", finding.Error, fmt.Sprintf("port %q of its pods is %s, and its own is %s, %s", want, protocolOf(p.Protocol), protocolOf(sp.Protocol), consequence),
			evidence, c.takeProtocol(i, p))
		return
	}
	if container, ok := initPort(pod, want); ok {
		c.say("named-port-init", finding.Error, fmt.Sprintf("port %q belongs to the init container %s, which is over before the pod serves, %s", want, container, consequence),
			evidence, manual("name a port of a container that runs, or make %s a sidecar (restartPolicy: Always)", container))
		return
	}
	if near, ok := nearName(ports, want); ok {
		c.say("named-port-typo", finding.Error, fmt.Sprintf("its targetPort %q resolves on no pod; the pods call it %q, %s", want, near, consequence),
			evidence, c.setTargetPort("take the pods' name", i, near))
		return
	}
	c.say("named-port-missing", finding.Error, fmt.Sprintf("its targetPort %q resolves on no pod, %s; the pods declare %s", want, consequence, portWords(ports)), evidence, c.portFix(i, ports)...)
}

// takeProtocol gives a Service port the protocol of the pods' port, unless
// another port has that number and protocol already.
func (c *subject) takeProtocol(i int, p corev1.ContainerPort) finding.Fix {
	sp, protocol := &c.svc.Spec.Ports[i], protocolOf(p.Protocol)
	taken := slices.ContainsFunc(c.svc.Spec.Ports, func(o corev1.ServicePort) bool { return o.Port == sp.Port && protocolOf(o.Protocol) == protocol })
	if taken {
		return manual("let the pods declare %d as %s too, under a name of its own, and lead the port to that; or take port %d/%s off the Service", p.ContainerPort, protocolOf(sp.Protocol), sp.Port, protocolOf(sp.Protocol))
	}
	return c.patchService("take the pods' protocol", map[string]any{"op": "replace", "path": fmt.Sprintf("/spec/ports/%d/protocol", i), "value": string(protocol)})
}

func called(ports []corev1.ContainerPort, name string) (corev1.ContainerPort, bool) {
	i := slices.IndexFunc(ports, func(p corev1.ContainerPort) bool { return p.Name == name })
	if i < 0 {
		return corev1.ContainerPort{}, false
	}
	return ports[i], true
}

func initPort(pod *corev1.Pod, name string) (container string, found bool) {
	for i := range pod.Spec.InitContainers {
		ic := &pod.Spec.InitContainers[i]
		if _, ok := called(ic.Ports, name); ok && !restartable(ic) {
			return ic.Name, true
		}
	}
	return "", false
}

func nearName(ports []corev1.ContainerPort, want string) (string, bool) {
	best, distance := "", 3
	for _, p := range ports {
		d := source.Distance(strings.ToLower(want), strings.ToLower(p.Name))
		if p.Name != "" && d < distance && d < min(len(want), len(p.Name))-1 && form(want) == form(p.Name) {
			best, distance = p.Name, d
		}
	}
	return best, best != ""
}

// portFix leads the port to one that the pods declare and no other leads to.
func (c *subject) portFix(i int, ports []corev1.ContainerPort) []finding.Fix {
	sp := &c.svc.Spec.Ports[i]
	declared := len(ports)
	ports = slices.DeleteFunc(slices.Clone(ports), func(p corev1.ContainerPort) bool {
		return protocolOf(p.Protocol) != protocolOf(sp.Protocol) || c.leadsTo(p)
	})
	switch {
	case len(ports) == 0 && declared > 0 && len(c.svc.Spec.Ports) > 1:
		return []finding.Fix{manual("let the pods declare a port called %q, if they serve one, or take port %d off the Service", sp.TargetPort.StrVal, sp.Port)}
	case len(ports) == 0:
		return []finding.Fix{c.setTargetPort(fmt.Sprintf("lead to %d itself, if the application listens there", sp.Port), i, sp.Port)}
	case len(ports) == 1 && ports[0].Name != "":
		return []finding.Fix{c.setTargetPort("lead to the port that the pods declare", i, ports[0].Name)}
	}
	return []finding.Fix{c.setTargetPort(fmt.Sprintf("lead to a port that the pods declare (%s)", portWords(ports)), i, ports[0].ContainerPort)}
}

// leadsTo says whether one of its ports leads to a port of the pods.
func (c *subject) leadsTo(p corev1.ContainerPort) bool {
	return slices.ContainsFunc(c.svc.Spec.Ports, func(o corev1.ServicePort) bool {
		return o.TargetPort.Type == intstr.Int && o.TargetPort.IntVal == p.ContainerPort || o.TargetPort.Type == intstr.String && o.TargetPort.StrVal == p.Name
	})
}

// duplicateName: two containers share the name, and only the first is used.
func (c *subject) duplicateName(i int, pods []*corev1.Pod) {
	sp := &c.svc.Spec.Ports[i]
	for _, pod := range pods {
		ports := declared(pod)
		if len(ports) < 2 {
			continue
		}
		var numbers []int32
		for _, p := range ports {
			if p.Name == sp.TargetPort.StrVal && protocolOf(p.Protocol) == protocolOf(sp.Protocol) {
				numbers = append(numbers, p.ContainerPort)
			}
		}
		if len(numbers) > 1 && numbers[0] != numbers[1] {
			c.say("named-port-duplicate", finding.Warning, fmt.Sprintf("two containers of pod %s call a port %q (%d and %d); traffic goes to the first only", pod.Name, sp.TargetPort.StrVal, numbers[0], numbers[1]),
				[]finding.Evidence{c.targetFact(i), fact(podRef(pod), "spec.containers[].ports", portWords(declared(pod)))},
				c.setTargetPort("say which by number", i, numbers[0]))
			return
		}
	}
}

// portWords lists ports as people write them: http 8080, dns 53/UDP.
func portWords(ports []corev1.ContainerPort) string {
	if len(ports) == 0 {
		return "no ports"
	}
	var words []string
	for _, p := range ports {
		word := fmt.Sprint(p.ContainerPort)
		if protocolOf(p.Protocol) != corev1.ProtocolTCP {
			word += "/" + string(p.Protocol)
		}
		if p.Name != "" {
			word = p.Name + " " + word
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

func protocolOf(p corev1.Protocol) corev1.Protocol { return cmp.Or(p, corev1.ProtocolTCP) }
