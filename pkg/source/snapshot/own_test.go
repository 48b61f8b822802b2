package snapshot

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var (
	pods    = schema.GroupKind{Kind: "Pod"}
	widgets = schema.GroupKind{Group: "example.com", Kind: "Widget"}
)

// recording is a Source with something of everything.
func recording() *source.Store {
	s := source.NewStore(time.Date(2026, 3, 1, 12, 0, 0, 500, time.UTC))
	kinds := scheme.Kinds()
	kinds[16].Version = "v1beta1"
	kinds = append(kinds[:30:30], source.Kind{Group: "example.com", Version: "v1", Kind: "Widget", Resource: "widgets", Singular: "widget", Short: []string{"wd"}, Namespaced: true, Listable: true})
	s.SetKinds(kinds, []source.Gap{{Resource: "metrics.k8s.io", Reason: source.ServerError, Detail: "away: \x1b[31m"}})
	when := metav1.NewTime(time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC))
	s.Answer(source.Query{Kind: pods, Namespace: "shop", Labels: "app=web"}, source.Result{ResourceVersion: "7", Objects: []source.Object{
		&corev1.Pod{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "u1", CreationTimestamp: when, Labels: map[string]string{"app": "web", "on": "yes", "n": "1e3"}},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name: "app", Command: []string{"sh", "-c", "echo a: b\n  - c\n"},
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("100m")}},
				Env:       []corev1.EnvVar{{Name: "MODE", Value: "on"}},
			}}},
			Status: corev1.PodStatus{Message: "\x1b[2J\u2028 *x &y"},
		},
	}})
	s.Answer(source.Query{Kind: secret, Namespace: "shop", Metadata: true}, source.Result{Objects: []source.Object{
		&metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "tls"}},
	}})
	s.Answer(source.Query{Kind: widgets, Namespace: "shop"}, source.Result{Objects: []source.Object{
		&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "example.com/v1", "kind": "Widget", "metadata": map[string]any{"name": "w", "namespace": "shop"},
			"spec": map[string]any{"size": int64(3), "ratio": 0.5, "text": "---\nkind: Pod\n", "none": nil, "items": []any{"- x"}},
		}},
	}})
	s.Answer(source.Query{Kind: schema.GroupKind{Kind: "Node"}, Name: "n1"}, source.Result{Gap: &source.Gap{Resource: "nodes", Kind: schema.GroupKind{Kind: "Node"}, Name: "n1", Reason: source.Forbidden, Detail: "no"}})
	s.PutLog(source.LogText{Query: source.LogQuery{Namespace: "shop", Pod: "web", UID: "u1", Container: "app", Lines: 20}, Text: "a\n---\n\tb\r\n"})
	s.PutLog(source.LogText{Query: source.LogQuery{Namespace: "shop", Pod: "web", UID: "u1", Container: "app", Previous: true, Lines: 20}, Gap: &source.Gap{Resource: "pods/log", Reason: source.ServerError}})
	return s
}

func mustRead(t *testing.T, text string) *source.Store {
	t.Helper()
	s, gaps, err := Read([]string{"-"}, strings.NewReader(text), Options{})
	if err != nil || len(gaps) > 0 {
		t.Fatal(err, gaps)
	}
	return s
}

func written(t *testing.T, c source.Contents) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestARecordingReadsBackAsItWas(t *testing.T) {
	want := recording().Contents()
	text := written(t, want)
	got := mustRead(t, text).Contents()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s\n%s", diff, text)
	}
	if again := written(t, got); again != text {
		t.Error("written again, the bytes differ:\n", cmp.Diff(text, again))
	}
}

func TestSaveWritesWholeFilesForTheOwnerAlone(t *testing.T) {
	want := recording().Contents()
	for _, name := range []string{"s.yaml", "s.yaml.gz", "s.tgz", "s.tar.gz"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			if err := Save(path, want); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Error(err, info.Mode())
			}
			s, gaps, err := Read([]string{path}, nil, Options{})
			if err != nil || len(gaps) > 0 {
				t.Fatal(err, gaps)
			}
			if diff := cmp.Diff(want, s.Contents(), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
	dir := t.TempDir()
	if err := Save(filepath.Join(dir, "no", "s.yaml"), want); err == nil {
		t.Error("saved into a folder that does not exist")
	}
}

func TestWhatIsSecretIsNotWritten(t *testing.T) {
	s := source.NewStore(time.Unix(0, 0))
	s.Put(secret, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}, Data: map[string][]byte{"p": []byte("hunter1")}, StringData: map[string]string{"p": "hunter2"}})
	container := corev1.Container{
		Name: "app", Args: []string{"--password=hunter3", "--db-password", "hunter4", "--url=postgres://u:hunter5@db/x", "--verbose"},
		Env: []corev1.EnvVar{{Name: "DB_PASSWORD", Value: "hunter6"}, {Name: "apiKey", Value: "hunter7"}, {Name: "URL", Value: "redis://:hunter8@r"}, {Name: "MONKEY", Value: "banana"}, {Name: "TOKEN_REF", Value: "$(OTHER)"}},
	}
	template := corev1.PodTemplateSpec{Spec: corev1.PodSpec{InitContainers: []corev1.Container{container}}}
	s.Put(schema.GroupKind{Group: "apps", Kind: "Deployment"}, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "d", Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: `{"apiVersion":"apps/v1beta1","kind":"Deployment","spec":"hunter9"}`}},
		Spec:       appsv1.DeploymentSpec{Template: template},
	})
	s.Put(schema.GroupKind{Group: "apps", Kind: "ControllerRevision"}, &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{Name: "r"}, Data: runtime.RawExtension{Raw: []byte(`{"spec":{"template":{"spec":{"containers":[{"env":[{"name":"MY_SECRET","value":"hunter10"}]}]}}}}`)},
	})
	s.PutLog(source.LogText{Text: "Authorization: Bearer hunter11abc\npassword=hunter12\n{\"token\": \"hunter13\"}\nuser logged in\ninvalid token: expired\n"})
	text := written(t, s.Contents())
	if strings.Contains(text, "hunter") || strings.Contains(text, "aHVudGVy") {
		t.Error(text)
	}
	for _, keep := range []string{"banana", "$(OTHER)", "--verbose", "user logged in", "invalid token: expired", `{"token": "(redacted)"}`, `{"apiVersion":"apps/v1beta1","kind":"Deployment"}`, "postgres://(redacted)@db/x"} {
		if !strings.Contains(text, keep) {
			t.Errorf("%q is gone from\n%s", keep, text)
		}
	}
	back := mustRead(t, text)
	if again := written(t, back.Contents()); again != text {
		t.Error("redacted twice, the bytes differ:\n", cmp.Diff(text, again))
	}
	if d := s.Contents().Objects[schema.GroupKind{Group: "apps", Kind: "Deployment"}][0].(*appsv1.Deployment); d.Spec.Template.Spec.InitContainers[0].Env[0].Value != "hunter6" {
		t.Error("the object itself was changed")
	}
}

func TestARecorderKeepsWhatItIsAsked(t *testing.T) {
	from := recording()
	r := NewRecorder(from)
	ctx := context.Background()
	r.Kinds(ctx)
	for _, a := range from.Contents().Asked {
		if _, err := r.Read(ctx, a.Query); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range from.Contents().Logs {
		r.Log(ctx, l.Query)
	}
	if diff := cmp.Diff(from.Contents(), r.Store().Contents()); diff != "" {
		t.Error(diff)
	}
	from.SetNow(time.Unix(0, 0))
	if r.Now() != recording().Now() {
		t.Error("the moment of judgement moved")
	}
}
