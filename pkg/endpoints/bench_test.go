package endpoints

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// cluster has n Services of ten pods each in a few namespaces. Every pod
// shares one label with all others. Of each hundred Services, broken have a
// selector with a misspelt value.
func cluster(n, broken, namespaces int) (*index.View, []object.Ref) {
	store := source.NewStore(now)
	var refs []object.Ref
	for i := range n {
		s := healthy()
		ns := fmt.Sprintf("ns-%d", i%namespaces)
		name := fmt.Sprintf("service-%05d", i)
		s.svc.Namespace, s.svc.Name, s.svc.UID = ns, name, types.UID("svc-"+name)
		s.svc.Spec.Selector = map[string]string{"app": name, "app.kubernetes.io/part-of": "shop"}
		s.pods = nil
		for j := range 10 {
			p := pod(fmt.Sprintf("%s-%d", name, j), fmt.Sprintf("10.%d.%d.%d", i/250, i%250, j+1), fmt.Sprintf("n%d", j%2+1))
			p.Namespace, p.Labels = ns, map[string]string{"app": name, "app.kubernetes.io/part-of": "shop", "pod-template-hash": "5d8"}
			own(p, "apps/v1", "ReplicaSet", name+"-5d8", types.UID("rs-"+name))
			s.pods = append(s.pods, p)
			store.Put(podKind, p)
		}
		for _, sl := range s.write() {
			store.Put(sliceKind, sl)
		}
		if i%100 < broken {
			s.svc.Spec.Selector["app"] = "sevrice-" + name[8:]
		}
		store.Put(serviceKind, s.svc)
		refs = append(refs, object.Ref{Kind: "Service", Namespace: ns, Name: name})
	}
	for _, gk := range []source.Query{{Kind: podKind}, {Kind: sliceKind}, {Kind: serviceKind}} {
		store.Cover(gk)
	}
	return index.New(store.Contents()), refs
}

func BenchmarkJudge(b *testing.B) {
	for _, c := range []struct{ services, broken, namespaces int }{{1000, 1, 20}, {10000, 1, 20}, {10000, 1, 1}, {10000, 100, 20}, {10000, 100, 1}} {
		b.Run(fmt.Sprintf("%d services, %d%% broken, %d namespaces", c.services, c.broken, c.namespaces), func(b *testing.B) {
			v, refs := cluster(c.services, c.broken, c.namespaces)
			b.ReportAllocs()
			for b.Loop() {
				Judge(v, refs, Options{})
			}
		})
	}
}
