package html

import (
	"fmt"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// verdict is the head of the page: the answer, and below it what it rests on
// and the way out.
func (p *page) verdict(plugin string) {
	t := toneOf(p.report)
	said := strings.Split(strings.TrimSpace(p.report.Summary), "\n")
	if said[0] == "" {
		said[0] = overall(p.report)
	}
	p.put("<header class=\"verdict %s\">\n<p class=\"asked\"><b>%s</b> %s</p>\n", string(t), plugin, p.report.Target)
	p.put("<h1>")
	p.mark(t)
	p.put("<span>%s</span></h1>\n", said[0])
	if len(said) > 1 {
		p.put("<ul>\n")
		for _, s := range said[1:] {
			p.put("<li>%s</li>\n", s)
		}
		p.put("</ul>\n")
	}
	if headline(p.report) {
		p.root(prose.Grouped(p.report.Findings)[0])
	}
	p.put("</header>\n")
}

// overall counts, where a report of several targets has no sentence of its own.
func overall(r *report.Report) string {
	var parts []string
	for _, v := range []report.Verdict{report.Broken, report.Unknown, report.Progressing, report.OK} {
		n := 0
		for _, s := range r.Rollouts {
			if s.Verdict == v {
				n++
			}
		}
		for _, s := range r.Services {
			if s.Verdict == v {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, itoa(n)+" "+string(v))
		}
	}
	if len(parts) == 0 {
		return string(r.Verdict)
	}
	if len(r.Rollouts) > 0 {
		return itoa(len(r.Rollouts)) + " rollouts: " + strings.Join(parts, ", ")
	}
	return strings.Join(parts, ", ")
}

// toneOf is the verdict's; where all works and yet a finding warns, a warning's.
func toneOf(r *report.Report) tone {
	worst, any := finding.Worst(r.Findings)
	if r.Verdict == report.OK && any && worst != finding.Info {
		return warn
	}
	return verdictTone(r.Verdict)
}

func severityTone(s finding.Severity) tone {
	switch s {
	case finding.Error:
		return bad
	case finding.Warning:
		return warn
	default:
		return plain
	}
}

// root is the first finding, in full.
func (p *page) root(group []finding.Finding) {
	f := group[0]
	p.put("<div class=\"root\" id=\"f0\" tabindex=\"-1\" data-tone=\"%s\">\n", string(severityTone(f.Severity)))
	p.put("<p class=\"claim\"")
	if strings.Contains(p.report.Summary, f.Message) {
		p.put(" hidden") // the headline says it
	}
	p.put(">%s: %s</p>\n", p.names(group), f.Message)
	p.proof(f)
	p.put("<p class=\"code\">More about it: <code>--explain %s</code></p>\n</div>\n", f.Code)
}

// findings are all that the head has not said.
func (p *page) findings() {
	groups := prose.Grouped(p.report.Findings)
	from := 0
	if headline(p.report) {
		from = 1
	}
	if len(groups) <= from {
		return
	}
	title := "What was found"
	if from > 0 {
		title = "What else was found"
	}
	p.section("findings", title)
	for i, group := range groups[from:] {
		f := group[0]
		p.put("<article class=\"finding %s\" id=\"f%s\" tabindex=\"-1\" data-tone=\"%s\">\n", string(severityTone(f.Severity)), itoa(i+from), string(severityTone(f.Severity)))
		p.put("<h3>")
		p.mark(severityTone(f.Severity))
		p.put("<span>%s</span></h3>\n<p class=\"claim\">%s</p>\n", f.Message, p.names(group))
		if f.CausedBy != nil {
			p.put("<p class=\"cause\">follows from <code>%s</code> of %s</p>\n", f.CausedBy.Code, p.name(f.CausedBy.Object))
		}
		p.proof(f)
		p.put("<p class=\"code\"><code>%s</code></p>\n</article>\n", f.Code)
	}
	p.end()
}

// proof is the evidence of a finding, and what to do.
func (p *page) proof(f finding.Finding) {
	if len(f.Evidence) > 0 {
		p.put("<div class=\"evidence\"><h4>Evidence</h4>\n<dl>\n")
		for i := range f.Evidence {
			e := &f.Evidence[i]
			if i == 0 || e.Object != f.Evidence[i-1].Object {
				p.put("<div class=\"of\"><dt>%s</dt></div>\n", p.name(e.Object))
			}
			p.put("<div><dt>%s</dt><dd>", e.Field)
			p.lines(e.Value)
			p.put("</dd></div>\n")
		}
		p.put("</dl></div>\n")
	}
	if len(f.Fix) > 0 {
		p.put("<div class=\"fix\"><h4>What to do</h4>\n<ul>\n")
		for _, fix := range f.Fix {
			p.put("<li><p>%s</p>\n", fix.Description)
			if fix.Command != "" {
				p.command(fix.Command)
			}
			p.put("</li>\n")
		}
		p.put("</ul></div>\n")
	}
}

// mostNames is as many objects of one finding as are named.
const mostNames = 12

func (p *page) names(group []finding.Finding) string {
	var names []string
	for _, f := range group[:min(len(group), mostNames)] {
		names = append(names, p.name(f.Object))
	}
	text := strings.Join(names, ", ")
	if more := len(group) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func (p *page) name(o object.Ref) string {
	if p.long {
		return o.Long()
	}
	return o.String()
}

// budget is the last line: what the answer cost, and what it did not see.
func (p *page) budget() {
	r := p.report
	if len(r.Gaps) > 0 {
		p.section("gaps", "What could not be seen")
		table := p.table("What", "Namespace", "Why")
		for _, g := range r.Gaps {
			what := g.Resource
			if g.Name != "" {
				what += "/" + g.Name
			}
			why := g.Reason
			if g.Detail != "" {
				why += ": " + g.Detail
			}
			table.row("", what, g.Namespace, why)
		}
		table.close()
		p.end()
	}
	cost := fmt.Sprintf("%d requests, %.2f s", r.Budget.Requests, r.Budget.Seconds)
	switch {
	case r.Budget.Recorded:
		cost = "from a recording"
	case r.Budget.Snapshot:
		cost = "from a snapshot"
	case r.Budget.Requests == 1:
		cost = fmt.Sprintf("1 request, %.2f s", r.Budget.Seconds)
	}
	p.put("<footer><p>%s</p><p>%s · %s</p></footer>\n", cost, r.Kind, r.APIVersion)
}

// severalNamespaces says whether names need theirs.
func severalNamespaces(r *report.Report) bool {
	first, several := "", false
	see := func(o object.Ref) {
		several = several || o.Namespace != "" && first != "" && o.Namespace != first
		if first == "" {
			first = o.Namespace
		}
	}
	report.Walk(r.Tree, func(n *report.Node, _ int) { see(n.Object) })
	for _, s := range r.Services {
		see(s.Object)
	}
	for _, s := range r.Rollouts {
		see(s.Object)
	}
	if r.Trace != nil && r.Trace.Client != nil {
		see(*r.Trace.Client)
	}
	for _, f := range r.Findings {
		see(f.Object)
		for _, e := range f.Evidence {
			see(e.Object)
		}
	}
	return several
}
