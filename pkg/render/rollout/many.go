package rollout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// fewRollouts are shown as a block each even where nothing fails; of more, this
// many of the failing ones are.
const fewRollouts = 5

// block is one rollout in a list: a row, or all that is known in brief.
type block struct {
	ro    *report.Rollout
	row   string
	open  []string // nil until it is asked for
	whole bool
}

func (b *block) rows() []string {
	if b.whole {
		return b.open
	}
	return []string{b.row}
}

// Order are the rollouts as a list shows them: what fails first.
func Order(rollouts []*report.Rollout) []*report.Rollout {
	sorted := slices.Clone(rollouts)
	slices.SortStableFunc(sorted, func(a, b *report.Rollout) int { return urgency(a) - urgency(b) })
	return sorted
}

// rows writes a row or a block for each rollout, within the height.
func (o Options) rows(p prose.Writer, r *report.Report) {
	sorted := Order(r.Rollouts)
	blocks := make([]block, len(sorted))
	width, digits := columns(p, sorted)
	for i, ro := range sorted {
		blocks[i] = block{ro: ro, row: o.row(p, ro, stateWords(p, r, ro), width, digits)}
	}
	o.open(p, r, blocks)
	first, last := o.window(blocks)
	if first > 0 {
		p.Paragraph("", term.Plain, fmt.Sprintf("%s %d above", p.Style.Ellipsis(), first), term.Dim)
	}
	for _, b := range blocks[first:last] {
		write(p, b.rows())
	}
	if left := blocks[last:]; len(left) > 0 {
		p.Paragraph("", term.Plain, p.Style.Fit(rest(p.Style, left)), term.Dim)
	}
}

// open shows as much of the failing ones, and then of the others, as there is
// room for.
func (o Options) open(p prose.Writer, r *report.Report, blocks []block) {
	used, opened := len(blocks), 0
	for i := range blocks {
		b := &blocks[i]
		if len(blocks) > fewRollouts && (opened >= fewRollouts || !troubled(b.ro)) && !o.Wide {
			continue
		}
		open := o.block(p, r, b.ro)
		if o.Height > 0 && used-1+len(open) > o.Height && (i > 0 || len(open) >= o.Height) {
			continue
		}
		b.open, b.whole = open, true
		used += len(open) - 1
		opened++
	}
}

// window is the part of the list that fits, with the selected one in it, and a
// row left for each word about what does not fit.
func (o Options) window(blocks []block) (first, last int) {
	total := 0
	for i := range blocks {
		total += len(blocks[i].rows())
	}
	if o.Height <= 0 || total <= o.Height {
		return 0, len(blocks)
	}
	at := slices.IndexFunc(blocks, func(b block) bool { return b.ro.Object.Key() == o.Selected.Key() })
	for {
		room := o.Height - 1 // what is left out below
		if first > 0 {
			room-- // and above
		}
		last = first
		for last < len(blocks) && room >= len(blocks[last].rows()) {
			room -= len(blocks[last].rows())
			last++
		}
		if at < last || first >= at || first >= len(blocks)-1 {
			return first, last
		}
		first++
	}
}

// rest is "… 37 more are fine", or how many of them are what.
func rest(style term.Style, left []block) string {
	fine := 0
	for _, b := range left {
		if urgency(b.ro) >= 5 {
			fine++
		}
	}
	switch fine {
	case len(left):
		return fmt.Sprintf("%s %d more %s fine", style.Ellipsis(), fine, verb(fine))
	case 0:
		return fmt.Sprintf("%s %d more, all with something to look at", style.Ellipsis(), len(left))
	}
	return fmt.Sprintf("%s %d more: %d with something to look at, %d %s fine", style.Ellipsis(), len(left), len(left)-fine, fine, verb(fine))
}

func verb(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// columns are the widths that names and counts take.
func columns(p prose.Writer, rollouts []*report.Rollout) (names, digits int) {
	for _, ro := range rollouts {
		names = max(names, term.Width(p.Style.Text(nameOf(p, ro.Object))))
		digits = max(digits, len(counts(ro)))
	}
	if p.Style.Width > 0 {
		names = min(names, max(8, p.Style.Width/3))
	}
	return names, digits
}

func counts(ro *report.Rollout) string {
	return fmt.Sprintf("%d/%d", ro.Counts.Available, ro.Counts.Desired)
}

// row is "✗ web       ██████░░░░  7/10  waits for …".
func (o Options) row(p prose.Writer, ro *report.Rollout, words string, names, digits int) string {
	mark, tone := sign(ro, p.Style)
	name := term.TruncateMiddle(p.Style.Text(nameOf(p, ro.Object)), names, p.Style.Ellipsis())
	name += strings.Repeat(" ", names-term.Width(name))
	bars := 10
	if p.Style.Width > 0 && p.Style.Width < 60 {
		bars = 5
	}
	count := fmt.Sprintf("%*s", digits, counts(ro))
	b := ""
	if ro.Phase != report.PhaseBefore {
		b = paintBar(p.Style, ro.Counts.Available, ro.Counts.Desired, bars, tone) + " " + count
	} else {
		b = strings.Repeat(" ", bars+1+digits)
	}
	text := p.Style.Text(words)
	gutter := o.gutter(p.Style, ro.Object)
	if p.Style.Width > 0 {
		text = p.Style.Cut(text, max(0, p.Style.Width-len(gutter)-2-names-2-bars-1-digits-2))
	}
	return strings.TrimRight(gutter+p.Style.Paint(tone, mark)+" "+p.Style.Paint(bold(troubled(ro)), name)+"  "+b+"  "+p.Style.Paint(wordTone(ro), text), " ")
}

func bold(yes bool) term.Tone {
	if yes {
		return term.Bold
	}
	return term.Plain
}

func wordTone(ro *report.Rollout) term.Tone {
	if troubled(ro) {
		return term.Plain
	}
	return term.Dim
}

// gutter marks the selected one; there is none where nothing can be selected.
func (o Options) gutter(style term.Style, r object.Ref) string {
	switch {
	case o.Selected.IsZero():
		return ""
	case o.Selected.Key() == r.Key():
		return "> "
	}
	return "  "
}

// block is one rollout among several: the picture, and its worst problem.
func (o Options) block(p prose.Writer, r *report.Report, ro *report.Rollout) []string {
	gutter := o.gutter(p.Style, ro.Object)
	if p.Style.Width > 0 {
		p.Style.Width = max(1, p.Style.Width-len(gutter))
	}
	rows := lines(p, func(p prose.Writer) {
		brief := o
		brief.Wide = false
		mark, tone := sign(ro, p.Style)
		mark = p.Style.Paint(tone, mark) + " "
		narrow := p
		if p.Style.Width > 0 {
			narrow.Style.Width = max(1, p.Style.Width-2)
		}
		for i, row := range lines(narrow, func(p prose.Writer) { brief.picture(p, ro) }) {
			if i > 0 {
				mark = "  "
			}
			p.Out.WriteString(mark + row)
			p.Blank()
		}
		if ro.Phase.Final() && ro.Phase != report.PhaseComplete && ro.Summary != "" {
			write(p, lines(narrow, func(p prose.Writer) { p.Paragraph("  ", term.Plain, p.Style.Text(ro.Summary), term.Plain) }))
		}
		if o.Live {
			for _, row := range lines(narrow, func(p prose.Writer) { brief.problems(p, About(r, ro), 1) }) {
				p.Out.WriteString("  " + row)
				p.Blank()
			}
		}
	})
	for i := range rows {
		if i > 0 {
			gutter = strings.Repeat(" ", len(gutter))
		}
		rows[i] = gutter + rows[i]
	}
	return rows
}

// tally is the sentence above several rollouts.
func tally(r *report.Report) string {
	if len(r.Rollouts) == 0 || r.Summary != "" && !strings.Contains(r.Summary, "\n") {
		return strings.TrimSpace(strings.ReplaceAll(r.Summary, "\n", " "))
	}
	words := []string{"failing", "rolled back or going back", "not known", "paused", "rolling", "complete"}
	count := make([]int, len(words))
	for _, ro := range r.Rollouts {
		count[max(0, urgency(ro)-1)]++
	}
	var parts []string
	for i, n := range count {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, words[i]))
		}
	}
	return fmt.Sprintf("%d rollouts: %s.", len(r.Rollouts), strings.Join(parts, ", "))
}
