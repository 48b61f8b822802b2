package proof

import (
	"maps"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// workloadID tells a workload from one that was created anew under its name.
type workloadID struct {
	ref object.Ref
	uid types.UID
}

func idOf(w *workload.Workload) workloadID {
	return workloadID{w.Ref.Key(), w.Object.GetUID()}
}

// known is what was learned of a workload.
type known struct {
	pods     map[string]string // the hash of each pod that it ever had, by UID
	promises []promise         // in order of time
	services map[string]*selection
}

// promise is how many pods a workload keeps in service, from a moment on.
type promise struct {
	at       time.Time
	floor    int
	replicas int
	// anyone: the strategy promises nothing, so that one endpoint is asked for,
	// of whatever workload: a Service without any does not answer.
	anyone bool
}

// selection is when a Service selected the workload's pods.
type selection struct {
	last   time.Time
	single bool // by the name or the number of one pod of a StatefulSet
}

// Learn takes from a judgement what the stream does not tell: whose the pods
// are, what is promised, and which Services select them.
func (t *Tracker) Learn(v *index.View, w *workload.Workload) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.workloads[idOf(w)]
	if k == nil {
		k = &known{pods: map[string]string{}, services: map[string]*selection{}}
		t.workloads[idOf(w)] = k
	}
	for _, p := range w.Pods {
		k.pods[string(p.UID)] = p.Hash
	}
	k.promised(w, t.changedAt(w, v.Now))
	labels := labelsOf(w)
	for _, svc := range index.Typed[*corev1.Service](v, serviceKind, w.Ref.Namespace) {
		if selected, single := selects(svc, w, labels); selected {
			k.services[svc.Name] = &selection{last: latest(v.Now, t.at), single: single}
		}
	}
}

func (k *known) promised(w *workload.Workload, at time.Time) {
	p := promise{floor: w.Floor(), replicas: w.Replicas}
	if w.OnDelete() { // who deletes the pods is expected to take one at a time
		p.floor = min(p.floor, w.Replicas-1)
	}
	if p.floor <= 0 && w.Replicas > 0 {
		p.floor, p.anyone = 1, true
	}
	p.floor = max(0, p.floor)
	if n := len(k.promises); n > 0 {
		last := k.promises[n-1]
		p.at = last.at
		if p == last {
			return
		}
		p.at = latest(at, last.at)
	}
	k.promises = append(k.promises, p)
}

// spec is when a version of a workload's spec came in. Pods that go because of
// it go afterwards, also where a judgement is made only after both.
type spec struct {
	generation int64
	nodes      int32 // of a DaemonSet: what it wants stands in its status
	at         time.Time
}

const mostSpecs = 16

func (t *Tracker) workloadHappened(h source.Happening) {
	t.watched(h)
	at := t.watches[h.Query].earliest(t.at)
	if h.Answer != nil {
		for _, o := range h.Answer.Objects {
			t.spec(o, at)
		}
	} else if h.Object != nil {
		t.spec(h.Object, at)
	}
}

func (t *Tracker) spec(o source.Object, at time.Time) {
	s := specOf(o)
	s.at = at
	all := t.specs[o.GetUID()]
	if n := len(all); n > 0 && all[n-1].same(s) {
		return
	}
	if len(all) >= mostSpecs {
		all = append(all[:0], all[1:]...)
	}
	t.specs[o.GetUID()] = append(all, s)
}

func specOf(o source.Object) spec {
	s := spec{generation: o.GetGeneration()}
	if d, ok := o.(*appsv1.DaemonSet); ok {
		s.nodes = d.Status.DesiredNumberScheduled
	}
	return s
}

func (s spec) same(other spec) bool {
	return s.generation == other.generation && s.nodes == other.nodes
}

// changedAt is when the spec of a workload came in.
func (t *Tracker) changedAt(w *workload.Workload, otherwise time.Time) time.Time {
	want := specOf(w.Object)
	for _, s := range t.specs[w.Object.GetUID()] {
		if s.same(want) {
			return s.at
		}
	}
	return otherwise
}

// labelsOf are the labels that pods of a workload have: those that are made by
// its template, and those that are there. One pod of each revision stands for
// all of it.
func labelsOf(w *workload.Workload) []map[string]string {
	var all []map[string]string
	if w.Template != nil {
		all = append(all, w.Template.Labels)
	}
	var seen []string
	for _, p := range w.Pods {
		if p.Live() && !slices.Contains(seen, p.Hash) {
			seen = append(seen, p.Hash)
			all = append(all, p.Labels)
		}
	}
	return all
}

// selects says whether a Service selects pods of a workload that have these
// labels, and whether one of them alone.
func selects(svc *corev1.Service, w *workload.Workload, labels []map[string]string) (selected, single bool) {
	if len(svc.Spec.Selector) == 0 {
		return false, false
	}
	selector := svc.Spec.Selector
	if w.Ref.Kind == "StatefulSet" {
		selector = maps.Clone(selector)
		delete(selector, appsv1.StatefulSetPodNameLabel)
		delete(selector, appsv1.PodIndexLabel)
		single = len(selector) < len(svc.Spec.Selector)
	}
	selected = slices.ContainsFunc(labels, func(have map[string]string) bool { return hasAll(have, selector) })
	return selected, single && selected
}

func hasAll(labels, wanted map[string]string) bool {
	for k, v := range wanted {
		if have, ok := labels[k]; !ok || have != v {
			return false
		}
	}
	return true
}
