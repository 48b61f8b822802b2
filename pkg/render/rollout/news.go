package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// event is one thing that is new since the frame before. As JSON it is one line
// of a stream; Text is the same in words.
type event struct {
	Time      time.Time          `json:"time"`
	Type      string             `json:"type"` // phase, progress, pod, problem, proof, probe, event, heartbeat
	Group     string             `json:"group"`
	Kind      string             `json:"kind"`
	Namespace string             `json:"namespace"`
	Name      string             `json:"name"`
	Text      string             `json:"message"`
	Phase     report.Phase       `json:"phase,omitempty"`
	Counts    *report.Counts     `json:"counts,omitempty"`
	Code      string             `json:"code,omitempty"`
	Severity  finding.Severity   `json:"severity,omitempty"`
	Objects   []object.Ref       `json:"objects,omitempty"` // that show the problem
	Over      bool               `json:"over,omitempty"`    // the problem is gone
	Pod       *report.RolloutPod `json:"pod,omitempty"`
	Gone      bool               `json:"gone,omitempty"` // the pod
	Proof     *proofNews         `json:"availability,omitempty"`
	Probe     *report.LiveProbe  `json:"probe,omitempty"`
	Event     *report.Happened   `json:"event,omitempty"`

	quiet bool // too much for a person
	known bool // a program was told already
}

// proofNews is a proof without its curve.
type proofNews struct {
	Service object.Ref          `json:"service"`
	Port    string              `json:"port,omitempty"`
	Family  string              `json:"family,omitempty"`
	Verdict report.ProofVerdict `json:"verdict"`
	Now     int                 `json:"now"`
	Min     int                 `json:"min"`
	Floor   int                 `json:"floor"`
}

// How often a person is told the same.
const (
	eachProgress = time.Second
	eachProblem  = 30 * time.Second
	eachBeat     = 30 * time.Second
)

// memory is what has been told of each rollout.
type memory struct {
	of    map[object.Ref]*told
	last  time.Time // when something was told
	begun bool
}

type told struct {
	phase    report.Phase
	done     string
	counts   report.Counts // of the last progress that a program was told
	read     report.Counts // and a person
	readAt   time.Time
	pods     map[object.Ref]report.RolloutPod
	problems map[string]problem
	proofs   map[string]report.Proof
	probes   map[string]report.LiveProbe
	events   map[string]int
}

// news is what is new in this frame, in the order of the report.
func (m *memory) news(r *report.Report, now time.Time) []event {
	if m.of == nil {
		m.of = map[object.Ref]*told{}
	}
	var all []event
	for _, ro := range r.Rollouts {
		key := ro.Object.Key()
		t := m.of[key]
		if t == nil {
			t = &told{pods: map[object.Ref]report.RolloutPod{}, problems: map[string]problem{}, proofs: map[string]report.Proof{}, probes: map[string]report.LiveProbe{}, events: map[string]int{}}
			m.of[key] = t
		}
		all = append(all, t.news(r, ro, now)...)
	}
	if slices.ContainsFunc(all, func(e event) bool { return !e.quiet }) || !m.begun {
		m.last, m.begun = now, true
	}
	if now.Sub(m.last) >= eachBeat {
		m.last = now
		all = append(all, heartbeat(r, now)...)
	}
	return all
}

func (t *told) news(r *report.Report, ro *report.Rollout, now time.Time) []event {
	var all []event
	tell := func(e event) {
		e.Time, e.Group, e.Kind, e.Namespace, e.Name = now, ro.Object.Group, ro.Object.Kind, ro.Object.Namespace, ro.Object.Name
		all = append(all, e)
	}
	ended := ro.Phase == report.PhaseSettling || ro.Phase.Final()
	if ended { // that all are there comes before that it is done
		t.progressNews(ro, now, tell)
	}
	t.phaseNews(ro, tell)
	t.podNews(ro, tell)
	if !ended {
		t.progressNews(ro, now, tell)
	}
	t.problemNews(About(r, ro), now, tell)
	t.proofNews(ro, tell)
	t.probeNews(ro, tell)
	t.eventNews(ro, tell)
	return all
}

func (t *told) phaseNews(ro *report.Rollout, tell func(event)) {
	if ro.Phase != t.phase {
		tell(event{Type: "phase", Phase: ro.Phase, Text: phaseSentence(ro, t.phase)})
		t.phase = ro.Phase
	}
	if ro.Back != nil && ro.Back.Done != "" && ro.Back.Done != t.done && ro.Phase != report.PhaseReturned {
		t.done = ro.Back.Done
		tell(event{Type: "phase", Phase: ro.Phase, Text: ro.Back.Done})
	}
}

func phaseSentence(ro *report.Rollout, before report.Phase) string {
	switch {
	case ro.Phase.Final() && ro.Summary != "":
		return strings.TrimSuffix(phaseWord(ro.Phase)+": "+ro.Summary, ".")
	case ro.Phase == report.PhaseRolling && before != "" && before != report.PhaseAwaited:
		return "rolling again"
	case ro.Phase == report.PhaseRolling:
		words := []string{"rolling"}
		if text := revisions(ro); text != "" {
			words = append(words, text)
		}
		if ro.To != nil {
			words = append(words, ro.To.Changes...)
		}
		return strings.Join(words, ", ")
	case ro.Waiting != "":
		return phaseWord(ro.Phase) + ", waits for " + ro.Waiting
	}
	return phaseWord(ro.Phase)
}

func (t *told) podNews(ro *report.Rollout, tell func(event)) {
	seen := make(map[object.Ref]bool, len(ro.Pods))
	for _, pod := range ro.Pods {
		key := pod.Object.Key()
		seen[key] = true
		before, known := t.pods[key]
		if !known || before.State != pod.State || before.Problem != pod.Problem || before.Restarts != pod.Restarts {
			tell(event{Type: "pod", Pod: &pod, Text: podWords(pod), quiet: true})
			t.pods[key] = pod
		}
	}
	var gone []object.Ref
	for key := range t.pods {
		if !seen[key] {
			gone = append(gone, key)
		}
	}
	slices.SortFunc(gone, object.Compare)
	for _, key := range gone {
		pod := t.pods[key]
		delete(t.pods, key)
		tell(event{Type: "pod", Pod: &pod, Gone: true, Text: pod.Object.Name + " is gone", quiet: true})
	}
}

func podWords(pod report.RolloutPod) string {
	text := fmt.Sprintf("%s %s", pod.Object.Name, pod.State)
	if pod.Waiting != "" {
		text += " (" + pod.Waiting + ")"
	}
	return text
}

func (t *told) progressNews(ro *report.Rollout, now time.Time, tell func(event)) {
	if ro.Phase == report.PhaseBefore || ro.Phase == report.PhaseAwaited {
		return
	}
	c := ro.Counts
	read := c.Available != t.read.Available || c.Desired != t.read.Desired || c.OldReady != t.read.OldReady
	read = read && (now.Sub(t.readAt) >= eachProgress || c.Available >= c.Desired)
	if c == t.counts && !read {
		return
	}
	text := fmt.Sprintf("%d of %d new pods available", c.Available, c.Desired)
	if ro.From != nil || c.Old > 0 {
		text += fmt.Sprintf(", %d old serving", c.OldReady)
	}
	if c.Desired != t.read.Desired && t.read.Desired > 0 {
		text += fmt.Sprintf(" (scaled from %d to %d)", t.read.Desired, c.Desired)
	}
	known := t.counts
	t.counts = c
	if read {
		t.read, t.readAt = c, now
	}
	tell(event{Type: "progress", Counts: &c, Text: text, quiet: !read, known: c == known})
}

func (t *told) proofNews(ro *report.Rollout, tell func(event)) {
	for _, pr := range ro.Proof {
		key := fmt.Sprintf("%s %s %s", pr.Service.Long(), pr.Port, pr.Family)
		before, known := t.proofs[key]
		t.proofs[key] = pr
		e := event{Type: "proof", Proof: &proofNews{pr.Service, pr.Port, pr.Family, pr.Verdict, pr.Now, pr.Min, pr.Floor}}
		name := serviceName(pr)
		switch {
		case len(pr.Broken) > len(before.Broken) || pr.Verdict == report.BrokenProof && before.Verdict != report.BrokenProof:
			e.Text = fmt.Sprintf("%s fell below its floor: %d serve, floor %d", name, pr.Now, pr.Floor)
		case goesOn(before.Broken) && !goesOn(pr.Broken):
			e.Text = fmt.Sprintf("%s is back at its floor: %d serve, floor %d", name, pr.Now, pr.Floor)
		case len(pr.Unseen) > len(before.Unseen):
			e.Text = fmt.Sprintf("%s is not observed: its watch is lost", name)
		case goesOn(before.Unseen) && !goesOn(pr.Unseen):
			e.Text = fmt.Sprintf("%s is observed again, after %s in all", name, duration(pr.Gaps))
		case pr.Verdict == report.NotProvable && before.Verdict != report.NotProvable:
			e.Text = fmt.Sprintf("%s: availability is not provable: %s", name, pr.Why)
		case !known || before.Now != pr.Now || before.Verdict != pr.Verdict || before.Floor != pr.Floor:
			e.Text, e.quiet = fmt.Sprintf("%s is served by %d, floor %d", name, pr.Now, pr.Floor), true
		default:
			continue
		}
		tell(e)
	}
}

func goesOn(spans []report.Interval) bool {
	return len(spans) > 0 && spans[len(spans)-1].To == nil
}

func (t *told) probeNews(ro *report.Rollout, tell func(event)) {
	for _, l := range ro.Probes {
		before := t.probes[l.Target]
		// A probe that fails on and on is told when it begins, and each time
		// that the failures have doubled.
		if l.Failed == before.Failed || before.Failed > 0 && l.Failed < 2*before.Failed {
			continue
		}
		t.probes[l.Target] = l
		text := fmt.Sprintf("probe %s: %d of %d requests failed", l.Target, l.Failed, l.Sent)
		if l.Words != "" {
			text += ": " + l.Words
		}
		tell(event{Type: "probe", Probe: &l, Text: text})
	}
}

func (t *told) eventNews(ro *report.Rollout, tell func(event)) {
	for _, h := range ro.Events {
		key := h.Reason + " " + h.Object.Long() + " " + h.Message
		if t.events[key] >= h.Times*max(1, h.Objects) {
			continue
		}
		t.events[key] = h.Times * max(1, h.Objects)
		tell(event{Type: "event", Event: &h, Text: eventWords(h), quiet: true})
	}
}

// heartbeat says that all is still there, and what is waited for: a line for
// people, who read the first, and an event a rollout for programs.
func heartbeat(r *report.Report, now time.Time) []event {
	var all []event
	open := 0
	for _, ro := range r.Rollouts {
		if ro.Phase.Final() {
			continue
		}
		open++
		text := fmt.Sprintf("still %s after %s: %d of %d new pods available", word(ro.Phase), duration(ro.Elapsed), ro.Counts.Available, ro.Counts.Desired)
		if ro.Waiting != "" {
			text += ", waits for " + ro.Waiting
		}
		c := ro.Counts
		all = append(all, event{
			Time: now, Type: "heartbeat", Group: ro.Object.Group, Kind: ro.Object.Kind, Namespace: ro.Object.Namespace, Name: ro.Object.Name,
			Phase: ro.Phase, Counts: &c, Text: text, quiet: open > mostBeats,
		})
	}
	if open > mostBeats {
		all[mostBeats-1].Text += fmt.Sprintf("; and %d more rollouts go on", open-mostBeats)
	}
	return all
}

// mostBeats is as many rollouts as a heartbeat tells people of.
const mostBeats = 3

func word(ph report.Phase) string {
	if w := phaseWord(ph); w != "" {
		return w
	}
	return "rolling"
}
