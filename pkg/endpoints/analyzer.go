package endpoints

import (
	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// Analyzer is one judgement, as data: what it is called, what it can say, and
// how it looks at one Service, or at all that was read.
type Analyzer struct {
	Name  string
	Docs  []finding.Doc
	Each  func(c *subject) // nil: not about one Service
	Whole func(w *world)   // nil: not about the whole; runs after every Each
}

// Analyzers are all judgements of endpoints, from what is deepest to what
// merely follows. The slice is made anew each time.
func Analyzers() []Analyzer {
	return []Analyzer{
		honesty(), lifetime(), selection(), overlap(), ownership(), drift(), addresses(), legacy(),
		namedPorts(), numericPorts(), readiness(), routing(), loadBalancer(), externalName(), statefulSets(),
		policies(), ingresses(), routes(), live(), stalled(), blastRadius(),
	}
}

// Docs are the pages of every code that check-endpoints can report.
func Docs() []finding.Doc {
	var docs []finding.Doc
	for _, a := range Analyzers() {
		docs = append(docs, a.Docs...)
	}
	return docs
}

// page is one doc: every part is said, so the order of the fields serves for names.
//
//go:noinline
func page(name string, severity finding.Severity, title, means, told, fix, source string) finding.Doc {
	return finding.Doc{Code: code(name), Severity: severity, Title: title, Means: means, Told: told, Fix: fix, Source: source}
}

//go:noinline
func code(name string) string { return "endpoints/" + name }

// fact is one field of an object and what stands there. It is called in very
// many places: inlined, it would be a tenth of the package.
//
//go:noinline
func fact(r object.Ref, field, value string) finding.Evidence {
	return finding.Evidence{Object: r, Field: field, Value: value}
}
