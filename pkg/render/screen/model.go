package screen

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/render/rollout"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// model is what the screen shows. Only Update changes it.
type model struct {
	ctx   context.Context
	style term.Style
	opts  rollout.Options
	do    Actions
	keys  bool

	report        *report.Report
	width, height int
	selected      object.Ref
	single        bool // one of several fills the screen
	scroll        int  // rows of the page that are above the screen
	help          bool
	plan          *Plan // to be confirmed
	busy          string
	doing         bool   // something that is busy changes the cluster
	said          string // the answer to the last key
	tone          term.Tone

	ended, left, interrupted bool
}

type (
	frameMsg struct{ report *report.Report }
	endMsg   struct{}
	planMsg  struct {
		plan Plan
		err  error
	}
	saidMsg struct {
		said string
		err  error
	}
)

// Init has nothing to begin: frames come by themselves.
func (m *model) Init() tea.Cmd { return nil }

// Update takes what happened: a frame, a key, a new size, an answer.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case frameMsg:
		m.take(msg.report)
	case endMsg:
		m.ended = true
		return m, m.quitIfEnded()
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		return m, m.key(msg.String())
	case planMsg:
		m.busy = ""
		if msg.err != nil {
			m.say("not possible: "+msg.err.Error(), term.Warn)
			break
		}
		m.plan, m.scroll, m.help = &msg.plan, 0, false
	case saidMsg:
		m.busy, m.doing = "", false
		if msg.err != nil {
			m.say("failed: "+msg.err.Error(), term.Bad)
		} else {
			m.say(msg.said, term.Good)
		}
		return m, m.quitIfEnded()
	}
	return m, nil
}

// quitIfEnded waits for an answer that is under way: a change must not be cut
// off by the end of what it changes.
func (m *model) quitIfEnded() tea.Cmd {
	if m.ended && !m.doing {
		return tea.Quit
	}
	return nil
}

// take shows a new report. What was selected stays selected while it is there.
func (m *model) take(r *report.Report) {
	m.report = r
	if !slices.ContainsFunc(r.Rollouts, func(ro *report.Rollout) bool { return ro.Object.Key() == m.selected.Key() }) {
		m.selected, m.single = object.Ref{}, false
		if len(r.Rollouts) > 0 {
			m.selected = rollout.Order(r.Rollouts)[0].Object
		}
	}
}

func (m *model) say(text string, tone term.Tone) { m.said, m.tone = text, tone }

// several says whether the screen shows a list.
func (m *model) several() bool { return m.report != nil && len(m.report.Rollouts) > 1 && !m.single }

func (m *model) key(key string) tea.Cmd {
	m.say("", term.Plain)
	switch key {
	case "ctrl+c":
		m.interrupted = true
		return tea.Quit
	case "ctrl+z":
		return tea.Suspend
	}
	if m.plan != nil {
		return m.answer(key)
	}
	switch key {
	case "q":
		if m.doing {
			m.say("wait for the answer: something is being changed (Ctrl-C leaves all the same)", term.Warn)
			return nil
		}
		m.left = true
		return tea.Quit
	case "?", "h":
		m.help, m.scroll = !m.help, 0
	case "esc", "backspace":
		m.help, m.single, m.scroll = false, false, 0
	case "enter", "space":
		m.help, m.scroll = false, 0
		m.single = !m.single && m.report != nil && len(m.report.Rollouts) > 1
	case "up", "k":
		m.move(-1)
	case "down", "j":
		m.move(1)
	case "pgup":
		m.move(-max(1, m.height/2))
	case "pgdown":
		m.move(max(1, m.height/2))
	case "home", "g":
		m.move(-1 << 20)
	case "end", "G":
		m.move(1 << 20)
	case "l":
		m.toggle(&m.opts.Logs)
	case "e":
		m.toggle(&m.opts.Events)
	case "d":
		m.toggle(&m.opts.Diff)
	case "p":
		return m.pause()
	case "r":
		return m.back()
	}
	return nil
}

// toggle opens the selected one of a list, which has no room for details.
func (m *model) toggle(option *bool) {
	m.help = false
	if m.several() {
		m.single, m.scroll, *option = true, 0, true
		return
	}
	*option = !*option
}

// move chooses another one of a list, and scrolls any other page.
func (m *model) move(by int) {
	if !m.several() || m.help || m.plan != nil {
		m.scroll = max(0, m.scroll+by) // the page knows where it ends
		return
	}
	order := rollout.Order(m.report.Rollouts)
	at := slices.IndexFunc(order, func(ro *report.Rollout) bool { return ro.Object.Key() == m.selected.Key() })
	m.selected = order[min(max(0, at+by), len(order)-1)].Object
}

func (m *model) pause() tea.Cmd {
	if !m.can(m.do.Pause != nil, "pausing") {
		return nil
	}
	ctx, do, target := m.ctx, m.do.Pause, m.selected
	m.busy, m.doing = "pausing "+target.String(), true
	return func() tea.Msg {
		said, err := do(ctx, target)
		return saidMsg{said, err}
	}
}

func (m *model) back() tea.Cmd {
	if !m.can(m.do.Back != nil, "going back") {
		return nil
	}
	ctx, find, target := m.ctx, m.do.Back, m.selected
	m.busy = "looking for the way back of " + target.String()
	return func() tea.Msg {
		plan, err := find(ctx, target)
		return planMsg{plan, err}
	}
}

// can says whether an action may begin, and why it may not.
func (m *model) can(possible bool, what string) bool {
	switch {
	case m.busy != "":
		m.say("one thing at a time", term.Warn)
	case !possible:
		m.say(what+" is not possible here", term.Warn)
	case m.selected.IsZero():
		m.say("there is nothing to choose yet", term.Warn)
	default:
		return true
	}
	return false
}

// answer takes the y that a plan waits for. Every key but those that scroll
// means no.
func (m *model) answer(key string) tea.Cmd {
	switch key {
	case "up", "k":
		m.move(-1)
		return nil
	case "down", "j":
		m.move(1)
		return nil
	}
	plan := m.plan
	m.plan, m.scroll = nil, 0
	if key != "y" && key != "Y" || plan.Do == nil {
		m.say("nothing was changed", term.Plain)
		return nil
	}
	ctx := m.ctx
	m.busy, m.doing = "going back", true
	return func() tea.Msg {
		said, err := plan.Do(ctx)
		return saidMsg{said, err}
	}
}
