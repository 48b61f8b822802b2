package endpoints

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	netutils "k8s.io/utils/net"
)

// expectation is one endpoint that the EndpointSlice controller should have
// written: a pod's address on one Service port.
type expectation struct {
	port     int // index into the Service's ports; -1 for a headless Service without any
	number   int32
	resolved bool // the targetPort leads to a port of this pod
	ip       string
	pod      *corev1.Pod
	conditions
}

type conditions struct{ ready, serving, terminating bool }

// conditionsOf: a nil ready or serving means true, a nil terminating false
// (kube-proxy pkg/proxy/endpointslicecache.go; discovery/v1, EndpointConditions).
func conditionsOf(e *discoveryv1.Endpoint) conditions {
	c := conditions{ready: e.Conditions.Ready == nil || *e.Conditions.Ready}
	c.serving = e.Conditions.Serving == nil || *e.Conditions.Serving
	c.terminating = e.Conditions.Terminating != nil && *e.Conditions.Terminating
	return c
}

// expectedEndpoints follows k8s.io/endpointslice, reconcileByAddressType: every
// selected pod that has an address and has not ended is listed, on the ports
// that resolve in it.
func expectedEndpoints(svc *corev1.Service, pods []*corev1.Pod) []expectation {
	out := make([]expectation, 0, len(pods)*max(1, len(svc.Spec.Ports)))
	v4, v6 := families(svc)
	for _, pod := range pods {
		if !listable(pod) {
			continue
		}
		c := podConditions(svc, pod)
		for _, ip := range pod.Status.PodIPs {
			address, is6 := canonical(ip.IP)
			if is6 && !v6 || !is6 && !v4 {
				continue
			}
			if len(svc.Spec.Ports) == 0 {
				out = append(out, expectation{port: -1, resolved: true, ip: address, pod: pod, conditions: c})
			}
			for i := range svc.Spec.Ports {
				number, ok := targetPort(pod, &svc.Spec.Ports[i])
				out = append(out, expectation{i, number, ok, address, pod, c})
			}
		}
	}
	return out
}

// listable follows k8s.io/endpointslice/util, ShouldPodBeInEndpoints: a pod that
// has an address and has not ended, terminating or not.
func listable(pod *corev1.Pod) bool {
	return !ended(pod) && (pod.Status.PodIP != "" || len(pod.Status.PodIPs) > 0)
}

// podConditions follows k8s.io/endpointslice, podToEndpoint.
func podConditions(svc *corev1.Service, pod *corev1.Pod) conditions {
	serving := isReady(pod)
	terminating := pod.DeletionTimestamp != nil
	return conditions{ready: svc.Spec.PublishNotReadyAddresses || serving && !terminating, serving: serving, terminating: terminating}
}

// families follows k8s.io/endpointslice, getAddressTypesForService.
func families(svc *corev1.Service) (v4, v6 bool) {
	for _, f := range svc.Spec.IPFamilies {
		v4 = v4 || f == corev1.IPv4Protocol
		v6 = v6 || f == corev1.IPv6Protocol
	}
	switch {
	case v4 || v6:
		return v4, v6
	case svc.Spec.ClusterIP != "" && svc.Spec.ClusterIP != corev1.ClusterIPNone:
		is6 := netutils.IsIPv6String(svc.Spec.ClusterIP)
		return !is6, is6
	}
	return true, true
}

// canonical is the form in which the controller writes an address. netip
// accepts an IPv4 address in that form only, so most need no second look.
func canonical(ip string) (address string, is6 bool) {
	if a, err := netip.ParseAddr(ip); err == nil && a.Is4() {
		return ip, false
	}
	parsed := netutils.ParseIPSloppy(ip)
	if parsed == nil {
		return ip, false
	}
	return parsed.String(), netutils.IsIPv6(parsed)
}

// targetPort follows k8s.io/endpointslice, FindPort, which is exported beside
// a controller's metrics: a number is taken as it is, a name is looked up in
// the containers and then in the restartable init containers.
func targetPort(pod *corev1.Pod, sp *corev1.ServicePort) (int32, bool) {
	if sp.TargetPort.Type == intstr.Int {
		return sp.TargetPort.IntVal, true
	}
	for i := range pod.Spec.Containers {
		if n, ok := declares(&pod.Spec.Containers[i], sp); ok {
			return n, true
		}
	}
	for i := range pod.Spec.InitContainers {
		if c := &pod.Spec.InitContainers[i]; restartable(c) {
			if n, ok := declares(c, sp); ok {
				return n, true
			}
		}
	}
	return 0, false
}

func declares(c *corev1.Container, sp *corev1.ServicePort) (int32, bool) {
	for _, p := range c.Ports {
		if p.Name == sp.TargetPort.StrVal && p.Protocol == sp.Protocol {
			return p.ContainerPort, true
		}
	}
	return 0, false
}

func restartable(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// ended says that all containers have stopped for good.
func ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// isReady follows k8s.io/endpointslice/util, IsPodReady.
func isReady(pod *corev1.Pod) bool {
	for i := range pod.Status.Conditions {
		if c := &pod.Status.Conditions[i]; c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
