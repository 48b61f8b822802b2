package endpoints

import (
	"fmt"
	"slices"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// withoutPort: what somebody wrote serves some of the Service's ports, and
// others are in no slice.
func (c *subject) withoutPort() {
	if c.selects() || isHeadless(c.svc) || c.unseen != "" || c.has("slice-port-name", "ip-family-mismatch") || !c.anyRow((*entry).usable) {
		return
	}
	m := matcher{subject: c}
	for i := range c.svc.Spec.Ports {
		if slices.ContainsFunc(c.slices, func(s *discoveryv1.EndpointSlice) bool { return m.portsOf(s)[i] != nil }) {
			continue
		}
		sp, s := &c.svc.Spec.Ports[i], c.slices[0]
		severity := finding.Error
		if by := managedBy(s); by != "" && by != mirrorName {
			severity = finding.Warning // whoever writes them may follow
		}
		number := sp.Port
		if sp.TargetPort.IntVal != 0 {
			number = sp.TargetPort.IntVal
		}
		port := map[string]any{"name": sp.Name, "port": number, "protocol": string(protocolOf(sp.Protocol))}
		c.say("slice-port-name", severity, fmt.Sprintf("no slice has its port %s (%d/%s), so that port leads nowhere", portTitle(sp), sp.Port, protocolOf(sp.Protocol)),
			[]finding.Evidence{fact(c.ref, fmt.Sprintf("spec.ports[%d].name", i), sp.Name), fact(sliceRef(s), "ports", slicePorts(s))},
			patchWritten("add the port, if the addresses serve it", s, "/ports/-", port))
		return
	}
}

func slicePorts(s *discoveryv1.EndpointSlice) string {
	words := make([]string, len(s.Ports))
	for i, p := range s.Ports {
		words[i] = fmt.Sprintf("%s %s", slicePortName(p), portWord(p.Port))
	}
	return strings.Join(words, ", ")
}
