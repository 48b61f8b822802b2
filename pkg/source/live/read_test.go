package live

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	apidiscovery "k8s.io/api/apidiscovery/v2"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

var pods = schema.GroupKind{Kind: "Pod"}

func names(r source.Result) []string {
	var all []string
	for _, o := range r.Objects {
		all = append(all, o.GetName())
	}
	return all
}

func TestBuiltInKindsComeAsProtobufInPages(t *testing.T) {
	c := newCluster(t)
	c.mux.HandleFunc("/api/v1/namespaces/shop/pods", func(w http.ResponseWriter, r *http.Request) {
		page := podList("7", "next", "a", "b")
		if r.URL.Query().Get("continue") == "next" {
			page = podList("7", "", "c")
		}
		inProtobuf(t, page)(w, r)
	})
	s := c.source(t, Options{})
	r, err := s.Read(context.Background(), source.Query{Kind: pods, Namespace: "shop", Labels: "app=web", Fields: "spec.nodeName=node-1"})
	if err != nil || r.Gap != nil {
		t.Fatal(err, r.Gap)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, names(r)); diff != "" {
		t.Error(diff)
	}
	pod := r.Objects[2].(*corev1.Pod)
	if pod.APIVersion != "v1" || pod.Kind != "Pod" || pod.Spec.NodeName != "node-1" || r.ResourceVersion != "7" {
		t.Errorf("pod %+v at %q", pod, r.ResourceVersion)
	}
	if m := pod.ManagedFields; len(m) != 1 || m[0].Manager != "kubectl" || m[0].FieldsV1 != nil {
		t.Errorf("managedFields: %+v", m)
	}
	want := "/api/v1/namespaces/shop/pods?fieldSelector=spec.nodeName%3Dnode-1&labelSelector=app%3Dweb&limit=500"
	if calls := c.called(); len(calls) != 2 || calls[0] != want {
		t.Errorf("calls: %q", calls)
	}
	if requests, bytes := s.Budget(); requests != 2 || bytes == 0 {
		t.Errorf("budget: %d requests, %d bytes", requests, bytes)
	}
}

func TestSecretsAreNeverReadInFull(t *testing.T) {
	for name, body := range map[string]string{
		"metadata":                           `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"3"},"items":[{"metadata":{"name":"s","namespace":"shop","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"c2VjcmV0"}}}]}`,
		"a server that knows no negotiation": `{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"3"},"items":[{"metadata":{"name":"s","namespace":"shop"},"data":{"p":"c2VjcmV0"}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.mux.HandleFunc("/api/v1/namespaces/shop/secrets", func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasPrefix(r.Header.Get("Accept"), protobufType+";as=PartialObjectMetadataList;") {
					t.Errorf("Accept: %q", r.Header.Get("Accept"))
				}
				inJSON(body)(w, r)
			})
			r, err := c.source(t, Options{}).Read(context.Background(), source.Query{Kind: secret, Namespace: "shop"})
			if err != nil || r.Gap != nil || len(r.Objects) != 1 {
				t.Fatal(err, r)
			}
			want := &metav1.PartialObjectMetadata{
				TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
				ObjectMeta: metav1.ObjectMeta{Name: "s", Namespace: "shop"},
			}
			got := r.Objects[0].(*metav1.PartialObjectMetadata)
			if len(got.Annotations) == 0 {
				got.Annotations = nil
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMetadataComesAsProtobuf(t *testing.T) {
	c := newCluster(t)
	list := &metav1.PartialObjectMetadataList{TypeMeta: metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadataList"}, Items: []metav1.PartialObjectMetadata{{ObjectMeta: metav1.ObjectMeta{Name: "a"}}}}
	c.mux.HandleFunc("/apis/apps/v1/deployments", inProtobuf(t, list))
	r, err := c.source(t, Options{}).Read(context.Background(), source.Query{Kind: schema.GroupKind{Group: "apps", Kind: "Deployment"}, Metadata: true})
	if err != nil || r.Gap != nil || len(r.Objects) != 1 {
		t.Fatal(err, r)
	}
	if gvk := r.Objects[0].GetObjectKind().GroupVersionKind(); gvk.String() != "apps/v1, Kind=Deployment" {
		t.Errorf("kind: %s", gvk)
	}
}

func TestWhatTheServerSaysBecomesAGap(t *testing.T) {
	deadline := 400 * time.Millisecond
	for _, tt := range []struct {
		name   string
		query  source.Query
		answer http.HandlerFunc
		want   source.Reason // "" for none
	}{
		{"an object that does not exist is no gap", source.Query{Name: "x"}, status(404, metav1.StatusReasonNotFound, "x", `pods "x" not found`), ""},
		{"an API that does not exist", source.Query{Name: "x"}, status(404, metav1.StatusReasonNotFound, "", "the server could not find the requested resource"), source.NotServed},
		{"a mux that knows no such path", source.Query{}, http.NotFound, source.NotServed},
		{"forbidden", source.Query{}, status(403, metav1.StatusReasonForbidden, "", "pods is forbidden"), source.Forbidden},
		{"an error of the server", source.Query{}, status(500, metav1.StatusReasonInternalError, "", "etcd is away"), source.ServerError},
		{"a proxy's error", source.Query{}, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", 502) }, source.ServerError},
		{"too slow in the middle of the body", source.Query{}, func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte(`{"items":[`))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, source.TimedOut},
		{"no JSON", source.Query{}, inJSON(`<html>log in</html>`), source.Malformed},
		{"no protobuf", source.Query{}, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("k8s\x00\xff\xff\xff")) }, source.Malformed},
		{"a body that is cut off", source.Query{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.Write([]byte(`{"items":[`))
		}, source.ServerError},
		{"a page that repeats for ever", source.Query{}, inJSON(`{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"x"},"items":[]}`), source.ServerError},
		{"told to come back after the time-out", source.Query{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			http.Error(w, "busy", 429)
		}, source.ServerError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCluster(t)
			c.serveDiscovery([]apidiscovery.APIGroupDiscovery{group("", version("v1", "pods:Pod"))}, nil)
			c.mux.HandleFunc("/api/v1/namespaces/shop/", tt.answer)
			timeout := 5 * time.Second
			if tt.want == source.TimedOut {
				timeout = deadline
			}
			q := tt.query
			q.Kind, q.Namespace = pods, "shop"
			r, err := c.source(t, Options{RequestTimeout: timeout}).Read(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			var got source.Reason
			if r.Gap != nil {
				got = r.Gap.Reason
			}
			if got != tt.want || len(r.Objects) != 0 {
				t.Errorf("gap %+v, want %q", r.Gap, tt.want)
			}
		})
	}
}

// A server that has answered before is there, and a slow list is a gap. One
// that never did may as well be none.
func TestTooSlowIsAGapOnceTheServerHasAnswered(t *testing.T) {
	c := newCluster(t)
	c.serveDiscovery([]apidiscovery.APIGroupDiscovery{group("", version("v1", "pods:Pod"))}, nil)
	c.mux.HandleFunc("/api/v1/namespaces/shop/", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	src := c.source(t, Options{RequestTimeout: 400 * time.Millisecond})
	slow := source.Query{Kind: pods, Namespace: "shop"}
	if _, err := src.Read(t.Context(), slow); err == nil || !strings.Contains(err.Error(), "cannot reach the cluster") {
		t.Errorf("before any answer: %v", err)
	}
	src.Kinds(t.Context())
	if r, err := src.Read(t.Context(), slow); err != nil || r.Gap == nil || r.Gap.Reason != source.TimedOut {
		t.Errorf("after one: %+v, %v", r.Gap, err)
	}
}

func TestTransientFailuresAreRetried(t *testing.T) {
	for name, fail := range map[string]http.HandlerFunc{
		"429 with Retry-After": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "busy", 429)
		},
		"500":                status(500, metav1.StatusReasonInternalError, "", "etcd changes its leader"),
		"connection dropped": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			var calls atomic.Int32
			c.mux.HandleFunc("/api/v1/pods", func(w http.ResponseWriter, r *http.Request) {
				if calls.Add(1) == 1 {
					fail(w, r)
					return
				}
				inProtobuf(t, podList("1", "", "a"))(w, r)
			})
			start := time.Now()
			r, err := c.source(t, Options{}).Read(context.Background(), source.Query{Kind: pods})
			if err != nil || r.Gap != nil || len(r.Objects) != 1 {
				t.Fatal(err, r)
			}
			if name == "429 with Retry-After" && time.Since(start) < time.Second {
				t.Error("Retry-After was not honoured")
			}
		})
	}
}

func TestPagesThatExpireAreReadAgainInOnePiece(t *testing.T) {
	c := newCluster(t)
	c.mux.HandleFunc("/api/v1/pods", func(w http.ResponseWriter, r *http.Request) {
		switch query := r.URL.Query(); {
		case query.Get("continue") != "":
			status(410, metav1.StatusReasonExpired, "", "the continue parameter is too old")(w, r)
		case query.Get("limit") != "":
			inProtobuf(t, podList("1", "next", "a"))(w, r)
		default:
			inProtobuf(t, podList("2", "", "a", "b"))(w, r)
		}
	})
	r, err := c.source(t, Options{}).Read(context.Background(), source.Query{Kind: pods})
	if err != nil || r.Gap != nil || r.ResourceVersion != "2" {
		t.Fatal(err, r)
	}
	if diff := cmp.Diff([]string{"a", "b"}, names(r)); diff != "" {
		t.Error(diff)
	}
}

func TestWhatWasSeenBeforeAGapIsKept(t *testing.T) {
	c := newCluster(t)
	c.mux.HandleFunc("/api/v1/pods", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("continue") != "" {
			status(403, metav1.StatusReasonForbidden, "", "revoked")(w, r)
			return
		}
		inProtobuf(t, podList("1", "next", "a"))(w, r)
	})
	r, err := c.source(t, Options{}).Read(context.Background(), source.Query{Kind: pods})
	if err != nil || r.Gap == nil || r.Gap.Reason != source.Forbidden || len(r.Objects) != 1 {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestNoClusterIsOneSentenceThatSaysWhatToDo(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	secure := httptest.NewTLSServer(nil)
	defer secure.Close()
	unauthorized := httptest.NewServer(status(401, metav1.StatusReasonUnauthorized, "", "Unauthorized"))
	defer unauthorized.Close()
	for _, tt := range []struct {
		name string
		get  *getter
		want []string
	}{
		{"connection refused", &getter{config: &rest.Config{Host: closed.URL}}, []string{"cannot reach the cluster at " + closed.URL, "connection refused", "--snapshot"}},
		{"no such host", &getter{config: &rest.Config{Host: "https://api.cluster.invalid"}}, []string{"cannot reach the cluster at https://api.cluster.invalid"}},
		{"a certificate of a stranger", &getter{config: &rest.Config{Host: secure.URL}}, []string{"not trusted", "certificate-authority"}},
		{"no protocol in common", &getter{config: &rest.Config{Host: strings.Replace(unauthorized.URL, "http:", "https:", 1)}}, []string{"HTTPS"}},
		{"nobody answers", &getter{config: &rest.Config{Host: "https://192.0.2.1", Timeout: 50 * time.Millisecond}}, []string{"cannot reach the cluster at https://192.0.2.1"}},
		{"credentials refused", &getter{config: &rest.Config{Host: unauthorized.URL}}, []string{"does not accept your credentials", "log in"}},
		{"no kubeconfig", &getter{err: errors.New("invalid configuration: context \"x\" does not exist")}, []string{`context "x" does not exist`, "get-contexts"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := New(tt.get, Options{})
			_, err := s.Read(context.Background(), source.Query{Kind: pods})
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %q", err)
			}
		})
	}
}

func TestNothingIsReadBeforeTheFirstQuestion(t *testing.T) {
	s := New(nil, Options{Now: func() time.Time { return time.Unix(1, 0) }})
	if n, _ := s.Budget(); n != 0 || s.Now() != time.Unix(1, 0) {
		t.Error("New did more than remember")
	}
}

func TestTheEndOfCtxEndsARead(t *testing.T) {
	c := newCluster(t)
	c.mux.HandleFunc("/api/v1/pods", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.source(t, Options{}).Read(ctx, source.Query{Kind: pods}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error: %v", err)
	}
}

func TestAtMostSixteenReadsAreInFlight(t *testing.T) {
	c := newCluster(t)
	var now, most atomic.Int32
	c.mux.HandleFunc("/api/v1/pods", func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(20 * time.Millisecond)
		inProtobuf(t, podList("1", ""))(w, r)
	})
	s := c.source(t, Options{})
	done := make(chan error)
	for range 60 {
		go func() {
			_, err := s.Read(context.Background(), source.Query{Kind: pods})
			done <- err
		}()
	}
	for range 60 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if most.Load() > inFlight {
		t.Errorf("%d in flight", most.Load())
	}
}

func TestWarningsAreToldOnce(t *testing.T) {
	c := newCluster(t)
	c.mux.HandleFunc("/api/v1/pods", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Warning", `299 - "v1 Pods are old"`)
		inProtobuf(t, podList("1", ""))(w, r)
	})
	var told []string
	s := c.source(t, Options{Warnings: func(w string) { told = append(told, w) }})
	for range 2 {
		if _, err := s.Read(context.Background(), source.Query{Kind: pods}); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(told, []string{"v1 Pods are old"}) {
		t.Errorf("told: %q", told)
	}
}

func TestBytesAreCountedAsTheyTravel(t *testing.T) {
	c := newCluster(t)
	plain := protobufOf(t, podList("1", "", make([]string, 2000)...))
	c.mux.HandleFunc("/api/v1/pods", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Error("gzip is not asked for")
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(gzipped(plain))
	})
	s := c.source(t, Options{})
	r, err := s.Read(context.Background(), source.Query{Kind: pods})
	if err != nil || r.Gap != nil || len(r.Objects) != 2000 {
		t.Fatal(err, r.Gap, len(r.Objects))
	}
	if _, bytes := s.Budget(); bytes == 0 || bytes >= int64(len(plain)) {
		t.Errorf("%d bytes counted of %d before compression", bytes, len(plain))
	}
}

func TestLogsAreTheEndOfWhatTheContainerSaid(t *testing.T) {
	c := newCluster(t)
	c.mux.HandleFunc("/api/v1/namespaces/shop/pods/web/log", func(w http.ResponseWriter, r *http.Request) {
		switch query := r.URL.Query(); {
		case query.Get("previous") == "true":
			status(400, metav1.StatusReasonBadRequest, "", `previous terminated container "app" in pod "web" not found`)(w, r)
		case query.Get("tailLines") == "20":
			w.Write(make([]byte, maxLog)) // the limit cuts off the end
		default:
			w.Write([]byte("boom\n"))
		}
	})
	s := c.source(t, Options{})
	q := source.LogQuery{Namespace: "shop", Pod: "web", Container: "app", Lines: 20}
	if text, gap := s.Log(context.Background(), q); text != "boom\n" || gap != nil {
		t.Errorf("%q, %+v", text, gap)
	}
	q.Previous = true
	want := &source.Gap{Resource: "pods/log", Namespace: "shop", Name: "web", Reason: source.ServerError, Detail: `previous terminated container "app" in pod "web" not found`}
	_, gap := s.Log(context.Background(), q)
	if diff := cmp.Diff(want, gap); diff != "" {
		t.Error(diff)
	}
}

func TestCustomKindsComeAsTheyAre(t *testing.T) {
	c := newCluster(t)
	c.serveDiscovery(nil, []apidiscovery.APIGroupDiscovery{group("example.com", version("v1", "widgets:Widget"))})
	c.mux.HandleFunc("/apis/example.com/v1/namespaces/shop/widgets/w", inJSON(`{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w","namespace":"shop","managedFields":[{"manager":"m","fieldsV1":{"f:spec":{}}}]},"spec":{"size":3}}`))
	r, err := c.source(t, Options{}).Read(context.Background(), source.Query{Kind: schema.GroupKind{Group: "example.com", Kind: "Widget"}, Namespace: "shop", Name: "w"})
	if err != nil || r.Gap != nil || len(r.Objects) != 1 {
		t.Fatal(err, r)
	}
	want := map[string]any{
		"apiVersion": "example.com/v1", "kind": "Widget", "spec": map[string]any{"size": int64(3)},
		"metadata": map[string]any{"name": "w", "namespace": "shop", "managedFields": []any{map[string]any{"manager": "m"}}},
	}
	if diff := cmp.Diff(want, r.Objects[0].(*unstructured.Unstructured).Object); diff != "" {
		t.Error(diff)
	}
}
