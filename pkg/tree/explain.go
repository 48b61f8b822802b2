package tree

import (
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// Explain judges what was read about the roots: the forest, the findings with
// the root cause first, and the verdict. It is a pure function of the graph.
func Explain(g *relation.Graph, roots []object.Ref, opts Options) *report.Report {
	b := newBuilder(g, roots, opts)
	forest := b.forest(roots)
	p := &Pass{Graph: g, View: g.View, Shown: b.shown(), Asked: b.asked, Written: opts.Written, state: b.state}
	for _, a := range Analyzers() {
		a.Run(p)
	}
	findings := p.linked()
	finding.Sort(findings, func(f finding.Finding) int { return depth(f.Code) })
	mark(forest, findings)
	r := &report.Report{
		APIVersion: report.APIVersion, Kind: "ExplainTree", Target: names(roots),
		Findings: findings, Gaps: gaps(g.View), Tree: forest,
	}
	r.Verdict, r.Summary = b.verdict(roots, findings, r.Gaps)
	return report.Clean(r)
}

// shown are the drawn objects, in the order of the picture.
func (b *builder) shown() []index.Item {
	var items []index.Item
	for _, r := range b.order {
		if it, ok := b.v.Get(r); ok {
			items = append(items, it)
		}
	}
	return items
}

func names(roots []object.Ref) string {
	var out []string
	for _, r := range roots {
		out = append(out, r.Long())
	}
	return strings.Join(out, ", ")
}

// mark writes each finding's code on the rows of its object.
func mark(forest []*report.Node, findings []finding.Finding) {
	codes := map[object.Ref][]string{}
	for _, f := range findings {
		codes[f.Object.Key()] = append(codes[f.Object.Key()], f.Code)
	}
	report.Walk(forest, func(n *report.Node, _ int) {
		if n.Above {
			return
		}
		n.Codes = slices.Compact(slices.Sorted(slices.Values(codes[n.Object.Key()])))
		if len(n.Codes) > 0 && (n.Health == report.Healthy || n.Health == report.NoHealth) {
			n.Health, n.Status = worstOf(findings, n)
		}
	})
}

// worstOf lets a finding colour a row whose own state is well: an object may
// run and yet be about to be collected.
func worstOf(findings []finding.Finding, n *report.Node) (report.Health, string) {
	var about []finding.Finding
	for _, f := range findings {
		if f.Object.Key() == n.Object.Key() {
			about = append(about, f)
		}
	}
	worst, _ := finding.Worst(about)
	var codes []string
	for _, f := range about {
		if _, name, ok := strings.Cut(f.Code, "/"); ok && f.Severity == worst {
			codes = append(codes, name)
		}
	}
	switch worst {
	case finding.Error:
		return report.Failing, strings.ReplaceAll(codes[0], "-", " ")
	case finding.Warning:
		return report.Warned, strings.ReplaceAll(codes[0], "-", " ")
	}
	return n.Health, n.Status
}

// gaps are what could not be seen and was wanted. What a dump does not hold is
// said once for each kind.
func gaps(v *index.View) []report.Gap {
	out := []report.Gap{}
	said := map[report.Gap]bool{}
	for _, g := range v.Gaps {
		if g.Reason == "not served" {
			continue // a kind that the server does not have hides nothing
		}
		gap := report.Gap{Resource: g.Resource, Namespace: g.Namespace, Name: g.Name, Reason: string(g.Reason)}
		if g.Reason == "not in the snapshot" {
			gap.Name = ""
		}
		if said[gap] {
			continue
		}
		said[gap] = true
		gap.Detail = g.Detail
		out = append(out, gap)
	}
	return out
}

// linked ties consequences to their causes: a failing owner to the failure of
// what it owns, a waiting pod to the object that is missing.
func (p *Pass) linked() []finding.Finding {
	have := map[finding.Cause]bool{}
	for _, f := range p.findings {
		have[finding.Cause{Code: f.Code, Object: f.Object.Key()}] = true
	}
	missing := p.missingAt()
	p.linkEmptyFolders()
	fs := slices.Clone(p.findings)
	for i := range fs {
		f := &fs[i]
		if f.CausedBy != nil {
			f.CausedBy = resolve(*f.CausedBy, have, missing)
		}
		if f.CausedBy == nil && f.Severity != finding.Info {
			f.CausedBy = p.causeBelow(*f)
		}
		if f.CausedBy == nil {
			f.CausedBy = p.saidBelow(*f)
		}
		if f.CausedBy == nil && waits[f.Code] {
			f.CausedBy = p.missingFor(f.Object)
		}
		if c := f.CausedBy; c != nil && c.Code == f.Code && c.Object.Key() == f.Object.Key() {
			f.CausedBy = nil // nothing is its own cause
		}
	}
	return fs
}

// missingAt says which finding reported a missing object.
func (p *Pass) missingAt() map[object.Ref]finding.Cause {
	at := map[object.Ref]finding.Cause{}
	for _, it := range p.Shown {
		for _, e := range p.Graph.From(it.Ref) {
			if e.Presence == index.Present {
				continue
			}
			for _, f := range p.findings {
				if f.Code == "tree/reference-missing" && f.Object.Key() == it.Ref.Key() && f.Evidence[0].Field == e.Field {
					at[e.To.Key()] = finding.Cause{Code: f.Code, Object: f.Object}
				}
			}
		}
	}
	return at
}

func resolve(c finding.Cause, have map[finding.Cause]bool, missing map[object.Ref]finding.Cause) *finding.Cause {
	if at, ok := missing[c.Object.Key()]; ok && c.Code == "tree/reference-missing" {
		return &at
	}
	if have[finding.Cause{Code: c.Code, Object: c.Object.Key()}] {
		return &c
	}
	return nil
}

// causeBelow is the error of something that the object owns, or leads traffic
// to, which explains the object's own failure.
func (p *Pass) causeBelow(f finding.Finding) *finding.Cause {
	if !symptom[f.Code] {
		return nil
	}
	below := p.below(f.Object)
	var best *finding.Finding
	for i := range p.findings {
		c := &p.findings[i]
		if !below[c.Object.Key()] || c.Severity == finding.Info || symptom[c.Code] && depth(c.Code) >= depth(f.Code) || c.Object.Key() == f.Object.Key() && c.Code == f.Code {
			continue
		}
		if best == nil || depth(c.Code) < depth(best.Code) {
			best = c
		}
	}
	if best == nil {
		return nil
	}
	return &finding.Cause{Code: best.Code, Object: best.Object}
}

// below are the object itself and all that it owns or leads traffic to.
func (p *Pass) below(r object.Ref) map[object.Ref]bool {
	set := map[object.Ref]bool{}
	queue := []object.Ref{r}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if set[at.Key()] {
			continue
		}
		set[at.Key()] = true
		for _, child := range p.Graph.Owned(at) {
			queue = append(queue, child.Ref)
		}
		for _, e := range p.Graph.From(at) {
			if e.Row.Trunk() || e.Row.Name == "volume-claim" || e.Row.Name == "statefulset-claim" {
				queue = append(queue, e.To)
			}
		}
	}
	return set
}

// saidBelow is the same failure reported by something that the object owns or
// needs: a Deployment repeats its ReplicaSet's refusals in a condition of its
// own, and a pod waits for the claim that waits itself.
func (p *Pass) saidBelow(f finding.Finding) *finding.Cause {
	var below []object.Ref
	for _, child := range p.Graph.Owned(f.Object) {
		below = append(below, child.Ref)
	}
	for _, e := range p.Graph.From(f.Object) {
		if e.Row.Side == relation.Needs {
			below = append(below, e.To)
		}
	}
	for _, r := range below {
		for _, c := range p.findings {
			if c.Code == f.Code && c.Object.Key() == r.Key() {
				return &finding.Cause{Code: c.Code, Object: c.Object}
			}
		}
	}
	return nil
}

// waits are the codes of what waits for an object that is missing.
var waits = map[string]bool{
	"tree/pvc-pending": true, "tree/config-object-missing": true, "tree/config-key-missing": true,
	"tree/mount-object-missing": true, "tree/sa-missing": true, "tree/priorityclass-missing": true,
}

// missingFor is the missing reference of an object, or of an owner whose
// template it was made from.
func (p *Pass) missingFor(r object.Ref) *finding.Cause {
	seen := map[object.Ref]bool{}
	for !seen[r.Key()] {
		seen[r.Key()] = true
		for _, c := range p.findings {
			if c.Code == "tree/reference-missing" && c.Object.Key() == r.Key() && !strings.HasSuffix(c.Evidence[0].Field, subPath) {
				return &finding.Cause{Code: c.Code, Object: c.Object}
			}
		}
		if owners := p.Graph.Owners(r); len(owners) > 0 {
			r = owners[0].Ref
		}
	}
	return nil
}

// worse is the worse of two levels.
func worse(a, b health.Level) health.Level {
	if rank(b) < rank(a) {
		return b
	}
	return a
}
