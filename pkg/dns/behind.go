package dns

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

func (k *kubernetes) pod(q Question, r parsed) ([]host, Expected) {
	text := strings.ReplaceAll(r.service, "-", ":")
	if strings.Count(r.service, "-") == 3 && !strings.Contains(r.service, "--") {
		text = strings.ReplaceAll(r.service, "-", ".")
	}
	none := Expected{Rcode: NXDomain, Object: object.Ref{Version: "v1", Kind: "Namespace", Name: r.namespace}}
	addr, err := netip.ParseAddr(text)
	switch {
	case k.pods == "disabled":
		none.Why, none.Cause = "pod records are disabled (pods disabled is the default)", "pod-record-disabled"
		return nil, none
	case err != nil:
		none.Why = "the first label is not a dashed address"
		return nil, none
	case k.pods == "insecure":
		return []host{{ip: text, name: q.Name, object: none.Object, field: "metadata.name"}}, Expected{Why: "pods insecure echoes any address"}
	}
	for _, p := range k.w.v.WithIP(addr.String()) {
		if p.Namespace == r.namespace {
			return []host{{ip: text, name: q.Name, object: podRef(p), field: "status.podIPs"}}, Expected{}
		}
	}
	if !k.w.v.Answered(source.Query{Kind: podKind, Namespace: r.namespace}) && !k.w.v.Answered(source.Query{Kind: podKind}) {
		return nil, Expected{Why: "whether a pod has this address was not seen"}
	}
	none.Why = "no pod of the namespace has this address"
	return nil, none
}

func (k *kubernetes) service(q Question, zone string, r parsed) ([]host, Expected) {
	svc, presence := k.w.seenService(r.namespace, r.service)
	ref := serviceRef(r.namespace, r.service)
	none := Expected{Rcode: NXDomain, Object: ref, Field: "metadata.name", Why: fmt.Sprintf("there is no Service %s in namespace %s", r.service, r.namespace), Cause: "service-missing"}
	switch {
	case presence == index.Unknown:
		return nil, Expected{Object: ref, Why: fmt.Sprintf("Service %s in namespace %s was not seen", r.service, r.namespace)}
	case presence == index.Missing:
		return nil, none
	case k.selector != nil && !k.selector.Matches(labels.Set(svc.Labels)):
		none.Cause, none.Why = "namespace-or-label-filter", "the Service does not carry the labels that the Corefile asks for"
		return nil, none
	case svc.Spec.Type == corev1.ServiceTypeExternalName:
		return external(svc, r, none)
	}
	slices, seen := k.w.slicesOf(r.namespace, r.service)
	if k.noEndpoints {
		slices, seen = nil, true
	}
	if headless(svc) || r.endpoint != "" {
		return k.endpoints(svc, zone, r, slices, seen, none)
	}
	if k.ignoreEmpty && !anyReady(slices) {
		if !seen {
			return nil, Expected{Object: ref, Why: "the Service's endpoints were not seen"}
		}
		none.Why, none.Cause = "the Service has no ready endpoint, and the Corefile says ignore empty_service", "empty-service-ignored"
		return nil, none
	}
	return clusterHosts(svc, zone, r, none)
}

func external(svc *corev1.Service, r parsed, none Expected) ([]host, Expected) {
	none.Field = "spec.externalName"
	switch {
	case r.endpoint != "" || r.port != "" || r.protocol != "":
		none.Why = "an ExternalName has no endpoints and no ports"
		return nil, none
	case isIP(svc.Spec.ExternalName):
		none.Why, none.Cause = "externalName holds an address, which cannot be a CNAME", "externalname-ip"
		return nil, none
	}
	return []host{{target: svc.Spec.ExternalName, object: none.Object, field: "spec.externalName"}}, Expected{}
}

func clusterHosts(svc *corev1.Service, zone string, r parsed, none Expected) ([]host, Expected) {
	name := svc.Name + "." + svc.Namespace + ".svc." + zone
	var hosts []host
	for _, p := range svc.Spec.Ports {
		if !matchPort(r, p.Name, string(p.Protocol)) {
			continue
		}
		for i, ip := range clusterIPs(svc) {
			field := "spec.clusterIP"
			if i > 0 {
				field = fmt.Sprintf("spec.clusterIPs[%d]", i)
			}
			hosts = append(hosts, host{ip: ip, name: name, port: p.Port, object: none.Object, field: field})
		}
	}
	if len(hosts) == 0 {
		none.Field, none.Cause = "spec.ports", "srv-unnamed-port"
		none.Why = fmt.Sprintf("no port of the Service is called %s over %s", cmp.Or(r.port, "(none)"), cmp.Or(r.protocol, "any protocol"))
		return nil, none
	}
	return hosts, Expected{}
}

// endpoints are the addresses behind a headless Service, or one of any.
func (k *kubernetes) endpoints(svc *corev1.Service, zone string, r parsed, slices []*discoveryv1.EndpointSlice, seen bool, none Expected) ([]host, Expected) {
	service := svc.Name + "." + svc.Namespace + ".svc." + zone
	var hosts []host
	for _, s := range slices {
		ref := object.Ref{Group: discoveryv1.GroupName, Version: "v1", Kind: "EndpointSlice", Namespace: s.Namespace, Name: s.Name}
		for i := range s.Endpoints {
			e := &s.Endpoints[i]
			if !isReady(e) {
				continue
			}
			for _, ip := range e.Addresses {
				name := k.hostname(e, ip)
				if r.endpoint != "" && !strings.EqualFold(r.endpoint, name) {
					continue
				}
				for _, port := range slicePorts(s) {
					if matchPort(r, port.name, port.protocol) {
						hosts = append(hosts, host{ip: ip, name: name + "." + service, port: port.number, object: ref, field: fmt.Sprintf("endpoints[%d].addresses", i)})
					}
				}
			}
		}
	}
	switch {
	case len(hosts) > 0:
		return hosts, Expected{}
	case !seen:
		return nil, Expected{Object: none.Object, Why: "the Service's endpoints were not seen"}
	case k.noEndpoints:
		none.Why, none.Cause = "the Corefile says noendpoints, so nothing but ClusterIPs is answered", "noendpoints"
	case r.endpoint != "":
		none.Why, none.Cause = fmt.Sprintf("no ready endpoint of the Service is called %s", r.endpoint), "pod-hostname-unpublished"
	case anyReady(slices):
		none.Field, none.Cause = "spec.ports", "srv-unnamed-port"
		none.Why = fmt.Sprintf("no port of the Service is called %s over %s", cmp.Or(r.port, "(none)"), cmp.Or(r.protocol, "any protocol"))
	default:
		none.Field, none.Cause = "spec.clusterIP", "headless-no-ready"
		none.Why = "the Service is headless, and none of its endpoints is ready"
	}
	return nil, none
}

// hostname follows coredns plugin/kubernetes, endpointHostname.
func (k *kubernetes) hostname(e *discoveryv1.Endpoint, ip string) string {
	switch {
	case e.Hostname != nil && *e.Hostname != "":
		return *e.Hostname
	case k.podNames && e.TargetRef != nil && e.TargetRef.Name != "" && len(e.TargetRef.Name) < 64:
		return e.TargetRef.Name
	case strings.Contains(ip, "."):
		return strings.ReplaceAll(ip, ".", "-")
	}
	dashed := strings.ReplaceAll(ip, ":", "-")
	if strings.HasSuffix(dashed, "-") {
		dashed += "0"
	}
	return dashed
}

type slicePort struct {
	name, protocol string
	number         int32
}

// slicePorts: a slice without ports has one that matches no name.
func slicePorts(s *discoveryv1.EndpointSlice) []slicePort {
	if len(s.Ports) == 0 {
		return []slicePort{{number: -1}}
	}
	var out []slicePort
	for _, p := range s.Ports {
		sp := slicePort{number: -1}
		if p.Port != nil {
			sp.number = *p.Port
		}
		if p.Name != nil {
			sp.name = *p.Name
		}
		if p.Protocol != nil {
			sp.protocol = string(*p.Protocol)
		}
		out = append(out, sp)
	}
	return out
}

func isReady(e *discoveryv1.Endpoint) bool { return e.Conditions.Ready == nil || *e.Conditions.Ready }

func anyReady(slices []*discoveryv1.EndpointSlice) bool {
	for _, s := range slices {
		for i := range s.Endpoints {
			if isReady(&s.Endpoints[i]) {
				return true
			}
		}
	}
	return false
}

func matchPort(r parsed, name, protocol string) bool {
	return (r.port == "" || strings.EqualFold(r.port, name)) && (r.protocol == "" || strings.EqualFold(r.protocol, protocol))
}

// reverse is a PTR: a Service with this clusterIP first, then endpoints.
func (k *kubernetes) reverse(q Question, addr netip.Addr) Expected {
	zone := ""
	for _, z := range k.zones {
		if z != "." && !strings.HasSuffix(z, ".arpa.") {
			zone = z
			break
		}
	}
	unseen := ""
	served := func(namespace string) bool {
		if len(k.namespaces) == 0 {
			return true
		}
		p, _ := k.exposed(namespace)
		if p == index.Unknown {
			unseen = namespace
		}
		return p == index.Present
	}
	for _, s := range index.Typed[*corev1.Service](k.w.v, serviceKind, "") {
		if slices.Contains(clusterIPs(s), addr.String()) && served(s.Namespace) {
			return Expected{Rcode: NoError, Object: serviceRef(s.Namespace, s.Name), Field: "spec.clusterIPs",
				Records: []Record{{Name: q.Name, Type: PTR, Data: s.Name + "." + s.Namespace + ".svc." + zone}}}
		}
	}
	e := Expected{}
	for _, s := range index.Typed[*discoveryv1.EndpointSlice](k.w.v, sliceKind, "") {
		for i := range s.Endpoints {
			if isReady(&s.Endpoints[i]) && slices.Contains(s.Endpoints[i].Addresses, addr.String()) && s.Labels[discoveryv1.LabelServiceName] != "" && served(s.Namespace) && !k.noEndpoints {
				r := Record{Name: q.Name, Type: PTR, Data: k.hostname(&s.Endpoints[i], addr.String()) + "." + s.Labels[discoveryv1.LabelServiceName] + "." + s.Namespace + ".svc." + zone}
				if !slices.Contains(e.Records, r) {
					e.Records = append(e.Records, r)
				}
				e.Object = object.Ref{Group: discoveryv1.GroupName, Version: "v1", Kind: "EndpointSlice", Namespace: s.Namespace, Name: s.Name}
				e.Field = fmt.Sprintf("endpoints[%d].addresses", i)
			}
		}
	}
	switch {
	case len(e.Records) > 0:
		e.Rcode = NoError
	case unseen != "":
		e.Why = fmt.Sprintf("whether namespace %s is there, which holds the address, was not seen", unseen)
	case !k.w.v.Answered(source.Query{Kind: serviceKind}) || !k.w.v.Answered(source.Query{Kind: sliceKind}):
		e.Why = "not all Services and endpoints were seen"
	default:
		e.Rcode, e.Cause = NXDomain, "ptr-absent"
		e.Why = "no Service has this address, and no ready endpoint of a Service"
	}
	return e
}
