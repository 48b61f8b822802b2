package secrets

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/leadsman-dev/leadsman/pkg/scheme"
)

// server is an API server with the objects of the cluster. It answers whoever
// asks for metadata with the whole object, its secrets among it, and quotes the
// credentials that it was sent in its warnings and errors.
type server struct {
	objects []*unstructured.Unstructured
	mu      sync.Mutex
	asked   []string
}

func serve(t *testing.T) (*server, string) {
	t.Helper()
	s := &server{}
	for doc := range strings.SplitSeq(cluster(t), "\n---\n") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(doc), &o.Object); err != nil {
			t.Fatalf("%v in %s", err, doc)
		}
		s.objects = append(s.objects, o)
	}
	up := httptest.NewTLSServer(s) // without TLS client-go sends no token
	t.Cleanup(func() { up.CloseClientConnections(); up.Close() })
	return s, up.URL
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.RequestURI())
	s.mu.Unlock()
	said := r.Header.Get("Authorization")
	w.Header().Set("Content-Type", "application/json")
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	group := ""
	if parts[0] == "apis" && len(parts) > 2 {
		group, parts = parts[1], parts[3:]
	} else if parts[0] == "api" && len(parts) > 1 {
		parts = parts[2:]
	} else {
		http.NotFound(w, r) // discovery: the built-in kinds are known without
		return
	}
	w.Header().Set("Warning", fmt.Sprintf("299 - %q", "you are known by "+said))
	namespace := ""
	if len(parts) > 2 && parts[0] == "namespaces" {
		namespace, parts = parts[1], parts[2:]
	}
	switch {
	case len(parts) == 3 && parts[2] == "log":
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, log)
	case parts[0] == "networkpolicies":
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"%s may not"}`, said)
	case r.URL.Query().Get("watch") != "":
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	default:
		s.answer(w, r, group, namespace, parts)
	}
}

func (s *server) answer(w http.ResponseWriter, r *http.Request, group, namespace string, parts []string) {
	kind := ""
	for _, k := range scheme.Kinds() {
		if k.Group == group && k.Resource == parts[0] {
			kind = k.Kind
		}
	}
	selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	name := strings.TrimPrefix(r.URL.Query().Get("fieldSelector"), "metadata.name=")
	if len(parts) > 1 {
		name = parts[1]
	}
	items := []any{}
	for _, o := range s.objects {
		if o.GetKind() == kind && o.GroupVersionKind().Group == group && (namespace == "" || o.GetNamespace() == namespace) &&
			selector.Matches(labels.Set(o.GetLabels())) && (name == "" || strings.Contains(name, "=") || o.GetName() == name) {
			items = append(items, o.Object)
		}
	}
	if len(parts) > 1 {
		if len(items) == 0 {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(items[0])
		return
	}
	gv := map[bool]string{true: "v1", false: group + "/v1"}[group == ""]
	_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": gv, "kind": kind + "List", "metadata": map[string]any{"resourceVersion": "7"}, "items": items})
}

// kubeconfig is one with a token.
func kubeconfig(t *testing.T, dir, url string) string {
	t.Helper()
	path := filepath.Join(dir, "config")
	text := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"x","clusters":[{"name":"c","cluster":{"server":%q,"insecure-skip-tls-verify":true}}],"users":[{"name":"u","user":{"token":"hunter60"}}],"contexts":[{"name":"x","context":{"cluster":"c","user":"u","namespace":"shop"}}]}`, url)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNothingSecretIsPrintedOrSavedOfACluster(t *testing.T) {
	s, url := serve(t)
	home := t.TempDir()
	config := kubeconfig(t, home, url)
	printed := ""
	for name, args := range map[string][]string{
		"a tree":            {"kubectl-explain_tree", "deploy/web"},
		"a tree of Secrets": {"kubectl-explain_tree", "secret/db", "-o", "json"},
		"endpoints":         {"kubectl-check_endpoints", "web", "sick"},
		"a preflight":       {"kubectl-guard_rollout", "deploy/web", "--preflight"},
		"a name":            {"kubectl-trace_dns", "redis", "--from", "deploy/web", "--probe=false"},
		"a user that fails": {"kubectl-explain_tree", "nothing/x", "--token", "hunter61"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			saved := filepath.Join(t.TempDir(), "saved.yaml")
			out := run(t.Context(), home, append(args, "--kubeconfig", config, "--cache-dir", dir, "--save-snapshot", saved, "-v", "9")...)
			if secrets := found(out); len(secrets) > 0 {
				t.Errorf("it prints %v:\n%s", secrets, out)
			}
			text, err := os.ReadFile(saved)
			if err != nil && !strings.HasPrefix(out, "exit code 1\n") {
				t.Fatal(err, out)
			}
			if secrets := found(string(text)); len(secrets) > 0 {
				t.Errorf("it saves %v", secrets)
			}
			if secrets := found(cached(t, dir)); len(secrets) > 0 {
				t.Errorf("it caches %v", secrets)
			}
			printed += out
		})
	}
	for _, want := range []string{"Deployment/web", "curl -v -XGET", "you are known by Bearer"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q was never printed: the test sees nothing", want)
		}
	}
	if n := slices.IndexFunc(s.asked, func(uri string) bool { return strings.Contains(uri, "/secrets") }); n < 0 {
		t.Error("no Secret was asked for: the test sees nothing")
	}
}

// cached is all that lies in a folder.
func cached(t *testing.T, dir string) string {
	t.Helper()
	var all bytes.Buffer
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestNothingSecretIsPrintedOrRecordedOfAWatch(t *testing.T) {
	_, url := serve(t)
	home := t.TempDir()
	config := kubeconfig(t, home, url)
	site := strings.Replace(url, "https://", "https://prober:hunter62@", 1) + "/?token=hunter63"
	for _, format := range []string{"text", "ndjson", "json"} {
		t.Run(format, func(t *testing.T) {
			dir := t.TempDir()
			recording, saved := filepath.Join(dir, "r.ndjson.gz"), filepath.Join(dir, "saved.yaml")
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			out := run(ctx, home, "kubectl-guard_rollout", "deploy/web", "-o", format, "--timeout", "3s", "--kubeconfig", config, "--cache-dir", dir,
				"--record", recording, "--save-snapshot", saved, "--probe-url", site, "-v", "9")
			if secrets := found(out); len(secrets) > 0 {
				t.Errorf("it prints %v:\n%s", secrets, out)
			}
			if !strings.Contains(out, "cannot finish") && !strings.Contains(out, "failed") {
				t.Errorf("the rollout was not judged:\n%s", out)
			}
			text, err := os.ReadFile(saved)
			if err != nil {
				t.Fatal(err)
			}
			if secrets := found(string(text)); len(secrets) > 0 {
				t.Errorf("it saves %v", secrets)
			}
			lines := unpacked(t, recording)
			if secrets := found(lines); len(secrets) > 0 {
				t.Errorf("it records %v", secrets)
			}
			for _, want := range []string{"web-2-a", "colour=banana", "guard-rollout"} {
				if !strings.Contains(lines, want) {
					t.Errorf("%q was not recorded: the test sees nothing", want)
				}
			}
		})
	}
}

func unpacked(t *testing.T, path string) string {
	t.Helper()
	packed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	gz, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(gz)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
