package snapshot

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

const podYAML = `apiVersion: v1
kind: Pod
metadata:
  creationTimestamp: "2026-01-01T10:00:00Z"
  name: web
  namespace: shop
  uid: u1
spec:
  nodeName: node-1
`

// indented makes an item of a List of a document.
func indented(doc string) string {
	return "- " + strings.TrimSuffix(strings.ReplaceAll(doc, "\n", "\n  "), "  ")
}

func listOf(docs ...string) string {
	out := "apiVersion: v1\nitems:\n"
	for _, d := range docs {
		out += indented(d)
	}
	return out + "kind: List\nmetadata:\n  resourceVersion: \"\"\n"
}

func put(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func gzipped(text string) string {
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	fmt.Fprint(gz, text)
	gz.Close()
	return b.String()
}

func tarred(headers ...tar.Header) string {
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, h := range headers {
		body := ""
		if h.Typeflag == tar.TypeReg {
			body = podYAML
		}
		h.Size, h.Format = int64(len(body)), tar.FormatUSTAR
		if err := tw.WriteHeader(&h); err != nil {
			panic(err)
		}
		fmt.Fprint(tw, body)
	}
	tw.Close()
	return b.String()
}

func TestEveryFormOfADumpIsRead(t *testing.T) {
	podJSON := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop","uid":"u1","creationTimestamp":"2026-01-01T10:00:00Z"},"spec":{"nodeName":"node-1"}}`
	regular := tar.Header{Name: "dump/pod.yaml", Typeflag: tar.TypeReg, Mode: 0o600}
	for name, file := range map[string]struct{ name, text string }{
		"one object":                     {"a.yaml", podYAML},
		"with a byte order mark":         {"a.yaml", "\ufeff" + podYAML},
		"with windows line ends":         {"a.yaml", strings.ReplaceAll(listOf(podYAML), "\n", "\r\n")},
		"documents":                      {"a.yml", "# a comment\n---\n---\n" + podYAML + "...\n--- # end\n"},
		"a list":                         {"a.yaml", listOf(podYAML)},
		"a list laid out in another way": {"a.yaml", "{apiVersion: v1, kind: List, items: [" + podJSON + "]}"},
		"a typed list without kinds":     {"a.json", `{"apiVersion":"v1","kind":"PodList","metadata":{},"items":[` + strings.Replace(podJSON, `"apiVersion":"v1","kind":"Pod",`, "", 1) + `]}`},
		"JSON one after the other":       {"a.json", podJSON + "\n" + podJSON + podJSON},
		"JSON in a yaml document":        {"a.yaml", "---\n" + podJSON},
		"compressed":                     {"a.yaml.gz", gzipped(podYAML)},
		"an archive":                     {"a.tar", tarred(regular)},
		"a compressed archive":           {"a.tgz", gzipped(tarred(regular))},
		"a name that says nothing":       {"dump", podYAML},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(put(t, map[string]string{file.name: file.text}), file.name)
			s, gaps, err := Read([]string{path}, nil, Options{})
			if err != nil || len(gaps) > 0 {
				t.Fatal(err, gaps)
			}
			r, _ := s.Read(context.Background(), source.Query{Kind: pods, Namespace: "shop", Name: "web"})
			if len(r.Objects) != 1 || r.Gap != nil {
				t.Fatalf("%+v", r)
			}
			want := &corev1.Pod{
				TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
				ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", UID: "u1", CreationTimestamp: metav1.NewTime(time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC))},
				Spec:       corev1.PodSpec{NodeName: "node-1"},
			}
			if diff := cmp.Diff(want, r.Objects[0]); diff != "" {
				t.Error(diff)
			}
			if !s.Now().Equal(want.CreationTimestamp.Time) {
				t.Errorf("now is %s", s.Now())
			}
		})
	}
}

func TestAClusterInfoDumpHasItsLogsAndItsEmptyLists(t *testing.T) {
	list := func(items string) string {
		return `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[` + items + `]}`
	}
	pod := `{"metadata":{"name":"web","namespace":"shop","uid":"u1"}}`
	logs := "==== START logs for container app of pod shop/web ====\nhello\n{\n==== END logs for container app of pod shop/web ====\n" +
		"==== START logs for container side of pod shop/web ====\nRequest log error: not there\n==== END logs for container side of pod shop/web ====\n"
	nodes := `{"kind":"NodeList","apiVersion":"v1","items":[]}`
	for name, files := range map[string]map[string]string{
		"a folder":        {"nodes.json": nodes, "shop/pods.json": list(pod), "shop/web/logs.txt": logs, "idle/pods.json": list("")},
		"standard output": {"dump.json": nodes + "\n" + list(pod) + "\n" + logs + list("")},
	} {
		t.Run(name, func(t *testing.T) {
			s, gaps, err := Read([]string{put(t, files)}, nil, Options{})
			if err != nil || len(gaps) > 0 {
				t.Fatal(err, gaps)
			}
			q := source.LogQuery{Namespace: "shop", Pod: "web", UID: "u1", Container: "app", Lines: 20}
			if text, gap := s.Log(context.Background(), q); text != "hello\n{\n" || gap != nil {
				t.Errorf("%q, %+v", text, gap)
			}
			q.Container = "side"
			if text, gap := s.Log(context.Background(), q); text != "" || gap == nil || gap.Detail != "not there" {
				t.Errorf("%q, %+v", text, gap)
			}
			for q, want := range map[source.Query]bool{
				{Kind: pods, Namespace: "shop"}:             true,
				{Kind: pods, Namespace: "idle"}:             name == "a folder",
				{Kind: pods, Namespace: "other"}:            false,
				{Kind: pods}:                                false,
				{Kind: schema.GroupKind{Kind: "Node"}}:      true,
				{Kind: schema.GroupKind{Kind: "Namespace"}}: false,
			} {
				if s.Covers(q) != want {
					t.Errorf("%+v covered: %v", q, !want)
				}
			}
		})
	}
}

func TestADumpAnswersForWhatItHolds(t *testing.T) {
	in := func(ns string) string {
		return strings.ReplaceAll(strings.ReplaceAll(podYAML, "shop", ns), "web", "web-"+ns)
	}
	second := strings.ReplaceAll(podYAML, "name: web", "name: web2")
	query := source.Query{Kind: pods, Namespace: "shop"}
	all := source.Query{Kind: pods}
	for _, tt := range []struct {
		name, text       string
		namespace, whole bool
	}{
		{"a single object was asked for by name", podYAML, false, false},
		{"two objects one by one", podYAML + "---\n" + second, true, false},
		{"a list", listOf(podYAML), true, false},
		{"a list of several namespaces", listOf(podYAML, in("b")), true, true},
		{"two lists of one namespace each", listOf(podYAML) + "---\n" + listOf(in("b")), true, false},
		{"the first page of a list", strings.Replace(listOf(podYAML), "resourceVersion:", "continue: abc\n  resourceVersion:", 1), false, false},
		{"nothing but another kind", listOf("apiVersion: v1\nkind: Service\nmetadata:\n  name: s\n  namespace: shop\n"), false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := mustRead(t, tt.text)
			if got := s.Covers(query); got != tt.namespace {
				t.Errorf("the namespace is covered: %v", got)
			}
			if got := s.Covers(all); got != tt.whole {
				t.Errorf("all namespaces are covered: %v", got)
			}
		})
	}
}

func TestWhatIsMalformedIsAGapAndTheRestIsRead(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string // of the gap
	}{
		{"a document that is no YAML", "a: [\n---\n" + podYAML, []string{"document 1, line 1"}},
		{"a later document", podYAML + "---\nhello\n", []string{"document 2, line 10"}},
		{"an item", listOf("apiVersion: v1\nkind: Pod\nmetadata: 3\n", podYAML), []string{"document 1, line 3"}},
		{"an item without a kind", listOf("metadata:\n  name: x\n", podYAML), []string{"line 3", "no apiVersion and kind"}},
		{"an object without a name", "apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: x\n---\n" + podYAML, []string{"without a name"}},
		{"JSON that is cut off", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop"}}` + "\n{\"a\":", []string{"document 2, line 2", "cut off"}},
		{"JSON with noise between", "{nonsense\n{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"}}", []string{"document 1, line 1"}},
		{"aliases that explode", bomb() + "---\n" + podYAML, []string{"document 1"}},
		{"a billion laughs", laughs() + "---\n" + podYAML, []string{"document 1"}},
		{"nesting without end", strings.Repeat("[", 20000) + "\n---\n" + podYAML, []string{"document 1"}},
		{"a newer recording", "apiVersion: leadsman.dev/v1alpha1\nkind: Future\n---\n" + podYAML, []string{"newer version"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			s, gaps, err := Read([]string{"-"}, strings.NewReader(tt.text), Options{})
			if err != nil || len(gaps) != 1 {
				t.Fatal(err, gaps)
			}
			for _, w := range tt.want {
				if !strings.Contains(gaps[0].Detail, w) || gaps[0].Resource != "-" || gaps[0].Reason != source.Malformed {
					t.Errorf("%+v does not say %q", gaps[0], w)
				}
			}
			r, _ := s.Read(context.Background(), source.Query{Kind: pods, Namespace: "shop", Name: "web"})
			if len(r.Objects) != 1 {
				t.Error("the pod was not read")
			}
			if time.Since(start) > 5*time.Second {
				t.Error("too slow")
			}
		})
	}
}

func TestAListWithAMalformedItemIsNotWhole(t *testing.T) {
	s, _, err := Read([]string{"-"}, strings.NewReader(listOf("x: 1\n", podYAML)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, _ := s.Read(context.Background(), source.Query{Kind: pods, Namespace: "shop"})
	if len(r.Objects) != 1 || r.Gap == nil || r.Gap.Reason != source.Malformed {
		t.Errorf("%+v", r)
	}
}

// bomb is a large text of which aliases make many copies.
func bomb() string {
	return "a: &a " + strings.Repeat("x", 1<<20) + "\nb: [" + strings.Repeat("*a,", 5000) + "]\n"
}

func laughs() string {
	out := "a0: &a0 [lol]\n"
	for i := 1; i < 30; i++ {
		out += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	return out
}

func TestHostileArchivesAreRefused(t *testing.T) {
	good := tar.Header{Name: "pod.yaml", Typeflag: tar.TypeReg}
	for name, bad := range map[string]tar.Header{
		"outside":  {Name: "../pod.yaml", Typeflag: tar.TypeReg},
		"absolute": {Name: "/etc/pod.yaml", Typeflag: tar.TypeReg},
		"a link":   {Name: "link.yaml", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
		"a device": {Name: "dev.yaml", Typeflag: tar.TypeChar},
	} {
		t.Run(name, func(t *testing.T) {
			s, gaps, err := Read([]string{"-"}, strings.NewReader(tarred(bad, good)), Options{})
			if err != nil || len(gaps) != 1 || gaps[0].Resource != "-!"+bad.Name {
				t.Fatal(err, gaps)
			}
			if n := len(s.Contents().Objects[pods]); n != 1 {
				t.Errorf("%d pods", n)
			}
		})
	}
	_, gaps, err := Read([]string{"-"}, strings.NewReader(tarred(good, good)[:1500]), Options{})
	if err != nil || len(gaps) == 0 {
		t.Error("a torn archive:", err, gaps)
	}
}

func TestLimitsHold(t *testing.T) {
	padded := podYAML + strings.Repeat("# padding\n", 1000)
	for name, opts := range map[string]Options{
		"a file":  {MaxFile: 5000},
		"total":   {MaxTotal: 5000},
		"members": {MaxFiles: 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := put(t, map[string]string{"a.yaml": podYAML, "b.yaml.gz": gzipped(padded)})
			s, gaps, err := Read([]string{dir}, nil, opts)
			if err != nil || len(gaps) != 1 {
				t.Fatal(err, gaps)
			}
			if n := len(s.Contents().Objects[pods]); n != 1 {
				t.Errorf("%d pods", n)
			}
		})
	}
}

func TestLinksInFoldersAreNotFollowed(t *testing.T) {
	dir := put(t, map[string]string{"a.yaml": podYAML})
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "b.yaml")); err != nil {
		t.Fatal(err)
	}
	if _, gaps, err := Read([]string{dir}, nil, Options{}); err != nil || len(gaps) != 1 {
		t.Error(err, gaps)
	}
}

func TestWithoutAnythingToReadTheErrorSaysWhatToDo(t *testing.T) {
	for name, path := range map[string]string{
		"no such file": filepath.Join(t.TempDir(), "x.yaml"),
		"no objects":   put(t, map[string]string{"a.yaml": "hello"}),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Read([]string{path}, nil, Options{})
			if err == nil || !strings.Contains(err.Error(), "snapshot") {
				t.Error(err)
			}
		})
	}
}

func TestRetiredVersionsAreKeptUnderTodaysKind(t *testing.T) {
	deployments := schema.GroupKind{Group: "apps", Kind: "Deployment"}
	s, gaps, err := Read([]string{"-"}, strings.NewReader(
		"apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: d, namespace: shop}\nspec: {replicas: 3}\n---\n"+
			"apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: h, namespace: shop}\nspec: {maxReplicas: 3, targetCPUUtilizationPercentage: 80}\n---\n"+
			"apiVersion: networking.k8s.io/v1beta1\nkind: Ingress\nmetadata: {name: i, namespace: shop}\nspec: {backend: {serviceName: s, servicePort: 80}}\n"), Options{})
	if err != nil || len(gaps) != 1 || !strings.Contains(gaps[0].Detail, "networking.k8s.io/v1beta1 Ingress") {
		t.Fatal(err, gaps)
	}
	objects := s.Contents().Objects
	d := objects[deployments][0].(*appsv1.Deployment)
	if *d.Spec.Replicas != 3 || d.APIVersion != "extensions/v1beta1" {
		t.Errorf("%+v", d)
	}
	h := objects[schema.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}][0].(*autoscalingv2.HorizontalPodAutoscaler)
	if len(h.Spec.Metrics) != 1 || *h.Spec.Metrics[0].Resource.Target.AverageUtilization != 80 {
		t.Errorf("%+v", h.Spec)
	}
	if i := objects[schema.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}][0]; !source.MetadataOnly(i) {
		t.Errorf("%+v", i)
	}
}

func TestCustomKindsAreNamedByTheirDefinitionOrGuessed(t *testing.T) {
	crd := "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: geese.example.com}\nspec:\n  group: example.com\n  scope: Cluster\n  names: {plural: geese, singular: goose, kind: Goose, shortNames: [gs]}\n  versions: [{name: v1, served: true, storage: true}]\n"
	s := mustRead(t, crd+"---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: shop, managedFields: [{manager: m, fieldsV1: {}}]}\nspec: {size: 3}\n")
	kinds, _ := s.Kinds(context.Background())
	want := []source.Kind{
		{Group: "example.com", Version: "v1", Kind: "Goose", Resource: "geese", Singular: "goose", Short: []string{"gs"}, Listable: true},
		{Group: "example.com", Version: "v1", Kind: "Widget", Resource: "widgets", Singular: "widget", Namespaced: true, Listable: true},
	}
	if diff := cmp.Diff(want, kinds[len(kinds)-2:]); diff != "" {
		t.Error(diff)
	}
	w := s.Contents().Objects[widgets][0].(*unstructured.Unstructured)
	if size, _, _ := unstructured.NestedInt64(w.Object, "spec", "size"); size != 3 || w.GetManagedFields()[0].FieldsV1 != nil {
		t.Errorf("%+v", w)
	}
}

func TestSecretsOfADumpAreForgottenAtOnce(t *testing.T) {
	s := mustRead(t, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  namespace: shop\n  annotations: {kubectl.kubernetes.io/last-applied-configuration: hunter}\ndata: {p: aHVudGVy}\n")
	o := s.Contents().Objects[secret][0]
	if !source.MetadataOnly(o) || len(o.GetAnnotations()) != 0 {
		t.Errorf("%+v", o)
	}
}

func TestNowIsTheNewestThatLooksBack(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a condition", podYAML + "status:\n  conditions:\n  - type: Ready\n    lastTransitionTime: \"2026-02-01T00:00:00Z\"\n", "2026-02-01T00:00:00Z"},
		{"unquoted", podYAML + "status:\n  startTime: 2026-02-02T00:00:00Z\n", "2026-02-02T00:00:00Z"},
		{"fractions", podYAML + "x:\n  renewTime: \"2026-02-01T00:00:00.123456Z\"\n", "2026-02-01T00:00:00.123456Z"},
		{"not what is to come", podYAML + "status:\n  notAfter: \"2036-02-01T00:00:00Z\"\n", "2026-01-01T10:00:00Z"},
		{"no time at all", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n", "2020-01-01T00:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fallback := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
			s, _, err := Read([]string{"-"}, strings.NewReader(tt.text), Options{Now: fallback})
			if err != nil || s.Now().Format(time.RFC3339Nano) != tt.want {
				t.Error(err, s.Now())
			}
		})
	}
}

// FuzzRead reads whatever there is: there are few words about what could not be
// read, and what was read is written and read back as it was.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		podYAML, listOf(podYAML), bomb()[:100], laughs(), `{"kind":"PodList","items":[{}]}`, gzipped(podYAML), "==== START logs for container a of pod b/c ====\n",
		tarred(tar.Header{Name: "a.yaml", Typeflag: tar.TypeReg}), gzipped(tarred(tar.Header{Name: "../a.yaml", Typeflag: tar.TypeReg}, tar.Header{Name: "a.yaml", Typeflag: tar.TypeSymlink, Linkname: "/etc"})),
		tarred(tar.Header{Name: "d/nodes.json", Typeflag: tar.TypeReg}, tar.Header{Name: "d/shop/pods.json", Typeflag: tar.TypeReg}, tar.Header{Name: "d/shop/web/logs.txt", Typeflag: tar.TypeReg}),
		"apiVersion: v1\nkind: Secret\nmetadata: {name: s, annotations: {a: password=x}}\ndata: {p: eA==}\n", "apiVersion: example.com/v1\nkind: W\nmetadata: {name: w}\nenv: [{name: TOKEN, value: [x]}]\nargs: [1, {a: b}]\n",
	} {
		f.Add([]byte(seed))
	}
	var own bytes.Buffer
	Write(&own, recording().Contents())
	f.Add(own.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		s, gaps, err := Read([]string{"-"}, bytes.NewReader(data), Options{MaxFile: 1 << 20, MaxTotal: 1 << 22})
		if len(gaps) > mostTold+1 {
			t.Errorf("%d gaps", len(gaps))
		}
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := Write(&first, s.Contents()); err != nil {
			t.Fatal(err)
		}
		_ = Write(&second, s.Contents())
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Error("the same contents give other bytes")
		}
		if _, _, err := Read([]string{"-"}, &first, Options{MaxFile: 1 << 24}); err != nil && first.Len() < 1<<24 {
			t.Errorf("what was written cannot be read: %v", err)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	var items []string
	pod := func(i int) string {
		return fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-%d","namespace":"shop","labels":{"app":"web","tier":"front"},"uid":"%d","creationTimestamp":"2026-01-01T10:00:00Z"},"spec":{"nodeName":"n","containers":[%s{"name":"z"}]},"status":{"phase":"Running"}}`, i, i,
			strings.Repeat(`{"name":"app","image":"registry.example.com/team/app:1.2.3","env":[{"name":"A","value":"some value"}],"resources":{"requests":{"cpu":"100m","memory":"128Mi"}},"terminationMessagePath":"/dev/termination-log"},`, 20))
	}
	for i := range 10_000 {
		items = append(items, pod(i))
	}
	text := `{"apiVersion":"v1","kind":"List","items":[` + strings.Join(items, ",\n") + `]}`
	s, _, _ := Read([]string{"-"}, strings.NewReader(text), Options{})
	var asYAML bytes.Buffer
	Write(&asYAML, s.Contents())
	for name, text := range map[string]string{"json": text, "yaml": asYAML.String()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, _, err := Read([]string{"-"}, strings.NewReader(text), Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("write", func(b *testing.B) {
		b.SetBytes(int64(asYAML.Len()))
		for b.Loop() {
			Write(&bytes.Buffer{}, s.Contents())
		}
	})
}
