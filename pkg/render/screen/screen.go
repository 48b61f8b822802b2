// Package screen is the live screen of guard-rollout: the picture of the
// rollouts, redrawn in place, and keys to look closer, to pause and to go back.
package screen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/render/rollout"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// ErrLeft is returned when the user left before the end. Nothing was stopped.
var ErrLeft = errors.New("left before the rollout ended; it goes on")

// Actions are what keys may do to the cluster. What is nil cannot be done here,
// and the screen says so. They run beside the picture, one at a time.
type Actions struct {
	// Pause stops the roll, or lets a paused one go on, and says what it did.
	Pause func(ctx context.Context, target object.Ref) (said string, err error)
	// Back finds the way back. Nothing is changed before its Do is called.
	Back func(ctx context.Context, target object.Ref) (Plan, error)
}

// Plan is a way back to be confirmed.
type Plan struct {
	Lines []string // what would change, as a diff, and what is to be known
	Do    func(ctx context.Context) (said string, err error)
}

// eachFrame is the shortest time between two pictures: a burst of changes is
// one picture.
const eachFrame = 100 * time.Millisecond

// Show draws each report that arrives until frames closes (nil), the user
// leaves (ErrLeft) or interrupts (context.Canceled), or ctx ends (its cause).
// The caller ends ctx on signals; s.Out must be a screen (s.InPlace). Afterwards
// the terminal is as it was found, the last picture stands on it in full, and
// frames is no longer read. Where s.In is no terminal there are no keys.
func Show(ctx context.Context, s term.Streams, style term.Style, frames <-chan *report.Report, do Actions, opts rollout.Options) error {
	var keys io.Reader
	if term.IsTerminal(s.In) {
		keys = s.In
	}
	width, height, ok := term.Size(s.Out)
	if !ok {
		width, height = 80, 24
	}
	return show(ctx, s, style, keys, width, height, frames, do, opts)
}

func show(ctx context.Context, s term.Streams, style term.Style, keys io.Reader, width, height int, frames <-chan *report.Report, do Actions, opts rollout.Options) error {
	m := &model{ctx: ctx, style: style, opts: opts, do: do, keys: keys != nil, width: width, height: height}
	m.opts.Live = true
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	program := tea.NewProgram(m,
		tea.WithContext(ctx), tea.WithoutSignalHandler(), tea.WithInput(keys), tea.WithOutput(tame(s.Out, cancel)),
		tea.WithEnvironment(environment(s, style)), tea.WithWindowSize(width, height), tea.WithFPS(20),
	)
	done := make(chan struct{})
	defer close(done)
	go forward(program, frames, done)
	_, err := program.Run()
	switch {
	case errors.Is(err, tea.ErrProgramPanic):
		return fmt.Errorf("the live screen failed: %w", err)
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case m.interrupted:
		err = fmt.Errorf("interrupted: %w", context.Canceled)
	case err == nil && m.left:
		err = ErrLeft
	}
	return errors.Join(err, m.leave(s.Out))
}

// leave writes the last picture to the screen that was there before.
func (m *model) leave(out io.Writer) error {
	if m.report == nil {
		return nil
	}
	o, style := m.opts, m.style
	o.Live = !over(m.report)
	style.Width = m.width
	var b bytes.Buffer
	if err := o.Render(&b, m.report, style); err != nil {
		return err
	}
	_, err := out.Write(b.Bytes())
	return err
}

func over(r *report.Report) bool {
	for _, ro := range r.Rollouts {
		if !ro.Phase.Final() && ro.Phase != report.PhaseBefore {
			return false
		}
	}
	return true
}

// forward sends the newest report, not more often than eachFrame.
func forward(program *tea.Program, frames <-chan *report.Report, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case r, ok := <-frames:
			if ok {
				r, ok = newest(r, frames, done)
				program.Send(frameMsg{r})
			}
			if !ok {
				program.Send(endMsg{})
				return
			}
		}
	}
}

// newest waits for eachFrame and returns the last report that came; open is
// false once there will be no other.
func newest(r *report.Report, frames <-chan *report.Report, done <-chan struct{}) (latest *report.Report, open bool) {
	pause := time.NewTimer(eachFrame)
	defer pause.Stop()
	for {
		select {
		case <-done:
			return r, false
		case <-pause.C:
			return r, true
		case next, ok := <-frames:
			if !ok {
				return r, false
			}
			r = next
		}
	}
}
