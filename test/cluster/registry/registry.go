// Package registry answers for every container registry of the world: it serves
// the images of one OCI image layout, and refuses the rest as the real ones do.
//
// A repository whose name holds "private" needs a sign-in (401), "ratelimit" is
// over its limit (429), "broken" fails (500); any other unknown one is not
// found (404). The errors follow the OCI distribution specification, v1.1.
package registry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/leadsman-dev/leadsman/test/cluster/image"
)

// Handler serves the layout below dir.
func Handler(dir string) (http.Handler, error) {
	data, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		return nil, fmt.Errorf("read the images: %w", err)
	}
	var index image.Index
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, fmt.Errorf("read the images: %w", err)
	}
	s := &server{dir: dir, manifests: map[string]string{}, repositories: map[string]bool{}, isManifest: map[string]bool{}}
	for _, m := range index.Manifests {
		name := m.Annotations[image.AnnotationName]
		s.manifests[name] = m.Digest
		s.isManifest[m.Digest] = true
		repository, _ := cutTag(name)
		s.repositories[repository] = true
	}
	return s, nil
}

type server struct {
	dir          string
	manifests    map[string]string // digest by full image name
	isManifest   map[string]bool
	repositories map[string]bool // with registry host
}

var route = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs)/([^/]+)$`)

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v2/" || r.URL.Path == "/v2" {
		w.WriteHeader(http.StatusOK)
		return
	}
	parts := route.FindStringSubmatch(r.URL.Path)
	if parts == nil || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
		refuse(w, http.StatusNotFound, "UNSUPPORTED", "the operation is unsupported")
		return
	}
	// containerd names the registry that it stands in for in the query.
	host := r.URL.Query().Get("ns")
	if host == "" {
		host = "docker.io"
	}
	repository, kind, ref := parts[1], parts[2], parts[3]
	switch {
	case strings.Contains(repository, "private"):
		w.Header().Set("Www-Authenticate", `Basic realm="private"`)
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
	case strings.Contains(repository, "ratelimit"):
		refuse(w, http.StatusTooManyRequests, "TOOMANYREQUESTS", "You have reached your pull rate limit.")
	case strings.Contains(repository, "broken"):
		refuse(w, http.StatusInternalServerError, "UNKNOWN", "unknown error")
	case !s.repositories[host+"/"+repository]:
		refuse(w, http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
	case kind == "manifests":
		s.manifest(w, r, host+"/"+repository, ref)
	default:
		s.blob(w, r, ref, "application/octet-stream")
	}
}

func (s *server) manifest(w http.ResponseWriter, r *http.Request, repository, ref string) {
	digest := ref
	if !digestForm.MatchString(ref) {
		digest = s.manifests[repository+":"+ref]
	}
	if !s.isManifest[digest] {
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
		return
	}
	s.blob(w, r, digest, image.TypeManifest)
}

func (s *server) blob(w http.ResponseWriter, r *http.Request, digest, mediaType string) {
	if !digestForm.MatchString(digest) {
		refuse(w, http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry")
		return
	}
	data, err := os.ReadFile(filepath.Join(s.dir, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:")))
	if err != nil {
		refuse(w, http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry")
		return
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Docker-Content-Digest", digest)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	if r.Method == http.MethodGet {
		w.Write(data) //nolint:errcheck // the client left
	}
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`+"\n", code, message)
}

func cutTag(name string) (repository, tag string) {
	i := strings.LastIndex(name, ":")
	if i < strings.LastIndex(name, "/") || i < 0 {
		return name, ""
	}
	return name[:i], name[i+1:]
}
