package html

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/report"
)

// The measures of a time line, in units of the drawing.
const (
	wide, left, right = 1000.0, 46.0, 24.0
	top, high         = 26.0, 190.0
	lane              = 20.0 // below the curve: a lane for probes, one for events
)

// availability is one Service: how many endpoints served from moment to moment,
// old and new, above the floor that the strategy promises.
func (p *page) availability(ro *report.Rollout, pr *report.Proof, id string) {
	name := pr.Service.String()
	if pr.Service.Name == "" {
		name = "no Service"
	}
	if pr.Port != "" {
		name += ":" + pr.Port
	}
	if pr.Family != "" {
		name += " " + pr.Family
	}
	t, words := proofWords(pr)
	p.put("<figure class=\"proof\">\n<figcaption>")
	p.mark(t)
	p.put(" <b>%s</b> %s</figcaption>\n", name, words)
	if len(pr.Curve) > 0 {
		p.curve(ro, pr, id)
	}
	if len(pr.Limits) > 0 {
		p.put("<details><summary>What this does not show</summary><ul class=\"dim\">\n")
		for _, limit := range pr.Limits {
			p.put("<li>%s</li>\n", limit)
		}
		p.put("</ul></details>\n")
	}
	p.put("</figure>\n")
}

func proofWords(pr *report.Proof) (tone, string) {
	reach := fmt.Sprintf("served by %d to %d, floor %d", pr.Min, pr.Max, pr.Floor)
	switch pr.Verdict {
	case report.Held:
		return good, reach + ": held"
	case report.HeldWithGaps:
		return warn, fmt.Sprintf("%s: held, but %s went unobserved", reach, duration(pr.Gaps))
	case report.BrokenProof:
		return bad, fmt.Sprintf("%s: below the floor for %s", reach, duration(pr.Below))
	}
	return unknown, "not provable: " + cmp.Or(pr.Why, pr.Summary)
}

// chart turns times and numbers into places of the drawing.
type chart struct {
	from, to time.Time
	most     int
}

func (c chart) x(t time.Time) float64 {
	share := float64(t.Sub(c.from)) / float64(c.to.Sub(c.from))
	return left + min(max(share, 0), 1)*(wide-left-right)
}

func (c chart) y(n int) float64 {
	return top + high*(1-min(max(float64(n)/float64(c.most), 0), 1))
}

func (c chart) holds(t time.Time) bool { return !t.Before(c.from) && !t.After(c.to) }

// span is what the drawing covers: the curve, and the rollout on both sides.
func span(ro *report.Rollout, pr *report.Proof) chart {
	points := pr.Curve
	c := chart{from: points[0].At, to: points[len(points)-1].At, most: max(1, pr.Floor, pr.Max)}
	for _, pt := range points {
		c.most = max(c.most, pt.Old+pt.New)
		if pt.At.Before(c.from) {
			c.from = pt.At
		}
		if pt.At.After(c.to) {
			c.to = pt.At
		}
	}
	if ro.Started != nil && ro.Elapsed > 0 && ro.Elapsed < 1e7 {
		if end := ro.Started.Add(time.Duration(ro.Elapsed * float64(time.Second))); end.After(c.to) {
			c.to = end
		}
	}
	if !c.to.After(c.from) {
		c.to = c.from.Add(time.Second)
	}
	return c
}

func (p *page) curve(ro *report.Rollout, pr *report.Proof, id string) {
	c := span(ro, pr)
	happened := slices.ContainsFunc(ro.Events, func(e report.Happened) bool { return c.holds(e.At) })
	bottom := top + high
	height := bottom + 24
	if len(ro.Probes) > 0 {
		height += lane
	}
	if happened {
		height += lane
	}
	p.put("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Time line\"><svg class=\"timeline\" viewBox=\"0 0 %s %s\" role=\"img\" aria-labelledby=\"%s\">\n", num(wide), num(height), id)
	p.put("<title id=\"%s\">Endpoints that served, from %s to %s UTC; at the least %s, floor %s. The table below has the numbers.</title>\n", id, hour(c.from), hour(c.to), itoa(pr.Min), itoa(pr.Floor))
	p.put("<defs><pattern id=\"%sh\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><path class=\"hatch\" d=\"M0 0V8\"/></pattern></defs>\n", id)
	p.axes(c, bottom)
	for _, b := range pr.Broken {
		x, end := c.x(b.From), c.x(until(b, c))
		p.put("<rect class=\"below\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"><title>below the floor: %s</title></rect>\n", num(x), num(top), num(max(2, end-x)), num(high), itoa(b.Min))
	}
	old, both := steps(pr.Curve, c, func(pt report.CurvePoint) int { return pt.Old }), steps(pr.Curve, c, func(pt report.CurvePoint) int { return pt.Old + pt.New })
	p.put("<path class=\"new area\" d=\"%sV%sH%sZ\"/>\n<path class=\"old area\" d=\"%sV%sH%sZ\"/>\n<path class=\"total\" d=\"%s\"/>\n", both, num(bottom), num(left), old, num(bottom), num(left), both)
	for _, u := range pr.Unseen {
		x, end := c.x(u.From), c.x(until(u, c))
		p.put("<rect fill=\"url(#%sh)\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"><title>not observed</title></rect>\n", id, num(x), num(top), num(max(2, end-x)), num(high))
	}
	p.put("<path class=\"floor\" d=\"M%s %sH%s\"/><text class=\"floor-word\" x=\"%s\" y=\"%s\" text-anchor=\"end\">floor %s</text>\n", num(left), num(c.y(pr.Floor)), num(wide-right), num(wide-right-4), num(c.y(pr.Floor)-5), itoa(pr.Floor))
	p.lowest(c, pr)
	y := bottom + 24
	if len(ro.Probes) > 0 {
		p.probeLane(c, ro.Probes, y)
		y += lane
	}
	if happened {
		p.eventLane(c, ro.Events, y)
	}
	p.put("</svg></div>\n<p class=\"key\"><span class=\"new\"></span> new revision <span class=\"old\"></span> old revision <span class=\"line\"></span> floor")
	if len(pr.Broken) > 0 {
		p.put(" <span class=\"below\"></span> below the floor")
	}
	if len(pr.Unseen) > 0 {
		p.put(" <span class=\"unseen\"></span> not observed")
	}
	p.put("</p>\n")
	p.numbers(pr)
}

// steps is a line that holds each number until the next.
func steps(points []report.CurvePoint, c chart, of func(report.CurvePoint) int) string {
	var b strings.Builder
	for i, pt := range points {
		if i == 0 {
			fmt.Fprintf(&b, "M%s %s", num(left), num(c.y(of(pt))))
			continue
		}
		fmt.Fprintf(&b, "H%sV%s", num(c.x(pt.At)), num(c.y(of(pt))))
	}
	fmt.Fprintf(&b, "H%s", num(wide-right))
	return b.String()
}

func until(i report.Interval, c chart) time.Time {
	if i.To == nil {
		return c.to
	}
	return *i.To
}

// axes are a few numbers at the left, and the time since the beginning below.
func (p *page) axes(c chart, bottom float64) {
	each := max(1, int(math.Ceil(float64(c.most)/4)))
	for n := 0; n <= c.most; n += each {
		p.put("<path class=\"grid\" d=\"M%s %sH%s\"/><text x=\"%s\" y=\"%s\" text-anchor=\"end\">%s</text>\n", num(left), num(c.y(n)), num(wide-right), num(left-8), num(c.y(n)+4), itoa(n))
	}
	p.put("<text x=\"%s\" y=\"14\">endpoints that serve</text><text x=\"%s\" y=\"14\" text-anchor=\"end\">from %s UTC</text>\n", num(4), num(wide-right), hour(c.from))
	step := tick(c.to.Sub(c.from))
	for at := c.from; !at.After(c.to); at = at.Add(step) {
		p.put("<text x=\"%s\" y=\"%s\" text-anchor=\"middle\">%s</text>\n", num(c.x(at)), num(bottom+16), since(at.Sub(c.from)))
	}
}

// tick is the distance of the marks of time: at most 10 of them, at round times.
func tick(d time.Duration) time.Duration {
	for _, step := range []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour} {
		if d/step <= 10 {
			return step
		}
	}
	return d/10 + 1
}

// since is "0:00", "1:30", "2:00:00".
func since(d time.Duration) string {
	s := int(d / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// lowest marks the moment at which the fewest served, where that is too few.
func (p *page) lowest(c chart, pr *report.Proof) {
	if pr.MinAt == nil || !c.holds(*pr.MinAt) || pr.Min >= pr.Floor {
		return
	}
	x, y, anchor, dx := c.x(*pr.MinAt), c.y(pr.Min), "start", 9.0
	if x > wide*0.7 {
		anchor, dx = "end", -9
	}
	p.put("<circle class=\"lowest\" cx=\"%s\" cy=\"%s\" r=\"5\"/><text class=\"lowest-word\" x=\"%s\" y=\"%s\" text-anchor=\"%s\">%s at %s</text>\n", num(x), num(y), num(x+dx), num(min(y+20, top+high-6)), anchor, itoa(pr.Min), hour(*pr.MinAt))
}

// probeLane shows from when to when requests failed.
func (p *page) probeLane(c chart, probes []report.LiveProbe, y float64) {
	p.put("<rect class=\"probe\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"8\" rx=\"4\"/>\n", num(left), num(y), num(wide-left-right))
	for i := range probes {
		l := &probes[i]
		if l.Failed == 0 || l.First == nil || l.Last == nil {
			continue
		}
		x := c.x(*l.First)
		p.put("<rect class=\"failed\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"8\" rx=\"4\"><title>%s of %s requests to %s failed</title></rect>\n", num(x), num(y), num(max(5, c.x(*l.Last)-x)), itoa(l.Failed), itoa(l.Sent), l.Target)
	}
	p.put("<text x=\"%s\" y=\"%s\" text-anchor=\"end\">probe</text>\n", num(left-6), num(y+8))
}

// eventLane numbers the events as the table below does. Those that would stand
// on each other share a mark, a warning's if there is one.
func (p *page) eventLane(c chart, events []report.Happened, y float64) {
	p.put("<text x=\"%s\" y=\"%s\" text-anchor=\"end\">event</text>\n", num(left-12), num(y+8))
	for i := 0; i < len(events); {
		if !c.holds(events[i].At) {
			i++
			continue
		}
		first, shown, x := i, i, c.x(events[i].At)
		for ; i < len(events) && c.holds(events[i].At) && math.Abs(c.x(events[i].At)-x) < 18; i++ {
			if events[i].Type == "Warning" && events[shown].Type != "Warning" {
				shown = i
			}
		}
		class := "event"
		if events[shown].Type == "Warning" {
			class = "event warn"
		}
		p.put("<g class=\"%s\"><title>", class)
		for k := first; k < i; k++ {
			p.put("%s. %s %s: %s\n", itoa(k+1), hour(events[k].At), events[k].Reason, events[k].Message)
		}
		p.put("</title><path d=\"M%s %sV%s\"/><circle cx=\"%s\" cy=\"%s\" r=\"8.5\"/><text x=\"%s\" y=\"%s\" text-anchor=\"middle\">%s</text></g>\n",
			num(x), num(top), num(y-4), num(x), num(y+4), num(x), num(y+8), itoa(shown+1))
	}
}

// numbers say what the curve shows.
func (p *page) numbers(pr *report.Proof) {
	p.put("<details><summary>The curve in numbers</summary>")
	table := p.table("From (UTC)", "#Old", "#New", "#Together", "")
	for _, pt := range pr.Curve {
		t, words := plain, ""
		if pt.Old+pt.New < pr.Floor {
			t, words = bad, "below the floor of "+itoa(pr.Floor)
		}
		table.row(t, hour(pt.At), itoa(pt.Old), itoa(pt.New), itoa(pt.Old+pt.New), words)
	}
	table.close()
	p.put("</details>\n")
}
