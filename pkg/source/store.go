package source

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/redact"
)

// Asked is a query together with how it was answered.
type Asked struct {
	Query           Query
	ResourceVersion string
	Gap             *Gap
}

// LogText is a container's log as it was read, or why it was not.
type LogText struct {
	Query LogQuery
	Text  string
	Gap   *Gap
}

// Store is a Source in memory: objects, and which queries they answer in full.
// A dump that was read, a recording that is being made and a view that watches
// keep up to date are all Stores. A query that nothing stored answers is a Gap:
// what was not recorded is unknown, never missing.
type Store struct {
	mu      sync.RWMutex
	now     time.Time
	kinds   []Kind
	kindGap []Gap
	byKind  map[schema.GroupKind]*drawer
	asked   map[Query]Asked
	stale   map[Query]bool // of asked: to be asked anew
	logs    map[LogQuery]LogText
	answers map[string]Answers
}

// NewStore is an empty Store whose facts are judged as of now.
func NewStore(now time.Time) *Store {
	return &Store{
		now:     now,
		byKind:  map[schema.GroupKind]*drawer{},
		asked:   map[Query]Asked{},
		stale:   map[Query]bool{},
		logs:    map[LogQuery]LogText{},
		answers: map[string]Answers{},
	}
}

// Now implements Source.
func (s *Store) Now() time.Time {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.now
}

// SetNow moves the moment of judgement, as a live view does with every frame.
func (s *Store) SetNow(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// Kinds implements Source.
func (s *Store) Kinds(context.Context) ([]Kind, []Gap) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.kinds, s.kindGap
}

// SetKinds records what discovery said.
func (s *Store) SetKinds(kinds []Kind, gaps []Gap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kinds, s.kindGap = kinds, gaps
}

// Put stores an object. Full content is never replaced by metadata alone of
// the same object, since two queries may see one object differently.
func (s *Store) Put(gk schema.GroupKind, o Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(gk, o)
}

func (s *Store) put(gk schema.GroupKind, o Object) {
	d := s.byKind[gk]
	if d == nil {
		d = newDrawer()
		s.byKind[gk] = d
	}
	key := keyOf(gk, o)
	if old, ok := d.objects[key]; ok && MetadataOnly(o) && !MetadataOnly(old) && old.GetUID() == o.GetUID() {
		return
	}
	d.put(key, o)
}

func keyOf(gk schema.GroupKind, o Object) object.Ref {
	return object.Ref{Group: gk.Group, Kind: gk.Kind, Namespace: o.GetNamespace(), Name: o.GetName()}
}

// Answer records that a query was answered with these objects.
func (s *Store) Answer(q Query, r Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stale[q] {
		delete(s.stale, q)
		if d := s.byKind[q.Kind]; d != nil {
			d.dropAll(q.matcher())
		}
	}
	for _, o := range r.Objects {
		s.put(q.Kind, o)
	}
	s.asked[q] = Asked{Query: q, ResourceVersion: r.ResourceVersion, Gap: r.Gap}
}

// Cover declares a query answered in full by what is stored.
func (s *Store) Cover(q Query) { s.Answer(q, Result{}) }

// Apply carries out one change that a watch reported.
func (s *Store) Apply(gk schema.GroupKind, event watch.EventType, o Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if event == watch.Deleted {
		if d := s.byKind[gk]; d != nil {
			d.drop(keyOf(gk, o))
		}
		return
	}
	s.put(gk, o)
}

// Forget makes the next Read of a query ask again. Until it is answered, what
// was known stays: judged as of then it is nearer to the truth than nothing.
func (s *Store) Forget(q Query) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.asked[q]; ok {
		s.stale[q] = true
	}
}

// Read implements Source. It is answered by the same query, or by a recorded
// one that was wider.
func (s *Store) Read(_ context.Context, q Query) (Result, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	asked, ok := s.covering(q)
	found := s.matching(q)
	switch {
	case ok:
		return Result{Objects: found, ResourceVersion: asked.ResourceVersion, Gap: asked.Gap}, nil
	case q.Name != "" && len(found) == 1 && (q.Metadata || !MetadataOnly(found[0])):
		return Result{Objects: found}, nil
	}
	gap := &Gap{Resource: s.title(q.Kind), Kind: q.Kind, Namespace: q.Namespace, Name: q.Name, Reason: NotRecorded}
	return Result{Objects: found, Gap: gap}, nil
}

// Find is what the Store holds of a query's objects, whether or not that is all.
func (s *Store) Find(q Query) []Object {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.matching(q)
}

// Covers says whether a Read of q would be answered in full or by a recorded gap.
func (s *Store) Covers(q Query) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a, ok := s.covering(q)
	return ok && !s.stale[a.Query]
}

func (s *Store) covering(q Query) (Asked, bool) {
	if a, ok := s.asked[q]; ok {
		return a, true
	}
	for _, wider := range q.wider() {
		if a, ok := s.asked[wider]; ok {
			return a, true
		}
	}
	return Asked{}, false
}

// wider are the queries whose answers contain this one's.
func (q Query) wider() []Query {
	var out []Query
	for _, ns := range slices.Compact([]string{q.Namespace, ""}) {
		for _, metadata := range []bool{q.Metadata, false} {
			for _, owned := range []bool{q.Owned, false} {
				out = append(out, Query{Kind: q.Kind, Namespace: ns, Metadata: metadata, Owned: owned})
			}
		}
	}
	return out
}

func (s *Store) matching(q Query) []Object {
	d := s.byKind[q.Kind]
	if d == nil {
		return nil
	}
	var found []Object
	matches := q.matcher()
	if q.Name != "" && q.Namespace != "" { // one, and of many stored it is asked for many
		key := object.Ref{Group: q.Kind.Group, Kind: q.Kind.Kind, Namespace: q.Namespace, Name: q.Name}
		if o, ok := d.objects[key]; ok && matches(o) {
			found = append(found, o)
		}
		return found
	}
	for _, o := range d.objects {
		if matches(o) {
			found = append(found, o)
		}
	}
	slices.SortFunc(found, byName)
	return found
}

// byName puts objects of one kind in order.
func byName(a, b Object) int {
	if c := strings.Compare(a.GetNamespace(), b.GetNamespace()); c != 0 {
		return c
	}
	return strings.Compare(a.GetName(), b.GetName())
}

func (s *Store) title(gk schema.GroupKind) string {
	for _, k := range s.kinds {
		if k.GroupKind() == gk {
			return k.Title()
		}
	}
	return strings.ToLower(gk.String())
}

// Log implements Source.
func (s *Store) Log(_ context.Context, q LogQuery) (string, *Gap) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if l, ok := s.logs[q]; ok {
		return l.Text, l.Gap
	}
	best, found := LogText{}, false
	for _, l := range s.logs {
		if l.Query.contains(q) && (!found || l.Query.key() < best.Query.key()) {
			best, found = l, true
		}
	}
	if found {
		return lastLines(best.Text, q.Lines), best.Gap
	}
	return "", &Gap{Resource: "pods/log", Namespace: q.Namespace, Name: q.Pod, Reason: NotRecorded}
}

// contains says whether one log query's answer holds another's: more lines, or
// all (zero), as a dump has them. A dump may not know the pod's UID.
func (q LogQuery) contains(other LogQuery) bool {
	if q.Lines != 0 && (other.Lines == 0 || q.Lines < other.Lines) || q.UID != "" && other.UID != "" && q.UID != other.UID {
		return false
	}
	q.Lines, q.UID = other.Lines, other.UID
	return q == other
}

func lastLines(text string, n int) string {
	if n <= 0 {
		return text
	}
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return strings.Join(lines[max(0, len(lines)-n):], "")
}

// PutLog stores what a log query was answered with, without the secrets in it:
// whoever shows a log shows single lines, of which a key may have many.
func (s *Store) PutLog(l LogText) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.Text = redact.Text(l.Text)
	s.logs[l.Query] = l
}

// Contents is all that a Store holds, in a fixed order: what a snapshot writes.
type Contents struct {
	Now     time.Time
	Kinds   []Kind
	KindGap []Gap
	Objects map[schema.GroupKind][]Object
	Asked   []Asked
	Logs    []LogText
	Answers []Answers
}

// Contents is what the Store holds. The objects are shared, and so are the
// lists of them: they must not be changed.
func (s *Store) Contents() Contents {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := Contents{Now: s.now, Kinds: s.kinds, KindGap: s.kindGap, Objects: map[schema.GroupKind][]Object{}}
	for gk, d := range s.byKind {
		c.Objects[gk] = d.inOrder()
	}
	for _, a := range s.asked {
		c.Asked = append(c.Asked, a)
	}
	slices.SortFunc(c.Asked, func(a, b Asked) int { return a.Query.Compare(b.Query) })
	for _, l := range s.logs {
		c.Logs = append(c.Logs, l)
	}
	slices.SortFunc(c.Logs, func(a, b LogText) int {
		return strings.Compare(a.Query.key(), b.Query.key())
	})
	c.Answers = s.sortedAnswers()
	return c
}

func (q LogQuery) key() string {
	previous := "0"
	if q.Previous {
		previous = "1"
	}
	return strings.Join([]string{q.Namespace, q.Pod, q.UID, q.Container, previous, strconv.Itoa(q.Lines)}, "/")
}
