package snapshot

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// ownVersion is the apiVersion of the documents that only recordings have.
const ownVersion = "leadsman.dev/v1alpha1"

// header is the first document of a recording: when it was made, which kinds
// there were, and what was asked and not answered.
type header struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Now        time.Time `json:"now"`
	Kinds      kindTable `json:"kinds"`
	KindGaps   []gap     `json:"kindGaps,omitempty"`
	Asked      []asked   `json:"asked,omitempty"`
}

// containerLog is a document with the end of one container's log.
type containerLog struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Pod        string `json:"pod"`
	UID        string `json:"uid,omitempty"`
	Container  string `json:"container"`
	Previous   bool   `json:"previous,omitempty"`
	Lines      int    `json:"lines,omitempty"`
	Gap        *gap   `json:"gap,omitempty"`
	Text       string `json:"text,omitempty"`
}

// liveAnswers is a document with what live questions were answered with.
type liveAnswers struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	About      string     `json:"about"`
	Answers    rawMessage `json:"answers"`
}

// kindTable is how the server's kinds differ from the built-in ones.
type kindTable struct {
	Complete bool   `json:"complete,omitempty"` // others are all there are
	Without  []kind `json:"without,omitempty"`
	Others   []kind `json:"others,omitempty"`
}

type kind struct {
	Group      string   `json:"group,omitempty"`
	Version    string   `json:"version,omitempty"`
	Kind       string   `json:"kind"`
	Resource   string   `json:"resource,omitempty"`
	Singular   string   `json:"singular,omitempty"`
	Short      []string `json:"shortNames,omitempty"`
	Namespaced bool     `json:"namespaced,omitempty"`
	Listable   bool     `json:"listable,omitempty"`
}

type gap struct {
	Resource  string        `json:"resource"`
	Group     string        `json:"group,omitempty"`
	Kind      string        `json:"kind,omitempty"`
	Namespace string        `json:"namespace,omitempty"`
	Name      string        `json:"name,omitempty"`
	Reason    source.Reason `json:"reason"`
	Detail    string        `json:"detail,omitempty"`
}

type asked struct {
	Group           string `json:"group,omitempty"`
	Kind            string `json:"kind"`
	Namespace       string `json:"namespace,omitempty"`
	Name            string `json:"name,omitempty"`
	Labels          string `json:"labels,omitempty"`
	Fields          string `json:"fields,omitempty"`
	Metadata        bool   `json:"metadata,omitempty"`
	ResourceVersion string `json:"resourceVersion,omitempty"`
	Gap             *gap   `json:"gap,omitempty"`
}

// ownDocument takes in one of the documents above.
func (f *file) ownDocument(l list, body []byte) error {
	switch l.Kind {
	case "Snapshot":
		var h header
		if err := utiljson.Unmarshal(body, &h); err != nil {
			return err
		}
		f.own = true
		f.headers = append(f.headers, h)
		return nil
	case "ContainerLog":
		var c containerLog
		if err := utiljson.Unmarshal(body, &c); err != nil {
			return err
		}
		q := source.LogQuery{Namespace: c.Namespace, Pod: c.Pod, UID: c.UID, Container: c.Container, Previous: c.Previous, Lines: c.Lines}
		f.kept.PutLog(source.LogText{Query: q, Text: c.Text, Gap: c.Gap.gap()})
		return nil
	case "Answers":
		var a liveAnswers
		if err := utiljson.Unmarshal(body, &a); err != nil {
			return err
		}
		f.kept.PutAnswers(source.Answers{About: a.About, Document: json.RawMessage(a.Answers)})
		return nil
	}
	return fmt.Errorf("%s %s is not known: it may be from a newer version", l.APIVersion, l.Kind)
}

func (h header) kindGaps() []source.Gap {
	var gaps []source.Gap
	for _, g := range h.KindGaps {
		gaps = append(gaps, *g.gap())
	}
	return gaps
}

// declare says which queries the recording answers.
func (h header) declare(s *source.Store) {
	for _, a := range h.Asked {
		q := source.Query{
			Kind: schema.GroupKind{Group: a.Group, Kind: a.Kind}, Namespace: a.Namespace, Name: a.Name,
			Labels: a.Labels, Fields: a.Fields, Metadata: a.Metadata,
		}
		s.Answer(q, source.Result{ResourceVersion: a.ResourceVersion, Gap: a.Gap.gap()})
	}
}

func (h header) kinds(builtin []source.Kind) []source.Kind { return h.Kinds.over(builtin) }

func (t kindTable) over(builtin []source.Kind) []source.Kind {
	var kinds, others []source.Kind
	for _, o := range t.Others {
		others = append(others, source.Kind(o))
	}
	if t.Complete {
		return others
	}
	same := func(gk schema.GroupKind) func(source.Kind) bool {
		return func(k source.Kind) bool { return k.GroupKind() == gk }
	}
	for _, b := range builtin {
		gone := slices.ContainsFunc(t.Without, func(k kind) bool { return source.Kind(k).GroupKind() == b.GroupKind() })
		if i := slices.IndexFunc(others, same(b.GroupKind())); i >= 0 {
			b, others = others[i], slices.Delete(others, i, i+1)
		} else if gone {
			continue
		}
		kinds = append(kinds, b)
	}
	return append(kinds, others...)
}

// tableOf is the inverse of over. A list in another order is written whole.
func tableOf(kinds, builtin []source.Kind) kindTable {
	var t kindTable
	for _, b := range builtin {
		if !slices.ContainsFunc(kinds, func(k source.Kind) bool { return k.GroupKind() == b.GroupKind() }) {
			t.Without = append(t.Without, kind{Group: b.Group, Kind: b.Kind})
		}
	}
	for _, k := range kinds {
		if !slices.ContainsFunc(builtin, func(b source.Kind) bool { return equal(b, k) }) {
			t.Others = append(t.Others, kind(k))
		}
	}
	if slices.EqualFunc(t.over(builtin), kinds, equal) {
		return t
	}
	t = kindTable{Complete: true}
	for _, k := range kinds {
		t.Others = append(t.Others, kind(k))
	}
	return t
}

func equal(a, b source.Kind) bool {
	short := slices.Equal(a.Short, b.Short)
	return short && a.GVK() == b.GVK() && a.Resource == b.Resource && a.Singular == b.Singular &&
		a.Namespaced == b.Namespaced && a.Listable == b.Listable
}

func (g *gap) gap() *source.Gap {
	if g == nil {
		return nil
	}
	return &source.Gap{
		Resource: g.Resource, Kind: schema.GroupKind{Group: g.Group, Kind: g.Kind},
		Namespace: g.Namespace, Name: g.Name, Reason: g.Reason, Detail: g.Detail,
	}
}

func gapOf(g *source.Gap) *gap {
	if g == nil {
		return nil
	}
	return &gap{g.Resource, g.Kind.Group, g.Kind.Kind, g.Namespace, g.Name, g.Reason, g.Detail}
}
