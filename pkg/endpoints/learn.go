package endpoints

import (
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/report"
)

// lessons explain the terms that matter for this Service, in the order in
// which traffic meets them.
func (c *subject) lessons() []report.Lesson {
	if isExternal(c.svc) {
		return []report.Lesson{{Term: "ExternalName", Text: "A Service of type ExternalName is only another name in DNS: it has no address and no endpoints of its own."}}
	}
	ls := []report.Lesson{{Term: "Service", Text: "A Service is one stable address and name in front of pods that come and go."}}
	if c.selects() {
		ls = append(ls, report.Lesson{Term: "selector", Text: "The selector is a set of labels; a pod belongs to the Service if it carries all of them, in the same namespace. Labels of the Deployment itself do not count, only those of its pod template."})
	} else {
		ls = append(ls, report.Lesson{Term: "selector", Text: "Without a selector nothing is chosen: somebody else must write the EndpointSlices."})
	}
	ls = append(ls, report.Lesson{Term: "EndpointSlice", Text: "An EndpointSlice lists the addresses of those pods; a controller keeps it, and kube-proxy on every node sends traffic to what it lists."})
	if ports := c.svc.Spec.Ports; len(ports) > 0 {
		text := "The Service's port is what clients dial; targetPort is the number on which the container listens. A containerPort in the pod is only documentation."
		if ports[0].TargetPort.Type == intstr.String {
			text = "The Service's port is what clients dial; a targetPort that is a name is looked up among the ports that each pod declares."
		}
		ls = append(ls, report.Lesson{Term: "targetPort", Text: text})
	}
	if c.selects() {
		ls = append(ls, report.Lesson{Term: "readiness", Text: "Only ready pods get traffic: the readiness probe decides, and a pod without one is ready as soon as its process starts."})
	}
	if isHeadless(c.svc) {
		ls = append(ls, report.Lesson{Term: "headless", Text: "A headless Service has no address: DNS answers with the pods' own, and no port is translated."})
	}
	return ls
}
