// Package source is how facts come in: listing, reading and watching objects
// of one kind, and saying plainly what could not be seen and why.
package source

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// Object is one fact. Built-in kinds come as their Go type, kinds that were
// only searched as *metav1.PartialObjectMetadata, custom ones as
// *unstructured.Unstructured. Readers never change one.
type Object interface {
	metav1.Object
	runtime.Object
}

// Kind is an API resource that can be read.
type Kind struct {
	Group      string
	Version    string
	Kind       string
	Resource   string // plural, as in URLs
	Singular   string
	Short      []string
	Namespaced bool
	Listable   bool
}

// GVK is the kind with its version.
func (k Kind) GVK() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: k.Group, Version: k.Version, Kind: k.Kind}
}

// GroupKind is the kind without its version.
func (k Kind) GroupKind() schema.GroupKind {
	return schema.GroupKind{Group: k.Group, Kind: k.Kind}
}

// Title is the name by which a gap calls the resource: "secrets", "widgets.example.com".
func (k Kind) Title() string {
	return schema.GroupResource{Group: k.Group, Resource: k.Resource}.String()
}

// Query asks for the objects of one kind. Name asks for one object; Labels and
// Fields are selectors in their string form. Metadata asks for nothing but
// metadata, which is all that is ever read of Secrets.
type Query struct {
	Kind      schema.GroupKind
	Namespace string // "" is every namespace, or cluster scope
	Name      string
	Labels    string
	Fields    string
	Metadata  bool
	Owned     bool // keep only objects that have an owner: a search through a whole kind for what is owned
}

// Compare puts queries in a fixed order.
func (q Query) Compare(other Query) int {
	return cmp.Or(
		cmp.Compare(q.Kind.Group, other.Kind.Group), cmp.Compare(q.Kind.Kind, other.Kind.Kind),
		cmp.Compare(q.Namespace, other.Namespace), cmp.Compare(q.Name, other.Name),
		cmp.Compare(q.Labels, other.Labels), cmp.Compare(q.Fields, other.Fields),
		cmp.Compare(b2i(q.Metadata), b2i(other.Metadata)), cmp.Compare(b2i(q.Owned), b2i(other.Owned)),
	)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Result is the answer to a Query. A Gap says that the answer is missing or
// partial; Objects then holds what was seen before it. That a named object
// does not exist is no gap: it is an empty Result.
type Result struct {
	Objects         []Object
	ResourceVersion string // where a watch may start; "" where that is unknown
	Gap             *Gap
}

// LogQuery asks for the end of one container's log.
type LogQuery struct {
	Namespace string
	Pod       string
	UID       string // of the pod, so that a namesake is never quoted
	Container string
	Previous  bool
	Lines     int
}

// Source is where facts come from. Its methods may be called concurrently.
type Source interface {
	// Now is the moment at which the facts are judged.
	Now() time.Time
	// Kinds are the kinds that can be read, in discovery's order of preference.
	Kinds(ctx context.Context) ([]Kind, []Gap)
	// Read answers a query. Errors are reserved for the end of ctx and for
	// failures that leave nothing to judge, such as no connection at all.
	Read(ctx context.Context, q Query) (Result, error)
	// Log reads the end of a container's log; the Gap says why there is none.
	Log(ctx context.Context, q LogQuery) (string, *Gap)
}

// Watcher is a Source that can follow a query from where a Read ended.
type Watcher interface {
	Source
	// Watch calls handle for each change until ctx ends. It resumes after a
	// lost connection; when the server no longer has the changes since
	// resourceVersion it returns ErrExpired, and the caller reads again. When a
	// connection ends, handle is told Lost, and Resumed once the next one stands,
	// both without an object.
	Watch(ctx context.Context, q Query, resourceVersion string, handle func(watch.EventType, Object)) error
}

// What a Watcher tells of its connection. Every change between Lost and Resumed
// is still delivered; when it happened is not known.
const (
	Lost    watch.EventType = "LOST"
	Resumed watch.EventType = "RESUMED"
)

// Reason says why something could not be seen.
type Reason string

// The reasons for a Gap.
const (
	Forbidden   Reason = "forbidden"    // 401, 403
	NotServed   Reason = "not served"   // the server has no such API
	ServerError Reason = "server error" // 5xx, 429 to the end, truncated bodies
	TimedOut    Reason = "timed out"
	NotRecorded Reason = "not in the snapshot"
	Malformed   Reason = "malformed"
)

// Gap is something that could not be seen. It may change a verdict to unknown;
// it never means that an object is missing.
type Gap struct {
	Resource  string           // "secrets", "httproutes.gateway.networking.k8s.io", or a file
	Kind      schema.GroupKind // empty where the gap is not of one kind
	Namespace string
	Name      string
	Reason    Reason
	Detail    string // the server's own words, for -v and -o json
}

// Why is the reason, with the server's own words where there are any.
func (g Gap) Why() string {
	if g.Detail == "" {
		return string(g.Reason)
	}
	return fmt.Sprintf("%s (%s)", g.Reason, g.Detail)
}

// SortGaps puts gaps into a fixed order and drops repetitions.
func SortGaps(gaps []Gap) []Gap {
	sorted := slices.Clone(gaps)
	slices.SortFunc(sorted, func(a, b Gap) int {
		return cmp.Or(cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Namespace, b.Namespace),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Detail, b.Detail))
	})
	return slices.Compact(sorted)
}
