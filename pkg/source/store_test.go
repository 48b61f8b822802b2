package source_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var (
	pods    = schema.GroupKind{Kind: "Pod"}
	secrets = schema.GroupKind{Kind: "Secret"}
)

func pod(namespace, name, app string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": app}},
		Spec:       corev1.PodSpec{NodeName: "n-" + name},
	}
}

func filled() *source.Store {
	s := source.NewStore(time.Unix(0, 0))
	s.Answer(source.Query{Kind: pods, Namespace: "shop"}, source.Result{Objects: []source.Object{pod("shop", "b", "web"), pod("shop", "a", "web"), pod("shop", "c", "db")}})
	return s
}

func names(t *testing.T, s *source.Store, q source.Query) ([]string, *source.Gap) {
	t.Helper()
	r, err := s.Read(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, o := range r.Objects {
		out = append(out, o.GetName())
	}
	return out, r.Gap
}

func TestAStoreAnswersWhatAWiderQueryCovers(t *testing.T) {
	s := filled()
	for _, tc := range []struct {
		name  string
		query source.Query
		want  []string
		gap   bool
	}{
		{"the same query, in order", source.Query{Kind: pods, Namespace: "shop"}, []string{"a", "b", "c"}, false},
		{"a narrower one by labels", source.Query{Kind: pods, Namespace: "shop", Labels: "app=web"}, []string{"a", "b"}, false},
		{"a narrower one by field", source.Query{Kind: pods, Namespace: "shop", Fields: "spec.nodeName=n-c"}, []string{"c"}, false},
		{"one by name", source.Query{Kind: pods, Namespace: "shop", Name: "a"}, []string{"a"}, false},
		{"one by a name that is not there", source.Query{Kind: pods, Namespace: "shop", Name: "z"}, nil, false},
		{"metadata alone", source.Query{Kind: pods, Namespace: "shop", Metadata: true}, []string{"a", "b", "c"}, false},
		{"another namespace was never asked for", source.Query{Kind: pods, Namespace: "else"}, nil, true},
		{"nor another kind", source.Query{Kind: secrets, Namespace: "shop", Name: "x"}, nil, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, gap := names(t, s, tc.query)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if (gap != nil) != tc.gap {
				t.Errorf("gap %v", gap)
			}
		})
	}
}

func TestARecordedGapIsGivenBack(t *testing.T) {
	s := filled()
	q := source.Query{Kind: secrets, Namespace: "shop", Name: "x", Metadata: true}
	s.Answer(q, source.Result{Gap: &source.Gap{Resource: "secrets", Reason: source.Forbidden}})
	if _, gap := names(t, s, q); gap == nil || gap.Reason != source.Forbidden {
		t.Errorf("gap %v", gap)
	}
}

func TestMetadataNeverReplacesTheWhole(t *testing.T) {
	s := filled()
	s.Put(pods, &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "a"}})
	r, err := s.Read(t.Context(), source.Query{Kind: pods, Namespace: "shop", Name: "a"})
	if err != nil || source.MetadataOnly(r.Objects[0]) {
		t.Errorf("%T, %v", r.Objects[0], err)
	}
}

func TestChangesAreApplied(t *testing.T) {
	s := filled()
	s.Apply(pods, watch.Deleted, pod("shop", "a", "web"))
	s.Apply(pods, watch.Added, pod("shop", "d", "web"))
	got, _ := names(t, s, source.Query{Kind: pods, Namespace: "shop", Labels: "app=web"})
	if diff := cmp.Diff([]string{"b", "d"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAForgottenQueryIsAskedAgain(t *testing.T) {
	s := filled()
	q := source.Query{Kind: pods, Namespace: "shop"}
	s.Forget(q)
	if s.Covers(q) {
		t.Error("still covered")
	}
	if got, gap := names(t, s, q); gap != nil || len(got) == 0 {
		t.Errorf("what was known is gone before it is known anew: %v, %+v", got, gap)
	}
	s.Answer(q, source.Result{Objects: []source.Object{pod("shop", "z", "web")}})
	got, _ := names(t, s, q)
	if diff := cmp.Diff([]string{"z"}, got); diff != "" || !s.Covers(q) {
		t.Error(diff)
	}
}

func TestResolve(t *testing.T) {
	kinds := append(scheme.Kinds(), source.Kind{Group: "example.com", Version: "v1", Kind: "Widget", Resource: "widgets", Singular: "widget", Short: []string{"wd"}, Namespaced: true, Listable: true},
		source.Kind{Group: "example.com", Version: "v1", Kind: "Service", Resource: "services", Singular: "service"})
	for _, tc := range []struct{ typed, kind, group, err string }{
		{"deploy", "Deployment", "apps", ""},
		{"Deployments.apps", "Deployment", "apps", ""},
		{"deployments.v1.apps", "Deployment", "apps", ""},
		{"svc", "Service", "", ""},
		{"services.example.com", "Service", "example.com", ""},
		{"wd", "Widget", "example.com", ""},
		{"deploymnet", "", "", `the server has no resource type "deploymnet"; did you mean "deployment"?`},
		{"zzz", "", "", `the server has no resource type "zzz"; list them with: kubectl api-resources`},
		{"pods.apps", "", "", `the server has no resource type "pods.apps"; list them with: kubectl api-resources`},
	} {
		t.Run(tc.typed, func(t *testing.T) {
			k, err := source.Resolve(kinds, tc.typed)
			if err != nil && err.Error() != tc.err || err == nil && tc.err != "" {
				t.Errorf("error %v, want %q", err, tc.err)
			}
			if k.Kind != tc.kind || k.Group != tc.group {
				t.Errorf("%s.%s", k.Kind, k.Group)
			}
		})
	}
}

func TestClose(t *testing.T) {
	got := source.Close([]string{"mailer", "mailer-config", "web", "mailre", "zzz"}, "mailer-x")
	if diff := cmp.Diff([]string{"mailer"}, got); diff != "" {
		t.Error(diff)
	}
	if got := source.Close([]string{"alpha", "beta"}, "gamma-ray"); len(got) != 0 {
		t.Errorf("far names: %v", got)
	}
}

// What is handed out is in order, whatever changed since the last time, and
// stays as it was for whoever holds it.
func TestContentsAreInOrderAfterAnyChange(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s := source.NewStore(time.Unix(0, 0))
	have := map[string]*corev1.Pod{}
	var before []source.Object
	var was []string
	for round := range 200 {
		for range random.IntN(20) {
			p := pod(fmt.Sprintf("ns-%d", random.IntN(3)), fmt.Sprintf("p-%d", random.IntN(60)), fmt.Sprint(round))
			key := p.Namespace + "/" + p.Name
			if random.IntN(3) == 0 {
				s.Apply(pods, watch.Deleted, p)
				delete(have, key)
			} else {
				s.Apply(pods, watch.Modified, p)
				have[key] = p
			}
		}
		if diff := cmp.Diff(was, described(before)); diff != "" {
			t.Fatalf("round %d: what was handed out has changed: %s", round, diff)
		}
		got := s.Contents().Objects[pods]
		var want []string
		for _, key := range slices.Sorted(maps.Keys(have)) {
			want = append(want, key+" "+have[key].Labels["app"])
		}
		if diff := cmp.Diff(want, described(got)); diff != "" {
			t.Fatalf("round %d: %s", round, diff)
		}
		before, was = got, want
	}
}

func described(objects []source.Object) []string {
	var out []string
	for _, o := range objects {
		out = append(out, o.GetNamespace()+"/"+o.GetName()+" "+o.GetLabels()["app"])
	}
	return out
}
