package tree

import (
	"cmp"
	"maps"
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
	p := newPass(b)
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
	about := map[object.Ref][]finding.Finding{}
	for _, f := range findings {
		about[f.Object.Key()] = append(about[f.Object.Key()], f)
	}
	report.Walk(forest, func(n *report.Node, _ int) {
		mine := about[n.Object.Key()]
		if n.Above || len(mine) == 0 {
			return
		}
		codes := map[string]bool{}
		for _, f := range mine {
			codes[f.Code] = true
		}
		n.Codes = slices.Sorted(maps.Keys(codes))
		if n.Health == report.Healthy || n.Health == report.NoHealth {
			n.Health, n.Status = worstOf(mine, n)
		}
	})
}

// worstOf lets a finding colour a row whose own state is well: an object may
// run and yet be about to be collected.
func worstOf(about []finding.Finding, n *report.Node) (report.Health, string) {
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
	for i, f := range p.findings {
		have[finding.Cause{Code: f.Code, Object: f.Object.Key()}] = true
		p.about[f.Object.Key()] = append(p.about[f.Object.Key()], i)
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
			f.CausedBy = p.saidBelow(*f, have)
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
			for _, i := range p.about[it.Ref.Key()] {
				if f := &p.findings[i]; f.Code == "tree/reference-missing" && f.Evidence[0].Field == e.Field {
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
// to, which explains the object's own failure: the deepest cause, and of equal
// ones the first that was found.
func (p *Pass) causeBelow(f finding.Finding) *finding.Cause {
	if !symptom[f.Code] {
		return nil
	}
	best := -1
	for below := range p.below(f.Object) {
		for _, i := range p.about[below] {
			c := &p.findings[i]
			if c.Severity == finding.Info || symptom[c.Code] && depth(c.Code) >= depth(f.Code) || c.Object.Key() == f.Object.Key() && c.Code == f.Code {
				continue
			}
			if best < 0 || cmp.Or(cmp.Compare(depth(c.Code), depth(p.findings[best].Code)), cmp.Compare(i, best)) < 0 {
				best = i
			}
		}
	}
	if best < 0 {
		return nil
	}
	return &finding.Cause{Code: p.findings[best].Code, Object: p.findings[best].Object}
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
func (p *Pass) saidBelow(f finding.Finding, have map[finding.Cause]bool) *finding.Cause {
	said := func(r object.Ref) bool { return have[finding.Cause{Code: f.Code, Object: r.Key()}] }
	for _, child := range p.Graph.Owned(f.Object) {
		if said(child.Ref) {
			return &finding.Cause{Code: f.Code, Object: child.Ref}
		}
	}
	for _, e := range p.Graph.From(f.Object) {
		if e.Row.Side == relation.Needs && said(e.To) {
			return &finding.Cause{Code: f.Code, Object: e.To}
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
// template it was made from. A file that a volume lacks is waited for by none.
func (p *Pass) missingFor(r object.Ref) *finding.Cause {
	for _, maker := range p.makers(r) {
		for _, i := range p.about[maker] {
			if c := p.findings[i]; c.Code == "tree/reference-missing" && !slices.Contains(p.folders, i) {
				return &finding.Cause{Code: c.Code, Object: c.Object}
			}
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
