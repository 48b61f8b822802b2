// Package proof tells how many endpoints of each Service served while a
// rollout went on. It counts them in the raw stream of what came in, one event
// after the other, so that a dip between two looks at the cluster is seen, and
// it says for how long nobody looked.
package proof

import (
	"maps"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var (
	sliceKind   = schema.GroupKind{Group: discoveryv1.GroupName, Kind: "EndpointSlice"}
	serviceKind = schema.GroupKind{Kind: "Service"}
)

// Needs are the queries that a proof rests on.
func Needs(_ *index.View, w *workload.Workload) []source.Query {
	return []source.Query{
		{Kind: serviceKind, Namespace: w.Ref.Namespace},
		{Kind: sliceKind, Namespace: w.Ref.Namespace},
	}
}

// Tracker remembers when which endpoints served. It is safe for concurrent use:
// what happens is told by the watches, and proofs are asked for by the judge.
type Tracker struct {
	mu        sync.Mutex
	at        time.Time // of the last thing that happened
	event     int       // its number
	slices    map[name]*slice
	lines     map[name]map[lineID]*line
	services  map[name]*seenService
	watches   map[source.Query]*watched
	specs     map[types.UID][]spec
	workloads map[workloadID]*known
}

// name is an object of a kind that the place where it is used tells.
type name struct{ namespace, name string }

// seenService is a Service as it was last seen.
type seenService struct {
	*corev1.Service
	reselected []time.Time // when its selector was changed
	deleted    time.Time
}

// New is a Tracker that has seen nothing.
func New() *Tracker {
	return &Tracker{
		slices: map[name]*slice{}, lines: map[name]map[lineID]*line{}, services: map[name]*seenService{},
		watches: map[source.Query]*watched{}, specs: map[types.UID][]spec{}, workloads: map[workloadID]*known{},
	}
}

// Happened takes notice of one thing that came in. Things must be told in the
// order in which they came; what is no concern of a proof is passed over.
func (t *Tracker) Happened(h source.Happening) {
	switch h.Query.Kind {
	case sliceKind, serviceKind:
		if h.Query != (source.Query{Kind: h.Query.Kind, Namespace: h.Query.Namespace}) {
			return // a narrower question repeats what the wide one tells, out of order
		}
	case workloadKinds[0], workloadKinds[1], workloadKinds[2]:
	default:
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if h.At.After(t.at) { // a clock that is set back must not turn time around
		t.at = h.At
	}
	t.event++
	switch h.Query.Kind {
	case sliceKind:
		t.watched(h)
		t.sliceHappened(h)
	case serviceKind:
		t.serviceHappened(h)
	default:
		t.workloadHappened(h)
	}
}

var workloadKinds = [...]schema.GroupKind{
	{Group: appsv1.GroupName, Kind: "Deployment"}, {Group: appsv1.GroupName, Kind: "StatefulSet"}, {Group: appsv1.GroupName, Kind: "DaemonSet"},
}

func (t *Tracker) serviceHappened(h source.Happening) {
	switch {
	case h.Answer != nil:
		present := map[name]bool{}
		for _, o := range h.Answer.Objects {
			if svc, ok := o.(*corev1.Service); ok {
				present[name{svc.Namespace, svc.Name}] = true
				t.service(svc)
			}
		}
		for n, s := range t.services {
			if h.Answer.Gap == nil && within(h.Query, n) && !present[n] {
				s.goes(t.at)
			}
		}
	case h.Object == nil:
	case h.Change == watch.Deleted:
		if s := t.services[name{h.Object.GetNamespace(), h.Object.GetName()}]; s != nil {
			s.goes(t.at)
		}
	default:
		if svc, ok := h.Object.(*corev1.Service); ok {
			t.service(svc)
		}
	}
}

func (s *seenService) goes(at time.Time) {
	if s.deleted.IsZero() {
		s.deleted = at
	}
}

func (t *Tracker) service(svc *corev1.Service) {
	key := name{svc.Namespace, svc.Name}
	s := t.services[key]
	if s == nil {
		t.services[key] = &seenService{Service: svc}
		return
	}
	if !maps.Equal(s.Spec.Selector, svc.Spec.Selector) && len(s.reselected) < 100 {
		s.reselected = append(s.reselected, t.at)
	}
	s.Service, s.deleted = svc, time.Time{}
}

func within(q source.Query, n name) bool { return q.Namespace == "" || q.Namespace == n.namespace }

func (t *Tracker) sliceHappened(h source.Happening) {
	switch {
	case h.Answer != nil:
		present := map[name]bool{}
		for _, o := range h.Answer.Objects {
			if es, ok := o.(*discoveryv1.EndpointSlice); ok {
				key := name{es.Namespace, es.Name}
				present[key] = true
				t.replace(key, read(es))
			}
		}
		if h.Answer.Gap != nil {
			return // what is not in a partial answer may still be there
		}
		for key := range t.slices {
			if within(h.Query, key) && !present[key] {
				t.replace(key, nil)
			}
		}
	case h.Object == nil:
	case h.Change == watch.Deleted:
		t.replace(name{h.Object.GetNamespace(), h.Object.GetName()}, nil)
	default:
		if es, ok := h.Object.(*discoveryv1.EndpointSlice); ok {
			t.replace(name{es.Namespace, es.Name}, read(es))
		}
	}
}
