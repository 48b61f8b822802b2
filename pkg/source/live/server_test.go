package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/disk"
	"k8s.io/client-go/rest"

	"github.com/leadsman-dev/leadsman/pkg/scheme"
)

// cluster is an API server of which a test writes the answers.
type cluster struct {
	*httptest.Server
	mux *http.ServeMux

	mu    sync.Mutex
	calls []string // path?query of each request
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{mux: http.NewServeMux()}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.calls = append(c.calls, r.URL.RequestURI())
		c.mu.Unlock()
		c.mux.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { c.CloseClientConnections(); c.Close() })
	return c
}

func (c *cluster) called() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{}, c.calls...)
}

// source is a Source of the cluster with an own discovery cache.
func (c *cluster) source(t *testing.T, opts Options) *Source {
	return New(&getter{config: &rest.Config{Host: c.URL}, dir: t.TempDir()}, opts)
}

type getter struct {
	config *rest.Config
	err    error
	dir    string
}

func (g *getter) ToRESTConfig() (*rest.Config, error) { return g.config, g.err }

func (g *getter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	return disk.NewCachedDiscoveryClientForConfig(g.config, filepath.Join(g.dir, "discovery"), filepath.Join(g.dir, "http"), 6*time.Hour)
}

// inProtobuf answers as an API server does to one who accepts protobuf.
func inProtobuf(t *testing.T, o runtime.Object) http.HandlerFunc {
	t.Helper()
	body := protobufOf(t, o)
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Accept"), protobufType) {
			t.Errorf("%s: Accept is %q", r.URL, r.Header.Get("Accept"))
		}
		w.Header().Set("Content-Type", protobufType)
		w.Write(body)
	}
}

func protobufOf(t *testing.T, o runtime.Object) []byte {
	t.Helper()
	s := scheme.New()
	var b bytes.Buffer
	if err := protobuf.NewSerializer(s, s).Encode(o, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func inJSON(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		fmt.Fprint(w, body)
	}
}

// status answers with a failure as the API server words it.
func status(code int, reason metav1.StatusReason, name, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		w.WriteHeader(code)
		json.NewEncoder(w).Encode(metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
			Code: int32(code), Reason: reason, Message: message, Details: &metav1.StatusDetails{Name: name},
		})
	}
}

func podList(rv, next string, names ...string) *corev1.PodList {
	list := &corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}, ListMeta: metav1.ListMeta{ResourceVersion: rv, Continue: next}}
	for _, n := range names {
		list.Items = append(list.Items, corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: n, ManagedFields: []metav1.ManagedFieldsEntry{
				//lint:ignore SA1019 what stands there is what the test takes away
				{Manager: "kubectl", FieldsV1: &metav1.FieldsV1{Raw: []byte(`{"f:spec":{}}`)}},
			}},
			Spec: corev1.PodSpec{NodeName: "node-1"},
		})
	}
	return list
}

// serveDiscovery serves the aggregated documents.
func (c *cluster) serveDiscovery(core, groups []apidiscovery.APIGroupDiscovery) {
	for path, items := range map[string][]apidiscovery.APIGroupDiscovery{"/api": core, "/apis": groups} {
		body, _ := json.Marshal(apidiscovery.APIGroupDiscoveryList{
			TypeMeta: metav1.TypeMeta{APIVersion: "apidiscovery.k8s.io/v2", Kind: "APIGroupDiscoveryList"}, Items: items,
		})
		c.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
			w.Header().Set("Etag", `"1"`)
			w.Header().Set("Vary", "Accept")
			if r.Header.Get("If-None-Match") == `"1"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			w.Write(body)
		})
	}
}

func group(name string, versions ...apidiscovery.APIVersionDiscovery) apidiscovery.APIGroupDiscovery {
	return apidiscovery.APIGroupDiscovery{ObjectMeta: metav1.ObjectMeta{Name: name}, Versions: versions}
}

func version(name string, resources ...string) apidiscovery.APIVersionDiscovery {
	v := apidiscovery.APIVersionDiscovery{Version: name, Freshness: apidiscovery.DiscoveryFreshnessCurrent}
	for _, r := range resources {
		plural, kind, _ := strings.Cut(r, ":")
		v.Resources = append(v.Resources, apidiscovery.APIResourceDiscovery{
			Resource: plural, ResponseKind: &metav1.GroupVersionKind{Kind: kind}, SingularResource: strings.ToLower(kind),
			Scope: apidiscovery.ScopeNamespace, Verbs: []string{"get", "list", "watch"},
		})
	}
	return v
}
