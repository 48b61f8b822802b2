package proof

import (
	"cmp"
	"slices"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// state is what an endpoint is to the clients of a Service.
type state uint8

// The states, the best last.
const (
	absent   state = iota // not there, or not ready
	draining              // serving and terminating: used only where nothing else is
	serving               // serving, and not terminating
)

// slice is what counts of an EndpointSlice.
type slice struct {
	service   name
	lines     []lineID
	endpoints map[string]state // by UID of the pod, or by "@" and the address
	foreign   bool             // not written by the EndpointSlice controller
}

// lineID is one way to a Service: an address family and a port, by name.
type lineID struct{ family, port string }

func (a lineID) compare(b lineID) int {
	return cmp.Or(cmp.Compare(a.family, b.family), cmp.Compare(a.port, b.port))
}

// portless stands for the port of a headless Service without ports. No port
// can be called so.
const portless = "-"

// controller is who writes the slices of Services that have a selector
// (k8s.io/endpointslice, controllerName of pkg/controller/endpointslice).
const controller = "endpointslice-controller.k8s.io"

// read takes from an EndpointSlice what counts; nil where that is nothing, as
// of a slice that belongs to no Service or names hosts (addressType FQDN),
// which kube-proxy leaves aside.
func read(es *discoveryv1.EndpointSlice) *slice {
	service := es.Labels[discoveryv1.LabelServiceName]
	if service == "" || es.AddressType != discoveryv1.AddressTypeIPv4 && es.AddressType != discoveryv1.AddressTypeIPv6 {
		return nil
	}
	s := &slice{
		service: name{es.Namespace, service}, endpoints: make(map[string]state, len(es.Endpoints)),
		foreign: es.Labels[discoveryv1.LabelManagedBy] != controller,
	}
	for i := range es.Endpoints {
		e := &es.Endpoints[i]
		if id := identity(e, s.foreign); id != "" {
			s.endpoints[id] = max(s.endpoints[id], stateOf(e.Conditions))
		}
	}
	family := string(es.AddressType)
	for _, p := range es.Ports {
		id := lineID{family: family}
		if p.Name != nil {
			id.port = *p.Name
		}
		s.lines = append(s.lines, id)
	}
	if len(es.Ports) == 0 {
		s.lines = []lineID{{family, portless}}
	}
	slices.SortFunc(s.lines, lineID.compare)
	s.lines = slices.Compact(s.lines)
	return s
}

// identity is the pod's UID, by which an endpoint that moves between slices
// stays one. Somebody else's slice is no witness of a pod: it may name one that
// has long gone.
func identity(e *discoveryv1.Endpoint, foreign bool) string {
	if ref := e.TargetRef; !foreign && ref != nil && ref.UID != "" && (ref.Kind == "Pod" || ref.Kind == "") {
		return string(ref.UID)
	}
	if len(e.Addresses) == 0 {
		return ""
	}
	return "@" + e.Addresses[0]
}

// stateOf reads conditions: ready is true where it is not said, serving is what
// ready is, terminating is false (discovery/v1, EndpointConditions). Ready
// alone is not asked: publishNotReadyAddresses makes it true of every pod.
func stateOf(c discoveryv1.EndpointConditions) state {
	ready := c.Ready == nil || *c.Ready
	serves := c.Serving == nil && ready || c.Serving != nil && *c.Serving
	switch {
	case !serves:
		return absent
	case c.Terminating != nil && *c.Terminating:
		return draining
	}
	return serving
}

// line is who served on one way to a Service, from when to when.
type line struct {
	now   map[string]holders
	base  map[string]state // before the first step
	from  time.Time        // of base, where steps were dropped
	steps []step
}

// holders are in how many slices an endpoint stands, by its state there.
type holders struct{ serving, draining, absent int32 }

func (h holders) state() state {
	switch {
	case h.serving > 0:
		return serving
	case h.draining > 0:
		return draining
	}
	return absent
}

// step is the change of one endpoint. Those of one event are one change: what
// stands between them was never written anywhere.
type step struct {
	at      time.Time
	event   int
	id      string
	was, is state
}

// mostSteps bounds what is remembered of one line. A rollout makes about four
// for each pod.
const mostSteps = 1 << 17

// replace puts a slice in the place of what its name stood for.
func (t *Tracker) replace(key name, to *slice) {
	from := t.slices[key]
	if to == nil {
		delete(t.slices, key)
	} else {
		t.slices[key] = to
		for _, id := range to.lines {
			t.line(to.service, id).add(t, to.endpoints, +1)
		}
	}
	// What is gone is taken away last: what stays is then never missed.
	if from != nil {
		for _, id := range from.lines {
			t.line(from.service, id).add(t, from.endpoints, -1)
		}
	}
}

func (t *Tracker) line(service name, id lineID) *line {
	if t.lines[service] == nil {
		t.lines[service] = map[lineID]*line{}
	}
	l := t.lines[service][id]
	if l == nil {
		l = &line{now: map[string]holders{}, base: map[string]state{}}
		t.lines[service][id] = l
	}
	return l
}

func (l *line) add(t *Tracker, endpoints map[string]state, n int32) {
	for id, s := range endpoints {
		h := l.now[id]
		was := h.state()
		switch s {
		case serving:
			h.serving += n
		case draining:
			h.draining += n
		default:
			h.absent += n
		}
		if h == (holders{}) {
			delete(l.now, id)
		} else {
			l.now[id] = h
		}
		if is := h.state(); is != was {
			l.steps = append(l.steps, step{at: t.at, event: t.event, id: id, was: was, is: is})
		}
	}
	if len(l.steps) > mostSteps {
		l.fold()
	}
}

// fold drops the older half of the steps: they become what nobody observed.
func (l *line) fold() {
	half := len(l.steps) / 2
	for half < len(l.steps)-1 && l.steps[half].event == l.steps[half-1].event {
		half++
	}
	for _, s := range l.steps[:half] {
		if s.is == absent {
			delete(l.base, s.id)
		} else {
			l.base[s.id] = s.is
		}
	}
	l.from = l.steps[half-1].at
	l.steps = slices.Clone(l.steps[half:])
}
