package live

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// managed is a pod in which many fields stand, with the field sets of two managers.
func managed(name string) corev1.Pod {
	at := metav1.NewTime(time.Unix(1_700_000_000, 0))
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: "shop", UID: types.UID("uid-" + name), Generation: 7, CreationTimestamp: at,
			Labels: map[string]string{"app": "web"}, Annotations: map[string]string{":": "z"}, Finalizers: []string{"a/b"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-1", UID: "u"}},
			ManagedFields: []metav1.ManagedFieldsEntry{
				{Manager: "kubectl", Operation: "Apply", APIVersion: "v1", Time: &at, FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{}}`)},
				{Manager: "kubelet", Operation: "Update", APIVersion: "v1", Time: &at, FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(`{"f:status":{}}`), Subresource: "status"},
			},
		},
		Spec:   corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{Name: "web", Image: "nginx", Command: []string{"z", ":"}}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.0.0.1"},
	}
}

func withoutSets(pod corev1.Pod) corev1.Pod {
	for i := range pod.ManagedFields {
		pod.ManagedFields[i].FieldsV1 = nil
	}
	return pod
}

func enveloped(t testing.TB, o interface{ Marshal() ([]byte, error) }) []byte {
	t.Helper()
	raw, err := o.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	body, err := (&runtime.Unknown{Raw: raw}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte(protobufMagic), body...)
}

func TestTheFieldSetsAloneAreNotDecoded(t *testing.T) {
	pod := managed("a")
	var one corev1.Pod
	if err := decodeInto(enveloped(t, &pod), &one); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(withoutSets(managed("a")), one); diff != "" {
		t.Error(diff)
	}
	list := corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: "12", Continue: "next"}, Items: []corev1.Pod{managed("a"), {}, managed("b")}}
	var many corev1.PodList
	if err := decodeInto(enveloped(t, &list), &many); err != nil {
		t.Fatal(err)
	}
	want := corev1.PodList{ListMeta: list.ListMeta, Items: []corev1.Pod{withoutSets(managed("a")), {}, withoutSets(managed("b"))}}
	if diff := cmp.Diff(want, many); diff != "" {
		t.Error(diff)
	}
}

// What is damaged is told by the decoder, as if nobody had looked before.
func FuzzHideFieldSets(f *testing.F) {
	pod := managed("a")
	raw, _ := pod.Marshal()
	f.Add(raw, false)
	f.Add(raw[:len(raw)/2], true)
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f}, false)
	f.Fuzz(func(t *testing.T, message []byte, list bool) {
		before := bytes.Clone(message)
		hideFieldSets(message, list)
		if len(before) != len(message) {
			t.Fatal("it has another length")
		}
		var was, is corev1.Pod
		if list || was.Unmarshal(before) != nil {
			return
		}
		if err := is.Unmarshal(message); err != nil {
			t.Fatalf("%v, and was well", err)
		}
		if diff := cmp.Diff(withoutSets(was), withoutSets(is)); diff != "" {
			t.Error(diff)
		}
	})
}

func BenchmarkDecodeTenThousandPods(b *testing.B) {
	list := corev1.PodList{}
	for range 10_000 {
		list.Items = append(list.Items, managed("web-5d8f4c9b7-00001"))
	}
	body := enveloped(b, &list)
	b.ReportAllocs()
	for b.Loop() {
		var into corev1.PodList
		if err := decodeInto(bytes.Clone(body), &into); err != nil {
			b.Fatal(err)
		}
	}
}
