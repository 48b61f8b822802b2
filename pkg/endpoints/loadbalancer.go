package endpoints

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
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

// externalName judges a Service that is only another name.
func externalName() Analyzer {
	return Analyzer{Name: "external name", Docs: []finding.Doc{
		page("externalname-loop", finding.Error, "The name leads back to itself",
			"A lookup follows the CNAME records in a circle and fails.",
			"The chain of ExternalName Services comes back to one that it passed.", "Let one of them name the real target.", "core/v1, ServiceSpec.ExternalName"),
		page("externalname-dead", finding.Error, "The name leads to a Service that does not exist",
			"A lookup ends in NXDOMAIN. A selector on an ExternalName Service is a lesser matter: it is ignored (a warning).",
			"The external name is that of a Service of this cluster, which is missing; or it is an address, to which no CNAME can lead.", "Correct the name, or create the Service.", "core/v1, ServiceSpec.ExternalName"),
	}, Each: func(c *subject) {
		if !isExternal(c.svc) {
			return
		}
		field := fact(c.ref, "spec.externalName", c.svc.Spec.ExternalName)
		chain, end := c.chain()
		switch {
		case isAddress(c.svc.Spec.ExternalName):
			c.say("externalname-dead", finding.Error, fmt.Sprintf("its external name is the address %s; DNS can only lead a name to another name, so no lookup of it succeeds", c.svc.Spec.ExternalName), []finding.Evidence{field},
				manual("make it a Service without a selector, and write an EndpointSlice with the label kubernetes.io/service-name=%s and that address", c.svc.Name))
		case end == loops:
			c.say("externalname-loop", finding.Error, "its name leads back to itself: "+strings.Join(chain, " → "), []finding.Evidence{field},
				manual("let one of them name the real target"))
		case end == dead:
			c.say("externalname-dead", finding.Error, fmt.Sprintf("it is another name for Service/%s in namespace %s, which does not exist", target(chain[len(chain)-1]).Name, target(chain[len(chain)-1]).Namespace), []finding.Evidence{field}, c.elsewhereNamed(target(chain[len(chain)-1])))
		case len(c.svc.Spec.Selector) > 0:
			c.say("externalname-dead", finding.Warning, "it is only another name in DNS, so its selector is ignored",
				[]finding.Evidence{field, fact(c.ref, "spec.selector", selectorText(c.svc))},
				c.patchService("remove the selector", map[string]any{"op": "remove", "path": "/spec/selector"}))
		}
	}}
}

type end int

const (
	outside end = iota
	reaches
	loops
	dead
)

// chain follows ExternalNames from Service to Service.
func (c *subject) chain() ([]string, end) {
	svc := c.svc
	chain := []string{svc.Name + "." + svc.Namespace}
	seen := map[object.Ref]bool{c.ref.Key(): true}
	for range 16 {
		next, ok := inCluster(svc.Spec.ExternalName)
		if !ok {
			return chain, outside
		}
		chain = append(chain, next.Name+"."+next.Namespace)
		if seen[next.Key()] {
			return chain, loops
		}
		seen[next.Key()] = true
		it, ok := c.v.Get(next)
		if !ok {
			if presence, _ := c.v.Presence(next); presence == index.Missing {
				return chain, dead
			}
			return chain, outside
		}
		o, ok := it.Object.(*corev1.Service)
		if !ok || !isExternal(o) {
			return chain, reaches
		}
		svc = o
	}
	return chain, loops
}

// isAddress: what looks like an address is taken for a name all the same
// (core/v1, ServiceSpec.ExternalName; kubernetes.io/docs, ExternalName caveat).
func isAddress(name string) bool {
	_, err := netip.ParseAddr(strings.TrimSuffix(name, "."))
	return err == nil
}

// inCluster reads x.ns.svc, with or without the cluster's domain behind it.
func inCluster(name string) (object.Ref, bool) {
	parts := strings.Split(strings.TrimSuffix(strings.ToLower(name), "."), ".")
	if len(parts) < 3 || parts[2] != "svc" || parts[0] == "" || parts[1] == "" {
		return object.Ref{}, false
	}
	return object.Ref{Version: "v1", Kind: "Service", Namespace: parts[1], Name: parts[0]}, true
}

func target(title string) object.Ref {
	name, namespace, _ := strings.Cut(title, ".")
	return object.Ref{Version: "v1", Kind: "Service", Namespace: namespace, Name: name}
}

// namesake is the namespace of a Service of the same name, of those that were read.
func (w *world) namesake(r object.Ref) (namespace string, found bool) {
	for _, ns := range w.namespaces() {
		if ns != r.Namespace && slices.ContainsFunc(w.byNS[ns].services, func(s *corev1.Service) bool { return s.Name == r.Name }) {
			return ns, true
		}
	}
	return "", false
}

// elsewhereNamed says where a Service of that name is.
func (w *world) elsewhereNamed(r object.Ref) finding.Fix {
	if ns, ok := w.namesake(r); ok {
		return manual("a Service of that name is in namespace %s", ns)
	}
	for _, s := range w.place(r.Namespace).services {
		if misspelt(r.Name, s.Name) {
			return manual("Service/%s is there, and is spelt a little differently", s.Name)
		}
	}
	return manual("create the Service, or correct the name")
}
