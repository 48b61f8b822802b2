package endpoints

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// shape is a cluster of Services with ten pods each in a few namespaces. Every
// pod shares one label with all others. Of each hundred Services, broken have a
// selector with a misspelt value. Words are names without digits: hard to tell
// from misspellings of each other.
type shape struct {
	services, broken, namespaces int
	words                        bool
}

func (s shape) String() string {
	names := "numbered"
	if s.words {
		names = "named"
	}
	return fmt.Sprintf("%d %s services, %d%% broken, %d namespaces", s.services, names, s.broken, s.namespaces)
}

func (s shape) name(i int) string {
	name := fmt.Sprintf("service-%05d", i)
	if !s.words {
		return name
	}
	letters := []byte("service-")
	for _, c := range []byte(fmt.Sprintf("%05d", i*7919%100000)) {
		letters = append(letters, "kmbvtrslnd"[c-'0'], "aeiouaeiou"[(int(c)+i)%10])
	}
	return string(letters)
}

// view is that cluster, all of it read.
func (s shape) view() (*index.View, []object.Ref) {
	n, broken, namespaces := s.services, s.broken, s.namespaces
	store := source.NewStore(now)
	var refs []object.Ref
	for i := range n {
		name := s.name(i)
		s := healthy()
		ns := fmt.Sprintf("ns-%d", i%namespaces)
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
	for _, c := range []shape{{1000, 1, 20, false}, {10000, 1, 20, false}, {10000, 1, 1, false}, {10000, 100, 20, false}, {10000, 100, 1, false}, {10000, 100, 1, true}} {
		b.Run(c.String(), func(b *testing.B) {
			v, refs := c.view()
			b.ReportAllocs()
			for b.Loop() {
				judgeAnew(v, refs, Options{}).result(Options{})
			}
		})
	}
}
