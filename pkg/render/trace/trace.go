// Package trace writes a DNS trace for people: the verdict and the way out,
// the client's resolv.conf, the way that queries take, the ladder of names that
// the resolver sends with who answers each, and what it costs. As a Mermaid
// sequence diagram it draws the same.
package trace

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Options are what -o wide and --learn choose.
type Options struct {
	Wide  bool // every replica, the Corefile, every finding, every gap
	Learn bool // the Corefile too
}

// Render writes the report. Nothing is wider than style.Width except commands
// and names, which stay whole so that they can be copied.
func (o Options) Render(w io.Writer, r *report.Report, style term.Style) error {
	out := bufio.NewWriter(w)
	p := prose.Writer{Out: out, Style: style, All: o.Wide, Long: severalNamespaces(r)}
	findings := r.Findings
	p.Verdict(r.Verdict, r.Summary, findings)
	if first, ok := prose.Headline(r); ok {
		findings = findings[1:]
		p.Root(first, r.Summary)
	}
	if r.Trace != nil {
		p.Blank()
		if err := o.picture(p, r); err != nil {
			return err
		}
	}
	if len(findings) > 0 {
		p.Blank()
		p.Findings(findings)
	}
	if r.Trace != nil {
		lessons(p, r.Trace.Learn)
	}
	p.Budget(r)
	return out.Flush()
}

func (o Options) picture(p prose.Writer, r *report.Report) error {
	t := r.Trace
	resolvConf(p, t.ResolvConf)
	rail(p, t.Path)
	if err := ladder(p, t); err != nil {
		return err
	}
	line(p, "cost", t.Cost, "")
	if len(t.Resolvers) > 1 {
		p.Blank()
		if err := resolvers(p, t.Resolvers); err != nil {
			return err
		}
	}
	if t.Grid != nil && (o.Wide || deviates(t.Grid)) {
		p.Blank()
		if err := o.grid(p, t); err != nil {
			return err
		}
	}
	if t.Corefile != nil && (o.Wide || o.Learn || matters(r, t.Corefile.Object)) {
		p.Blank()
		corefile(p, t.Corefile)
	}
	for _, note := range t.Notes {
		p.Paragraph(lead("note"), term.Dim, p.Style.Text(note), term.Dim)
	}
	return nil
}

// severalNamespaces says whether names need theirs: the DNS servers' objects
// live in another one than the client's.
func severalNamespaces(r *report.Report) bool {
	var first string
	several := func(o object.Ref) bool {
		if o.Namespace != "" && first == "" {
			first = o.Namespace
		}
		return o.Namespace != "" && o.Namespace != first
	}
	if r.Trace != nil && r.Trace.Client != nil {
		first = r.Trace.Client.Namespace
	}
	return slices.ContainsFunc(r.Findings, func(f finding.Finding) bool {
		return several(f.Object) || slices.ContainsFunc(f.Evidence, func(e finding.Evidence) bool { return several(e.Object) })
	})
}

// matters says whether a finding rests on that object.
func matters(r *report.Report, o object.Ref) bool {
	return slices.ContainsFunc(r.Findings, func(f finding.Finding) bool {
		if f.Severity == finding.Info {
			return false
		}
		return f.Object.Key() == o.Key() || slices.ContainsFunc(f.Evidence, func(e finding.Evidence) bool { return e.Object.Key() == o.Key() })
	})
}

// lead is the name of a line, at the left.
func lead(name string) string { return fmt.Sprintf(" %-12s ", name) }

// line writes a fact, and how it is known at the right where there is room.
func line(p prose.Writer, name, text string, claim report.Claim) {
	if text == "" {
		return
	}
	write(p, name, []piece{{text: text}}, claim)
}

// piece is a part of a line that is not broken where it need not be.
type piece struct {
	text string
	tone term.Tone
	sign *piece // stands before it, on the same line; such a piece is kept whole
}

// write puts pieces one after the other, on as many lines as they need.
func write(p prose.Writer, name string, pieces []piece, claim report.Claim) {
	indent := strings.Repeat(" ", term.Width(lead(name)))
	p.Out.WriteString(p.Style.Paint(term.Dim, lead(name)))
	used, width := len(indent), p.Style.Width
	put := func(text string, tone term.Tone, sign *piece) {
		mark := ""
		if sign != nil {
			mark = sign.text
		}
		size := term.Width(mark) + term.Width(text)
		if width > 0 && used+size > width && used > len(indent) {
			p.Blank()
			p.Out.WriteString(indent)
			used = len(indent)
			text = strings.TrimLeft(text, " ")
			size = term.Width(mark) + term.Width(text)
		}
		if sign != nil {
			p.Out.WriteString(p.Style.Paint(sign.tone, mark))
		}
		p.Out.WriteString(p.Style.Paint(tone, text))
		used += size
	}
	for _, piece := range pieces {
		if text := p.Style.Text(piece.text); piece.sign != nil && (width <= 0 || len(indent)+2+term.Width(text) <= width) {
			put(text, piece.tone, piece.sign)
			continue
		}
		for i, word := range strings.Split(p.Style.Text(piece.text), " ") {
			if i > 0 {
				word = " " + word
			}
			if word != "" {
				put(word, piece.tone, nil)
			}
		}
	}
	if claim != "" {
		put("   "+p.Style.Text(string(claim)), term.Dim, nil)
	}
	p.Blank()
}

// resolvConf is the client's file in one line, and where the prediction differs.
func resolvConf(p prose.Writer, c *report.ResolvConf) {
	if c == nil {
		return
	}
	parts := []string{"no nameserver"}
	if len(c.Nameservers) > 0 {
		parts[0] = "nameserver " + strings.Join(c.Nameservers, " ")
	}
	if len(c.Search) > 0 {
		parts = append(parts, "search "+strings.Join(c.Search, " "))
	} else {
		parts = append(parts, "no search list")
	}
	if len(c.Options) > 0 {
		parts = append(parts, strings.Join(c.Options, " "))
	}
	line(p, "resolv.conf", strings.Join(parts, " · "), c.Claim)
	for _, difference := range c.Differs {
		write(p, "", []piece{{text: "differs: " + difference, tone: term.Warn}}, "")
	}
	if c.Why != "" && c.Claim != report.Observed {
		write(p, "", []piece{{text: c.Why, tone: term.Dim}}, "")
	}
}

// rail is the way of a query, a mark at each step.
func rail(p prose.Writer, hops []report.Hop) {
	if len(hops) == 0 {
		return
	}
	var pieces []piece
	for i, h := range hops {
		if i > 0 {
			pieces = append(pieces, piece{text: " → ", tone: term.Dim})
		}
		sign, tone := hopSign(h.State, p.Style)
		pieces = append(pieces, piece{h.Title, hopText(h.State), &piece{text: sign, tone: tone}})
	}
	write(p, "path", pieces, weakest(hops))
	for _, h := range hops {
		if h.Why != "" && h.State != report.HopOK {
			sign, tone := hopSign(h.State, p.Style)
			write(p, "", []piece{{text: sign, tone: tone}, {text: h.Title + ": " + h.Why}}, "")
		}
	}
}

func hopSign(s report.HopState, style term.Style) (string, term.Tone) {
	switch s {
	case report.HopOK:
		return style.Sign("✓ ", "+ "), term.Good
	case report.HopBroken:
		return style.Sign("✗ ", "x "), term.Bad
	}
	return "? ", term.Warn
}

func hopText(s report.HopState) term.Tone {
	if s == report.HopBroken {
		return term.Bad
	}
	return term.Plain
}

// weakest is how the least known step is known: a chain is no stronger.
func weakest(hops []report.Hop) report.Claim {
	claim := report.Observed
	for _, h := range hops {
		if h.Claim == report.Unproven || h.Claim == report.Computed && claim == report.Observed {
			claim = h.Claim
		}
	}
	return claim
}

// lessons are what --learn adds.
func lessons(p prose.Writer, all []report.Lesson) {
	if len(all) == 0 {
		return
	}
	p.Blank()
	for _, l := range all {
		p.Paragraph(lead(p.Style.Text(l.Term)), term.Bold, p.Style.Text(l.Text), term.Plain)
	}
}
