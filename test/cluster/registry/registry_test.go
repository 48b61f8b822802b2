package registry

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/test/cluster/image"
)

func TestTheRegistryServesWhatItHasAndRefusesTheRestAsRealOnesDo(t *testing.T) {
	dir := t.TempDir()
	images := []image.Image{
		{Name: "docker.io/library/nginx:1.25", Layers: [][]byte{[]byte("layer")}},
		{Name: "registry.k8s.io/pause:3.10", Layers: [][]byte{[]byte("layer")}},
	}
	if err := image.WriteLayout(dir, images); err != nil {
		t.Fatal(err)
	}
	handler, err := Handler(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, path string
		status     int
		body       string
	}{
		{"the API version", "/v2/", 200, ""},
		{"a known tag", "/v2/library/nginx/manifests/1.25?ns=docker.io", 200, image.TypeManifest},
		{"a known tag without a host is of docker.io", "/v2/library/nginx/manifests/1.25", 200, image.TypeManifest},
		{"a known image of another host", "/v2/pause/manifests/3.10?ns=registry.k8s.io", 200, image.TypeManifest},
		{"a name of another host", "/v2/library/nginx/manifests/1.25?ns=quay.io", 404, "NAME_UNKNOWN"},
		{"an unknown tag", "/v2/library/nginx/manifests/1.2525?ns=docker.io", 404, "MANIFEST_UNKNOWN"},
		{"an unknown repository", "/v2/library/ngnix/manifests/latest?ns=docker.io", 404, "NAME_UNKNOWN"},
		{"an unknown blob", "/v2/library/nginx/blobs/sha256:00?ns=docker.io", 404, "BLOB_UNKNOWN"},
		{"a path out of the blobs", "/v2/library/nginx/blobs/..%2F..%2Findex.json?ns=docker.io", 404, "UNSUPPORTED"},
		{"a private repository", "/v2/private/app/manifests/1?ns=docker.io", 401, "UNAUTHORIZED"},
		{"a repository over its limit", "/v2/ratelimit/app/manifests/1?ns=docker.io", 429, "TOOMANYREQUESTS"},
		{"a broken registry", "/v2/broken/app/manifests/1?ns=ghcr.io", 500, "UNKNOWN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, tt.path, nil))
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) {
				t.Errorf("%d %s, want %d with %q", w.Code, w.Body, tt.status, tt.body)
			}
		})
	}
}

func TestAManifestIsFoundByItsDigest(t *testing.T) {
	dir := t.TempDir()
	if err := image.WriteLayout(dir, []image.Image{{Name: "docker.io/library/nginx:1.25"}}); err != nil {
		t.Fatal(err)
	}
	handler, err := Handler(dir)
	if err != nil {
		t.Fatal(err)
	}
	head := httptest.NewRecorder()
	handler.ServeHTTP(head, httptest.NewRequest(http.MethodHead, "/v2/library/nginx/manifests/1.25", nil))
	digest := head.Header().Get("Docker-Content-Digest")
	if head.Code != 200 || digest == "" || head.Body.Len() != 0 {
		t.Fatalf("HEAD: %d, digest %q, %d bytes", head.Code, digest, head.Body.Len())
	}
	get := httptest.NewRecorder()
	handler.ServeHTTP(get, httptest.NewRequest(http.MethodGet, "/v2/library/nginx/manifests/"+digest, nil))
	if get.Code != 200 || get.Header().Get("Content-Type") != image.TypeManifest {
		t.Errorf("GET by digest: %d %s", get.Code, get.Header().Get("Content-Type"))
	}
}
