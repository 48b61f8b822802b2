package endpoints

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// fault is a scene in which a code is reported, and its look-alike in which it
// is not.
type fault struct {
	fires, silent func(s *scene)
}

func selector(pairs ...string) func(*scene) {
	return func(s *scene) { s.svc.Spec.Selector = labelsOf(pairs) }
}

func labelsOf(pairs []string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func podLabels(pairs ...string) func(*scene) {
	return func(s *scene) { s.each(func(p *corev1.Pod) { p.Labels = labelsOf(pairs) }) }
}

func both(changes ...func(*scene)) func(*scene) {
	return func(s *scene) {
		for _, c := range changes {
			c(s)
		}
	}
}

func untouched(*scene) {}

func targets(port intstr.IntOrString) func(*scene) {
	return func(s *scene) { s.svc.Spec.Ports[0].TargetPort = port }
}

// after writes the slices first, so that what follows is a lag of them.
func after(change func(*scene)) func(*scene) {
	return func(s *scene) { s.write(); change(s) }
}

func manifest(text string) func(*scene) {
	return func(s *scene) {
		for doc := range strings.SplitSeq(text, "\n---\n") {
			var u unstructured.Unstructured
			text, err := yaml.YAMLToJSON([]byte(doc))
			if err == nil {
				err = u.UnmarshalJSON(text) // whole numbers, as from a server
			}
			if err != nil {
				panic(err)
			}
			var o source.Object = &u
			//lint:ignore SA1019 the legacy object is what is compared
			if into := map[string]source.Object{"NetworkPolicy": &networkingv1.NetworkPolicy{}, "Ingress": &networkingv1.Ingress{}, "IngressClass": &networkingv1.IngressClass{}, "Service": &corev1.Service{}, "Endpoints": &corev1.Endpoints{}}[u.GetKind()]; into != nil {
				if err := yaml.UnmarshalStrict([]byte(doc), into); err != nil {
					panic(err)
				}
				o = into
			}
			s.add(o)
		}
	}
}

func policy(spec string) func(*scene) {
	return manifest("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: guard, namespace: shop}\nspec: {podSelector: {}, " + spec + "}")
}

func ingress(spec string) func(*scene) {
	return manifest("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: shop, namespace: shop}\nspec: " + spec +
		"\n---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: nginx, annotations: {ingressclass.kubernetes.io/is-default-class: 'true'}}")
}

func backend(service, port string) string {
	return "{rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: " + service + ", port: " + port + "}}}]}}]}"
}

func route(ref, status string) string {
	return "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: shop, namespace: front}\nspec: {parentRefs: [{name: edge}], rules: [{backendRefs: [" + ref + "]}]}\nstatus: {" + status + "}\n---\n" + edge
}

const edge = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge, namespace: front}\nspec: {gatewayClassName: g, listeners: [{name: http, port: 80, hostname: '*.example.com'}]}" +
	"\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: g}"

// hung is a route on a parent of its own, with a Gateway beside it.
func hung(parent, more string) func(*scene) {
	return manifest("apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: shop, namespace: shop, generation: 2}\nspec: {parentRefs: [" + parent + "], rules: [{backendRefs: [{name: web, port: 80}]}]" + more + "}\n---\n" +
		strings.Replace(edge, "namespace: front", "namespace: shop", 1))
}

const grant = "\n---\napiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\nmetadata: {name: g, namespace: shop}\nspec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: front}], to: [{group: '', kind: Service}]}"

func notReady(s *scene) { s.each(unready) }

// bare leaves the Service without a selector and without slices.
func bare(s *scene) {
	s.manual("10.0.0.1")
	s.slices = nil
}

const unmirrored = `{apiVersion: v1, kind: Endpoints, metadata: {name: web, namespace: shop, labels: {endpointslice.kubernetes.io/skip-mirror: "true"}},
  subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 5432}]}]}`

func secure(s *scene) { s.svc.Spec.Ports[0].Port = 443 }

func local(name string) func(*scene) {
	return func(s *scene) {
		switch name {
		case "internal":
			s.svc.Spec.InternalTrafficPolicy = new(corev1.ServiceInternalTrafficPolicyLocal)
		default:
			s.svc.Spec.Type, s.svc.Spec.ExternalTrafficPolicy = corev1.ServiceTypeNodePort, corev1.ServiceExternalTrafficPolicyLocal
		}
	}
}

func onlyFirstPod(s *scene) { s.pods = s.pods[:1] }

func saw(probe Probe, outcome Outcome, listens ...Listener) func(*scene) {
	return func(s *scene) {
		s.opts.Observations = append(s.opts.Observations, Observation{Service: object.Ref{Kind: "Service", Namespace: "shop", Name: "web"}, Port: "80", Pod: podRef(s.pods[0]), PodUID: s.pods[0].UID,
			Number: 8080, Protocol: corev1.ProtocolTCP, Probe: probe, Outcome: outcome, Listens: listens, When: now})
	}
}

func canary(change func(*corev1.Pod)) func(*scene) {
	return func(s *scene) {
		p := pod("canary-1", "10.244.1.9", "n1")
		p.Labels["pod-template-hash"] = "77"
		own(p, "apps/v1", "ReplicaSet", "canary-77", "rs-canary")
		change(p)
		s.pods = append(s.pods, p)
	}
}

func stateful(service string) func(*scene) {
	return func(s *scene) {
		s.add(&appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "db", Namespace: "shop", UID: "sts"}, Spec: appsv1.StatefulSetSpec{ServiceName: service,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}, Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}}}}})
	}
}

func hints(zones ...string) func(*scene) {
	return after(func(s *scene) {
		for i, z := range zones {
			if z != "" {
				s.slices[0].Endpoints[i].Hints = &discoveryv1.EndpointHints{ForZones: []discoveryv1.ForZone{{Name: z}}}
			}
		}
	})
}

func morePods(n int) func(*scene) {
	return func(s *scene) {
		for i := range n {
			s.pods = append(s.pods, pod("more-"+string(rune('a'+i)), "10.244.2.1"+string(rune('0'+i)), "n2"))
		}
	}
}

func external(name string) func(*scene) {
	return func(s *scene) {
		s.svc.Spec = corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: name}
	}
}

func balanced(s *scene) { s.svc.Spec.Type = corev1.ServiceTypeLoadBalancer }

func legacyAddresses(ips string) func(*scene) {
	return manifest("apiVersion: v1\nkind: Endpoints\nmetadata: {name: web, namespace: shop}\nsubsets: [{addresses: [" + ips + "]}]")
}

func faults() map[string]fault {
	return map[string]fault{
		"cannot-see": {func(s *scene) { s.hidden = []schema.GroupKind{podKind} }, untouched},

		"selector-no-match":      {selector("app", "zebra"), untouched},
		"scaled-to-zero":         {func(s *scene) { s.pods, s.deploy.Spec.Replicas = nil, new(int32(0)) }, untouched},
		"label-case":             {selector("app", "Web"), untouched},
		"label-typo":             {both(selector("app", "frontned"), podLabels("app", "frontend")), both(selector("app", "web-1"), podLabels("app", "web-2"))},
		"label-partial":          {selector("app", "web", "service", "nginx"), selector("app", "other", "service", "nginx")},
		"label-key-alias":        {selector("app.kubernetes.io/name", "web"), selector("component", "web")},
		"label-on-workload-only": {both(selector("tier", "front"), func(s *scene) { s.deploy.Labels = map[string]string{"tier": "front"} }), both(selector("app", "web"), func(s *scene) { s.deploy.Labels = map[string]string{"app": "web"} })},
		"wrong-namespace":        {func(s *scene) { s.each(func(p *corev1.Pod) { p.Namespace = "other" }) }, selector("app", "zebra")},
		"rollout-label-drift":    {func(s *scene) { s.deploy.Spec.Template.Labels = map[string]string{"name": "web"} }, untouched},
		"pinned-revision":        {selector("app", "web", "pod-template-hash", "old1"), selector("app", "web", "pod-template-hash", "5d8")},
		"only-completed-pods":    {func(s *scene) { s.each(func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }) }, func(s *scene) { s.pods[0].Status.Phase = corev1.PodSucceeded }},
		"selectorless-empty":     {func(s *scene) { s.svc.Spec.Selector = nil }, func(s *scene) { s.svc.Spec.Selector = nil; own(s.svc, "example.com/v1", "Widget", "w", "w") }},
		"selector-overlap":       {canary(func(p *corev1.Pod) { p.Spec.Containers[0].Ports[0].ContainerPort = 9999 }), untouched},

		"stale-after-selector-removed": {after(func(s *scene) { s.svc.Spec.Selector = nil }), func(s *scene) { s.manual("10.0.0.1") }},
		"stale-mirror": {after(func(s *scene) {
			m := s.slice("web-m", mirrorName)
			m.Endpoints = []discoveryv1.Endpoint{{Addresses: []string{"10.9.9.9"}}}
			m.Ports = s.slices[0].Ports
			s.slices = append(s.slices, m)
		}), func(s *scene) { s.manual("10.0.0.1").Labels[discoveryv1.LabelManagedBy] = mirrorName }},
		"manual-ip-foreign": {func(s *scene) {
			s.manual("10.244.1.3")
			podLabels("app", "cache")(s)
			s.pods[0].Name = "cache-1"
			own(s.pods[0], "apps/v1", "ReplicaSet", "cache-5d8", "x")
		}, func(s *scene) { s.manual("10.244.1.3") }},
		"manual-ip-nobody": {func(s *scene) { s.manual("10.244.1.77") }, func(s *scene) { s.manual("203.0.113.5") }},
		"slice-orphan": {after(func(s *scene) { s.slices[0].OwnerReferences[0].UID = "earlier" }), after(func(s *scene) {
			s.svc.CreationTimestamp = ago(10 * time.Second)
			s.slices[0].OwnerReferences[0].UID = "earlier"
		})},
		"slice-label-typo": {func(s *scene) { s.manual("10.0.0.1").Labels[discoveryv1.LabelServiceName] = "wbe" }, func(s *scene) { s.manual("10.0.0.1").Labels[discoveryv1.LabelServiceName] = "other" }},
		"endpoints-not-mirrored": {
			both(bare, manifest(unmirrored)),
			both(bare, manifest(strings.Replace(unmirrored, "true", "false", 1))),
		},
		"slice-unlabelled": {func(s *scene) { delete(s.manual("10.0.0.1").Labels, discoveryv1.LabelServiceName) }, func(s *scene) {
			other := s.slice("mesh-x", "mesh.example.com")
			delete(other.Labels, discoveryv1.LabelServiceName)
			s.add(other)
		}},
		"slice-port-name": {func(s *scene) { s.manual("10.0.0.1").Ports[0].Name = new("db") }, func(s *scene) { s.manual("10.0.0.1") }},

		"controller-stalled": {func(s *scene) {
			s.without = true
			for _, n := range []string{"b", "c"} {
				o := s.svc.DeepCopy()
				o.Name, o.UID = n, "svc-"+o.UID
				s.add(o)
			}
		}, func(s *scene) { s.without = true }},
		"slice-stale":    {func(s *scene) { s.without = true }, func(s *scene) { s.without = true; s.pods[0].CreationTimestamp = ago(5 * time.Second) }},
		"ip-mismatch":    {after(func(s *scene) { s.slices[0].Endpoints[0].Addresses[0] = "10.244.1.99" }), untouched},
		"uid-mismatch":   {after(func(s *scene) { s.slices[0].Endpoints[0].TargetRef.UID = "earlier" }), untouched},
		"targetref-gone": {after(func(s *scene) { s.pods = s.pods[1:] }), after(func(s *scene) { s.pods, s.hidden = s.pods[1:], []schema.GroupKind{podKind} })},
		"duplicate-ip": {func(s *scene) { s.pods[1].Status.PodIPs[0].IP = "10.244.1.3" }, func(s *scene) {
			s.each(func(p *corev1.Pod) { p.Spec.HostNetwork = true })
			s.pods[1].Status.PodIPs[0].IP = "10.244.1.3"
		}},
		"same-endpoint-two-slices": {after(func(s *scene) { c := s.slices[0].DeepCopy(); c.Name = "web-9"; s.slices = append(s.slices, c) }), untouched},
		"terminal-pod-ip":          {after(func(s *scene) { s.pods[0].Status.Phase = corev1.PodFailed }), func(s *scene) { s.pods[0].Status.Phase = corev1.PodFailed; unready(s.pods[0]); s.listDead() }},
		"endpoints-diverge":        {legacyAddresses("{ip: 10.244.1.3}"), legacyAddresses("{ip: 10.244.1.3}, {ip: 10.244.2.4}")},
		"endpoints-truncated":      {manifest("apiVersion: v1\nkind: Endpoints\nmetadata: {name: web, namespace: shop, annotations: {endpoints.kubernetes.io/over-capacity: truncated}}"), legacyAddresses("{ip: 10.244.1.3}, {ip: 10.244.2.4}")},
		"node-missing":             {func(s *scene) { s.nodes = s.nodes[:1]; s.without = true }, func(s *scene) { s.nodes, s.hidden = nil, []schema.GroupKind{nodeKind} }},
		"ip-family-mismatch": {func(s *scene) { s.svc.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv6Protocol} }, func(s *scene) {
			s.each(func(p *corev1.Pod) {
				p.Status.PodIPs = append(p.Status.PodIPs, corev1.PodIP{IP: "fd00::" + p.Name[4:]})
			})
			s.svc.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv6Protocol}
		}},
		"no-pod-ip": {func(s *scene) {
			notReady(s)
			s.each(func(p *corev1.Pod) { p.Status.PodIP, p.Status.PodIPs, p.Status.Phase = "", nil, corev1.PodPending })
		}, untouched},

		"named-port-missing": {targets(intstr.FromString("metrics")), untouched},
		"named-port-typo":    {targets(intstr.FromString("htttp")), targets(intstr.FromString("metrics"))},
		"named-port-partial": {func(s *scene) { s.pods[0].Spec.Containers[0].Ports[0].Name = "web" }, func(s *scene) { s.pods[0].Spec.Containers[0].Ports[0].ContainerPort = 9090 }},
		"named-port-protocol": {func(s *scene) {
			s.each(func(p *corev1.Pod) { p.Spec.Containers[0].Ports[0].Protocol = corev1.ProtocolUDP })
		}, untouched},
		"named-port-duplicate": {func(s *scene) {
			s.each(func(p *corev1.Pod) {
				c := p.Spec.Containers[0]
				c.Name = "two"
				c.Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: 9, Protocol: corev1.ProtocolTCP}}
				p.Spec.Containers = append(p.Spec.Containers, c)
			})
		}, untouched},
		"named-port-init":   {func(s *scene) { s.each(intoInit(nil)) }, func(s *scene) { s.each(intoInit(new(corev1.ContainerRestartPolicyAlways))) }},
		"port-undeclared":   {targets(intstr.FromInt32(9090)), both(targets(intstr.FromInt32(9090)), func(s *scene) { s.each(func(p *corev1.Pod) { p.Spec.Containers[0].Ports = nil }) })},
		"ports-swapped":     {func(s *scene) { s.svc.Spec.Ports[0].Port = 8080; targets(intstr.FromInt32(80))(s) }, targets(intstr.FromInt32(80))},
		"protocol-mismatch": {both(targets(intstr.FromInt32(8080)), func(s *scene) { s.svc.Spec.Ports[0].Protocol = corev1.ProtocolUDP }), targets(intstr.FromInt32(8080))},
		"headless-remap":    {func(s *scene) { s.svc.Spec.ClusterIP = "None" }, func(s *scene) { s.svc.Spec.ClusterIP, s.svc.Spec.Ports[0].Port = "None", 8080 }},
		"ports-merged-by-patch": {func(s *scene) {
			s.svc.Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: `{"spec":{"ports":[{"name":"t","port":80},{"name":"u","port":80,"protocol":"UDP"}]}}`}
		}, func(s *scene) {
			s.svc.Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: `{"spec":{"ports":[{"port":80},{"port":81}]}}`}
		}},

		"none-ready": {notReady, func(s *scene) { unready(s.pods[0]) }},
		"readiness-gate": {func(s *scene) {
			s.each(func(p *corev1.Pod) {
				p.Status.Conditions[0].Status = corev1.ConditionFalse
				p.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "lb.example.com/ready"}}
			})
		}, notReady},
		"probe-port-wrong": {both(notReady, func(s *scene) {
			s.each(func(p *corev1.Pod) { p.Spec.Containers[0].ReadinessProbe.HTTPGet.Port = intstr.FromInt32(9999) })
			s.add(event(s.pods[0], "Unhealthy", "Readiness probe failed: connection refused"))
		}), func(s *scene) {
			s.each(func(p *corev1.Pod) { p.Spec.Containers[0].ReadinessProbe.HTTPGet.Port = intstr.FromInt32(9999) })
		}},
		"sidecar-not-ready": {func(s *scene) { s.each(withSidecar) }, notReady},
		"partial-ready":     {func(s *scene) { unready(s.pods[0]) }, untouched},
		"terminating-only":  {func(s *scene) { s.each(func(p *corev1.Pod) { p.DeletionTimestamp = new(ago(time.Minute)) }) }, func(s *scene) { s.pods[0].DeletionTimestamp = new(ago(time.Minute)) }},
		"unready-published": {func(s *scene) { s.svc.Spec.PublishNotReadyAddresses = true; unready(s.pods[0]) }, func(s *scene) {
			s.svc.Spec.PublishNotReadyAddresses = true
			s.svc.Spec.ClusterIP = "None"
			unready(s.pods[0])
		}},
		"node-notready": {func(s *scene) {
			notReady(s)
			for _, n := range s.nodes {
				n.Status.Conditions[0].Status = corev1.ConditionUnknown
			}
		}, notReady},
		"no-readiness-probe": {func(s *scene) { s.each(func(p *corev1.Pod) { p.Spec.Containers[0].ReadinessProbe = nil }) }, untouched},

		"etp-local-gap":    {both(local("external"), onlyFirstPod), local("external")},
		"itp-local-gap":    {both(local("internal"), onlyFirstPod), local("internal")},
		"hints-ignored":    {hints("zone-n1", ""), hints("zone-n1", "zone-n2")},
		"zone-skew":        {both(morePods(2), hints("zone-n2", "zone-n2", "zone-n1", "zone-n2")), hints("zone-n1", "zone-n2")},
		"proxy-name-label": {func(s *scene) { s.svc.Labels = map[string]string{"service.kubernetes.io/service-proxy-name": "mine"} }, untouched},
		"lb-pending": {balanced, func(s *scene) {
			balanced(s)
			s.svc.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "203.0.113.9"}}
		}},
		"externalname-loop": {both(external("b.shop.svc.cluster.local"), manifest("apiVersion: v1\nkind: Service\nmetadata: {name: b, namespace: shop}\nspec: {type: ExternalName, externalName: web.shop.svc}")), external("example.com")},
		"externalname-dead": {external("gone.shop.svc.cluster.local"), external("example.com")},

		"statefulset-service-missing": {stateful("wbe"), stateful("web")},

		"netpol-denies":            {policy("ingress: [{ports: [{port: 9090}]}]"), policy("ingress: [{ports: [{port: http}]}]")},
		"netpol-uses-service-port": {policy("ingress: [{ports: [{port: 80}]}]"), policy("ingress: [{ports: [{port: 80}, {port: 8080}]}]")},
		"netpol-source":            {both(asking, policy("ingress: [{from: [{podSelector: {matchLabels: {app: none}}}]}]")), both(asking, policy("ingress: [{from: [{podSelector: {matchLabels: {app: client}}}]}]"))},
		"netpol-admits-nobody":     {policy("ingress: [{from: [{podSelector: {matchLabels: {app: none}}}]}]"), policy("ingress: [{from: [{podSelector: {matchLabels: {app: none}}}, {ipBlock: {cidr: 10.0.0.0/8}}]}]")},
		"netpol-unknown":           {both(policy("ingress: [{ports: [{port: nope}]}]")), policy("ingress: [{from: [{podSelector: {}}]}]")},

		"ingress-service-missing": {ingress(backend("wbe", "{number: 80}")), ingress(backend("web", "{number: 80}"))},
		"ingress-port-missing":    {ingress(backend("web", "{number: 8080}")), ingress(backend("web", "{number: 80}"))},
		"ingress-class-missing":   {ingress("{ingressClassName: nope, defaultBackend: {service: {name: web, port: {number: 80}}}}"), ingress("{defaultBackend: {service: {name: web, port: {number: 80}}}}")},
		"route-backend-missing":   {manifest(strings.ReplaceAll(route("{name: web, port: 80}, {name: gone, port: 80}", ""), "front", "shop")), manifest(strings.ReplaceAll(route("{name: web, port: 80}", ""), "front", "shop"))},
		"route-port-missing":      {manifest(strings.ReplaceAll(route("{name: web, port: 8080}", ""), "front", "shop")), manifest(strings.ReplaceAll(route("{name: web, port: 80}", ""), "front", "shop"))},
		"route-no-referencegrant": {manifest(route("{name: web, namespace: shop, port: 80}", "")), manifest(route("{name: web, namespace: shop, port: 80}", "") + grant)},
		"route-not-attached":      {hung("{name: egde}", ""), hung("{name: edge}", "")},
		"route-weight-zero": {manifest(strings.ReplaceAll(route("{name: web, port: 80, weight: 0}, {name: b, port: 80, weight: 0}", ""), "front", "shop")),
			manifest(strings.ReplaceAll(route("{name: web, port: 80, weight: 1}, {name: b, port: 80, weight: 0}", ""), "front", "shop"))},
		"service-deleted": {func(s *scene) {
			s.svc.DeletionTimestamp, s.svc.Finalizers = new(ago(time.Hour)), []string{"example.com/hold"}
		}, func(s *scene) { s.svc.Finalizers = []string{"example.com/hold"} }},
		"blast-radius": {both(secure, notReady, manifest("apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.x.example.com}\nspec: {service: {name: web, namespace: shop}}")),
			manifest("apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.x.example.com}\nspec: {service: {name: web, namespace: shop}}")},

		"nothing-listening":  {both(saw(Forward, Refused), saw(Proxy, Refused)), both(saw(Forward, Refused), saw(Proxy, TimedOut))},
		"listens-loopback":   {both(saw(Forward, Answered), saw(Proxy, Refused)), both(saw(Forward, Answered), saw(Proxy, TimedOut))},
		"listens-podip-only": {both(saw(Forward, Refused), saw(Proxy, Answered)), both(saw(Forward, Answered), saw(Proxy, Answered))},
		"path-fails":         {saw(Path, TimedOut), saw(Path, Answered)},
		"plaintext-to-tls":   {saw(Proxy, AnsweredTLS), both(func(s *scene) { s.svc.Spec.Ports[0].AppProtocol = new("https") }, saw(Proxy, AnsweredTLS))},
	}
}

func intoInit(restart *corev1.ContainerRestartPolicy) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		c := p.Spec.Containers[0]
		c.Name, c.RestartPolicy = "setup", restart
		p.Spec.InitContainers, p.Spec.Containers[0].Ports = []corev1.Container{c}, nil
	}
}

func withSidecar(p *corev1.Pod) {
	p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "mesh", ReadinessProbe: &corev1.Probe{}})
	p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{Name: "mesh", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}})
	p.Status.Conditions[0].Status, p.Status.Conditions[1].Status = corev1.ConditionFalse, corev1.ConditionFalse
}

func asking(s *scene) {
	c := pod("client", "10.244.1.50", "n1")
	c.Labels = map[string]string{"app": "client"}
	s.add(c)
	s.opts.From = podRef(c)
}

// listDead leaves a dead pod in the slice as neither ready nor serving.
func (s *scene) listDead() {
	s.write()
	s.slices[0].Endpoints = append(s.slices[0].Endpoints, discoveryv1.Endpoint{Addresses: []string{s.pods[0].Status.PodIP},
		Conditions: discoveryv1.EndpointConditions{Ready: new(false), Serving: new(false)},
		TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: s.pods[0].Name, UID: s.pods[0].UID}})
}

func find(fs []finding.Finding, code string) *finding.Finding {
	for i := range fs {
		if fs[i].Code == code {
			return &fs[i]
		}
	}
	return nil
}

func TestEachCodeFiresAndItsLookAlikeIsSilent(t *testing.T) {
	all := faults()
	for _, doc := range Docs() {
		name := strings.TrimPrefix(doc.Code, "endpoints/")
		f, ok := all[name]
		if !ok {
			t.Errorf("%s has no fixture", doc.Code)
			continue
		}
		delete(all, name)
		if doc.Title == "" || doc.Means == "" || doc.Told == "" || doc.Fix == "" {
			t.Errorf("the page of %s is not whole", doc.Code)
		}
		t.Run(name+" fires", func(t *testing.T) {
			s := healthy()
			f.fires(s)
			r := s.judge(t)
			if name == "controller-stalled" {
				r = Judge(s.view(t), []object.Ref{{Kind: "Service", Namespace: "shop", Name: "web"}, {Kind: "Service", Namespace: "shop", Name: "b"}, {Kind: "Service", Namespace: "shop", Name: "c"}}, s.opts)
			}
			got := find(r.Findings, doc.Code)
			if got == nil {
				t.Fatalf("silent; there is %s", told(r))
			}
			if got.Message == "" || len(got.Evidence) == 0 {
				t.Errorf("a claim without evidence: %+v", got)
			}
			t.Logf("%s\n  %s %s: %s", r.Services[0].Summary, got.Severity, got.Object, got.Message)
			for _, fix := range got.Fix {
				t.Logf("  fix: %s: %s", fix.Description, fix.Command)
			}
		})
		t.Run(name+" is silent", func(t *testing.T) {
			s := healthy()
			f.silent(s)
			if r := s.judge(t); find(r.Findings, doc.Code) != nil {
				t.Errorf("fires on the look-alike: %s", told(r))
			}
		})
	}
	for name := range all {
		t.Errorf("a fixture without a page: %s", name)
	}
}

func told(r Result) string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, string(f.Severity)+" "+f.Code+": "+f.Message)
	}
	return strings.Join(out, "\n")
}
