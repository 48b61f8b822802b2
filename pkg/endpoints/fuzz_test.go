package endpoints

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// FuzzJudge: whatever a dump holds, judgement ends, does not panic, and says
// the same twice.
func FuzzJudge(f *testing.F) {
	f.Add("spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}", "metadata: {labels: {app: web}}\nstatus: {podIPs: [{ip: 10.0.0.1}]}",
		"ports: [{port: 1}]\nendpoints: [{addresses: [10.0.0.1]}]", "spec: {rules: [{backendRefs: [{name: web, port: 1}]}]}", "spec: {defaultBackend: {service: {name: web}}}")
	f.Add("spec: {type: ExternalName, externalName: web.shop.svc}", "spec: {initContainers: [{}]}", "addressType: FQDN\nendpoints: [{}, {addresses: ['']}]", "spec: {rules: x}", "spec: {rules: [{}]}")
	f.Add("spec: {clusterIP: None, ipFamilies: [IPv7], publishNotReadyAddresses: true}", "status: {phase: Failed}", "ports: [{}, {}]\nendpoints: [{addresses: [x], targetRef: {kind: Pod, name: p}}]", "spec: {rules: [{backendRefs: [1, {}]}]}", "{}")
	f.Fuzz(func(t *testing.T, service, podText, slice, route, ingress string) {
		svc, p, sl, ing, u := &corev1.Service{}, &corev1.Pod{}, &discoveryv1.EndpointSlice{}, &networkingv1.Ingress{}, &unstructured.Unstructured{}
		for _, part := range []struct {
			text string
			into any
		}{{service, svc}, {podText, p}, {slice, sl}, {ingress, ing}, {route, &u.Object}} {
			if yaml.Unmarshal([]byte(part.text), part.into) != nil {
				return
			}
		}
		if u.Object == nil {
			u.Object = map[string]any{}
		}
		for _, o := range []source.Object{svc, p, sl, ing, u} {
			if bad(o) {
				return
			}
			o.SetNamespace("shop")
		}
		svc.Name, p.Name = "web", "web-1"
		if sl.Labels == nil {
			sl.Labels = map[string]string{discoveryv1.LabelServiceName: "web"}
		}
		store := source.NewStore(now)
		store.Put(serviceKind, svc)
		store.Put(podKind, p)
		store.Put(sliceKind, sl)
		store.Put(ingressKind, ing)
		store.Put(routeKinds()[0], u)
		for _, q := range []source.Query{{Kind: serviceKind}, {Kind: podKind}, {Kind: sliceKind}, {Kind: nodeKind}, {Kind: classKind}, {Kind: grantKind}} {
			store.Cover(q)
		}
		v := index.New(store.Contents())
		refs := []object.Ref{{Kind: "Service", Namespace: "shop", Name: "web"}}
		first, second := Explain(v, refs, Options{Learn: true}), Explain(index.New(store.Contents()), refs, Options{Learn: true})
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("two answers: %s", diff)
		}
		qs, _ := Needs(v, Ask{Names: []string{"web"}, Namespace: "shop"})
		again, _ := Needs(index.New(store.Contents()), Ask{Names: []string{"web"}, Namespace: "shop"})
		if diff := cmp.Diff(qs, again); diff != "" {
			t.Errorf("two plans: %s", diff)
		}
	})
}

// bad says that metadata is no object's: unstructured content panics there
// before judgement sees it, as decoding would refuse it.
func bad(o source.Object) bool {
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return false
	}
	if m, present := u.Object["metadata"]; present {
		_, ok := m.(map[string]any)
		return !ok
	}
	return false
}
