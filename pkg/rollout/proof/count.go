package proof

import (
	"time"

	"github.com/leadsman-dev/leadsman/pkg/report"
)

// counted is what a line's steps amount to between two moments.
type counted struct {
	start, now, min, max int // endpoints that served
	minAt                time.Time
	firstFloor, floor    int // that was promised at first and at last
	anyone               bool
	degraded             bool // fewer served at the start than are promised
	reached              time.Time
	others               int // the most endpoints of other workloads
	below, zero          time.Duration
	area                 float64
	broken               []report.Interval
	unlisted             int           // more of them
	fallback             time.Duration // of zero: while terminating endpoints still served
	curve                []curvePoint
	any                  bool // there ever was an endpoint, serving or not
	open                 bool // the last interval below the floor goes on
}

// mostIntervals bounds how many times below the floor are listed.
const mostIntervals = 100

// counter replays a line: whose endpoints serve, against what is promised.
type counter struct {
	own     func(id string) (isNew, isOwn bool)
	old     int
	new     int
	others  int
	drain   int // of any workload
	at      time.Time
	promise promise
	floor   int // that counts: a promise that was not yet kept once cannot be broken
	pending bool
	result  counted
}

// countLine counts a line from since to until. It starts from what was known
// at since, or first known after it.
func countLine(l *line, promises []promise, own func(string) (isNew, isOwn bool), since, until time.Time) counted {
	c := &counter{own: own, at: since}
	for id, s := range l.base {
		c.move(id, absent, s)
	}
	i := 0
	for ; i < len(l.steps) && !l.steps[i].at.After(since); i++ {
		c.move(l.steps[i].id, l.steps[i].was, l.steps[i].is)
	}
	next := 0
	if len(promises) > 0 {
		c.promise = promises[0]
		for next = 1; next < len(promises) && !promises[next].at.After(since); next++ {
			c.promise = promises[next]
		}
	}
	c.begin()
	for i < len(l.steps) && !l.steps[i].at.After(until) {
		s := l.steps[i]
		for next < len(promises) && !promises[next].at.After(s.at) {
			c.repromise(promises[next])
			next++
		}
		c.pass(s.at)
		for ; i < len(l.steps) && l.steps[i].event == s.event; i++ {
			c.move(l.steps[i].id, l.steps[i].was, l.steps[i].is)
		}
		c.judge()
	}
	for ; next < len(promises) && !promises[next].at.After(until); next++ {
		c.repromise(promises[next])
	}
	c.pass(until)
	c.result.any = len(l.now)+len(l.base)+len(l.steps) > 0
	c.result.now, c.result.floor, c.result.anyone = c.count(), c.promise.floor, c.promise.anyone
	return c.result
}

func (c *counter) move(id string, was, is state) {
	isNew, isOwn := c.own(id)
	n := count(is == serving) - count(was == serving)
	switch {
	case !isOwn:
		c.others += n
	case isNew:
		c.new += n
	default:
		c.old += n
	}
	c.drain += count(is == draining) - count(was == draining)
}

// count is what is held against the floor.
func (c *counter) count() int {
	if c.promise.anyone {
		return c.old + c.new + c.others
	}
	return c.old + c.new
}

func (c *counter) begin() {
	n := c.count()
	c.floor, c.pending = min(c.promise.floor, n), n < c.promise.floor
	c.result = counted{
		start: n, firstFloor: c.promise.floor, min: n, max: n, minAt: c.at, degraded: c.pending, others: c.others,
		curve: []curvePoint{{c.at, c.old, c.new}},
	}
}

// repromise takes a new promise. A higher one counts from when it is first
// kept, since pods take time to come; a lower one at once.
func (c *counter) repromise(p promise) {
	c.pass(p.at)
	c.promise = p
	c.pending = p.floor > c.floor
	c.floor = min(c.floor, p.floor)
	c.judge()
}

// judge looks at the count after an event.
func (c *counter) judge() {
	n, r := c.count(), &c.result
	if c.pending && n >= c.promise.floor {
		c.floor, c.pending = c.promise.floor, false
		if r.reached.IsZero() {
			r.reached = c.at
		}
	}
	if n < r.min {
		r.min, r.minAt = n, c.at
	}
	r.max, r.others = max(r.max, n), max(r.others, c.others)
	if last := r.curve[len(r.curve)-1]; last.old != c.old || last.new != c.new {
		r.curve = append(r.curve, curvePoint{c.at, c.old, c.new})
	}
	c.bound(n)
}

// bound opens and closes the intervals below the floor.
func (c *counter) bound(n int) {
	r := &c.result
	below := n < c.floor
	switch {
	case below && !r.open:
		r.open = true
		r.broken = append(r.broken, report.Interval{From: c.at, Min: n})
	case below:
		last := &r.broken[len(r.broken)-1]
		last.Min = min(last.Min, n)
	case r.open:
		r.open = false
		last := &r.broken[len(r.broken)-1]
		to := c.at
		last.To = &to
		if len(r.broken) > mostIntervals {
			r.broken, r.unlisted = r.broken[:mostIntervals], r.unlisted+1
		}
	}
}

// pass lets time go by.
func (c *counter) pass(at time.Time) {
	if !at.After(c.at) {
		return
	}
	d, n := at.Sub(c.at), c.count()
	if n < c.floor {
		c.result.below += d
		c.result.area += float64(c.floor-n) * d.Seconds()
		if n == 0 {
			c.result.zero += d
		}
		if n == 0 && c.drain > 0 {
			c.result.fallback += d
		}
	}
	c.at = at
}
