package relation

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

func mounting() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Annotations: map[string]string{"example.com/a.b": "yes"}},
		Spec: corev1.PodSpec{
			Volumes: []corev1.Volume{
				{Name: "plain", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
				{Name: "conf", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
					LocalObjectReference: corev1.LocalObjectReference{Name: "settings"},
					Items:                []corev1.KeyToPath{{Key: "a"}, {Key: "b"}},
				}}},
			},
			Containers: []corev1.Container{{Name: "app", VolumeMounts: []corev1.VolumeMount{{Name: "conf", MountPath: "/etc/app"}}}},
		},
	}
}

func TestPathsLeadThroughGoTypesAndUnstructuredContentAlike(t *testing.T) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(mounting())
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		path string
		want []string
	}{
		{"metadata.name", []string{"metadata.name=web"}},
		{"spec.volumes[].configMap.name", []string{"spec.volumes[1].configMap.name=settings"}},
		{"spec.volumes[].configMap.items[].key", []string{"spec.volumes[1].configMap.items[0].key=a", "spec.volumes[1].configMap.items[1].key=b"}},
		{`metadata.annotations."example.com/a.b"`, []string{`metadata.annotations."example.com/a.b"=yes`}},
		{"spec.nothing.here[]", nil},
		{"spec.nodeName", nil},
	} {
		for form, o := range map[string]any{"typed": mounting(), "unstructured": &unstructured.Unstructured{Object: content}} {
			t.Run(form+" "+tc.path, func(t *testing.T) {
				var got []string
				for _, v := range newWalker().find(rootOf(o), tc.path) {
					got = append(got, v.path+"="+v.text())
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestSentencesAreFilledInAndEmptyEndsCut(t *testing.T) {
	w, root := newWalker(), rootOf(mounting())
	for sentence, want := range map[string]string{
		"pod {metadata.name}":                   "pod web",
		"{metadata.name}:{spec.nodeName}":       "web",
		"→ {spec.nodeName}":                     "",
		"no braces":                             "no braces",
		"an open {metadata.name":                "an open",
		"{spec.volumes[].configMap.name} first": "settings first",
	} {
		if got := w.fill(sentence, root); got != want {
			t.Errorf("%q becomes %q, want %q", sentence, got, want)
		}
	}
}

func TestATableRefusesWhatItCannotUse(t *testing.T) {
	for name, tc := range map[string]struct{ doc, want string }{
		"an unknown side":     {`relations: [{name: x, from: [Pod], to: Node, side: over, ref: a, why: b}]`, `relation "x": side "over" is none of down, route, under, needs, guards`},
		"no way to a target":  {`relations: [{name: x, from: [Pod], to: Node, side: needs, why: b}]`, `relation "x": needs one of ref, selector, label, search, searchUID`},
		"no target":           {`relations: [{name: x, from: [Pod], side: needs, ref: a, why: b}]`, `relation "x": needs a to, or a kind that says where the reference holds it`},
		"a name twice":        {`relations: [{name: pod-node, from: [Pod], to: Node, side: needs, ref: a, why: b}]`, `relation "pod-node" is defined twice; give yours another name`},
		"an unknown resolver": {`relations: [{name: x, from: [Pod], to: Node, side: needs, resolver: magic, why: b}]`, `relation "x": resolver "magic" is not known`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewTable([]byte(tc.doc))
			if err == nil || err.Error() != tc.want {
				t.Errorf("%v, want %s", err, tc.want)
			}
		})
	}
	if _, err := NewTable([]byte("relations: [{nmae: x}]")); err == nil {
		t.Error("a misspelt field passes")
	}
}

func TestEveryResolverIsUsed(t *testing.T) {
	table, err := NewTable()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, row := range table.Rows {
		used[row.Resolver] = true
	}
	for name := range resolvers {
		if !used[name] {
			t.Errorf("resolver %s stands in no row", name)
		}
	}
}
