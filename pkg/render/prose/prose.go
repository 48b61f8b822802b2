// Package prose writes what every report for people has in common: the verdict
// in a sentence, what it rests on, the findings with the way out, and what the
// answer cost. Text of strangers is escaped.
package prose

import (
	"bufio"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Writer writes lines of safe text, wrapped between words to the screen.
// Nothing is wider than Style.Width except commands and single words, which stay
// whole so that they can be copied.
type Writer struct {
	Out   *bufio.Writer
	Style term.Style
	All   bool   // every finding, every gap
	Long  bool   // objects with their namespaces, where a report spans several
	More  string // the flag that sets All; --all if unset
}

// Blank ends a line, or leaves one empty.
func (p Writer) Blank() { p.Out.WriteByte('\n') }

// Paragraph writes safe text after a lead of its own tone; further lines are
// indented by as much as the lead is wide.
func (p Writer) Paragraph(lead string, leadTone term.Tone, text string, tone term.Tone) {
	indent := term.Width(lead)
	for i, line := range term.Wrap(text, p.room(indent)) {
		if i == 0 {
			p.Out.WriteString(p.Style.Paint(leadTone, lead))
		} else {
			p.indent(indent)
		}
		p.Out.WriteString(p.Style.Paint(tone, line))
		p.Blank()
	}
}

func (p Writer) indent(n int) {
	for range n {
		p.Out.WriteByte(' ')
	}
}

// room is what an indent leaves of the screen; 0 is unlimited.
func (p Writer) room(indent int) int {
	if p.Style.Width <= 0 {
		return 0
	}
	return max(20, p.Style.Width-indent)
}

func (p Writer) more() string {
	if p.More == "" {
		return "--all"
	}
	return p.More
}

func (p Writer) name(r object.Ref) string {
	if p.Long {
		return r.Long()
	}
	return r.String()
}
