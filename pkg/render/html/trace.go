package html

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Trace writes the page of trace-dns: the verdict, the way of the queries, the
// ladder of names with who answers each, and what the replicas say.
func Trace(w io.Writer, r *report.Report, _ term.Style) error {
	return render(w, r, "trace-dns", script, func(p *page) {
		if t := r.Trace; t != nil {
			p.lookup(t)
			p.resolvers(t.Resolvers)
			p.grid(t)
			p.corefile(t.Corefile)
		}
		p.findings()
	})
}

// lookup is who asks, along which way, and what for.
func (p *page) lookup(t *report.Trace) {
	p.section("lookup", "The lookup")
	p.put("<dl class=\"facts\">\n")
	p.fact("Name", t.Name)
	p.fact("As it is sent", t.ASCII)
	if t.Client != nil {
		p.fact("Asked by", p.name(*t.Client))
	}
	p.fact("Node", t.Node)
	p.known("Cluster domain", t.Domain)
	p.known("Resolver", t.Libc)
	p.put("</dl>\n")
	p.resolvConf(t.ResolvConf)
	p.path(t.Path)
	p.ladder(t)
	if t.Cost != "" {
		p.put("<p><b>Cost</b> %s</p>\n", t.Cost)
	}
	for _, note := range t.Notes {
		p.put("<p class=\"dim\">%s</p>\n", note)
	}
	p.lessons(t.Learn)
	p.end()
}

func (p *page) known(name string, k report.Known) {
	if k.Value != "" {
		p.put("<div><dt>%s</dt><dd>%s", name, k.Value)
		p.claim(k.Claim)
		p.put("<span class=\"dim\">%s</span></dd></div>\n", k.Why)
	}
}

// claim writes how something is known.
func (p *page) claim(c report.Claim) {
	if c != "" {
		p.put(" <span class=\"chip claim-%s\">%s</span> ", string(c), string(c))
	}
}

func (p *page) resolvConf(c *report.ResolvConf) {
	if c == nil {
		return
	}
	p.put("<h4>The pod's resolv.conf</h4>\n<pre class=\"file\"><code>")
	for _, n := range c.Nameservers {
		p.put("nameserver %s\n", n)
	}
	if len(c.Search) > 0 {
		p.put("search %s\n", strings.Join(c.Search, " "))
	}
	if len(c.Options) > 0 {
		p.put("options %s\n", strings.Join(c.Options, " "))
	}
	p.put("</code></pre>\n<p>")
	p.claim(c.Claim)
	p.put("<span class=\"dim\">%s</span></p>\n", c.Why)
	for _, d := range c.Differs {
		p.put("<p>")
		p.mark(warn)
		p.put(" differs: %s</p>\n", d)
	}
}

// path is the way from the pod to what answers, a box a step.
func (p *page) path(hops []report.Hop) {
	if len(hops) == 0 {
		return
	}
	p.put("<h4>The way of a query</h4>\n<ol class=\"way\">\n")
	for _, h := range hops {
		t := hopTone(h.State)
		p.put("<li class=\"tone-%s\">", string(t))
		p.mark(t)
		p.put(" <b>%s</b>", h.Title)
		p.claim(h.Claim)
		if h.Why != "" {
			p.put("<p>%s</p>", h.Why)
		}
		p.put("</li>\n")
	}
	p.put("</ol>\n")
}

func hopTone(s report.HopState) tone {
	switch s {
	case report.HopOK:
		return good
	case report.HopBroken:
		return bad
	}
	return unknown
}

// ladder is a line for each name that the resolver may send; the one that ends
// the lookup is lit.
func (p *page) ladder(t *report.Trace) {
	if len(t.Ladder) == 0 {
		return
	}
	p.put("<h4>The names that are sent, in order</h4>\n<ol class=\"ladder\">\n")
	for _, r := range t.Ladder {
		tone := rungTone(r)
		p.put("<li class=\"tone-%s %s\"><span class=\"n\" aria-hidden=\"true\">%s</span><div><p><span class=\"mono name\">%s</span> <span class=\"chip %s\">%s</span>", string(tone), rungClass(r.State), itoa(r.N), r.Name, string(tone), string(r.State))
		if r.From != "" {
			p.put(" <span class=\"dim\">%s</span>", r.From)
		}
		p.put("</p>\n")
		if r.State != report.RungSkipped {
			p.answers(r)
		}
		p.put("</div></li>\n")
	}
	p.put("</ol>\n")
}

func (p *page) answers(r report.Rung) {
	for _, a := range alike(r.Answers) {
		p.put("<p><span class=\"type\">%s</span> <b class=\"mono\">%s</b>", a.Type, answerOf(a))
		p.claim(a.Claim)
		if a.Expected != "" {
			p.put(" <span class=\"expected\">%s</span>", a.Expected)
		}
		p.put("</p>\n")
	}
	var by []string
	if r.By != "" && r.Line > 0 {
		by = append(by, fmt.Sprintf("%s (Corefile:%d)", r.By, r.Line))
	} else if r.By != "" {
		by = append(by, r.By)
	}
	if r.Object != nil {
		by = append(by, strings.TrimSpace(p.name(*r.Object)+" "+r.Field))
	}
	for _, text := range []string{r.Server, r.Agreement} {
		if text != "" {
			by = append(by, text)
		}
	}
	if len(by) > 0 {
		p.put("<p class=\"dim\">answered by %s</p>\n", strings.Join(by, " · "))
	}
	if r.Why != "" {
		p.put("<p class=\"dim\">%s</p>\n", r.Why)
	}
}

// alike puts answers that say the same on one line: "A AAAA".
func alike(all []report.RungAnswer) []report.RungAnswer {
	var lines []report.RungAnswer
	for _, a := range all {
		at := slices.IndexFunc(lines, func(l report.RungAnswer) bool {
			return answerOf(l) == answerOf(a) && l.Claim == a.Claim && l.Expected == a.Expected
		})
		if at < 0 {
			lines = append(lines, a)
		} else {
			lines[at].Type += " " + a.Type
		}
	}
	return lines
}

func answerOf(a report.RungAnswer) string {
	switch {
	case len(a.Records) > 0:
		return strings.Join(a.Records, ", ")
	case a.Rcode == "":
		return "not known"
	}
	return a.Rcode
}

func rungTone(r report.Rung) tone {
	found := slices.ContainsFunc(r.Answers, func(a report.RungAnswer) bool { return len(a.Records) > 0 })
	switch {
	case r.State == report.RungStops && found:
		return good
	case r.State == report.RungStops:
		return bad
	case r.State == report.RungUnknown:
		return unknown
	}
	return plain
}

func rungClass(s report.RungState) string {
	switch s {
	case report.RungStops:
		return "stops"
	case report.RungSkipped:
		return "skipped"
	}
	return ""
}

// resolvers are the ladders of several resolvers: for each name its place in
// the order of each.
func (p *page) resolvers(all []report.Resolver) {
	if len(all) < 2 {
		return
	}
	p.section("resolvers", "Other resolvers ask otherwise")
	p.put("<div class=\"scroll\"><table>\n<thead><tr><th>Name</th>")
	for _, r := range all {
		p.put("<th>%s</th>", r.Libc)
	}
	p.put("</tr></thead>\n<tbody>\n")
	for _, name := range namesOf(all) {
		p.put("<tr><td class=\"mono\">%s</td>", name)
		for _, r := range all {
			at := slices.IndexFunc(r.Ladder, func(rung report.Rung) bool { return rung.Name == name })
			switch {
			case at < 0:
				p.put("<td class=\"dim\">–</td>")
			case r.Ladder[at].State == report.RungSkipped:
				p.put("<td class=\"dim\">%s, not asked</td>", itoa(r.Ladder[at].N))
			default:
				p.put("<td>")
				p.mark(rungTone(r.Ladder[at]))
				p.put(" %s</td>", itoa(r.Ladder[at].N))
			}
		}
		p.put("</tr>\n")
	}
	for _, row := range []struct {
		title string
		text  func(report.Resolver) string
	}{
		{"Outcome", func(r report.Resolver) string { return r.Outcome }},
		{"Queries", func(r report.Resolver) string { return fmt.Sprint(r.Queries) }},
		{"Cost", func(r report.Resolver) string { return r.Cost }},
	} {
		p.put("<tr><td><b>%s</b></td>", row.title)
		for _, r := range all {
			p.put("<td>%s</td>", row.text(r))
		}
		p.put("</tr>\n")
	}
	p.put("</tbody></table></div>\n")
	p.end()
}

func namesOf(all []report.Resolver) []string {
	var names []string
	for _, r := range all {
		for _, rung := range r.Ladder {
			if !slices.Contains(names, rung.Name) {
				names = append(names, rung.Name)
			}
		}
	}
	return names
}

// grid is a row for each replica and a column for each question.
func (p *page) grid(t *report.Trace) {
	g := t.Grid
	if g == nil {
		return
	}
	p.section("replicas", "What each replica says")
	p.put("<div class=\"scroll\"><table class=\"grid\">\n<thead><tr><th>Replica</th><th>Node</th><th>Version</th><th>Corefile</th>")
	for _, c := range g.Columns {
		p.put("<th>%s<br><span class=\"mono\">%s</span></th>", c.Type, c.Name)
	}
	p.put("</tr></thead>\n<tbody>\n<tr><td class=\"dim\" colspan=\"4\">expected</td>")
	for _, c := range g.Columns {
		p.put("<td class=\"dim mono\">%s</td>", orDash(c.Expected))
	}
	p.put("</tr>\n")
	for _, r := range g.Rows {
		p.put("<tr><td>")
		p.mark(hopTone(r.Ready))
		p.put(" %s</td><td>%s</td><td>%s</td><td class=\"mono\">", r.Replica.Name, r.Node, r.Version)
		if r.Stale {
			p.mark(bad)
			p.put(" %s old</td>", r.ConfigHash)
		} else {
			p.put("%s</td>", r.ConfigHash)
		}
		for i := range g.Columns {
			switch {
			case i >= len(r.Cells):
				p.put("<td class=\"dim\">?</td>")
			case r.Cells[i].Deviant:
				p.put("<td class=\"mono deviant\">")
				p.mark(bad)
				p.put(" %s</td>", r.Cells[i].Text)
			default:
				p.put("<td class=\"mono\">%s</td>", r.Cells[i].Text)
			}
		}
		p.put("</tr>\n")
		if r.Error != "" {
			p.put("<tr><td colspan=\"%s\">", itoa(4+len(g.Columns)))
			p.mark(warn)
			p.put(" %s</td></tr>\n", r.Error)
		}
	}
	p.put("</tbody></table></div>\n")
	p.end()
}

// corefile is the part that answers, an arrow at its line.
func (p *page) corefile(e *report.Excerpt) {
	if e == nil {
		return
	}
	p.section("corefile", e.Key)
	p.put("<p class=\"dim\">%s</p>\n<pre class=\"file\" tabindex=\"0\"><code>", e.Object.Long())
	last := 0
	for _, l := range e.Lines {
		if last > 0 && l.N > last+1 {
			p.put("     …\n")
		}
		last = l.N
		form := markup("  %s  %s\n")
		if l.Arrow {
			form = "→ %s  <b>%s</b>\n"
		}
		p.put(form, fmt.Sprintf("%3d", l.N), strings.ReplaceAll(l.Text, "\t", "    "))
	}
	p.put("</code></pre>\n")
	p.end()
}
