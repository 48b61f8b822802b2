package dns

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/netpol"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

func clusterIPs(s *corev1.Service) []string {
	ips := s.Spec.ClusterIPs
	if len(ips) == 0 && s.Spec.ClusterIP != "" {
		ips = []string{s.Spec.ClusterIP}
	}
	return ips
}

func headless(s *corev1.Service) bool {
	return slices.Contains(clusterIPs(s), corev1.ClusterIPNone)
}

// seenService says whether a Service is there, is missing, or is not known.
func (w *world) seenService(namespace, name string) (*corev1.Service, index.Presence) {
	r := serviceRef(namespace, name)
	if it, ok := w.v.Get(r); ok {
		if s, ok := it.Object.(*corev1.Service); ok {
			return s, index.Present
		}
		return nil, index.Unknown
	}
	if w.v.Answered(source.Query{Kind: serviceKind, Fields: "metadata.name=" + name}) {
		return nil, index.Missing
	}
	p, _ := w.v.Presence(r)
	return nil, p
}

// seenNamespace says the same of a namespace.
func (w *world) seenNamespace(name string) index.Presence {
	if name == w.namespace && w.client != nil {
		return index.Present
	}
	p, _ := w.v.Presence(object.Ref{Version: "v1", Kind: "Namespace", Name: name})
	return p
}

// slicesOf are the EndpointSlices of a Service, and whether all were seen.
func (w *world) slicesOf(namespace, name string) ([]*discoveryv1.EndpointSlice, bool) {
	var out []*discoveryv1.EndpointSlice
	for it := range w.v.WithLabel(sliceKind, namespace, discoveryv1.LabelServiceName, name) {
		if s, ok := it.Object.(*discoveryv1.EndpointSlice); ok {
			out = append(out, s)
		}
	}
	seen := w.v.Answered(slicesQuery(namespace, name)) || w.v.Answered(source.Query{Kind: sliceKind, Namespace: namespace}) || w.v.Answered(source.Query{Kind: sliceKind})
	return out, seen
}

func slicesQuery(namespace, name string) source.Query {
	return source.Query{Kind: sliceKind, Namespace: namespace, Labels: discoveryv1.LabelServiceName + "=" + name}
}

func serviceRef(namespace, name string) object.Ref {
	return object.Ref{Version: "v1", Kind: "Service", Namespace: namespace, Name: name}
}

func podRef(p *corev1.Pod) object.Ref {
	return object.Ref{Version: "v1", Kind: "Pod", Namespace: p.Namespace, Name: p.Name}
}

// policies are the NetworkPolicies of the view.
func (w *world) policies() *netpol.Policies {
	return index.Memo(w.v, policiesKey{}, func() *netpol.Policies { return netpol.New(w.v) })
}

func isIP(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

type policiesKey struct{}
