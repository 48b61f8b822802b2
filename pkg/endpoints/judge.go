// Package endpoints judges whether traffic to a Service reaches the right
// pods: the endpoints that there should be, held against the EndpointSlices
// and the pods, each difference named with its cause and the way out.
package endpoints

import (
	"cmp"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// Options are what the user chose.
type Options struct {
	From         object.Ref // --from pod/X: also judge whether this client may connect; node/X: what arrives there
	All          bool       // no Service was named: what leads to nothing in their namespaces is asked about too
	Learn        bool       // say one plain sentence about each term
	Observations []Observation
}

// Result is the judgement of some Services.
type Result struct {
	Services []*report.Service // worst first
	Findings []finding.Finding // root causes first
}

// Judge holds the Services against their slices and pods. It is a pure
// function of the view and the options. Services that the view does not hold
// are passed over: Selected says which those are.
func Judge(v *index.View, services []object.Ref, opts Options) Result {
	return judge(v, services, opts).result(opts)
}

func (w *world) result(opts Options) Result {
	many := len(w.findings)
	for _, c := range w.subjects {
		many += len(c.found)
	}
	r := Result{Findings: append(make([]finding.Finding, 0, many), w.findings...), Services: make([]*report.Service, 0, len(w.subjects))}
	for _, c := range w.subjects {
		r.Services = append(r.Services, c.describe(opts))
		r.Findings = append(r.Findings, c.found...)
	}
	slices.SortStableFunc(r.Services, func(a, b *report.Service) int {
		return cmp.Or(cmp.Compare(verdictRank(a.Verdict), verdictRank(b.Verdict)), -cmp.Compare(len(a.Codes), len(b.Codes)), object.Compare(a.Object, b.Object))
	})
	finding.Sort(r.Findings, depth)
	return r
}

// judged is the key under which a view keeps a judgement that no live answer
// went into: what is told last is what was planned with last.
type judged struct {
	services string
	from     object.Ref
	all      bool
}

func judge(v *index.View, services []object.Ref, opts Options) *world {
	if len(opts.Observations) > 0 {
		return judgeAnew(v, services, opts)
	}
	var names strings.Builder
	for _, r := range services {
		names.WriteString(r.Namespace + "/" + r.Name + ",")
	}
	return index.Memo(v, judged{names.String(), opts.From.Key(), opts.All}, func() *world { return judgeAnew(v, services, opts) })
}

func judgeAnew(v *index.View, services []object.Ref, opts Options) *world {
	w := newWorld(v, services, opts)
	for _, c := range w.subjects {
		c.judge()
	}
	w.judgeWhole()
	for _, c := range w.subjects {
		finding.Sort(c.found, depth)
	}
	return w
}

func (c *subject) judge() {
	c.gather()
	c.compare()
	for _, a := range c.analyzers {
		if a.Each != nil {
			a.Each(c)
		}
	}
	c.link()
}

func (w *world) judgeWhole() {
	for _, a := range w.analyzers {
		if a.Whole != nil {
			a.Whole(w)
		}
	}
}

func verdictRank(v report.Verdict) int {
	return slices.Index([]report.Verdict{report.Broken, report.Unknown, report.Progressing, report.OK}, v)
}
