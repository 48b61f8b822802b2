package endpoints

import (
	"context"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// gather does what the plugin does: it reads what Needs wants until nothing is
// new, from a cluster in which the scene is all there is.
func (s *scene) gather(t *testing.T, ask Ask, refused ...string) (*index.View, []source.Query) {
	t.Helper()
	whole := source.NewStore(now)
	for gk, objects := range storeOf(s, t).Objects {
		for _, o := range objects {
			whole.Put(gk, o)
		}
	}
	kinds := slices.Clone(scheme.Kinds())
	for _, gk := range append(routeKinds(), gatewayKind, grantKind, schema.GroupKind{Group: "x.example.com", Kind: "Thing"}) {
		kinds = append(kinds, source.Kind{Group: gk.Group, Kind: gk.Kind, Version: "v1", Namespaced: true, Listable: true})
	}
	for _, k := range kinds {
		whole.Cover(source.Query{Kind: k.GroupKind()})
	}
	seen := source.NewStore(now)
	seen.SetKinds(kinds, nil)
	var asked []source.Query
	for range 12 {
		v := index.New(seen.Contents())
		qs, _ := Needs(v, ask)
		fresh := slices.DeleteFunc(qs, seen.Covers)
		for _, q := range fresh {
			asked = append(asked, q)
			r, err := whole.Read(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, kind := range refused {
				if q.Kind.Kind == kind {
					r = source.Result{Gap: &source.Gap{Resource: kind, Kind: q.Kind, Namespace: q.Namespace, Reason: source.Forbidden}}
				}
			}
			seen.Answer(q, r)
		}
		if len(fresh) == 0 {
			return v, asked
		}
	}
	t.Fatal("Needs is never content")
	return nil, nil
}

func storeOf(s *scene, t *testing.T) source.Contents {
	store := source.NewStore(now)
	for _, it := range s.view(t).Every() {
		store.Put(it.Ref.GroupKind(), it.Object)
	}
	return store.Contents()
}

func TestOneServiceIsCheap(t *testing.T) {
	ask := Ask{Names: []string{"web"}, Namespace: "shop"}
	v, asked := healthy().gather(t, ask)
	if len(asked) > 10 {
		t.Errorf("%d requests for one healthy Service: %v", len(asked), asked)
	}
	found, absent := Selected(v, ask)
	if len(found) != 1 || len(absent) != 0 {
		t.Fatalf("selected %v, absent %v", found, absent)
	}
	r := Explain(v, found, Options{})
	if r.Verdict != report.OK || len(r.Findings) > 0 {
		t.Errorf("%s %+v", r.Summary, r.Findings)
	}
}

func TestManyServicesAreReadInBulk(t *testing.T) {
	_, asked := healthy().gather(t, Ask{})
	if len(asked) != 10 {
		t.Errorf("%d requests for a healthy cluster: %v", len(asked), asked)
	}
}

// TestWhatIsFoundIsFoundFromWhatIsRead: the reads that Needs asks for are
// enough to tell the same as when everything is known.
func TestWhatIsFoundIsFoundFromWhatIsRead(t *testing.T) {
	beyond := map[string]bool{"cannot-see": true, "controller-stalled": true, "targetref-gone": true, "slice-orphan": true}
	for name, f := range faults() {
		if beyond[name] {
			continue
		}
		t.Run(name, func(t *testing.T) {
			s := healthy()
			f.fires(s)
			if name == "statefulset-service-missing" {
				s.each(func(p *corev1.Pod) { own(p, "apps/v1", "StatefulSet", "db", "sts"); p.Spec.Subdomain = "wbe" })
			}
			ask := Ask{Names: []string{s.svc.Name}, Namespace: s.svc.Namespace, From: s.opts.From}
			v, asked := s.gather(t, ask)
			found, _ := Selected(v, ask)
			r := Judge(v, found, s.opts)
			if find(r.Findings, code(name)) == nil {
				t.Errorf("after %d requests only\n%s", len(asked), told(r))
			}
			limit := 12
			if name == "blast-radius" {
				limit = 14 // who else rests on it is asked of a Service that may serve the API
			}
			if len(asked) > limit {
				t.Errorf("%d requests: %v", len(asked), asked)
			}
		})
	}
}

func TestForbiddenIsUnknownNeverMissing(t *testing.T) {
	for _, kind := range []string{"Pod", "EndpointSlice"} {
		ask := Ask{Names: []string{"web"}, Namespace: "shop"}
		v, _ := healthy().gather(t, ask, kind)
		found, _ := Selected(v, ask)
		r := Explain(v, found, Options{})
		if r.Verdict != report.Unknown || len(r.Findings) != 1 || r.Findings[0].Code != code("cannot-see") || len(r.Gaps) == 0 {
			t.Errorf("%s forbidden: %s %+v", kind, r.Summary, r.Findings)
		}
	}
	ask := Ask{Names: []string{"web"}, Namespace: "shop"}
	v, _ := healthy().gather(t, ask, "NetworkPolicy", "Ingress", "Endpoints", "Deployment")
	found, _ := Selected(v, ask)
	if r := Explain(v, found, Options{}); r.Verdict != report.OK || len(r.Gaps) != 4 {
		t.Errorf("what is not essential: %s, %d gaps", r.Summary, len(r.Gaps))
	}
}

func TestRecheck(t *testing.T) {
	s := healthy()
	after(func(s *scene) { s.slices[0].Endpoints[0].Addresses[0] = "10.244.1.99" })(s)
	v := s.view(t)
	ask := Ask{Names: []string{"web"}, Namespace: "shop"}
	found, _ := Selected(v, ask)
	if qs := Recheck(Explain(v, found, Options{}), ask); len(qs) == 0 {
		t.Error("the controller is accused without a second look")
	}
	if qs := Recheck(&report.Report{}, ask); len(qs) != 0 {
		t.Errorf("a second look at nothing: %v", qs)
	}
}
