package html

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Rollout writes the page of guard-rollout: the verdict, each rollout with its
// phases and its time line, what its pods wait for, and the way back.
func Rollout(w io.Writer, r *report.Report, _ term.Style) error {
	return render(w, r, "guard-rollout", script, func(p *page) {
		if len(r.Rollouts) > 1 {
			p.rollouts()
		}
		for i, ro := range r.Rollouts {
			p.rollout(i, ro, len(r.Rollouts) > 1)
		}
		p.findings()
		if len(r.Rollouts) == 1 {
			p.section("details", "Pods and events")
			p.details(r.Rollouts[0])
			p.end()
		}
	})
}

func (p *page) rollouts() {
	p.section("rollouts", fmt.Sprintf("%d rollouts", len(p.report.Rollouts)))
	table := p.table("Rollout", "Phase", "Available", "Took", "In words")
	for i, ro := range p.report.Rollouts {
		table.linked(rolloutTone(ro), "o"+itoa(i), p.name(ro.Object), phaseWord(ro.Phase), fmt.Sprintf("%d/%d", ro.Counts.Available, ro.Counts.Desired), duration(ro.Elapsed), ro.Summary)
	}
	table.close()
	p.end()
}

// rollout is one. Of many, those that are well are closed.
func (p *page) rollout(i int, ro *report.Rollout, many bool) {
	id := "o" + itoa(i)
	if many {
		p.fold(id, rolloutTone(ro), p.name(ro.Object), ro.Summary)
	} else {
		p.section(id, p.name(ro.Object))
	}
	p.phases(ro)
	p.revisions(ro)
	p.put("<dl class=\"facts\">\n")
	p.fact("Took", duration(ro.Elapsed))
	p.fact("Strategy", ro.Strategy)
	if !ro.Phase.Final() {
		p.fact("Waits for", ro.Waiting)
		if ro.ETA != nil {
			p.fact("To go", "about "+duration(*ro.ETA))
		}
	}
	p.put("</dl>\n")
	if ro.Phase != report.PhaseBefore {
		p.counts(ro)
	}
	for k := range ro.Proof {
		p.availability(ro, &ro.Proof[k], id+"p"+itoa(k))
	}
	p.probes(ro.Probes)
	p.wayBack(ro.Back)
	if many {
		p.details(ro)
		p.put("</details>")
	}
	p.end()
}

// details are what one looks up.
func (p *page) details(ro *report.Rollout) {
	p.pods(ro.Pods)
	p.logs(ro.Logs)
	p.events(ro.Events)
	p.lessons(ro.Learn)
}

// phases is the way that a rollout takes, with where it stands on it.
func (p *page) phases(ro *report.Rollout) {
	way := []report.Phase{report.PhaseBefore, report.PhaseRolling, report.PhaseSettling, report.PhaseComplete}
	at := slices.Index(way, ro.Phase)
	switch {
	case ro.Phase == report.PhaseAwaited:
		way[0], at = ro.Phase, 0
	case at < 0 && ro.Phase.Final() || ro.Phase == report.PhaseBack:
		way, at = way[:3], 2
		way[2] = ro.Phase
	case at < 0:
		way[1], at = ro.Phase, 1
	}
	p.put("<ol class=\"phases\" aria-label=\"Phases\">\n")
	for i, ph := range way {
		switch {
		case i < at:
			p.put("<li class=\"past\">")
			p.mark(good)
		case i == at:
			p.put("<li class=\"now tone-%s\" aria-current=\"step\">", string(phaseTone(ro)))
			p.mark(phaseTone(ro))
		default:
			p.put("<li>")
		}
		p.put("%s</li>\n", phaseWord(ph))
	}
	p.put("</ol>\n")
}

func phaseWord(ph report.Phase) string {
	switch ph {
	case report.PhaseBefore:
		return "before"
	case report.PhaseSettling:
		return "settling"
	case report.PhaseBack:
		return "going back"
	case report.PhaseTimedOut:
		return "timed out"
	case report.PhaseReturned:
		return "rolled back"
	case report.PhaseLost:
		return "rollback failed"
	}
	return string(ph)
}

func phaseTone(ro *report.Rollout) tone {
	switch ro.Phase {
	case report.PhaseComplete, report.PhaseSettling:
		return good
	case report.PhaseFailed, report.PhaseTimedOut, report.PhaseLost:
		return bad
	case report.PhaseRolling, report.PhaseBefore, report.PhaseAwaited:
		return busy
	}
	return warn
}

func rolloutTone(ro *report.Rollout) tone {
	switch ro.Phase {
	case report.PhasePaused, report.PhaseBack, report.PhaseReturned, report.PhaseSuperseded, report.PhaseDeleted:
		return warn
	}
	return verdictTone(ro.Verdict)
}

// revisions are what is replaced by what, and what differs.
func (p *page) revisions(ro *report.Rollout) {
	if ro.From == nil && ro.To == nil {
		return
	}
	p.put("<div class=\"revisions\">\n")
	for _, side := range []struct {
		class, word string
		is          *report.Revision
	}{{"old", "old", ro.From}, {"new", "new", ro.To}} {
		if side.is == nil {
			continue
		}
		number := ""
		if side.is.Number > 0 {
			number = fmt.Sprintf(" revision %d", side.is.Number)
		}
		p.put("<div class=\"revision %s\"><p><b>%s%s</b> <span class=\"dim mono\">%s</span></p>\n", side.class, side.word, number, side.is.Name)
		for _, image := range side.is.Images {
			p.put("<p class=\"mono\">%s</p>\n", image)
		}
		p.put("</div>\n")
	}
	p.put("</div>\n")
	if ro.To != nil && len(ro.To.Changes) > 0 {
		p.put("<ul class=\"changes\">\n")
		for _, c := range ro.To.Changes {
			p.put("<li>%s</li>\n", c)
		}
		p.put("</ul>\n")
	}
}

// counts are the pods of both revisions, drawn to the same measure.
func (p *page) counts(ro *report.Rollout) {
	c := ro.Counts
	whole := max(c.Desired, c.Updated, c.Old+c.OldTerminating)
	if whole <= 0 {
		return
	}
	words := []string{fmt.Sprintf("new: %d of %d available", c.Available, c.Desired)}
	for _, part := range []struct {
		n    int
		word string
	}{{c.Failing, "failing"}, {c.Updated - c.Available - c.Failing, "not available yet"}, {c.Desired - c.Updated, "to come"}} {
		if part.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", part.n, part.word))
		}
	}
	p.put("<h4>Pods</h4>\n")
	p.meter(strings.Join(words, ", "), share{"new", c.Available, whole}, share{"starting", c.Updated - c.Available - c.Failing, whole}, share{"bad", c.Failing, whole})
	if c.Old+c.OldTerminating > 0 {
		words := fmt.Sprintf("old: %d serving", c.OldReady)
		if c.OldTerminating > 0 {
			words += fmt.Sprintf(", %d terminating", c.OldTerminating)
		}
		p.meter(words, share{"old", c.OldReady, whole}, share{"ending", c.OldTerminating, whole})
	}
}

func (p *page) probes(all []report.LiveProbe) {
	if len(all) == 0 {
		return
	}
	p.put("<h4>Requests that were sent all the time</h4>\n")
	table := p.table("To", "#Sent", "#Failed", "When", "#Median ms", "#99 % ms", "#Slowest ms", "Last error")
	for i := range all {
		l := &all[i]
		t, when := good, ""
		if l.Failed > 0 {
			t = bad
		} else if l.Sent == 0 {
			t = unknown
		}
		if l.First != nil && l.Last != nil {
			when = hour(*l.First) + " to " + hour(*l.Last)
		}
		sent := fmt.Sprint(l.Sent)
		if l.Unasked > 0 {
			sent += fmt.Sprintf(" (%d could not be sent)", l.Unasked)
		}
		table.row(t, l.Target, sent, itoa(l.Failed), when, num(l.P50), num(l.P99), num(l.Max), l.Words)
	}
	table.close()
}

func (p *page) pods(pods []report.RolloutPod) {
	if len(pods) == 0 {
		return
	}
	p.put("<h4>Each pod</h4>\n")
	table := p.table("Pod", "Revision", "State", "Waits for", "#Restarts", "Node")
	for i := range pods {
		pod := &pods[i]
		t, revision, waits := plain, "old", pod.Waiting
		switch pod.State {
		case report.PodAvailable:
			t = good
		case report.PodFailing:
			t = bad
		case report.PodPending, report.PodStarting, report.PodReady:
			t = busy
		}
		if pod.New {
			revision = "new"
		}
		if waits == "" {
			waits = pod.Problem
		}
		table.row(t, pod.Object.Name, revision, string(pod.State), waits, itoa(pod.Restarts), pod.Node)
	}
	table.close()
}

func (p *page) logs(all []report.LogTail) {
	for i := range all {
		l := &all[i]
		run := ""
		if l.Previous {
			run = ", the run before"
		}
		p.put("<h4>The end of the log of container %s of %s%s</h4>\n<pre class=\"file\" tabindex=\"0\"><code>", l.Container, l.Pod.Name, run)
		for _, text := range l.Lines {
			p.put("%s\n", text)
		}
		p.put("</code></pre>\n")
	}
}

func (p *page) wayBack(b *report.WayBack) {
	if b == nil {
		return
	}
	p.put("<div class=\"back\"><h4>The way back</h4>\n")
	if b.Done != "" {
		p.put("<p><b>Done: %s</b></p>\n", b.Done)
	}
	if b.To != nil {
		to := "the former revision"
		if b.To.Number > 0 {
			to = fmt.Sprintf("revision %d", b.To.Number)
		}
		p.put("<p>to <b>%s</b> <span class=\"mono\">%s</span></p>\n", to, strings.Join(b.To.Images, " "))
	}
	if b.Why != "" {
		p.put("<p class=\"dim\">%s</p>\n", b.Why)
	}
	if len(b.Diff) > 0 {
		p.put("<pre class=\"file\" tabindex=\"0\"><code>")
		for _, text := range b.Diff {
			class := ""
			switch {
			case strings.HasPrefix(text, "+"):
				class = "plus"
			case strings.HasPrefix(text, "-"):
				class = "minus"
			}
			p.put("<span class=\"%s\">%s</span>\n", class, text)
		}
		p.put("</code></pre>\n")
	}
	if b.Refused != "" {
		p.put("<p>")
		p.mark(warn)
		p.put(" %s</p>\n", b.Refused)
	}
	if b.Command != "" {
		p.command(b.Command)
	}
	if b.Needs != "" {
		p.put("<p class=\"dim\">needs the permission to %s</p>\n", b.Needs)
	}
	p.put("</div>\n")
}

func (p *page) events(all []report.Happened) {
	if len(all) == 0 {
		return
	}
	p.put("<h4>Events</h4>\n")
	table := p.table("#", "Time (UTC)", "Object", "Reason", "Message")
	for i := range all {
		e, t := &all[i], good
		if e.Type == "Warning" {
			t = warn
		}
		times := ""
		if e.Times > 1 {
			times = fmt.Sprintf(" (%d times)", e.Times)
		}
		if e.Objects > 1 {
			times += fmt.Sprintf(" and %d more like it", e.Objects-1)
		}
		table.row(t, itoa(i+1), hour(e.At), e.Object.String(), e.Reason, e.Message+times)
	}
	table.close()
}

// hour is a time of day; every time on a page is in UTC.
//
//go:noinline
func hour(t time.Time) string { return t.UTC().Format("15:04:05") }

// duration is "0.4 s", "12 s", "3 min 20 s", "2 h 5 min".
func duration(seconds float64) string {
	switch s := int(max(0, min(math.Round(seconds), math.MaxInt32))); {
	case seconds > 0 && seconds < 9.95:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", seconds), ".0") + " s"
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return strings.TrimSuffix(fmt.Sprintf("%d min %d s", s/60, s%60), " 0 s")
	default:
		return strings.TrimSuffix(fmt.Sprintf("%d h %d min", s/3600, s/60%60), " 0 min")
	}
}
