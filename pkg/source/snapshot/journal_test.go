package snapshot

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

func recorded(t *testing.T, happenings ...source.Happening) []byte {
	t.Helper()
	var b bytes.Buffer
	j := NewJournal(&b)
	for _, h := range happenings {
		if err := j.Write(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// replayed reads to the end, and says how it ended.
func replayed(t *testing.T, text []byte) ([]source.Happening, error) {
	t.Helper()
	p, err := OpenJournal(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	var all []source.Happening
	for {
		h, err := p.Next()
		if err != nil {
			if _, again := p.Next(); !errors.Is(err, errLine) && again != err {
				t.Errorf("it ended with %v, and then with %v", err, again)
			}
			return all, err
		}
		all = append(all, h)
	}
}

// happenings are of every sort, of random content.
func happenings(seed uint64, n int) []source.Happening {
	r := rand.New(rand.NewPCG(seed, 1))
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	word := func() string {
		return []string{"web", "\x1b[31m", "a\nb", "<&>\u2028", "", "ü", `"quoted"`}[r.IntN(7)]
	}
	name := func() string { return fmt.Sprintf("x-%d", r.IntN(5)) }
	gap := func() *source.Gap {
		if r.IntN(2) == 0 {
			return nil
		}
		return &source.Gap{Resource: "pods", Kind: pods, Namespace: word(), Name: word(), Reason: source.Forbidden, Detail: word()}
	}
	query := func() source.Query {
		kinds := []schema.GroupKind{pods, widgets, secret, {Group: "apps", Kind: "Deployment"}}
		return source.Query{Kind: kinds[r.IntN(4)], Namespace: "shop", Name: word(), Labels: word(), Fields: word(), Metadata: r.IntN(2) == 0, Owned: r.IntN(2) == 0}
	}
	object := func(q source.Query) source.Object {
		meta := metav1.ObjectMeta{Namespace: "shop", Name: name(), UID: "u", ResourceVersion: fmt.Sprint(r.IntN(1000)), Labels: map[string]string{"app": word()}}
		switch {
		case q.Kind == secret:
			return &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: meta}
		case q.Metadata && q.Kind == widgets:
			return &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "example.com/v1", Kind: "Widget"}, ObjectMeta: meta}
		case q.Kind == widgets:
			return &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "example.com/v1", "kind": "Widget", "metadata": map[string]any{"name": name(), "namespace": "shop"},
				"spec": map[string]any{"n": r.Int64(), "text": word(), "of": "x"},
			}}
		case q.Kind == pods:
			return &corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: meta, Status: corev1.PodStatus{Message: word(), Phase: corev1.PodRunning}}
		}
		meta.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "argocd-controller", Operation: metav1.ManagedFieldsOperationApply}}
		return &appsv1.Deployment{TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, ObjectMeta: meta}
	}
	var all []source.Happening
	for range n {
		at = at.Add(time.Duration(r.Int64N(int64(time.Second))))
		h := source.Happening{At: at}
		switch r.IntN(9) {
		case 0:
			h.Query = query()
			h.Answer = &source.Result{ResourceVersion: word(), Gap: gap()}
			for range r.IntN(4) {
				h.Answer.Objects = append(h.Answer.Objects, object(h.Query))
			}
		case 1, 2:
			h.Query = query()
			h.Change, h.Object = []watch.EventType{watch.Added, watch.Modified, watch.Deleted}[r.IntN(3)], object(h.Query)
		case 3:
			h.Query, h.Change = query(), []watch.EventType{source.Lost, source.Resumed}[r.IntN(2)]
		case 4:
			h.Query, h.Forget = query(), true
		case 5:
			h.Kinds = scheme.Kinds()[r.IntN(3):]
			if r.IntN(2) == 0 {
				h.Kinds = append(h.Kinds, source.Kind{Group: "example.com", Version: "v1", Kind: "Widget", Resource: "widgets", Singular: "widget", Listable: true})
			}
			if g := gap(); g != nil {
				h.KindGaps = []source.Gap{*g}
			}
		case 6:
			h.Log = &source.LogText{Query: source.LogQuery{Namespace: "shop", Pod: name(), UID: "u", Container: "app", Previous: r.IntN(2) == 0, Lines: r.IntN(3)}, Text: word(), Gap: gap()}
		case 7:
			h.Note = &source.Note{About: word(), Document: []json.RawMessage{[]byte(`{"n":123456789012345678}`), []byte(`[1,"x",null]`), []byte(`"text"`), []byte(`null`)}[r.IntN(4)]}
		}
		all = append(all, h)
	}
	return all
}

func TestWhatHappensIsToldAgainAsItWas(t *testing.T) {
	for seed := range uint64(60) {
		want := happenings(seed, 40)
		text := recorded(t, want...)
		got, err := replayed(t, text)
		if err != io.EOF {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
		if again := recorded(t, got...); !bytes.Equal(text, again) {
			t.Fatalf("seed %d: recorded again, it differs: %s", seed, cmp.Diff(string(text), string(again)))
		}
	}
}

func TestARecordingThatBreaksOffIsReadUpToItsLastWholeLine(t *testing.T) {
	want := happenings(7, 12)
	text := recorded(t, want...)
	var packed bytes.Buffer
	gz := gzip.NewWriter(&packed)
	for line := range bytes.Lines(text) {
		if _, err := gz.Write(line); err != nil {
			t.Fatal(err)
		}
		if err := gz.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	head := bytes.IndexByte(text, '\n')
	for end := head; end < len(text); end += 1 + (end-head)%23 {
		got, err := replayed(t, text[:end])
		whole := bytes.Count(text[:end+1], []byte("\n")) - 1
		if text[end-1] == '\n' {
			whole = bytes.Count(text[:end], []byte("\n")) - 1
		}
		if whole = max(0, whole); len(got) != whole {
			t.Fatalf("cut at %d: %d happenings instead of %d: %v", end, len(got), whole, err)
		}
		atEnd := text[end-1] == '\n' || text[end] == '\n'
		if atEnd != (err == io.EOF) || !atEnd && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut at %d: %v", end, err)
		}
	}
	last := 0
	for end := 60; end < packed.Len(); end += 41 {
		got, err := replayed(t, packed.Bytes()[:end])
		if !errors.Is(err, io.ErrUnexpectedEOF) || len(got) < last {
			t.Fatalf("compressed and cut at %d: %d happenings after %d, %v", end, len(got), last, err)
		}
		last = len(got)
	}
	if last < len(want)-1 {
		t.Errorf("of %d happenings only %d were read", len(want), last)
	}
}

func TestALargeAnswerIsOneAnswer(t *testing.T) {
	q := source.Query{Kind: pods}
	answer := &source.Result{ResourceVersion: "9"}
	for i := range 120 {
		answer.Objects = append(answer.Objects, &corev1.Pod{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("p", i)},
			Status: corev1.PodStatus{Message: strings.Repeat("x ", 50_000)},
		})
	}
	want := []source.Happening{{At: time.Unix(1, 0).UTC(), Query: q, Answer: answer}, {At: time.Unix(2, 0).UTC(), Query: q, Forget: true}}
	text := recorded(t, want...)
	got, err := replayed(t, text)
	if err != io.EOF {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	if len(lines) < 5 {
		t.Fatalf("%d lines", len(lines))
	}
	if _, err := replayed(t, bytes.Join(lines[:3], nil)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("without its end: %v", err)
	}
	if got, err := replayed(t, bytes.Join(append([][]byte{lines[0]}, lines[2:]...), nil)); !errors.Is(err, errLine) || len(got) > 0 {
		t.Errorf("without its first part: %d happenings, %v", len(got), err)
	}
}

func TestALineThatIsWrongIsNamedAndTheNextOneRead(t *testing.T) {
	good := `{"at":"2026-03-01T12:00:00Z","query":{"kind":"Pod"},"forget":true}`
	for words, bad := range map[string]string{
		"unexpected end":             `{"at":`,
		"cannot be understood":       `{"at":"yesterday"}`,
		"newer version":              `{"at":"2026-03-01T12:00:00Z","dance":1}`,
		`change "EXPLODED"`:          `{"at":"2026-03-01T12:00:00Z","query":{"kind":"Pod"},"change":"EXPLODED"}`,
		"without an object":          `{"at":"2026-03-01T12:00:00Z","query":{"kind":"Pod"},"change":"ADDED"}`,
		"of which query":             `{"at":"2026-03-01T12:00:00Z","change":"LOST"}`,
		"cannot answer a query for":  `{"at":"2026-03-01T12:00:00Z","query":{"kind":"Pod"},"change":"ADDED","object":{"apiVersion":"v1","kind":"Service","metadata":{"name":"x"}}}`,
		"no apiVersion and kind":     `{"at":"2026-03-01T12:00:00Z","query":{"kind":"Pod"},"answer":{"objects":[{}]}}`,
		"a part of the answer":       `{"at":"2026-03-01T12:00:00Z","query":{"kind":"Pod"},"answer":{"part":3}}`,
		"has an object without":      `{"at":"2026-03-01T12:00:00Z","query":{"kind":"Pod"},"change":"LOST","object":{"kind":"Pod"}}`,
		"cannot unmarshal":           `[]`,
		"Pod: json: cannot unmarsha": `{"at":"2026-03-01T12:00:00Z","query":{"kind":"Pod"},"change":"ADDED","object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":3}}`,
	} {
		p, err := OpenJournal(strings.NewReader(`{"apiVersion":"leadsman.dev/v1alpha1","kind":"Recording"}` + "\n" + good + "\n\n" + bad + "\r\n" + good))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Next(); err != nil {
			t.Fatal(err)
		}
		_, err = p.Next()
		if err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), "line 4 of the recording") {
			t.Errorf("%s: %v", bad, err)
		}
		if h, err := p.Next(); err != nil || !h.Forget {
			t.Errorf("after %s: %v", bad, err)
		}
		if _, err := p.Next(); err != io.EOF {
			t.Errorf("after %s: %v", bad, err)
		}
	}
}

func TestWhatIsNoRecordingIsRefusedInWords(t *testing.T) {
	for text, words := range map[string]string{
		"":                                 "empty",
		"\n\n":                             "empty",
		"hello":                            "not that of a recording",
		"\x1f\x8bx":                        "unexpected EOF",
		written(t, recording().Contents()): "--snapshot",
		`{"apiVersion":"leadsman.dev/v1alpha1","kind":"Rec`:      "breaks off",
		`{"apiVersion":"leadsman.dev/v9","kind":"Recording"}`:    `"leadsman.dev/v9"`,
		`{"apiVersion":"v1","kind":"Pod"}`:                       "not that of a recording",
		`{"apiVersion":"leadsman.dev/v1alpha1","kind":"Secret"}`: "not that of a recording",
	} {
		if _, err := OpenJournal(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%.40q: %v, not %q", text, err, words)
		}
	}
	endless := io.MultiReader(strings.NewReader(`{"apiVersion":"leadsman.dev/v1alpha1","kind":"Recording"}`+"\n"), forever{})
	p, err := OpenJournal(endless)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Next(); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Error(err)
	}
}

type forever struct{}

func (forever) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// full is a disk that becomes so.
type full struct {
	left int
	b    bytes.Buffer
}

func (f *full) Write(p []byte) (int, error) {
	n := min(len(p), f.left)
	f.left -= n
	f.b.Write(p[:n])
	if n < len(p) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

func TestAFullDiskIsToldOnceAndLeavesWhatWasWhole(t *testing.T) {
	all := happenings(3, 50)
	disk := &full{left: len(recorded(t, all[:20]...)) + 10}
	j := NewJournal(disk)
	var told []error
	for _, h := range all {
		if err := j.Write(h); err != nil {
			told = append(told, err)
		}
	}
	if err := j.Close(); err != nil {
		told = append(told, err)
	}
	if len(told) != 1 || !strings.Contains(told[0].Error(), "no space left on device") {
		t.Errorf("%v", told)
	}
	got, err := replayed(t, disk.b.Bytes())
	if len(got) != 20 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d happenings, %v", len(got), err)
	}
	if err := NewJournal(&full{}).Write(all[0]); err == nil {
		t.Error("a disk that is full from the beginning is not told")
	}
}

func TestANoteThatIsNoJSONIsNotRecordedAndTheRestIs(t *testing.T) {
	var b bytes.Buffer
	j := NewJournal(&b)
	if err := j.Write(source.Happening{Note: &source.Note{About: "x", Document: []byte("{")}}); err == nil {
		t.Error("no error")
	}
	if err := j.Write(source.Happening{Note: &source.Note{About: "y", Document: []byte("{}")}}); err != nil {
		t.Error(err)
	}
	if got, err := replayed(t, b.Bytes()); len(got) != 1 || err != io.EOF {
		t.Error(got, err)
	}
}

func TestWhatIsSecretIsNotRecorded(t *testing.T) {
	container := corev1.Container{
		Name: "app", Args: []string{"--password=hunter3", "--db-password", "hunter4", "--url=postgres://u:hunter5@db/x"},
		Env: []corev1.EnvVar{{Name: "DB_PASSWORD", Value: "hunter6"}, {Name: "MONKEY", Value: "banana"}},
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubelet", FieldsV1: metav1.NewFieldsV1(`{"f:hunter7":{}}`)}}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{container}},
		Status:     corev1.PodStatus{Message: "Bearer hunter8abcdef"},
	}
	revision := &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{Name: "r", Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: `{"apiVersion":"apps/v1","kind":"ControllerRevision","x":"hunter9"}`}},
		Data:       runtime.RawExtension{Raw: []byte(`{"spec":{"template":{"spec":{"containers":[{"env":[{"name":"MY_SECRET","value":"hunter10"}]}]}}}}`)},
	}
	leaky := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}, Data: map[string][]byte{"p": []byte("hunter1")}, StringData: map[string]string{"p": "hunter2"}}
	log := &source.LogText{Text: "password=hunter11", Gap: &source.Gap{Detail: "token=hunter12"}}
	text := string(recorded(t,
		source.Happening{Query: source.Query{Kind: secret}, Answer: &source.Result{Objects: []source.Object{leaky}, Gap: &source.Gap{Detail: "token=hunter16"}}},
		source.Happening{Query: source.Query{Kind: secret}, Change: watch.Added, Object: leaky},
		source.Happening{Query: source.Query{Kind: pods}, Change: watch.Added, Object: pod},
		source.Happening{Query: source.Query{Kind: schema.GroupKind{Group: "apps", Kind: "ControllerRevision"}}, Change: watch.Added, Object: revision},
		source.Happening{Log: log},
		source.Happening{Note: &source.Note{About: "probe", Document: []byte(`{"a":["Authorization: Bearer hunter13abc"],"b":"https://u:hunter14@x"}`)}},
		source.Happening{KindGaps: []source.Gap{{Detail: "password=hunter15"}}},
	))
	if strings.Contains(text, "hunter") || strings.Contains(text, "aHVudGVy") {
		t.Error(text)
	}
	for _, keep := range []string{"banana", `"of":{"kind":"Secret","apiVersion":"v1"}`} {
		if !strings.Contains(text, keep) {
			t.Errorf("%q is gone from\n%s", keep, text)
		}
	}
	if strings.Contains(text, "managedFields") {
		t.Error("a pod's managedFields are recorded")
	}
	if leaky.Data == nil || pod.Spec.Containers[0].Env[0].Value != "hunter6" || len(pod.ManagedFields) != 1 {
		t.Error("the objects themselves were changed")
	}
}

func TestRevisionsThatDifferInASecretAloneStayTwo(t *testing.T) {
	template := func(password string) corev1.PodTemplateSpec {
		return corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "app", Args: []string{"--password=" + password}, Env: []corev1.EnvVar{{Name: "DB_PASSWORD", Value: password}, {Name: "MODE", Value: "on"}},
		}}}}
	}
	set := func(name, password string) *appsv1.ReplicaSet {
		return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: appsv1.ReplicaSetSpec{Template: template(password)}}
	}
	sets := source.Query{Kind: schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}}
	text := recorded(t,
		source.Happening{Query: source.Query{Kind: schema.GroupKind{Group: "apps", Kind: "Deployment"}}, Change: watch.Added, Object: &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.DeploymentSpec{Template: template("hunter2")}}},
		source.Happening{Query: sets, Answer: &source.Result{Objects: []source.Object{set("one", "hunter1"), set("two", "hunter2")}}},
	)
	if bytes.Contains(text, []byte("hunter")) {
		t.Errorf("%s", text)
	}
	got, err := replayed(t, text)
	if err != io.EOF {
		t.Fatal(err)
	}
	now := got[0].Object.(*appsv1.Deployment).Spec.Template
	one, two := got[1].Answer.Objects[0].(*appsv1.ReplicaSet).Spec.Template, got[1].Answer.Objects[1].(*appsv1.ReplicaSet).Spec.Template
	if cmp.Equal(one, two) || !cmp.Equal(now, two) {
		t.Errorf("of the Deployment %v\nof one %v\nof two %v", now.Spec.Containers[0].Env, one.Spec.Containers[0].Env, two.Spec.Containers[0].Env)
	}
	if again := recorded(t, got...); !bytes.Equal(again, text) {
		t.Errorf("recorded again, it differs:\n%s\n%s", text, again)
	}
}

func TestRecordingsAreForTheirOwnerAlone(t *testing.T) {
	want := happenings(11, 30)
	dir := t.TempDir()
	secretPlace := filepath.Join(dir, "elsewhere")
	if err := os.WriteFile(secretPlace, []byte("keep"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"r.ndjson", "r.ndjson.gz", "open", "link"} {
		path := filepath.Join(dir, name)
		switch name {
		case "open":
			if err := os.WriteFile(path, bytes.Repeat([]byte("old\n"), 100_000), 0o666); err != nil {
				t.Fatal(err)
			}
		case "link":
			if err := os.Symlink(secretPlace, path); err != nil {
				t.Fatal(err)
			}
		}
		j, err := CreateJournal(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range want {
			if err := j.Write(h); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Lstat(path); err != nil || info.Mode() != 0o600 {
			t.Error(name, err, info.Mode())
		}
		p, err := OpenJournalFile(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if h, err := p.Next(); err != nil || !h.At.Equal(want[i].At) {
				t.Fatal(name, i, err)
			}
		}
		if _, err := p.Next(); err != io.EOF {
			t.Error(name, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if kept, _ := os.ReadFile(secretPlace); string(kept) != "keep" {
		t.Error("a link was followed")
	}
	if _, err := CreateJournal(dir, nil); err == nil {
		t.Error("a folder was recorded into")
	}
	if _, err := OpenJournalFile(filepath.Join(dir, "none"), nil); err == nil {
		t.Error("a file that is not there was opened")
	}
	var b bytes.Buffer
	j, err := CreateJournal("-", &b)
	if err != nil || j.Write(want[0]) != nil || j.Close() != nil {
		t.Fatal(err)
	}
	if p, err := OpenJournalFile("-", &b); err != nil {
		t.Error(err)
	} else if _, err := p.Next(); err != nil {
		t.Error(err)
	}
}

func FuzzReplay(f *testing.F) {
	head := `{"apiVersion":"leadsman.dev/v1alpha1","kind":"Recording"}` + "\n"
	var b bytes.Buffer
	j := NewJournal(&b)
	for _, h := range happenings(1, 30) {
		if err := j.Write(h); err != nil {
			f.Fatal(err)
		}
	}
	for line := range bytes.Lines(b.Bytes()) {
		f.Add(head + string(line))
	}
	f.Add(head + `{"at":"2026-03-01T12:00:00Z","query":{"kind":"Widget","group":"example.com"},"change":"ADDED","object":{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w","ownerReferences":[1,{"uid":2}],"labels":[],"managedFields":{}}}}`)
	f.Add("\x1f\x8b\x08")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := OpenJournal(strings.NewReader(text))
		if err != nil {
			return
		}
		store := source.NewStore(time.Unix(0, 0))
		again := NewJournal(io.Discard)
		for range 1000 {
			h, err := p.Next()
			if errors.Is(err, errLine) {
				continue
			}
			if err != nil {
				break
			}
			store.Play(h)
			if err := again.Write(h); err != nil && h.Note == nil && h.At.Year() < 9999 {
				t.Errorf("what was read cannot be written: %v", err)
			}
		}
		for _, objects := range store.Contents().Objects {
			for _, o := range objects {
				_, _, _ = o.GetOwnerReferences(), o.GetLabels(), o.GetManagedFields()
			}
		}
	})
}
