package dns

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// scene is a small healthy cluster that a test changes.
type scene struct {
	client   *corev1.Pod
	dns      *corev1.Service
	dnsSlice *discoveryv1.EndpointSlice
	servers  []*corev1.Pod
	corefile string
	kubelet  string
	services map[string]*corev1.Service
	slices   map[string]*discoveryv1.EndpointSlice
	pods     []*corev1.Pod
	policies []*networkingv1.NetworkPolicy
	events   []*corev1.Event
	spaces   []string
	ask      Ask
	seen     Observations
	hidden   []schema.GroupKind
	configs  []*corev1.ConfigMap
	managed  []metav1.ManagedFieldsEntry // of the Corefile's ConfigMap
}

func meta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + "/" + name), CreationTimestamp: metav1.NewTime(now.Add(-time.Hour))}
}

func service(namespace, name string, ips ...string) *corev1.Service {
	s := &corev1.Service{ObjectMeta: meta(namespace, name)}
	s.Spec = corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, ClusterIP: ips[0], ClusterIPs: ips, Selector: map[string]string{"app": name}, Ports: []corev1.ServicePort{{Name: "tcp", Port: 6379, Protocol: corev1.ProtocolTCP}}}
	return s
}

func pod(namespace, name, ip string, labels map[string]string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: meta(namespace, name)}
	p.Labels = labels
	p.Spec = corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{Name: "main", Image: "debian:12"}}}
	p.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}}, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}
	return p
}

func slice(namespace, service string, ready bool, ips ...string) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{ObjectMeta: meta(namespace, service+"-x1"), AddressType: discoveryv1.AddressTypeIPv4}
	s.Labels = map[string]string{discoveryv1.LabelServiceName: service}
	name, port, protocol := "tcp", int32(6379), corev1.ProtocolTCP
	s.Ports = []discoveryv1.EndpointPort{{Name: &name, Port: &port, Protocol: &protocol}}
	for _, ip := range ips {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{ip}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}})
	}
	return s
}

func newScene() *scene {
	s := &scene{
		client: pod("default", "backend-1", "10.244.1.5", map[string]string{"app": "backend"}),
		dns:    service(systemNamespace, "kube-dns", "10.96.0.10"), dnsSlice: slice(systemNamespace, "kube-dns", true, "10.244.0.2", "10.244.0.3"),
		corefile: stock, kubelet: "clusterDomain: cluster.local\nclusterDNS:\n- 10.96.0.10\n",
		services: map[string]*corev1.Service{}, slices: map[string]*discoveryv1.EndpointSlice{}, spaces: []string{"default", systemNamespace, "shop"},
		ask: Ask{Name: "redis", From: object.Ref{Version: "v1", Kind: "Pod", Namespace: "default", Name: "backend-1"}, Namespace: "default"},
	}
	s.dns.Spec.Selector = map[string]string{dnsLabel: "kube-dns"}
	s.dns.Labels = map[string]string{dnsLabel: "kube-dns"}
	s.dns.Spec.Ports = []corev1.ServicePort{{Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP}, {Name: "dns-tcp", Port: 53, Protocol: corev1.ProtocolTCP}}
	for i, ip := range []string{"10.244.0.2", "10.244.0.3"} {
		p := pod(systemNamespace, "coredns-"+string(rune('a'+i)), ip, map[string]string{dnsLabel: "kube-dns"})
		p.Spec.DNSPolicy = corev1.DNSDefault
		p.Spec.Containers[0].Args = []string{"-conf", "/etc/coredns/Corefile"}
		p.Spec.Containers[0].Ports = []corev1.ContainerPort{{Name: "dns-tcp", ContainerPort: 53, Protocol: corev1.ProtocolTCP}}
		p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "c", MountPath: "/etc/coredns"}}
		p.Spec.Volumes = []corev1.Volume{{Name: "c", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "coredns"}}}}}
		s.servers = append(s.servers, p)
	}
	s.add(service("default", "redis", "10.97.34.93"))
	s.add(service("shop", "cache", "10.97.34.94"))
	headless := service("default", "db", corev1.ClusterIPNone)
	s.add(headless)
	s.slices["db"] = slice("default", "db", true, "10.244.1.7")
	s.pods = append(s.pods, pod("default", "db-0", "10.244.1.7", map[string]string{"app": "db"}))
	return s
}

func (s *scene) add(svc *corev1.Service) *corev1.Service {
	s.services[svc.Name] = svc
	return svc
}

func (s *scene) observe(conf string) {
	s.seen.Pod = s.client.UID
	s.seen.ResolvConf = &Text{Text: conf}
}

// say lets replicas answer: "coredns-a NOERROR 10.0.0.1", one word per part.
func (s *scene) say(replica, name string, t Type, rcode Rcode, data ...string) {
	a := Answer{Pod: object.Ref{Version: "v1", Kind: "Pod", Namespace: systemNamespace, Name: replica}, UID: types.UID(systemNamespace + "/" + replica), Question: Question{Name: name, Type: t}, Rcode: rcode}
	for _, d := range data {
		kind := t
		if rest, ok := strings.CutPrefix(d, "CNAME "); ok {
			kind, d = CNAME, rest
		}
		a.Records = append(a.Records, Record{Name: name, Type: kind, Data: d})
	}
	s.seen.Answers = append(s.seen.Answers, a)
}

func (s *scene) replica(r Replica) {
	r.Pod = object.Ref{Version: "v1", Kind: "Pod", Namespace: systemNamespace, Name: "coredns-a"}
	r.UID = systemNamespace + "/coredns-a"
	s.seen.Replicas = append(s.seen.Replicas, r)
}

func (s *scene) policy(namespace string, spec networkingv1.NetworkPolicySpec) {
	s.policies = append(s.policies, &networkingv1.NetworkPolicy{ObjectMeta: meta(namespace, "deny"), Spec: spec})
}

func (s *scene) view() *index.View { return index.New(s.store().Contents()) }

func (s *scene) store() *source.Store {
	store := source.NewStore(now)
	put := func(kind string, group string, objects ...source.Object) {
		gk := schema.GroupKind{Group: group, Kind: kind}
		for _, h := range s.hidden {
			if h == gk {
				return
			}
		}
		store.Cover(source.Query{Kind: gk})
		for _, o := range objects {
			store.Put(gk, o)
		}
	}
	put("Pod", "", s.client)
	for _, p := range append(append([]*corev1.Pod{}, s.pods...), s.servers...) {
		put("Pod", "", p)
	}
	put("Service", "")
	if s.dns != nil {
		put("Service", "", s.dns)
		put("EndpointSlice", discoveryv1.GroupName, s.dnsSlice)
	}
	for _, svc := range s.services {
		put("Service", "", svc)
	}
	for _, sl := range s.slices {
		put("EndpointSlice", discoveryv1.GroupName, sl)
	}
	for _, ns := range s.spaces {
		n := &corev1.Namespace{ObjectMeta: meta("", ns)}
		n.Labels = map[string]string{"kubernetes.io/metadata.name": ns}
		put("Namespace", "", n)
	}
	if s.corefile != "" {
		cm := &corev1.ConfigMap{ObjectMeta: meta(systemNamespace, "coredns"), Data: map[string]string{"Corefile": s.corefile}}
		cm.ManagedFields, cm.CreationTimestamp = s.managed, metav1.NewTime(now.Add(-100*time.Hour))
		put("ConfigMap", "", cm)
	}
	for _, cm := range s.configs {
		put("ConfigMap", "", cm)
	}
	if s.kubelet != "" {
		put("ConfigMap", "", &corev1.ConfigMap{ObjectMeta: meta(systemNamespace, "kubelet-config"), Data: map[string]string{"kubelet": s.kubelet}})
	}
	put("NetworkPolicy", networkingv1.GroupName)
	for _, p := range s.policies {
		put("NetworkPolicy", networkingv1.GroupName, p)
	}
	put("Event", "")
	for _, e := range s.events {
		put("Event", "", e)
	}
	return store
}

func (s *scene) explain(t testing.TB) *report.Report {
	t.Helper()
	r, err := Explain(s.view(), s.ask, Options{Seen: s.seen, Learn: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rounds are all queries that Needs asks for, from an empty view on.
func (s *scene) rounds(t testing.TB) []source.Query {
	t.Helper()
	whole := source.NewStore(now)
	for _, it := range s.view().Every() {
		whole.Put(it.Ref.GroupKind(), it.Object)
	}
	known := source.NewStore(now)
	var asked []source.Query
	for range 10 {
		fresh := 0
		for _, q := range Needs(index.New(known.Contents()), s.ask, s.seen) {
			whole.Cover(source.Query{Kind: q.Kind})
			result, err := whole.Read(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			known.Answer(q, result)
			asked, fresh = append(asked, q), fresh+1
		}
		if fresh == 0 {
			r, err := Explain(index.New(known.Contents()), s.ask, Options{})
			if err != nil || len(r.Gaps) > 0 {
				t.Errorf("%v, %+v", err, r)
			}
			t.Log(r.Verdict, r.Summary)
			return asked
		}
	}
	t.Error("it asks on and on")
	return asked
}
