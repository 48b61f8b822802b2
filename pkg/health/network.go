package health

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var (
	podKind   = gk("", "Pod")
	sliceKind = gk("discovery.k8s.io", "EndpointSlice")
)

// pendingFor is how long an address from outside may take to come.
const pendingFor = 5 * time.Minute

// ofService judges a Service by what stands behind it.
func ofService(v *index.View, svc *corev1.Service) State {
	if svc.Spec.Type == corev1.ServiceTypeExternalName {
		return State{Level: OK, Status: "ExternalName", Detail: svc.Spec.ExternalName}
	}
	s := behind(v, svc)
	s.Detail = svc.Spec.ClusterIP
	if svc.Spec.Type == corev1.ServiceTypeLoadBalancer && len(svc.Status.LoadBalancer.Ingress) == 0 && (s.Level == OK || s.Level == Progressing) {
		s.Level, s.Status = Progressing, "no external address yet"
		if since(v, svc.CreationTimestamp.Time) > pendingFor {
			s.Level = Warning // nothing in this cluster hands out addresses, or it fails
		}
	}
	return s
}

func behind(v *index.View, svc *corev1.Service) State {
	slices := slicesOf(v, svc)
	ready, all := endpointCount(slices)
	if len(svc.Spec.Selector) == 0 {
		switch { // a nil selector matches nothing: somebody else writes the endpoints
		case ready > 0:
			return State{Level: OK, Ready: count(ready, all), Status: count(ready, all) + " ready"}
		case len(slices) > 0 && all > 0:
			return State{Level: Broken, Ready: count(0, all), Status: count(0, all) + " ready"}
		case len(slices) > 0 || seenSlices(v, svc):
			return State{Level: Warning, Status: "no endpoints"}
		}
		return State{Level: Unknown, Status: "endpoints not seen"}
	}
	var starting, failing, up int32
	matched := v.Select(podKind, svc.Namespace, labels.SelectorFromSet(svc.Spec.Selector))
	for _, it := range matched {
		pod, ok := it.Object.(*corev1.Pod)
		switch {
		case !ok || podFinished(pod) || pod.DeletionTimestamp != nil:
		case podReady(pod):
			up++
		case podLevel(v, pod) == Progressing:
			starting++
		default:
			failing++
		}
	}
	total := up + starting + failing
	if len(slices) == 0 {
		ready = up
	} else if total == 0 {
		total = all
	}
	total = max(total, ready)
	s := State{Ready: count(ready, total), Status: count(ready, total) + " ready"}
	switch {
	case total == 0 && len(matched) == 0 && len(slices) == 0 && !seen(v, podKind, svc.Namespace) && !selectorAnswered(v, svc):
		return State{Level: Unknown, Status: "pods not seen"}
	case total == 0:
		return State{Level: Warning, Ready: "0/0", Status: "selects no pod"}
	case ready >= total:
		s.Level = OK
	case failing == 0:
		s.Level = Progressing
	case ready == 0:
		s.Level = Broken
	default:
		s.Level = Warning
	}
	return s
}

func slicesOf(v *index.View, svc *corev1.Service) []*discoveryv1.EndpointSlice {
	var found []*discoveryv1.EndpointSlice
	for _, it := range v.Select(sliceKind, svc.Namespace, labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: svc.Name})) {
		if s, ok := it.Object.(*discoveryv1.EndpointSlice); ok {
			found = append(found, s)
		}
	}
	return found
}

// seen says whether all objects of a kind in a namespace were asked for.
func seen(v *index.View, kind schema.GroupKind, namespace string) bool {
	return v.Answered(source.Query{Kind: kind, Namespace: namespace}) || v.Answered(source.Query{Kind: kind})
}

func seenSlices(v *index.View, svc *corev1.Service) bool {
	return seen(v, sliceKind, svc.Namespace) ||
		v.Answered(source.Query{Kind: sliceKind, Namespace: svc.Namespace, Labels: discoveryv1.LabelServiceName + "=" + svc.Name})
}

func selectorAnswered(v *index.View, svc *corev1.Service) bool {
	return v.Answered(source.Query{Kind: podKind, Namespace: svc.Namespace, Labels: labels.SelectorFromSet(svc.Spec.Selector).String()}) || seenSlices(v, svc)
}

// endpointCount counts each endpoint once: dual stack and many ports spread one
// pod over several slices. A nil Ready means ready (discovery/v1, EndpointConditions).
func endpointCount(slices []*discoveryv1.EndpointSlice) (ready, all int32) {
	isReady := map[string]bool{}
	for _, s := range slices {
		for _, e := range s.Endpoints {
			key := ""
			if len(e.Addresses) > 0 {
				key = e.Addresses[0]
			}
			if e.TargetRef != nil && e.TargetRef.UID != "" {
				key = string(e.TargetRef.UID)
			}
			if e.Conditions.Terminating != nil && *e.Conditions.Terminating {
				continue
			}
			isReady[key] = isReady[key] || e.Conditions.Ready == nil || *e.Conditions.Ready
		}
	}
	for _, up := range isReady {
		if up {
			ready++
		}
	}
	return ready, int32(len(isReady))
}

func ofEndpointSlice(s *discoveryv1.EndpointSlice) State {
	ready, all := endpointCount([]*discoveryv1.EndpointSlice{s})
	state := State{Level: OK, Ready: count(ready, all), Status: count(ready, all) + " ready", Detail: string(s.AddressType)}
	switch {
	case all == 0:
		state.Level, state.Status = Warning, "no endpoints"
	case ready == 0:
		state.Level = Warning
	}
	return state
}

// ofIngress: many controllers never report an address, so none proves nothing.
func ofIngress(v *index.View, ing *networkingv1.Ingress) State {
	for _, a := range ing.Status.LoadBalancer.Ingress {
		if a.IP != "" || a.Hostname != "" {
			address := a.IP
			if address == "" {
				address = a.Hostname
			}
			return State{Level: OK, Status: clip(address, 30), Detail: address}
		}
	}
	// Many controllers never report one, and traffic flows all the same.
	return State{Level: None, Status: "no address reported"}
}
