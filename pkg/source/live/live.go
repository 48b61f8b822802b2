// Package live is a running cluster as a source of facts: built-in kinds as
// protobuf, searches as metadata only, custom kinds as JSON; in pages, with
// few requests, each of them bounded in time.
package live

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

const (
	pageSize       = 500 // client-go tools/pager: enough to amortise a round trip, few enough for etcd
	inFlight       = 16
	defaultTimeout = 15 * time.Second
)

// Getter is the part of genericclioptions.RESTClientGetter that is needed.
type Getter interface {
	ToRESTConfig() (*rest.Config, error)
	ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error)
}

// Options are what a Source may be told. The zero value is usable.
type Options struct {
	// RequestTimeout bounds every request, retries included, when the
	// configuration (--request-timeout) does not. Zero means 15 seconds.
	RequestTimeout time.Duration
	// Warnings is told each distinct warning of the server once.
	Warnings func(string)
	// Trim may drop what its caller will not read of an object, as it arrives:
	// it is what keeps ten thousand pods small. Watches call it concurrently.
	Trim func(source.Object)
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Source reads a cluster. It is safe for concurrent use.
type Source struct {
	getter Getter
	opts   Options

	builtin []source.Kind
	known   map[schema.GroupKind]source.Kind // the built-in ones
	types   func() *runtime.Scheme

	connectOnce sync.Once
	conn        *connection
	connectErr  error

	slots    chan struct{} // held while a read is in flight
	requests atomic.Int64
	bytes    atomic.Int64
	answered atomic.Bool // by whatever stands there, once at least
	warned   sync.Map

	discovering chan struct{} // held while discovery runs
	discovered  atomic.Pointer[discovered]
}

var _ source.Watcher = (*Source)(nil)

// New prepares a Source. Nothing is read, not even the kubeconfig, before the
// first question.
func New(getter Getter, opts Options) *Source {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Source{
		getter: getter, opts: opts,
		builtin:     scheme.Kinds(),
		known:       map[schema.GroupKind]source.Kind{},
		types:       sync.OnceValue(scheme.New),
		slots:       make(chan struct{}, inFlight),
		discovering: make(chan struct{}, 1),
	}
	for _, k := range s.builtin {
		s.known[k.GroupKind()] = k
	}
	return s
}

// Now implements source.Source.
func (s *Source) Now() time.Time { return s.opts.Now() }

// Budget is what was spent so far: requests sent, discovery and retries
// included, and the bytes of their answers as they came over the wire.
func (s *Source) Budget() (requests int, bytes int64) {
	return int(s.requests.Load()), s.bytes.Load()
}

// hold takes a place in a channel that limits concurrency.
func hold(ctx context.Context, c chan struct{}) (release func(), err error) {
	select {
	case c <- struct{}{}:
		return func() { <-c }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
