package tree

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Analyzer is one judgement, as data: what it is called, what it can say, what
// it must see beside the relations, and how it looks.
type Analyzer struct {
	Name  string
	Docs  []finding.Doc
	Needs func(g *relation.Graph, roots []object.Ref) []source.Query // nil: nothing more
	Run   func(p *Pass)
}

// Pass is what an analyzer may look at.
type Pass struct {
	Graph   *relation.Graph
	View    *index.View
	Shown   []index.Item // the objects that are drawn; nothing else is accused
	Asked   map[object.Ref]bool
	Written []object.Ref

	state     func(index.Item) health.State
	selecting map[string]selections                    // by namespace, as far as asked
	homes     map[schema.GroupKind]map[string][]string // likewise: the namespaces that have a name
	slips     int                                      // missing names whose like was looked for
	findings  []finding.Finding
	folders   []int                // positions of the findings about a file that a volume does not hold
	about     map[object.Ref][]int // positions of the findings by object, once all have run
}

func newPass(b *builder) *Pass {
	return &Pass{
		Graph: b.g, View: b.v, Shown: b.shown(), Asked: b.asked, Written: b.opts.Written, state: b.state,
		selecting: map[string]selections{}, homes: map[schema.GroupKind]map[string][]string{}, about: map[object.Ref][]int{},
	}
}

func (p *Pass) report(f finding.Finding) { p.findings = append(p.findings, f) }

// Analyzers are all judgements of the tree. The slice is made anew each time.
func Analyzers() []Analyzer {
	return []Analyzer{problems(), owners(), overlap(), orphans(), oldTemplate(), references(), unused(), removedAPI()}
}

// Docs are the pages of every code that explain-tree can report.
func Docs() []finding.Doc {
	var docs []finding.Doc
	for _, a := range Analyzers() {
		docs = append(docs, a.Docs...)
	}
	return docs
}

// evidence is one field of an object and what stands there.
func evidence(r object.Ref, field, value string) finding.Evidence {
	return finding.Evidence{Object: r, Field: field, Value: value}
}
