package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/test/faults"
)

// mend runs the commands that the first finding prints. The first one runs in
// the scene that was asked about; each other is an alternative and gets a
// scene of its own, when every one is to be tried. The way back from a rollout
// is the last of them, and mends whatever else a person must decide.
func (l *lab) mend(ctx context.Context, s *scene, r *result) {
	for i := range commandsOf(r.answer) {
		if i > 0 && !l.everyFix {
			return
		}
		mends, err := l.mendOnce(ctx, s, r, i)
		if err != nil {
			r.errs = append(r.errs, err)
			continue
		}
		r.ran++
		if mends {
			r.mended++
		}
	}
}

func commandsOf(a faults.Answer) []faults.Fix {
	commands := append(slices.Clone(a.Findings[0].Fix), a.WaysBack()...)
	return slices.DeleteFunc(commands, func(f faults.Fix) bool { return f.Command == "" })
}

// mendOnce runs the i-th command. It must not fail; unless it only looks, or a
// person must decide, the finding must go away.
func (l *lab) mendOnce(ctx context.Context, s *scene, r *result, i int) (mends bool, err error) {
	answer := r.answer
	if i > 0 {
		again, end, err := l.stage(ctx, r.Case, fmt.Sprintf("-%d", i+1))
		if err != nil {
			return false, fmt.Errorf("the scene for fix %d: %w", i+1, err)
		}
		defer end()
		anew := result{Case: r.Case}
		if s = again; s.Watches() {
			err = s.watch(ctx, &anew)
		} else {
			err = s.poll(ctx, &anew)
		}
		if err != nil {
			return false, fmt.Errorf("the scene for fix %d: %w", i+1, err)
		}
		answer = anew.answer
	}
	commands := commandsOf(answer)
	if i >= len(commands) {
		return false, fmt.Errorf("fix %d is not printed a second time", i+1)
	}
	command := commands[i].Command
	if out, err := s.shell(ctx, command); err != nil {
		return false, fmt.Errorf("the printed fix fails: %s: %w: %s", command, err, out)
	}
	back := slices.Contains(answer.WaysBack(), commands[i])
	if r.Decide != "" && !back || (finding.Fix{Command: command}).Looks() {
		return false, nil
	}
	if strings.HasSuffix(command, " delete "+s.Ask) { // there is nothing left to ask about
		left, err := s.shell(ctx, "kubectl get --ignore-not-found -o name "+s.Ask)
		if err != nil || len(left) > 0 {
			return false, errors.Join(fmt.Errorf("after the printed fix %q there is still %q", command, left), err)
		}
		return true, nil
	}
	if err := s.gone(ctx, answer.Findings[0].Code); err != nil {
		return false, fmt.Errorf("after the printed fix %q: %w", command, err)
	}
	return true, nil
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
