package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// picture is what every view of a rollout has: what rolls, new and old side by
// side, who serves meanwhile, and what is waited for.
func (o Options) picture(p prose.Writer, ro *report.Rollout) {
	header(p, ro)
	if ro.Phase != report.PhaseBefore {
		bars(p, ro)
	}
	for _, pr := range ro.Proof {
		o.served(p, ro, pr)
	}
	for _, l := range ro.Probes {
		probed(p, l)
	}
	if ro.Waiting != "" && !ro.Phase.Final() {
		flow(p, p.Style.Paint(term.Dim, "waits for"), 9, []piece{{text: ro.Waiting, gap: 2}}, "")
	}
	if o.Wide && ro.Strategy != "" {
		flow(p, p.Style.Paint(term.Dim, "strategy"), 8, []piece{{text: fmt.Sprintf("%s, floor %d", ro.Strategy, ro.Counts.Floor), gap: 2}}, "")
	}
}

// header is "web  Deployment  revision 4 → 5   image v1 → v2       00:41".
func header(p prose.Writer, ro *report.Rollout) {
	pieces := []piece{{text: ro.Object.Kind, gap: 2}}
	if text := revisions(ro); text != "" {
		pieces = append(pieces, piece{text: text, gap: 2})
	}
	if text := phaseWord(ro.Phase); text != "" {
		pieces = append(pieces, piece{text: text, tone: phaseTone(ro.Phase)})
	}
	if ro.To != nil {
		for _, change := range ro.To.Changes {
			pieces = append(pieces, piece{text: change, tone: term.Dim})
		}
	}
	right := ""
	if ro.Phase != report.PhaseBefore {
		right = clock(ro.Elapsed)
		if ro.ETA != nil && !ro.Phase.Final() {
			right += ", about " + duration(*ro.ETA) + " to go"
		}
	}
	name := p.Style.Text(nameOf(p, ro.Object))
	if p.Style.Width > 0 {
		name = term.TruncateMiddle(name, p.Style.Width, p.Style.Ellipsis())
	}
	flow(p, p.Style.Paint(term.Bold, name), term.Width(name), pieces, right)
}

func revisions(ro *report.Rollout) string {
	from, to := int64(0), int64(0)
	if ro.From != nil {
		from = ro.From.Number
	}
	if ro.To != nil {
		to = ro.To.Number
	}
	switch {
	case from > 0 && to > 0 && from != to:
		return fmt.Sprintf("revision %d → %d", from, to)
	case from > 0 && ro.To != nil && to == 0:
		return fmt.Sprintf("revision %d → next", from)
	case to > 0 && ro.From == nil:
		return fmt.Sprintf("revision %d, the first", to)
	case max(from, to) > 0:
		return fmt.Sprintf("revision %d", max(from, to))
	}
	return ""
}

// bars are new and old, drawn to the same measure.
func bars(p prose.Writer, ro *report.Rollout) {
	c, width := ro.Counts, barWidth(p.Style)
	whole := max(c.Desired, c.Updated, c.Old)
	tone := term.Busy
	switch {
	case c.Failing > 0 || ro.Verdict == report.Broken:
		tone = term.Bad
	case c.Available >= c.Desired:
		tone = term.Good
	}
	newLabel, oldLabel := label("new", ro.To), label("old", ro.From)
	pad := max(term.Width(newLabel), term.Width(oldLabel)) + 2
	row := func(name string, have int, tone term.Tone, pieces []piece) {
		lead := name + strings.Repeat(" ", pad-term.Width(name))
		flow(p, lead+paintBar(p.Style, have, whole, width, tone), pad+width, pieces, "")
	}
	row(newLabel, c.Available, tone, append([]piece{{text: fmt.Sprintf("%d/%d available", c.Available, c.Desired), gap: 2}}, newPods(p.Style, ro)...))
	if ro.From == nil && c.Old == 0 && c.OldTerminating == 0 || ro.Phase.Final() && c.Old+c.OldTerminating == 0 {
		return
	}
	pieces := []piece{{text: fmt.Sprintf("%d/%d serving", c.OldReady, max(c.Desired, c.Old)), gap: 2}}
	if n := c.Old - c.OldReady; n > 0 {
		pieces = append(pieces, piece{text: fmt.Sprintf("%d not ready", n), tone: term.Warn})
	}
	if c.OldTerminating > 0 {
		pieces = append(pieces, piece{text: fmt.Sprintf("%d terminating", c.OldTerminating), tone: term.Dim})
	}
	row(oldLabel, c.OldReady, term.Plain, pieces)
}

func label(word string, r *report.Revision) string {
	if r == nil || r.Number == 0 {
		return word
	}
	return fmt.Sprintf("%s %d", word, r.Number)
}

// newPods are the pods of the new revision that are not available yet, by
// state, with what they wait for.
func newPods(style term.Style, ro *report.Rollout) []piece {
	var pieces []piece
	told := ro.Counts.Available
	for _, state := range []report.PodState{report.PodReady, report.PodStarting, report.PodPending} {
		count, waits, alike := 0, "", true
		for _, pod := range ro.Pods {
			if !pod.New || pod.State != state {
				continue
			}
			if count++; count == 1 {
				waits = pod.Waiting
			}
			alike = alike && pod.Waiting == waits
		}
		if count == 0 {
			continue
		}
		told += count
		text := fmt.Sprintf("%d %s", count, state)
		if waits != "" && alike {
			text += " (" + waits + ")"
		} else if waits != "" {
			text += " (" + waits + ", …)"
		}
		pieces = append(pieces, piece{text: text})
	}
	if n := ro.Counts.Failing; n > 0 {
		told += n
		pieces = append(pieces, piece{text: fmt.Sprintf("%d %s", n, style.Sign("✗", "failing")), tone: term.Bad})
	}
	if n := ro.Counts.Updated - told; n > 0 {
		pieces = append(pieces, piece{text: fmt.Sprintf("%d not available", n)})
	}
	if n := ro.Counts.Desired - ro.Counts.Updated; n > 0 {
		pieces = append(pieces, piece{text: fmt.Sprintf("%d to come", n), tone: term.Dim})
	}
	return pieces
}

// serviceName is empty in a proof that says that there is no Service.
func serviceName(pr report.Proof) string {
	if pr.Service.Name == "" {
		return "no Service"
	}
	return pr.Service.String()
}

// served is "Service/web  ▇▇▇▇▇▆▇▇  serving 9…12, floor 8: held".
func (o Options) served(p prose.Writer, ro *report.Rollout, pr report.Proof) {
	name := serviceName(pr)
	if pr.Service.Namespace != ro.Object.Namespace && pr.Service.Namespace != "" {
		name = pr.Service.Long()
	}
	if pr.Port != "" {
		name += ":" + pr.Port
	}
	if pr.Family != "" {
		name += " " + pr.Family
	}
	name = leadName(p.Style, name)
	text, tone := proofWords(pr, p.Style)
	width := sparkWidth(p.Style)
	used := term.Width(name)
	lead := name
	if s := spark(pr, p.Style, width); s != "" {
		lead, used = name+"  "+s, used+2+width
	}
	flow(p, lead, used, []piece{{text: text, tone: tone, gap: 2}}, "")
	if o.Wide && len(pr.Curve) > 1 {
		handOver(p, pr, width)
	}
}

// proofWords say what is proven. Signs and words tell it without colour.
func proofWords(pr report.Proof, style term.Style) (string, term.Tone) {
	reach := fmt.Sprintf("serving %d, floor %d", pr.Min, pr.Floor)
	if pr.Max > pr.Min {
		reach = fmt.Sprintf("serving %d%s%d, floor %d", pr.Min, style.Ellipsis(), pr.Max, pr.Floor)
	}
	gaps := ""
	if pr.Gaps > 0 {
		gaps = fmt.Sprintf(", %s unobserved", duration(pr.Gaps))
	}
	switch pr.Verdict {
	case report.Held:
		return reach + ": held", term.Good
	case report.HeldWithGaps:
		return reach + ": held" + gaps, term.Warn
	case report.BrokenProof:
		fewest, since := lowest(pr)
		at := ""
		if since != nil {
			at = " at " + since.Format(hourMinuteSecond)
		}
		below := ""
		if pr.Below > 0 {
			below = fmt.Sprintf(", below it for %s", duration(pr.Below))
		}
		return style.Sign("✗ ", "x ") + fmt.Sprintf("fell to %d%s, floor %d%s%s: broken", fewest, at, pr.Floor, below, gaps), term.Bad
	}
	why := pr.Why
	if why == "" {
		why = pr.Summary
	}
	return strings.TrimSuffix("? not provable: "+why, ": "), term.Warn
}

// lowest is the fewest below the floor: what served before a floor was raised
// does not count.
func lowest(pr report.Proof) (int, *time.Time) {
	if len(pr.Broken) == 0 {
		return pr.Min, pr.MinAt
	}
	worst := slices.MinFunc(pr.Broken, func(a, b report.Interval) int { return a.Min - b.Min })
	if worst.Min == pr.Min {
		return pr.Min, pr.MinAt
	}
	return worst.Min, &worst.From
}

func probed(p prose.Writer, l report.LiveProbe) {
	lead := leadName(p.Style, "probe "+l.Target)
	pieces := []piece{{text: fmt.Sprintf("%d sent", l.Sent), gap: 2}}
	if l.Sent == 0 && l.Unasked > 0 {
		pieces = pieces[:0]
	}
	switch {
	case l.Failed > 0:
		text := p.Style.Sign("✗ ", "x ") + fmt.Sprintf("%d failed", l.Failed)
		if l.First != nil && l.Last != nil && l.Last.After(*l.First) {
			text += fmt.Sprintf(", %s to %s", l.First.Format(hourMinuteSecond), l.Last.Format(hourMinuteSecond))
		} else if l.First != nil {
			text += " at " + l.First.Format(hourMinuteSecond)
		}
		if l.Words != "" {
			text += ": " + l.Words
		}
		pieces = append(pieces, piece{text: text, tone: term.Bad})
	case l.Sent > 0:
		pieces = append(pieces, piece{text: "none failed", tone: term.Good})
	}
	if l.Unasked > 0 {
		pieces = append(pieces, piece{text: fmt.Sprintf("? %d could not be sent", l.Unasked), tone: term.Warn})
	}
	if l.Sent > 0 {
		pieces = append(pieces, piece{text: fmt.Sprintf("p50 %.0f ms, p99 %.0f ms, max %.0f ms", l.P50, l.P99, l.Max), tone: term.Dim})
	}
	flow(p, lead, term.Width(lead), pieces, "")
}

// leadName takes at most half of the screen.
func leadName(style term.Style, name string) string {
	name = style.Text(name)
	if style.Width <= 0 {
		return name
	}
	return term.TruncateMiddle(name, max(8, style.Width/2), style.Ellipsis())
}
