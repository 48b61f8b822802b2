package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leadsman-dev/leadsman/test/faults"
)

// mend runs the commands that the first finding prints. The first one runs in
// the scene that was asked about; each other is an alternative and gets a
// scene of its own, when every one is to be tried.
func (l *lab) mend(ctx context.Context, s *scene, r *result) {
	commands := commandsOf(r.answer)
	if len(commands) == 0 {
		if r.Decide == "" && r.answer.Findings[0].Severity != "info" {
			r.errs = append(r.errs, errors.New("no command mends it, and the case does not say why a person must decide"))
		}
		return
	}
	for i := range commands {
		if i > 0 && !l.everyFix {
			return
		}
		if err := l.mendOnce(ctx, s, r, i); err != nil {
			r.errs = append(r.errs, err)
			continue
		}
		r.fixes++
	}
}

func commandsOf(a faults.Answer) []string {
	var commands []string
	for _, fix := range a.Findings[0].Fix {
		if fix.Command != "" {
			commands = append(commands, fix.Command)
		}
	}
	return commands
}

// mendOnce runs the i-th command; the finding must go away.
func (l *lab) mendOnce(ctx context.Context, s *scene, r *result, i int) error {
	answer := r.answer
	if i > 0 {
		again, end, err := l.stage(ctx, r.Case, fmt.Sprintf("-%d", i+1))
		if err != nil {
			return fmt.Errorf("the scene for fix %d: %w", i+1, err)
		}
		defer end()
		anew := result{Case: r.Case}
		if s = again; s.Watches() {
			err = s.watch(ctx, &anew)
		} else {
			err = s.poll(ctx, &anew)
		}
		if err != nil {
			return fmt.Errorf("the scene for fix %d: %w", i+1, err)
		}
		answer = anew.answer
	}
	commands := commandsOf(answer)
	if i >= len(commands) {
		return fmt.Errorf("fix %d is not printed a second time", i+1)
	}
	if out, err := s.shell(ctx, commands[i]); err != nil {
		return fmt.Errorf("the printed fix fails: %s: %w: %s", commands[i], err, out)
	}
	if r.Decide != "" {
		return nil
	}
	if err := s.gone(ctx, answer.Findings[0].Code); err != nil {
		return fmt.Errorf("after the printed fix %q: %w", commands[i], err)
	}
	return nil
}

// gone waits until the finding is not said any more.
func (s *scene) gone(ctx context.Context, code string) error {
	if s.Watches() {
		return s.goneFromRollout(ctx, code)
	}
	a, err := s.until(ctx, 90*time.Second, s.Ask, s.Recording(), func(a faults.Answer) error {
		if _, said := a.Find(code); said {
			return fmt.Errorf("%s is still said", code)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, a.Outline())
	}
	return nil
}

func (s *scene) goneFromRollout(ctx context.Context, code string) error {
	again := result{Case: s.Case}
	again.Meanwhile = nil
	after := *s
	after.Case = again.Case
	_ = after.watch(ctx, &again) // it is judged here, not by what the fault must be
	if again.answer.Verdict == "" {
		return errors.New("the watch after it gave no answer")
	}
	if _, said := again.answer.Find(code); said {
		return fmt.Errorf("%s is still said\n%s", code, again.answer.Outline())
	}
	return nil
}
