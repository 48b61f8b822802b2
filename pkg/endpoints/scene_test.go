package endpoints

import (
	"fmt"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/netpol"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }

// scene is a healthy Service "web" in namespace shop: Deployment web with two
// ready pods on two nodes, port 80 to 8080 named http. Tests change it.
type scene struct {
	svc     *corev1.Service
	deploy  *appsv1.Deployment
	pods    []*corev1.Pod
	nodes   []*corev1.Node
	slices  []*discoveryv1.EndpointSlice // nil: what the controller would write
	more    []source.Object
	hidden  []schema.GroupKind // not listed: forbidden
	kinds   []source.Kind
	opts    Options
	synced  bool
	without bool // no slices at all
}

func healthy() *scene {
	s := &scene{
		svc: &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", UID: "svc-web", CreationTimestamp: ago(time.Hour)},
			Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, ClusterIP: "10.96.0.7", IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol}, Selector: map[string]string{"app": "web"},
				Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromString("http"), Protocol: corev1.ProtocolTCP}}},
		},
		deploy: &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", UID: "deploy-web", CreationTimestamp: ago(time.Hour)},
			Spec: appsv1.DeploymentSpec{Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"name": "web"}},
				Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web", "name": "web"}}}},
		},
		nodes: []*corev1.Node{node("n1", "10.244.1.0/24"), node("n2", "10.244.2.0/24")},
	}
	s.pods = []*corev1.Pod{pod("web-1", "10.244.1.3", "n1"), pod("web-2", "10.244.2.4", "n2")}
	return s
}

func node(name, cidr string) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Labels: map[string]string{corev1.LabelTopologyZone: "zone-" + name}}, Spec: corev1.NodeSpec{PodCIDRs: []string{cidr}},
		Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}, Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "192.168.0." + name[1:]}}}}
}

func pod(name, ip, node string) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", UID: types.UID("pod-" + name), CreationTimestamp: ago(time.Hour), Labels: map[string]string{"app": "web", "name": "web", "pod-template-hash": "5d8"}},
		Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "app", Image: "web:1",
			Ports:          []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}},
			ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromString("http")}}}}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}}, StartTime: new(ago(time.Hour)),
			Conditions: []corev1.PodCondition{
				{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: ago(time.Hour)}, {Type: corev1.ContainersReady, Status: corev1.ConditionTrue, LastTransitionTime: ago(time.Hour)}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "app", Ready: true, Started: new(true), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: ago(time.Hour)}}}}},
	}
	own(p, "apps/v1", "ReplicaSet", "web-5d8", "rs-web")
	return p
}

func own(o metav1.Object, apiVersion, kind, name string, uid types.UID) {
	o.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: name, UID: uid, Controller: new(true)}})
}

func unready(p *corev1.Pod) {
	p.Status.Conditions[0].Status, p.Status.Conditions[1].Status = corev1.ConditionFalse, corev1.ConditionFalse
	p.Status.ContainerStatuses[0].Ready = false
}

func (s *scene) each(change func(*corev1.Pod)) {
	for _, p := range s.pods {
		change(p)
	}
}

// write makes the slices as the controller would, of the scene as it is now.
func (s *scene) write() []*discoveryv1.EndpointSlice {
	if s.synced {
		return s.slices
	}
	s.synced = true
	byPorts := map[string]*discoveryv1.EndpointSlice{}
	var chosen []*corev1.Pod
	for _, p := range s.pods {
		if len(s.svc.Spec.Selector) > 0 && p.Namespace == s.svc.Namespace && carries(p.Labels, s.svc.Spec.Selector) && !isExternal(s.svc) {
			chosen = append(chosen, p)
		}
	}
	for _, p := range chosen {
		var ports []discoveryv1.EndpointPort
		var es []expectation
		for _, e := range expectedEndpoints(s.svc, []*corev1.Pod{p}) {
			if e.port >= 0 && e.resolved {
				sp := s.svc.Spec.Ports[e.port]
				ports = append(ports, discoveryv1.EndpointPort{Name: new(sp.Name), Port: new(e.number), Protocol: new(sp.Protocol)})
			}
			if len(es) == 0 || es[len(es)-1].ip != e.ip {
				es = append(es, e)
			}
		}
		for _, e := range es {
			family := discoveryv1.AddressTypeIPv4
			if _, is6 := canonical(e.ip); is6 {
				family = discoveryv1.AddressTypeIPv6
			}
			key := fmt.Sprint(family)
			for _, p := range ports {
				key += fmt.Sprint(*p.Name, *p.Port, *p.Protocol)
			}
			if byPorts[key] == nil {
				byPorts[key] = s.slice(fmt.Sprintf("%s-%d", s.svc.Name, len(byPorts)), controllerName)
				byPorts[key].AddressType, byPorts[key].Ports = family, ports
				s.slices = append(s.slices, byPorts[key])
			}
			byPorts[key].Endpoints = append(byPorts[key].Endpoints, discoveryv1.Endpoint{Addresses: []string{e.ip}, NodeName: new(p.Spec.NodeName),
				Conditions: discoveryv1.EndpointConditions{Ready: new(e.ready), Serving: new(e.serving), Terminating: new(e.terminating)},
				TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID}})
		}
	}
	return s.slices
}

func (s *scene) slice(name, manager string) *discoveryv1.EndpointSlice {
	sl := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.svc.Namespace, UID: types.UID("slice-" + name), CreationTimestamp: ago(time.Hour),
		Labels: map[string]string{discoveryv1.LabelServiceName: s.svc.Name}}, AddressType: discoveryv1.AddressTypeIPv4}
	if manager != "" {
		sl.Labels[discoveryv1.LabelManagedBy] = manager
	}
	if manager == controllerName {
		own(sl, "v1", "Service", s.svc.Name, s.svc.UID)
	}
	return sl
}

// manual makes the Service one without a selector, with one hand-made address.
func (s *scene) manual(ip string) *discoveryv1.EndpointSlice {
	s.svc.Spec.Selector, s.synced = nil, true
	sl := s.slice("web-manual", "")
	sl.Ports = []discoveryv1.EndpointPort{{Name: new(""), Port: new(int32(5432)), Protocol: new(corev1.ProtocolTCP)}}
	sl.Endpoints = []discoveryv1.Endpoint{{Addresses: []string{ip}}}
	s.slices = []*discoveryv1.EndpointSlice{sl}
	return sl
}

func (s *scene) add(objects ...source.Object) { s.more = append(s.more, objects...) }

func (s *scene) view(t testing.TB) *index.View {
	t.Helper()
	return index.New(s.store(t).Contents())
}

func (s *scene) store(t testing.TB) *source.Store {
	t.Helper()
	s.write()
	store := source.NewStore(now)
	store.SetKinds(append(scheme.Kinds(), s.kinds...), nil)
	known := scheme.New()
	put := func(o source.Object) {
		gvk := o.GetObjectKind().GroupVersionKind()
		if gvk.Kind == "" {
			gvks, _, err := known.ObjectKinds(o)
			if err != nil {
				t.Fatal(err)
			}
			gvk = gvks[0]
		}
		if !slices.Contains(s.hidden, gvk.GroupKind()) {
			store.Put(gvk.GroupKind(), o)
		}
	}
	put(s.svc)
	if s.deploy != nil {
		put(s.deploy)
	}
	for _, p := range s.pods {
		put(p)
	}
	for _, n := range s.nodes {
		put(n)
	}
	if !s.without {
		for _, sl := range s.slices {
			put(sl)
		}
	}
	for _, o := range s.more {
		put(o)
	}
	for _, gk := range slices.Concat([]schema.GroupKind{serviceKind, sliceKind, podKind, nodeKind, endpointsKind, ingressKind, classKind, netpol.Kind(), grantKind, gatewayKind, gatewayClassKind, validatingKind, apiServiceKind}, workloadKinds(), routeKinds()) {
		q := source.Query{Kind: gk}
		if slices.Contains(s.hidden, gk) {
			store.Answer(q, source.Result{Gap: &source.Gap{Resource: gk.Kind, Kind: gk, Reason: source.Forbidden}})
		} else {
			store.Cover(q)
		}
	}
	return store
}

func (s *scene) judge(t testing.TB) Result {
	return Judge(s.view(t), []object.Ref{{Kind: "Service", Namespace: s.svc.Namespace, Name: s.svc.Name}}, s.opts)
}

func event(about metav1.Object, reason, message string) *corev1.Event {
	return &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: about.GetName() + "." + reason, Namespace: about.GetNamespace()},
		InvolvedObject: corev1.ObjectReference{UID: about.GetUID(), Name: about.GetName(), Namespace: about.GetNamespace()},
		Reason:         reason, Message: message, Count: 3, LastTimestamp: ago(time.Minute), FirstTimestamp: ago(10 * time.Minute)}
}
