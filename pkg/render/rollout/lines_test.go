package rollout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/render/doc"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

type moment struct {
	seconds float64
	report  *report.Report
}

// story is a rollout that goes wrong: it begins, crashes on more and more pods,
// loses service for a while, waits, and fails.
func story() []moment {
	frame := func(change func(r *report.Report, ro *report.Rollout)) *report.Report {
		ro := starting()
		ro.Counts = report.Counts{Desired: 10, Updated: 2, Old: 10, OldReady: 10, Floor: 8}
		ro.Proof[0].Now = 10
		r := envelope(report.Progressing, ro)
		change(r, ro)
		return r
	}
	crashing := func(r *report.Report, pods int) {
		for i := range pods {
			f := crash()
			f.Object.Name = fmt.Sprintf("web-7f9c-%d", i)
			r.Findings = append(r.Findings, f)
		}
	}
	down := func(ro *report.Rollout, to *time.Time) {
		ro.Proof[0].Verdict, ro.Proof[0].Broken = report.BrokenProof, []report.Interval{{From: after(12), To: to, Min: 6}}
		if to == nil {
			ro.Proof[0].Now = 6
		}
	}
	awaited := frame(func(_ *report.Report, ro *report.Rollout) { ro.Phase, ro.Waiting = report.PhaseAwaited, "a change" })
	begins := frame(func(*report.Report, *report.Rollout) {})
	three := frame(func(_ *report.Report, ro *report.Rollout) { ro.Counts.Available, ro.Counts.OldReady = 3, 8 })
	four := frame(func(_ *report.Report, ro *report.Rollout) { ro.Counts.Available, ro.Counts.OldReady = 4, 8 })
	bad := func(pods int) *report.Report {
		return frame(func(r *report.Report, ro *report.Rollout) {
			ro.Counts.Available, ro.Counts.OldReady, ro.Counts.Failing, ro.Verdict = 4, 8, pods, report.Broken
			crashing(r, pods)
			ro.Probes[0].Failed, ro.Probes[0].Words = pods/2, "connection refused"
			down(ro, nil)
		})
	}
	held := frame(func(r *report.Report, ro *report.Rollout) {
		ro.Counts.Available, ro.Counts.OldReady, ro.Phase = 4, 8, report.PhasePaused
		ro.Back = &report.WayBack{Done: "paused deployment/web"}
		down(ro, at(20))
	})
	end := frame(func(r *report.Report, ro *report.Rollout) {
		ro.Counts.Available, ro.Counts.OldReady, ro.Phase, ro.Verdict = 4, 8, report.PhaseFailed, report.Broken
		ro.Summary = "Deployment/web cannot finish: the new pods crash."
		r.Verdict, r.Summary = report.Broken, ro.Summary
		down(ro, at(20))
		crashing(r, 1)
	})
	return []moment{
		{0, awaited}, {2, begins}, {5, three}, {5.2, four}, {7, four}, {12, bad(1)}, {13, bad(2)}, {14, bad(3)}, {15, bad(5)}, {16, bad(5)}, {20, held}, {35, held}, {50.5, held}, {51, held}, {81, held}, {90, end},
	}
}

func tell(t *testing.T, frame func(*report.Report, time.Time) error) {
	t.Helper()
	for _, m := range story() {
		if err := frame(m.report, after(m.seconds)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAPipeIsToldWhatChanges(t *testing.T) {
	for name, style := range map[string]term.Style{"lines-unicode": {Unicode: true}, "lines-ascii": {}, "lines-color": {Unicode: true, Color: true}} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			l := NewLines(&b, style)
			tell(t, l.Frame)
			s := story()
			if err := l.End(s[len(s)-1].report); err != nil {
				t.Fatal(err)
			}
			golden(t, name, b.String())
		})
	}
}

func TestALineIsWrittenForManyPodsOnce(t *testing.T) {
	var b bytes.Buffer
	l := NewLines(&b, term.Style{})
	for i := range 101 {
		r := envelope(report.Broken, rolling())
		for n := range i {
			f := crash()
			f.Object.Name = fmt.Sprintf("web-%d", n)
			f.Message = fmt.Sprintf("crash loop (%d s ago)", i)
			r.Findings = append(r.Findings, f)
		}
		if err := l.Frame(r, after(float64(i)/10)); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Count(b.String(), "crash loop"); got != 7 { // 1, 2, 4, … 64
		t.Errorf("%d lines about the crash:\n%s", got, b.String())
	}
}

func TestHeartbeatsSayWhatIsWaitedFor(t *testing.T) {
	var b bytes.Buffer
	l := NewLines(&b, term.Style{})
	r := fleet()
	for s := range 65 {
		if err := l.Frame(r, after(float64(s))); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "heartbeat", b.String()[strings.Index(b.String(), "12:00:30"):])
}

func TestAStreamIsAnEventALineAndEndsWithTheReport(t *testing.T) {
	var b bytes.Buffer
	s := NewStream(&b)
	tell(t, s.Frame)
	last := story()[len(story())-1].report
	if err := s.End(last); err != nil {
		t.Fatal(err)
	}
	golden(t, "stream", b.String())
	rows := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	known := []string{"phase", "progress", "pod", "problem", "proof", "probe", "event", "heartbeat"}
	for _, row := range rows[:len(rows)-1] {
		var e struct{ Time, Type, Group, Kind, Namespace, Name, Message string }
		if err := json.Unmarshal([]byte(row), &e); err != nil {
			t.Fatalf("%v in %s", err, row)
		}
		if !slices.Contains(known, e.Type) || e.Time == "" || e.Group != "apps" || e.Kind != "Deployment" || e.Namespace != "shop" || e.Name != "web" || e.Message == "" {
			t.Errorf("%s", row)
		}
	}
	var document bytes.Buffer
	if err := doc.JSON(&document, last, term.Style{}); err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, document.Bytes()); err != nil {
		t.Fatal(err)
	}
	if compact.String() != rows[len(rows)-1] {
		t.Errorf("the last line is not the document:\n%s", rows[len(rows)-1])
	}
}

func TestAnnotations(t *testing.T) {
	r := failing(failed())
	r.Findings = append(r.Findings, finding.Finding{Code: "rollout/minready-wait", Severity: finding.Info, Object: ref("Deployment", "web"), Message: "100% of them: ready, but\nnot yet available", Fix: []finding.Fix{{Description: "wait"}}})
	timedOut := envelope(report.Unknown, failed())
	timedOut.Target, timedOut.Summary = "deployment/a,b:c", "Timed out.\nTwice."
	var b bytes.Buffer
	for _, r := range []*report.Report{r, timedOut, envelope(report.OK, complete("web")), hostile()} {
		if err := Annotations(&b, r); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "annotations", b.String())
	harmless(t, b.String(), true)
	if rows := strings.Count(b.String(), "\n"); rows != 5 {
		t.Errorf("%d commands", rows)
	}
}

func TestHostileTextStaysInItsLine(t *testing.T) {
	second := hostile()
	second.Rollouts[0].Phase = evil
	second.Findings[0].Code = "other"
	var b bytes.Buffer
	l, s := NewLines(&b, term.Style{}), NewStream(&b)
	for _, r := range []*report.Report{hostile(), second, fleet()} {
		before := b.Len()
		if err := l.Frame(r, noon); err != nil {
			t.Fatal(err)
		}
		harmless(t, b.String()[before:], false)
		if err := s.Frame(r, noon); err != nil {
			t.Fatal(err)
		}
	}
	harmless(t, b.String(), true)
}

func TestWhatCannotBeWrittenIsAnError(t *testing.T) {
	if err := NewLines(full{}, term.Style{}).Frame(fleet(), noon); err == nil {
		t.Error("Lines keeps it")
	}
	if err := NewStream(full{}).Frame(fleet(), noon); err == nil {
		t.Error("Stream keeps it")
	}
	if err := (Options{}).Render(full{}, fleet(), term.Style{}); err == nil {
		t.Error("Render keeps it")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
