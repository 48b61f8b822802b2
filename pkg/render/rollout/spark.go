package rollout

import (
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

func barWidth(style term.Style) int {
	switch {
	case style.Width > 0 && style.Width < 60:
		return 10
	case style.Width >= 140:
		return 30
	}
	return 20
}

func sparkWidth(style term.Style) int {
	switch {
	case style.Width > 0 && style.Width < 60:
		return 8
	case style.Width >= 140:
		return 40
	}
	return 12
}

// bar rounds down, so that only what is whole looks whole, and shows one cell
// as soon as there is something.
func bar(style term.Style, have, whole, width int) (full, rest string) {
	n := 0
	if whole > 0 {
		n = min(width, max(0, have)*width/whole)
	}
	if have > 0 && n == 0 {
		n = 1
	}
	return strings.Repeat(style.Sign("█", "#"), n), strings.Repeat(style.Sign("░", "."), width-n)
}

func paintBar(style term.Style, have, whole, width int, tone term.Tone) string {
	full, rest := bar(style, have, whole, width)
	return style.Paint(tone, full) + style.Paint(term.Dim, rest)
}

// cell is one column of a sparkline.
type cell struct {
	seen     bool
	old, new int // at the moment of the cell when the fewest served
}

// resample gives each cell an equal span of time, and the least that served in
// it: a dip must not vanish between two samples. What was not observed is not
// drawn.
func resample(pr report.Proof, width int) []cell {
	if len(pr.Curve) == 0 || width <= 0 {
		return nil
	}
	start, end := pr.Curve[0].At, pr.Curve[len(pr.Curve)-1].At
	for _, gap := range pr.Unseen {
		if gap.To != nil && gap.To.After(end) {
			end = *gap.To
		}
	}
	span := end.Sub(start)
	cells := make([]cell, width)
	next, last := 0, report.CurvePoint{}
	for i := range cells {
		from, to := start.Add(span*time.Duration(i)/time.Duration(width)), start.Add(span*time.Duration(i+1)/time.Duration(width))
		least := last
		known := next > 0
		for ; next < len(pr.Curve) && (i == width-1 || pr.Curve[next].At.Before(to) || !pr.Curve[next].At.After(from)); next++ {
			last = pr.Curve[next]
			if !known || last.Old+last.New < least.Old+least.New {
				least, known = last, true
			}
		}
		cells[i] = cell{known && !unseen(pr.Unseen, from, to), least.Old, least.New}
	}
	return cells
}

func unseen(gaps []report.Interval, from, to time.Time) bool {
	for _, g := range gaps {
		if g.From.Before(to) && (g.To == nil || g.To.After(from)) || g.From.Equal(from) {
			return true
		}
	}
	return false
}

// spark is how many served over time: "!" is below the floor, "?" was not
// observed. A broken proof is marked even where its curve was thinned out.
func spark(pr report.Proof, style term.Style, width int) string {
	cells := resample(pr, width)
	top := max(pr.Max, pr.Floor, 1)
	for _, c := range cells {
		top = max(top, c.old+c.new)
	}
	var b strings.Builder
	for _, run := range runs(cells, func(c cell) (string, term.Tone) {
		n := c.old + c.new
		switch {
		case !c.seen:
			return "?", term.Warn
		case n < pr.Floor:
			return "!", term.Bad
		case c.new >= c.old:
			return level(style, n, top), term.Good
		}
		return level(style, n, top), term.Plain
	}) {
		b.WriteString(style.Paint(run.tone, run.text))
	}
	return b.String()
}

// handOver draws old and new for themselves.
func handOver(p prose.Writer, pr report.Proof, width int) {
	cells := resample(pr, width)
	top := 1
	for _, c := range cells {
		top = max(top, c.old, c.new)
	}
	one := func(count func(cell) int) string {
		var b strings.Builder
		for _, c := range cells {
			if c.seen {
				b.WriteString(level(p.Style, count(c), top))
			} else {
				b.WriteByte('?')
			}
		}
		return b.String()
	}
	flow(p, "  old "+one(func(c cell) int { return c.old }), 6+width, []piece{{text: "new", gap: 2}, {text: one(func(c cell) int { return c.new }), gap: 1}}, "")
}

func level(style term.Style, n, top int) string {
	if !style.Unicode {
		if top <= 9 {
			return string(rune('0' + min(9, max(0, n))))
		}
		return string(rune('0' + min(9, max(0, n)*9/top)))
	}
	levels := []rune("▁▂▃▄▅▆▇█")
	return string(levels[min(len(levels)-1, max(0, n)*(len(levels)-1)/top)])
}

type run struct {
	text string
	tone term.Tone
}

func runs(cells []cell, draw func(cell) (string, term.Tone)) []run {
	var all []run
	for _, c := range cells {
		text, tone := draw(c)
		if n := len(all); n > 0 && all[n-1].tone == tone {
			all[n-1].text += text
		} else {
			all = append(all, run{text, tone})
		}
	}
	return all
}
