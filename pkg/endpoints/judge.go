// Package endpoints judges whether traffic to a Service reaches the right
// pods: the endpoints that there should be, held against the EndpointSlices
// and the pods, each difference named with its cause and the way out.
package endpoints

import (
	"cmp"
	"slices"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// Options are what the user chose.
type Options struct {
	From         object.Ref // --from pod/X: also judge whether this client may connect
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
	w := newWorld(v, services, opts)
	var scratch []entry // a cluster has very many: each Service writes its own down and passes the room on
	for _, c := range w.subjects {
		c.entries = scratch[:0]
		c.judge()
		c.writeDown()
		scratch, c.entries = c.entries, nil
	}
	w.judgeWhole()
	r := Result{Findings: w.findings, Services: make([]*report.Service, 0, len(w.subjects))}
	for _, c := range w.subjects {
		r.Services = append(r.Services, c.describe())
		r.Findings = append(r.Findings, c.found...)
	}
	slices.SortStableFunc(r.Services, func(a, b *report.Service) int {
		return cmp.Or(cmp.Compare(verdictRank(a.Verdict), verdictRank(b.Verdict)), -cmp.Compare(len(a.Codes), len(b.Codes)), object.Compare(a.Object, b.Object))
	})
	finding.Sort(r.Findings, depth)
	return r
}

// judge keeps the comparisons, for what goes on from them.
func judge(v *index.View, services []object.Ref, opts Options) *world {
	w := newWorld(v, services, opts)
	for _, c := range w.subjects {
		c.judge()
	}
	w.judgeWhole()
	return w
}

func (c *subject) judge() {
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
