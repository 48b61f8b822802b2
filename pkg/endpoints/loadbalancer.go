package endpoints

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
)

// addressWithin is how long a load balancer may take to be made.
const addressWithin = 5 * time.Minute

// loadBalancer finds a Service that still waits for its address from outside.
func loadBalancer() Analyzer {
	return Analyzer{Name: "load balancer", Docs: []finding.Doc{
		page("lb-pending", finding.Error, "The load balancer has no address",
			"Clients outside the cluster cannot reach the Service; inside it works by its cluster address.",
			"type LoadBalancer without status.loadBalancer.ingress: with an event SyncLoadBalancerFailed or UnAvailableLoadBalancer, or for longer than five minutes. A young one is only waiting.",
			"See what the event says. Where nothing in the cluster hands out addresses, install something that does, or use NodePort or port-forward.", "k8s.io/cloud-provider controllers/service"),
	}, Each: func(c *subject) {
		if c.svc.Spec.Type != corev1.ServiceTypeLoadBalancer || len(c.svc.Status.LoadBalancer.Ingress) > 0 || c.svc.DeletionTimestamp != nil {
			return
		}
		evidence := []finding.Evidence{fact(c.ref, "status.loadBalancer.ingress", "none")}
		s, message := finding.Error, "its load balancer has no address: nothing in this cluster seems to hand out any"
		if class := c.svc.Spec.LoadBalancerClass; class != nil {
			message = fmt.Sprintf("its load balancer has no address: nothing seems to serve loadBalancerClass %q", *class)
			evidence = append(evidence, fact(c.ref, "spec.loadBalancerClass", *class))
		}
		if e := c.balancerEvent(); e != nil {
			message = "its load balancer has no address: " + strings.TrimSuffix(strings.Join(strings.Fields(e.Message), " "), ".")
			evidence = append(evidence, finding.Evidence{Object: c.ref, Field: "event " + e.Reason, Value: e.Message})
		} else if c.age(c.svc.CreationTimestamp.Time) < addressWithin {
			s, message = finding.Info, "its load balancer has no address yet"
		}
		var port int32
		if len(c.svc.Spec.Ports) > 0 {
			port = c.svc.Spec.Ports[0].Port
		}
		c.say("lb-pending", s, message, evidence,
			manual("install what hands out addresses (a cloud controller, MetalLB, kube-vip), or use type NodePort"),
			manual("meanwhile, reach it from here: %s", finding.Kubectl(c.svc.Namespace, "port-forward", "service/"+c.svc.Name, fmt.Sprintf("%d:%d", unprivileged(port), port))))
	}}
}

// unprivileged is a local port near a Service's that everybody may listen on.
func unprivileged(port int32) int32 {
	if port < 1024 {
		return 8000 + port
	}
	return port
}

func (c *subject) balancerEvent() *corev1.Event {
	for _, e := range slices.Backward(c.v.Events(c.svc.UID)) {
		if (e.Reason == "SyncLoadBalancerFailed" || e.Reason == "UnAvailableLoadBalancer" || e.Reason == "CreatingLoadBalancerFailed" || e.Reason == "AllocationFailed") && c.age(index.EventTime(e)) < 2*time.Hour {
			return e
		}
	}
	return nil
}
