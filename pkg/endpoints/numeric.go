package endpoints

import (
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// numericPorts judges targetPorts that are numbers. A number that the pods do
// not declare is legal: containerPort is documentation.
func numericPorts() Analyzer {
	return Analyzer{Name: "numeric ports", Docs: numericPortDocs(), Each: func(c *subject) {
		c.mergedByPatch()
		pods := c.serving()
		if len(c.living) == 0 {
			pods = c.meant
		}
		if len(pods) == 0 {
			return
		}
		for i := range c.svc.Spec.Ports {
			sp := &c.svc.Spec.Ports[i]
			if sp.TargetPort.Type == intstr.Int {
				c.numericPort(i, pods)
			}
			if n, ok := targetPort(pods[0], sp); ok && isHeadless(c.svc) && n != sp.Port {
				c.say("headless-remap", finding.Warning, fmt.Sprintf("it is headless, so clients that look up its name connect to port %d of the pods themselves, which serve %d", sp.Port, n),
					[]finding.Evidence{fact(c.ref, "spec.clusterIP", "None"), fact(c.ref, fmt.Sprintf("spec.ports[%d].port", i), fmt.Sprint(sp.Port)), c.targetFact(i)},
					c.patchService(fmt.Sprintf("write the port that the pods serve, for clients that read it from DNS (SRV); others must dial %d", n), map[string]any{"op": "replace", "path": fmt.Sprintf("/spec/ports/%d/port", i), "value": n}))
			}
		}
	}}
}

func (c *subject) numericPort(i int, pods []*corev1.Pod) {
	sp := &c.svc.Spec.Ports[i]
	if slices.ContainsFunc(pods, func(p *corev1.Pod) bool { return declaresTarget(p, sp) }) {
		return
	}
	ports := declared(pods[0])
	if len(ports) == 0 {
		return
	}
	evidence := []finding.Evidence{c.targetFact(i), fact(podRef(pods[0]), "spec.containers[].ports", portWords(ports))}
	number := sp.TargetPort.IntVal
	if j := slices.IndexFunc(ports, func(p corev1.ContainerPort) bool { return p.ContainerPort == number }); j >= 0 {
		c.say("protocol-mismatch", finding.Warning, fmt.Sprintf("port %d of its pods is declared as %s, and its own is %s", number, protocolOf(ports[j].Protocol), protocolOf(sp.Protocol)),
			evidence, c.takeProtocol(i, ports[j]))
		return
	}
	if number != sp.Port && slices.ContainsFunc(ports, func(p corev1.ContainerPort) bool {
		return p.ContainerPort == sp.Port && protocolOf(p.Protocol) == protocolOf(sp.Protocol)
	}) {
		c.say("ports-swapped", finding.Error, fmt.Sprintf("port and targetPort seem to be swapped: the pods serve %d, and it sends to %d", sp.Port, number),
			evidence, c.setTargetPort("send to the port that the pods serve", i, sp.Port))
		return
	}
	better, ok := c.fitsBetter(sp, ports)
	if !ok {
		c.say("port-undeclared", finding.Info, fmt.Sprintf("its pods do not declare port %d; that is legal, if the application listens there", number), evidence)
		return
	}
	c.say("port-undeclared", finding.Warning, fmt.Sprintf("it sends to port %d, which its pods do not declare; they declare %s", number, portWords([]corev1.ContainerPort{better})),
		evidence, c.setTargetPort("send to the port that the pods declare", i, better.ContainerPort))
}

// fitsBetter is a declared port that no Service port leads to: the one of the
// same name, or the only one.
func (c *subject) fitsBetter(sp *corev1.ServicePort, ports []corev1.ContainerPort) (corev1.ContainerPort, bool) {
	var free []corev1.ContainerPort
	for _, p := range ports {
		if c.leadsTo(p) || protocolOf(p.Protocol) != protocolOf(sp.Protocol) {
			continue
		}
		if sp.Name != "" && p.Name == sp.Name {
			return p, true
		}
		free = append(free, p)
	}
	if len(free) != 1 || len(ports) != 1 {
		return corev1.ContainerPort{}, false
	}
	return free[0], true
}

// mergedByPatch: kubectl apply merges ports by number alone, so of two ports
// of one number (TCP and UDP) one is lost (core/v1, ServiceSpec.Ports,
// patchMergeKey=port; kubernetes/kubernetes#39188).
func (c *subject) mergedByPatch() {
	text := c.svc.Annotations[corev1.LastAppliedConfigAnnotation]
	if text == "" || len(text) > 1<<20 {
		return
	}
	var applied struct {
		Spec struct {
			Ports []struct {
				Name     string `json:"name"`
				Port     int32  `json:"port"`
				Protocol string `json:"protocol"`
			} `json:"ports"`
		} `json:"spec"`
	}
	if json.Unmarshal([]byte(text), &applied) != nil || len(applied.Spec.Ports) <= len(c.svc.Spec.Ports) {
		return
	}
	for _, p := range applied.Spec.Ports {
		protocol := protocolOf(corev1.Protocol(p.Protocol))
		same := slices.ContainsFunc(c.svc.Spec.Ports, func(o corev1.ServicePort) bool { return o.Port == p.Port })
		exact := slices.ContainsFunc(c.svc.Spec.Ports, func(o corev1.ServicePort) bool { return o.Port == p.Port && protocolOf(o.Protocol) == protocol })
		if !same || exact {
			continue
		}
		c.say("ports-merged-by-patch", finding.Warning, fmt.Sprintf("port %d/%s was applied and is not there: a patch merged it with the other port of that number", p.Port, protocol),
			[]finding.Evidence{fact(c.ref, "metadata.annotations."+corev1.LastAppliedConfigAnnotation, fmt.Sprintf("%d ports", len(applied.Spec.Ports))), fact(c.ref, "spec.ports", fmt.Sprintf("%d ports", len(c.svc.Spec.Ports)))},
			manual("apply it on the server's side, which tells them apart by protocol: kubectl apply --server-side --force-conflicts -f FILE"))
		return
	}
}
