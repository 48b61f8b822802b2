package dns

import (
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// portThere holds the Service's targetPort against the ports of the Corefile.
func (w *world) portThere() {
	ref := serviceRef(w.dnsService.Namespace, w.dnsService.Name)
	for i, sp := range w.dnsService.Spec.Ports {
		if sp.Port != 53 || len(w.replicas) == 0 || w.core == nil || w.core.Err != nil || len(w.core.Missing)+len(w.core.Unknowns) > 0 || len(w.core.Blocks) == 0 {
			continue
		}
		target := targetPort(sp, w.serverPod())
		listens := w.core.ports()
		if target == 0 || len(listens) == 0 || contains(listens, target) {
			continue
		}
		patch := fmt.Sprintf(`[{"op":"replace","path":"/spec/ports/%d/targetPort","value":%s}`, i, listens[0])
		for j, other := range w.dnsService.Spec.Ports {
			if j != i && other.Port == 53 {
				patch += fmt.Sprintf(`,{"op":"replace","path":"/spec/ports/%d/targetPort","value":%s}`, j, listens[0])
			}
		}
		b := w.core.Blocks[0]
		w.say("dns-port-mismatch", finding.Error, ref, fmt.Sprintf("port 53 of the DNS Service leads to port %d of the DNS pods, and CoreDNS listens at %s: every query is refused", target, strings.Join(listens, ", ")),
			facts(fact(ref, fmt.Sprintf("spec.ports[%d].targetPort", i), sp.TargetPort.String()), fact(w.core.Object, w.at(b.Line), strings.TrimSpace(lineOf(w.core.Text, b.Line)))),
			command("lead to the port at which it listens", ref.Namespace, "patch", "service", ref.Name, "--type=json", "-p", patch+"]"))
		return
	}
}

func targetPort(sp corev1.ServicePort, pod *corev1.Pod) int32 {
	switch {
	case sp.TargetPort.Type == intstr.Int:
		return sp.TargetPort.IntVal
	}
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports {
			if p.Name == sp.TargetPort.StrVal {
				return p.ContainerPort
			}
		}
	}
	return 0
}

// ports are those at which plain DNS is served. The flag -dns.port changes what
// stands for none.
func (c *Corefile) ports() []string {
	var out []string
	for _, b := range c.Blocks {
		for _, z := range b.Zones {
			if z.Transport == "dns" {
				out = append(out, z.Port)
			}
		}
	}
	return distinct(out)
}

func contains(ports []string, port int32) bool {
	for _, p := range ports {
		if p == strconv.Itoa(int(port)) {
			return true
		}
	}
	return false
}
