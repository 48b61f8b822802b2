package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"

	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/source/snapshot"
)

const (
	protobufType = "application/vnd.kubernetes.protobuf"
	jsonType     = "application/json"
	storeVersion = "1000" // the resource version of every list
)

// Cluster is an API server whose store is a snapshot: aggregated discovery,
// lists in pages, objects, watches that stay open, and logs, in protobuf or
// JSON as the client asks. Nothing in it ever changes.
type Cluster struct {
	Store *source.Store

	kinds  []source.Kind
	scheme *runtime.Scheme
}

// Open reads a snapshot to be served.
func Open(path string) (*Cluster, error) {
	store, gaps, err := snapshot.Read([]string{path}, nil, snapshot.Options{})
	if err != nil {
		return nil, err
	}
	if len(gaps) > 0 {
		return nil, fmt.Errorf("%s: %s: %s", path, gaps[0].Resource, gaps[0].Detail)
	}
	return &Cluster{Store: store, kinds: scheme.Kinds(), scheme: scheme.New()}, nil
}

// Asked is a request as the API server's authorizer sees it.
type Asked struct {
	Kind                         source.Kind
	Verb                         string // get, list, watch, create, patch, delete; "" for discovery
	Namespace, Name, Subresource string
	discovery, known             bool
}

// Read takes a request apart (apiserver pkg/endpoints/request, RequestInfoFactory).
func Read(r *http.Request) Asked {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	gv := schema.GroupVersion{}
	switch {
	case parts[0] == "api" && len(parts) > 2:
		gv.Version, parts = parts[1], parts[2:]
	case parts[0] == "apis" && len(parts) > 3:
		gv.Group, gv.Version, parts = parts[1], parts[2], parts[3:]
	default:
		return Asked{discovery: parts[0] == "api" || parts[0] == "apis"}
	}
	var a Asked
	if parts[0] == "namespaces" && len(parts) > 2 {
		a.Namespace, parts = parts[1], parts[2:]
	}
	for _, k := range scheme.Kinds() {
		if k.Group == gv.Group && k.Version == gv.Version && k.Resource == parts[0] {
			a.Kind, a.known = k, true
		}
	}
	if !a.known {
		a.Kind = source.Kind{Group: gv.Group, Version: gv.Version, Resource: parts[0]}
	}
	if len(parts) > 1 {
		a.Name = parts[1]
	}
	if len(parts) > 2 {
		a.Subresource = parts[2]
	}
	a.Verb = map[string]string{"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[r.Method]
	switch {
	case a.Verb != "":
	case r.URL.Query().Get("watch") == "true":
		a.Verb = "watch"
	case a.Name != "":
		a.Verb = "get"
	default:
		a.Verb = "list"
	}
	return a
}

// Resource is the resource with its subresource, as a rule of RBAC names it.
func (a Asked) Resource() string {
	return strings.TrimSuffix(a.Kind.Resource+"/"+a.Subresource, "/")
}

// ServeHTTP implements http.Handler.
func (c *Cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := Read(r)
	switch {
	case a.discovery:
		c.discover(w, strings.HasPrefix(r.URL.Path, "/apis"))
	case !a.known:
		Refuse(w, http.StatusNotFound, metav1.StatusReasonNotFound, "", "the server could not find the requested resource")
	case a.Subresource == "log":
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintln(w, "listening on :80")
	case a.Subresource != "":
		Refuse(w, http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, "", "error trying to reach service: this cluster has no kubelets")
	case a.Verb == "watch":
		w.Header().Set("Content-Type", jsonType)
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	case a.Verb == "get":
		c.get(w, r, a)
	case a.Verb == "list":
		c.list(w, r, a)
	default:
		Refuse(w, http.StatusMethodNotAllowed, metav1.StatusReasonMethodNotAllowed, "", "nothing here can be changed")
	}
}

// Refuse answers with a failure as an API server words it.
func Refuse(w http.ResponseWriter, code int, reason metav1.StatusReason, name, message string) {
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{ // a client that went away needs no answer
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
		Code: int32(code), Reason: reason, Message: message, Details: &metav1.StatusDetails{Name: name},
	})
}

func (c *Cluster) discover(w http.ResponseWriter, groups bool) {
	list := apidiscovery.APIGroupDiscoveryList{TypeMeta: metav1.TypeMeta{APIVersion: "apidiscovery.k8s.io/v2", Kind: "APIGroupDiscoveryList"}}
	for _, k := range c.kinds {
		if (k.Group != "") != groups {
			continue
		}
		at := slices.IndexFunc(list.Items, func(g apidiscovery.APIGroupDiscovery) bool { return g.Name == k.Group })
		if at < 0 {
			at = len(list.Items)
			list.Items = append(list.Items, apidiscovery.APIGroupDiscovery{
				ObjectMeta: metav1.ObjectMeta{Name: k.Group},
				Versions:   []apidiscovery.APIVersionDiscovery{{Version: k.Version, Freshness: apidiscovery.DiscoveryFreshnessCurrent}},
			})
		}
		scope := apidiscovery.ScopeCluster
		if k.Namespaced {
			scope = apidiscovery.ScopeNamespace
		}
		version := &list.Items[at].Versions[0]
		version.Resources = append(version.Resources, apidiscovery.APIResourceDiscovery{
			Resource: k.Resource, ResponseKind: &metav1.GroupVersionKind{Group: k.Group, Version: k.Version, Kind: k.Kind},
			Scope: scope, SingularResource: k.Singular, ShortNames: k.Short, Verbs: []string{"get", "list", "watch"},
		})
	}
	w.Header().Set("Content-Type", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
	_ = json.NewEncoder(w).Encode(list)
}

func (c *Cluster) get(w http.ResponseWriter, r *http.Request, a Asked) {
	found := c.Store.Find(source.Query{Kind: a.Kind.GroupKind(), Namespace: a.Namespace, Name: a.Name})
	if len(found) == 0 {
		Refuse(w, http.StatusNotFound, metav1.StatusReasonNotFound, a.Name, fmt.Sprintf("%s %q not found", a.Kind.Title(), a.Name))
		return
	}
	if wantsMetadata(r) {
		c.write(w, r, metadata(found[0]))
		return
	}
	c.write(w, r, found[0])
}

// list answers a page. The continue token is the number of what was given.
func (c *Cluster) list(w http.ResponseWriter, r *http.Request, a Asked) {
	params := r.URL.Query()
	found := c.Store.Find(source.Query{Kind: a.Kind.GroupKind(), Namespace: a.Namespace, Labels: params.Get("labelSelector"), Fields: params.Get("fieldSelector")})
	given, _ := strconv.Atoi(params.Get("continue"))
	found = found[min(given, len(found)):]
	next := ""
	if limit, _ := strconv.Atoi(params.Get("limit")); limit > 0 && len(found) > limit {
		found, next = found[:limit], strconv.Itoa(given+limit)
	}
	about := metav1.ListMeta{ResourceVersion: storeVersion, Continue: next}
	switch {
	case wantsMetadata(r):
		list := &metav1.PartialObjectMetadataList{ListMeta: about}
		list.SetGroupVersionKind(schema.GroupVersionKind{Group: "meta.k8s.io", Version: "v1", Kind: "PartialObjectMetadataList"})
		for _, o := range found {
			list.Items = append(list.Items, *metadata(o))
		}
		c.write(w, r, list)
	default:
		c.listWhole(w, r, a.Kind, about, found)
	}
}

func (c *Cluster) listWhole(w http.ResponseWriter, r *http.Request, k source.Kind, about metav1.ListMeta, found []source.Object) {
	items := []any{}
	for _, o := range found {
		items = append(items, o)
	}
	text, err := json.Marshal(map[string]any{"apiVersion": k.GVK().GroupVersion().String(), "kind": k.Kind + "List", "metadata": about, "items": items})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	gvk := k.GVK()
	gvk.Kind += "List"
	list, err := c.scheme.New(gvk)
	if err != nil { // a kind without a Go type
		list = &unstructured.UnstructuredList{}
	}
	if err := json.Unmarshal(text, list); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	c.write(w, r, list)
}

func (c *Cluster) write(w http.ResponseWriter, r *http.Request, o runtime.Object) {
	var body bytes.Buffer
	_, free := o.(runtime.Unstructured)
	kind := jsonType
	var err error
	if strings.HasPrefix(r.Header.Get("Accept"), protobufType) && !free {
		kind = protobufType
		err = protobuf.NewSerializer(c.scheme, c.scheme).Encode(o, &body)
	} else {
		err = json.NewEncoder(&body).Encode(o)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(body.Bytes())
}

func wantsMetadata(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadata")
}

func metadata(o source.Object) *metav1.PartialObjectMetadata {
	m := &metav1.PartialObjectMetadata{}
	text, err := json.Marshal(o)
	if err == nil {
		err = json.Unmarshal(text, m)
	}
	if err != nil { // an object that was read as JSON
		panic(err)
	}
	m.SetGroupVersionKind(schema.GroupVersionKind{Group: "meta.k8s.io", Version: "v1", Kind: "PartialObjectMetadata"})
	return m
}
