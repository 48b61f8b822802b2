package screen

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/render/rollout"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

var update = flag.Bool("update", false, "write the golden files")

func deployment(name string) object.Ref { return object.New("apps/v1", "Deployment", "shop", name) }

func rolling(name string, available int) *report.Rollout {
	ro := &report.Rollout{
		Object: deployment(name), Phase: report.PhaseRolling, Verdict: report.Progressing, Elapsed: 41,
		From:    &report.Revision{Number: 4},
		To:      &report.Revision{Number: 5, Changes: []string{"image netapp:v1 → v2"}},
		Counts:  report.Counts{Desired: 10, Updated: 10, Available: available, Old: 10 - available, OldReady: 10 - available},
		Waiting: "the readiness probe of " + name + "-1",
		Events:  []report.Happened{{At: time.Unix(0, 0).UTC(), Object: deployment(name), Type: "Normal", Reason: "ScalingReplicaSet", Message: "Scaled up", Times: 1, Objects: 1}},
		Logs:    []report.LogTail{{Pod: object.New("v1", "Pod", "shop", name+"-1"), Container: "app", Lines: []string{"one", "two", "three", "four", "five"}}},
		Back:    &report.WayBack{Diff: []string{"- image: netapp:v2", "+ image: netapp:v1"}, Command: "kubectl -n shop rollout undo deployment/" + name},
	}
	for i := range 10 - available {
		ro.Pods = append(ro.Pods, report.RolloutPod{Object: object.New("v1", "Pod", "shop", fmt.Sprintf("%s-%d", name, i)), New: true, State: report.PodStarting, Waiting: "readiness probe"})
	}
	return ro
}

func envelope(ros ...*report.Rollout) *report.Report {
	r := &report.Report{Kind: "GuardRollout", Target: "deployments", Verdict: report.Progressing, Rollouts: ros}
	if len(ros) == 1 {
		r.Summary = "Deployment/web rolls."
	}
	return r
}

func done() *report.Report {
	ro := rolling("web", 10)
	ro.Phase, ro.Verdict = report.PhaseComplete, report.OK
	r := envelope(ro)
	r.Verdict, r.Summary, r.Budget.Requests = report.OK, "Deployment/web is rolled out.", 9
	return r
}

func fleet() *report.Report {
	var all []*report.Rollout
	for i := range 50 {
		all = append(all, rolling(fmt.Sprintf("service-%02d", i), 6))
	}
	all[31].Verdict, all[31].Counts.Failing = report.Broken, 1
	r := envelope(all...)
	r.Findings = []finding.Finding{{Code: "rollout/crash-app", Severity: finding.Error, Object: all[31].Pods[0].Object, Message: "crash loop: exit 1"}}
	return r
}

// drive presses keys, and does what they lead to at once. A word of several
// letters that is no key's name is typed.
func drive(m *model, keys ...string) {
	for _, k := range keys {
		_, cmd := m.Update(press(k))
		for cmd != nil {
			msg := cmd()
			if _, quit := msg.(tea.QuitMsg); quit {
				return
			}
			_, cmd = m.Update(msg)
		}
	}
}

func press(key string) tea.KeyPressMsg {
	switch key {
	case "up":
		return tea.KeyPressMsg{Code: tea.KeyUp}
	case "down":
		return tea.KeyPressMsg{Code: tea.KeyDown}
	case "enter":
		return tea.KeyPressMsg{Code: tea.KeyEnter}
	case "esc":
		return tea.KeyPressMsg{Code: tea.KeyEscape}
	case "end":
		return tea.KeyPressMsg{Code: tea.KeyEnd}
	case "ctrl+c":
		return tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(key)[0], Text: key}
}

// asked counts what was done.
type asked struct {
	paused, undone []string
	err            error
}

func (a *asked) actions() Actions {
	return Actions{
		Pause: func(_ context.Context, target object.Ref) (string, error) {
			a.paused = append(a.paused, target.Name)
			return target.String() + " is paused", a.err
		},
		Back: func(_ context.Context, target object.Ref) (Plan, error) {
			return Plan{Lines: []string{"  containers:", "- image: netapp:v2", "+ image: netapp:v1", "evil \x1b[2J"}, Do: func(context.Context) (string, error) {
				a.undone = append(a.undone, target.Name)
				return target.String() + " goes back to revision 4", nil
			}}, a.err
		},
	}
}

func newModel(width, height int, r *report.Report, a *asked) *model {
	m := &model{ctx: context.Background(), style: term.Style{Unicode: true}, keys: true, width: width, height: height, opts: rollout.Options{Live: true}}
	if a != nil {
		m.do = a.actions()
	}
	if r != nil {
		m.Update(frameMsg{r})
	}
	return m
}

func TestPages(t *testing.T) {
	for name, c := range map[string]struct {
		width, height int
		report        *report.Report
		keys          []string
	}{
		"waiting-80x24":   {80, 24, nil, nil},
		"one-80x24":       {80, 24, envelope(rolling("web", 7)), nil},
		"one-40x15":       {40, 15, envelope(rolling("web", 7)), nil},
		"one-200x50":      {200, 50, envelope(rolling("web", 7)), []string{"l", "e", "d"}},
		"one-scrolled":    {80, 12, envelope(rolling("web", 7)), []string{"l", "e", "d", "end"}},
		"help-40x15":      {40, 15, envelope(rolling("web", 7)), []string{"?"}},
		"fleet-80x24":     {80, 24, fleet(), nil},
		"fleet-40x15":     {40, 15, fleet(), []string{"down", "j", "j", "k"}},
		"fleet-last":      {80, 24, fleet(), []string{"end"}},
		"fleet-open":      {80, 24, fleet(), []string{"down", "down", "enter", "e"}},
		"plan-80x24":      {80, 24, envelope(rolling("web", 7)), []string{"r"}},
		"gone-back-80x24": {80, 24, envelope(rolling("web", 7)), []string{"r", "y"}},
		"tiny":            {10, 3, fleet(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			m := newModel(c.width, c.height, c.report, &asked{})
			drive(m, c.keys...)
			got := m.View().Content
			golden(t, name, got+"\n")
			rows := strings.Split(got, "\n")
			if len(rows) != c.height {
				t.Errorf("%d rows on a screen of %d", len(rows), c.height)
			}
			for _, r := range got {
				if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
					t.Errorf("%U gets through", r)
				}
			}
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestKeysAct(t *testing.T) {
	for name, c := range map[string]struct {
		report         *report.Report
		keys           []string
		err            error
		paused, undone []string
		said           string
	}{
		"p pauses":                          {envelope(rolling("web", 7)), []string{"p"}, nil, []string{"web"}, nil, "Deployment/web is paused"},
		"r shows the plan and does nothing": {envelope(rolling("web", 7)), []string{"r"}, nil, nil, nil, ""},
		"r and y go back":                   {envelope(rolling("web", 7)), []string{"r", "y"}, nil, nil, []string{"web"}, "Deployment/web goes back to revision 4"},
		"r and Enter do not":                {envelope(rolling("web", 7)), []string{"r", "enter"}, nil, nil, nil, "nothing was changed"},
		"scrolling a plan is no answer":     {envelope(rolling("web", 7)), []string{"r", "down", "up", "y"}, nil, nil, []string{"web"}, "Deployment/web goes back to revision 4"},
		"y alone is nothing":                {envelope(rolling("web", 7)), []string{"y", "Y"}, nil, nil, nil, ""},
		"the chosen one is meant":           {fleet(), []string{"down", "down", "p", "up", "r", "y"}, nil, []string{"service-01"}, []string{"service-00"}, "Deployment/service-00 goes back to revision 4"},
		"the first is the one that fails":   {fleet(), []string{"p"}, nil, []string{"service-31"}, nil, "Deployment/service-31 is paused"},
		"a refusal is said":                 {envelope(rolling("web", 7)), []string{"r", "y"}, errors.New("helm owns it"), nil, nil, ""},
		"an error is said":                  {envelope(rolling("web", 7)), []string{"p"}, errors.New("forbidden"), []string{"web"}, nil, "failed: forbidden"},
		"nothing is there yet":              {nil, []string{"p", "r", "down", "enter", "l", "end"}, nil, nil, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := &asked{err: c.err}
			m := newModel(80, 24, c.report, a)
			drive(m, c.keys...)
			if diff := cmp.Diff(c.paused, a.paused); diff != "" {
				t.Errorf("paused: %s", diff)
			}
			if diff := cmp.Diff(c.undone, a.undone); diff != "" {
				t.Errorf("undone: %s", diff)
			}
			if m.said != c.said {
				t.Errorf("said %q", m.said)
			}
			m.View()
		})
	}
	m := newModel(80, 24, envelope(rolling("web", 7)), nil)
	if drive(m, "p"); m.said != "pausing is not possible here" {
		t.Errorf("said %q", m.said)
	}
}

func TestAChangeIsNotCutOff(t *testing.T) {
	a := &asked{}
	m := newModel(80, 24, envelope(rolling("web", 7)), a)
	drive(m, "r")
	_, cmd := m.Update(press("y"))
	if drive(m, "q"); m.left {
		t.Error("q leaves in the middle of a change")
	}
	if drive(m, "p"); len(a.paused) > 0 {
		t.Error("two things at a time")
	}
	if _, quit := m.Update(endMsg{}); quit != nil {
		t.Error("the end of the watch leaves in the middle of a change")
	}
	if _, quit := m.Update(cmd()); quit == nil {
		t.Error("and after it, it stays")
	}
}

func TestTheChosenOneIsKeptUntilItIsGone(t *testing.T) {
	m := newModel(80, 24, fleet(), nil)
	drive(m, "down", "down", "enter")
	m.Update(frameMsg{fleet()})
	if m.selected.Name != "service-01" || !m.single {
		t.Errorf("%s, single %v", m.selected, m.single)
	}
	m.Update(frameMsg{envelope(rolling("a", 1), rolling("b", 2))})
	if m.selected.Name != "a" || m.single {
		t.Errorf("%s, single %v", m.selected, m.single)
	}
	m.Update(frameMsg{envelope()})
	m.View()
}

// terminal is what was written, for a test to wait for.
type terminal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *terminal) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *terminal) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

func (w *terminal) wait(t *testing.T, text string) {
	t.Helper()
	for range 500 {
		if strings.Contains(w.String(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%q never came; there is %q", text, w.String())
}

const (
	alternate = "\x1b[?1049h"
	normal    = "\x1b[?1049l"
	cursor    = "\x1b[?25h"
)

// run shows until the story ends it and checks that the terminal is as before.
func run(t *testing.T, do Actions, withKeys bool, story func(out *terminal, keys io.Writer, frames chan<- *report.Report, cancel context.CancelCauseFunc)) (string, error) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	out, frames := &terminal{}, make(chan *report.Report)
	var in io.Reader
	reader, writer := io.Pipe()
	defer writer.Close()
	if withKeys {
		in = reader
	}
	s := term.Streams{In: in, Out: out, Getenv: func(name string) string { return map[string]string{"TERM": "xterm-256color"}[name] }}
	ended := make(chan error, 1)
	go func() {
		ended <- show(ctx, s, term.Style{Unicode: true}, in, 80, 24, frames, do, rollout.Options{})
	}()
	story(out, writer, frames, cancel)
	var err error
	select {
	case err = <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("it does not end")
	}
	text := out.String()
	if strings.LastIndex(text, normal) < strings.LastIndex(text, alternate) {
		t.Errorf("the screen is not given back: %q", text)
	}
	if strings.LastIndex(text, cursor) < strings.LastIndex(text, "\x1b[?25l") {
		t.Error("the cursor stays hidden")
	}
	for _, sequence := range unasked() {
		if strings.Contains(text, string(sequence)) {
			t.Errorf("%q is sent", sequence)
		}
	}
	return text[strings.LastIndex(text, normal):], err
}

func TestTheLastPictureStaysWhenAllIsOver(t *testing.T) {
	left, err := run(t, Actions{}, true, func(out *terminal, _ io.Writer, frames chan<- *report.Report, _ context.CancelCauseFunc) {
		frames <- envelope(rolling("web", 7))
		out.wait(t, "7/10")
		frames <- done()
		close(frames)
	})
	if err != nil || !strings.Contains(left, "✓ Deployment/web is rolled out.\n") || !strings.Contains(left, "9 requests") {
		t.Errorf("%v: %q", err, left)
	}
}

func TestLeavingStopsNothing(t *testing.T) {
	a := &asked{}
	left, err := run(t, a.actions(), true, func(out *terminal, keys io.Writer, frames chan<- *report.Report, _ context.CancelCauseFunc) {
		frames <- envelope(rolling("web", 7))
		out.wait(t, "7/10")
		io.WriteString(keys, "p")
		out.wait(t, "is paused")
		io.WriteString(keys, "q")
	})
	if !errors.Is(err, ErrLeft) || !strings.Contains(left, "7/10 available") || len(a.paused) != 1 {
		t.Errorf("%v: %q, paused %v", err, left, a.paused)
	}
}

func TestInterruptsEndIt(t *testing.T) {
	_, err := run(t, Actions{}, true, func(out *terminal, keys io.Writer, frames chan<- *report.Report, _ context.CancelCauseFunc) {
		frames <- envelope(rolling("web", 7))
		out.wait(t, "7/10")
		io.WriteString(keys, "\x03")
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Ctrl-C: %v", err)
	}
	late := errors.New("timed out")
	left, err := run(t, Actions{}, true, func(out *terminal, _ io.Writer, frames chan<- *report.Report, cancel context.CancelCauseFunc) {
		frames <- envelope(rolling("web", 7))
		out.wait(t, "7/10")
		cancel(late)
	})
	if !errors.Is(err, late) || !strings.Contains(left, "7/10 available") {
		t.Errorf("the context's end: %v: %q", err, left)
	}
}

func TestWithoutATerminalToReadFromThePictureLives(t *testing.T) {
	left, err := run(t, Actions{}, false, func(out *terminal, _ io.Writer, frames chan<- *report.Report, _ context.CancelCauseFunc) {
		frames <- envelope(rolling("web", 7))
		out.wait(t, "7/10")
		if strings.Contains(out.String(), "help") {
			t.Error("keys are offered that nobody reads")
		}
		frames <- done()
		close(frames)
	})
	if err != nil || !strings.Contains(left, "is rolled out") {
		t.Errorf("%v: %q", err, left)
	}
}

func TestAPasteIsNoKey(t *testing.T) {
	a := &asked{}
	_, err := run(t, a.actions(), true, func(out *terminal, keys io.Writer, frames chan<- *report.Report, _ context.CancelCauseFunc) {
		frames <- envelope(rolling("web", 7))
		out.wait(t, "7/10")
		io.WriteString(keys, "\x1b[200~pry\x1b[201~")
		frames <- envelope(rolling("web", 8))
		out.wait(t, "8")
		io.WriteString(keys, "q")
	})
	if !errors.Is(err, ErrLeft) || len(a.paused)+len(a.undone) > 0 {
		t.Errorf("%v: paused %v, undone %v", err, a.paused, a.undone)
	}
}

func TestAPanicGivesTheTerminalBack(t *testing.T) {
	do := Actions{Pause: func(context.Context, object.Ref) (string, error) { panic("on purpose, in a test") }}
	_, err := run(t, do, true, func(out *terminal, keys io.Writer, frames chan<- *report.Report, _ context.CancelCauseFunc) {
		frames <- envelope(rolling("web", 7))
		out.wait(t, "7/10")
		io.WriteString(keys, "p")
	})
	if err == nil || !strings.Contains(err.Error(), "screen failed") {
		t.Errorf("%v", err)
	}
}
