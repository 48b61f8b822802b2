package rollout

import (
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// piece is a part of a line that stays together where it can.
type piece struct {
	text string // still to be escaped
	tone term.Tone
	gap  int // cells before it; 0 is three
}

// flow writes pieces after a lead that is painted already and takes used cells,
// on as many lines as they need, and right at the right end of the first line.
func flow(p prose.Writer, lead string, used int, pieces []piece, right string) {
	const indent = 2
	width := p.Style.Width
	p.Out.WriteString(lead)
	right = p.Style.Text(right)
	pieces, right = alignable(p, used, pieces, right)
	for _, next := range pieces {
		text := p.Style.Text(next.text)
		if text == "" {
			continue
		}
		gap := next.gap
		if gap == 0 {
			gap = 3
		}
		size := term.Width(text)
		if width <= 0 || used+gap+size <= width {
			pad(p, gap)
			p.Out.WriteString(p.Style.Paint(next.tone, text))
			used += gap + size
			continue
		}
		for i, row := range term.Wrap(text, max(10, width-indent)) {
			if i > 0 || used > indent {
				p.Blank()
				pad(p, indent)
			}
			row = p.Style.Cut(row, max(1, width-indent))
			p.Out.WriteString(p.Style.Paint(next.tone, row))
			used = indent + term.Width(row)
		}
	}
	if right != "" {
		pad(p, width-used-term.Width(right))
		p.Out.WriteString(p.Style.Paint(term.Dim, right))
	}
	p.Blank()
}

// alignable says whether all fits into one line with right at its end; if not,
// right is a piece like the others.
func alignable(p prose.Writer, used int, pieces []piece, right string) ([]piece, string) {
	if right == "" {
		return pieces, ""
	}
	total := used + 3 + term.Width(right)
	for _, next := range pieces {
		gap := next.gap
		if gap == 0 {
			gap = 3
		}
		total += gap + term.Width(p.Style.Text(next.text))
	}
	if p.Style.Width > 0 && total <= p.Style.Width {
		return pieces, right
	}
	return append(pieces[:len(pieces):len(pieces)], piece{text: right, tone: term.Dim}), ""
}

func pad(p prose.Writer, n int) { p.Out.WriteString(strings.Repeat(" ", max(0, n))) }

// fit cuts rows without colour; painted ones were made to fit.
func fit(style term.Style, rows []string) []string {
	if style.Width <= 0 || style.Color {
		return rows
	}
	for i, row := range rows {
		rows[i] = style.Fit(row)
	}
	return rows
}
