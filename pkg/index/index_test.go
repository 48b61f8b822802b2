package index

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var pods = schema.GroupKind{Kind: "Pod"}

func pod(namespace, name, app, node, ip string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(name), Labels: map[string]string{"app": app},
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: app, UID: types.UID(app)}}},
		Spec:   corev1.PodSpec{NodeName: node},
		Status: corev1.PodStatus{PodIPs: []corev1.PodIP{{IP: ip}}},
	}
}

func view() *View {
	s := source.NewStore(time.Unix(0, 0))
	s.Answer(source.Query{Kind: pods, Namespace: "shop"}, source.Result{Objects: []source.Object{
		pod("shop", "b", "web", "n1", "10.0.0.2"), pod("shop", "a", "web", "n2", "10.0.0.1"), pod("shop", "c", "db", "n1", "10.0.0.3"),
	}})
	hidden := source.Query{Kind: schema.GroupKind{Kind: "Secret"}, Namespace: "shop", Name: "key", Metadata: true}
	s.Answer(hidden, source.Result{Gap: &source.Gap{Resource: "secrets", Reason: source.Forbidden}})
	return New(s.Contents())
}

func TestAViewFindsObjectsInOrder(t *testing.T) {
	v := view()
	names := func(items []Item) []string {
		var out []string
		for _, it := range items {
			out = append(out, it.Ref.Name)
		}
		return out
	}
	for name, tc := range map[string]struct{ got, want []string }{
		"by kind":     {names(v.List(pods, "shop")), []string{"a", "b", "c"}},
		"by label":    {names(v.Select(pods, "shop", labels.SelectorFromSet(labels.Set{"app": "web"}))), []string{"a", "b"}},
		"by nothing":  {names(v.Select(pods, "shop", labels.Nothing())), nil},
		"by all":      {names(v.Select(pods, "shop", labels.Everything())), []string{"a", "b", "c"}},
		"by owner":    {names(slices.Collect(v.Owned("web"))), []string{"a", "b"}},
		"by no owner": {names(slices.Collect(v.Owned("gone"))), nil},
	} {
		if diff := cmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if on := v.OnNode("n1"); len(on) != 2 || on[0].Name != "b" {
		t.Errorf("on n1: %v", on)
	}
	if with := v.WithIP("10.0.0.3"); len(with) != 1 || with[0].Name != "c" {
		t.Errorf("with the IP: %v", with)
	}
}

func TestMissingForbiddenAndUnknownAreThreeWords(t *testing.T) {
	v := view()
	for name, tc := range map[string]struct {
		ref  object.Ref
		want Presence
		gap  bool
	}{
		"there":                         {object.Ref{Kind: "Pod", Namespace: "shop", Name: "a"}, Present, false},
		"missing from a list in full":   {object.Ref{Kind: "Pod", Namespace: "shop", Name: "z"}, Missing, false},
		"forbidden":                     {object.Ref{Kind: "Secret", Namespace: "shop", Name: "key"}, Unknown, true},
		"never asked for":               {object.Ref{Kind: "Secret", Namespace: "shop", Name: "other"}, Unknown, false},
		"of a namespace not looked at":  {object.Ref{Kind: "Pod", Namespace: "else", Name: "a"}, Unknown, false},
		"the same whatever its version": {object.Ref{Version: "v9", Kind: "Pod", Namespace: "shop", Name: "a"}, Present, false},
	} {
		got, gap := v.Presence(tc.ref)
		if got != tc.want || (gap != nil) != tc.gap {
			t.Errorf("%s: %v, gap %v", name, got, gap)
		}
	}
}

func TestWhatIsDerivedIsComputedOnce(t *testing.T) {
	v, times := view(), 0
	for range 3 {
		if got := Memo(v, "key", func() int { times++; return 7 }); got != 7 {
			t.Errorf("got %d", got)
		}
	}
	if times != 1 {
		t.Errorf("computed %d times", times)
	}
}
