package dns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/report"
)

// trace is the picture: the file, the way, the ladder, the replicas, the Corefile.
func (w *world) trace(learn bool) *report.Trace {
	t := &report.Trace{Name: w.name.Written, Domain: w.domain, Libc: w.libcHow, ResolvConf: w.fileShown(), Path: w.hops(), Grid: w.grid(), Corefile: w.excerpt()}
	if w.name.ASCII != w.name.Written {
		t.ASCII = w.name.ASCII
	}
	if w.client != nil {
		r := w.clientRef()
		t.Client, t.Node = &r, w.client.Spec.NodeName
	}
	for i := range w.ladders {
		l := &w.ladders[i]
		r := report.Resolver{Libc: string(l.libc), Ladder: w.rungs(l), Cost: w.cost(l), Outcome: w.outcome(l)}
		r.Queries, _ = asked(l.steps, len(w.types()))
		t.Resolvers = append(t.Resolvers, r)
	}
	if len(t.Resolvers) > 0 {
		t.Ladder, t.Cost = t.Resolvers[0].Ladder, t.Resolvers[0].Cost
	}
	if len(t.Resolvers) < 2 {
		t.Resolvers = nil
	}
	t.Notes = append(slices.Clone(w.name.Notes), w.notes...)
	if len(t.Notes) > 0 {
		t.Notes = distinct(t.Notes)
	}
	if learn {
		t.Learn = lessons(w)
	}
	return t
}

func (w *world) fileShown() *report.ResolvConf {
	shown := func(c ResolvConf, claim report.Claim, why string) *report.ResolvConf {
		return &report.ResolvConf{Nameservers: c.Nameservers, Search: c.Search, Options: c.Options, Claim: claim, Why: why}
	}
	if w.confClaim != report.Observed {
		why := w.predicted.Why
		if w.predicted.HostPart {
			why += "; what the node's own file adds was not seen"
		}
		return shown(w.conf, w.confClaim, why)
	}
	c := shown(w.conf, report.Observed, "/etc/resolv.conf in the pod")
	if d := differences(w.predicted.Conf, w.conf); len(d) > 0 && w.client != nil && w.kubeletWhy != "" {
		c.Predicted, c.Differs = shown(w.predicted.Conf, report.Computed, w.predicted.Why), d
	}
	return c
}

func (w *world) rungs(l *ladder) []report.Rung {
	states := map[StepState]report.RungState{NotAsked: report.RungSkipped, Passed: report.RungPassed, Found: report.RungStops, GaveUp: report.RungStops, Open: report.RungUnknown, Perhaps: report.RungUnknown}
	var out []report.Rung
	for i, s := range l.steps {
		r := report.Rung{N: i + 1, Name: s.Name, From: s.From, State: states[s.State], Why: s.Why}
		if s.State != NotAsked {
			w.fill(&r, s)
		}
		out = append(out, r)
	}
	return ended(out)
}

// ended marks where the list ends: after its last name there is no next one.
func ended(rungs []report.Rung) []report.Rung {
	for i := len(rungs) - 1; i >= 0; i-- {
		if rungs[i].State == report.RungSkipped {
			continue
		}
		if rungs[i].State == report.RungPassed {
			rungs[i].State = report.RungStops
			rungs[i].Why = strings.TrimSuffix(strings.TrimSuffix(rungs[i].Why, "the next name"), "the next nameserver, then ") + "the list ends here"
		}
		break
	}
	return rungs
}

func (w *world) fill(r *report.Rung, s Step) {
	for _, t := range w.types() {
		q := Question{Name: s.Name, Type: t}
		e := w.reply(q)
		a := report.RungAnswer{Type: string(t), Rcode: string(e.Rcode), Records: recordTexts(e.Records), Claim: report.Computed}
		if e.Rcode == "" {
			a.Claim = report.Unproven
		}
		if c, ok := w.consensus(q); ok {
			a = report.RungAnswer{Type: string(t), Rcode: string(c.rcode), Records: c.records, Claim: report.Observed}
			if wanted := answerText(e.Rcode, e.Records); e.Rcode != "" && e.By == "kubernetes" && wanted != cmp.Or(strings.Join(sorted(c.records), " "), string(c.rcode)) {
				a.Expected = wanted
			}
			r.Agreement = worse(r.Agreement, agreement(c))
		}
		r.Types, r.Answers = append(r.Types, string(t)), append(r.Answers, a)
		if r.By == "" || e.Rcode == NoError && r.Object == nil {
			r.By, r.Line = e.By, e.Line
			if e.Rcode == NoError && !e.Object.IsZero() {
				object := e.Object
				r.Object, r.Field = &object, e.Field
			}
		}
		if r.Why == "" && e.Rcode != NoError && s.State == Open {
			r.Why = e.Why
		}
	}
	if servers := w.conf.servers(); len(servers) > 0 {
		r.Server = servers[0]
	}
}

func agreement(v verdict) string {
	switch {
	case v.asked == 1:
		return "the only replica"
	case v.agree == v.asked && v.asked == 2:
		return "both replicas agree"
	case v.agree == v.asked:
		return fmt.Sprintf("all %d replicas agree", v.asked)
	}
	return fmt.Sprintf("%d of %d replicas agree", v.agree, v.asked)
}

func worse(a, b string) string {
	if a == "" || strings.Contains(b, " of ") {
		return b
	}
	return a
}

func (w *world) outcome(l *ladder) string {
	s, _ := l.final()
	switch {
	case s == nil || s.State == GaveUp:
		return "not found"
	case s.State == Open:
		return "depends on what " + s.Name + " is answered with"
	}
	return w.answer(s)
}

func (w *world) cost(l *ladder) string {
	n := len(w.types())
	sent, wasted := asked(l.steps, n)
	s, _ := l.final()
	var types []string
	for _, t := range w.types() {
		types = append(types, string(t))
	}
	text := counted(sent, "query")
	if sent != 1 {
		text = fmt.Sprintf("%d queries", sent)
	}
	if s == nil || wasted == 0 || s.State == GaveUp {
		return text + " (" + strings.Join(types, "+") + ")"
	}
	text += fmt.Sprintf(", %d wasted; %s makes it %d", wasted, s.Name, n)
	if s.State == Open {
		text = "at least " + text
	}
	return text
}

// excerpt shows the directive that answers the last rung, and what is around it.
func (w *world) excerpt() *report.Excerpt {
	if w.core == nil || w.outside {
		return nil
	}
	arrow := w.core.ErrLine
	if l := w.primary(); l != nil && arrow == 0 {
		s, _ := l.final()
		if s == nil && len(l.steps) > 0 {
			s = &l.steps[0]
		}
		if s != nil {
			for _, t := range w.types() {
				arrow = cmp.Or(arrow, w.expect(Question{Name: s.Name, Type: t}).Line)
			}
		}
	}
	if arrow == 0 {
		return nil
	}
	x := &report.Excerpt{Object: w.core.Object, Key: w.core.Key}
	lines := strings.Split(w.core.Text, "\n")
	end := arrow + 4
	for i := max(1, arrow-3); i <= min(len(lines), end); i++ {
		x.Lines = append(x.Lines, report.ExcerptLine{N: i, Text: lines[i-1], Arrow: i == arrow})
	}
	return x
}

// lessons say one plain sentence about each term that the picture uses.
func lessons(w *world) []report.Lesson {
	out := []report.Lesson{
		{Term: "resolv.conf", Text: "The kubelet writes this file when the pod starts: which server to ask, and which domains to append to short names."},
		{Term: "search list", Text: "A short name is tried under each search domain in turn, until one is answered."},
		{Term: "ndots", Text: "A name with fewer dots than ndots is tried under the search list first; with as many or more it is tried as it is first."},
		{Term: "A and AAAA", Text: "A asks for an IPv4 address, AAAA for an IPv6 one; a program usually asks both at once."},
		{Term: "NXDOMAIN", Text: "The name does not exist. NODATA says that it exists, without a record of this type."},
		{Term: "Corefile", Text: "CoreDNS chooses the server block with the longest zone that holds the name, then runs its plugins in a fixed order."},
	}
	if w.throughCache() {
		out = append(out, report.Lesson{Term: "NodeLocal DNSCache", Text: "A cache on every node that answers at its own address and asks the cluster's DNS only for what it does not know."})
	}
	return out
}
