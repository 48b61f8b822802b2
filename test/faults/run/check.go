package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/test/faults"
)

// check provokes one case, asks about it, and runs the fixes that are printed.
func (l *lab) check(ctx context.Context, c faults.Case) result {
	r := result{Case: c}
	s, end, err := l.stage(ctx, c, "")
	if err != nil {
		r.errs = append(r.errs, fmt.Errorf("the scene: %w", err))
		return r
	}
	defer end()
	began := time.Now()
	if c.Watches() {
		err = s.watch(ctx, &r)
	} else {
		err = s.poll(ctx, &r)
	}
	r.verdict = time.Since(began)
	if l.show {
		r.seen = s.people(ctx)
	}
	if err != nil {
		r.errs = append(r.errs, fmt.Errorf("%w\n%s", err, r.answer.Outline()))
		return r
	}
	if c.Beside != "" {
		a, err := s.until(ctx, time.Minute, c.Beside, faults.BesideRecording, func(a faults.Answer) error {
			return faults.Accused(a, c.Mild, false)
		})
		if err != nil {
			r.errs = append(r.errs, fmt.Errorf("beside it: %w\n%s", err, a.Outline()))
			return r
		}
	}
	if l.record {
		if err := s.keep(); err != nil {
			r.errs = append(r.errs, err)
		}
	}
	if !c.Healthy {
		l.mend(ctx, s, &r)
	}
	return r
}

// poll asks until the answer is right. What was accused on the way and is not
// the root cause was accused wrongly.
func (s *scene) poll(ctx context.Context, r *result) error {
	patience, err := time.ParseDuration(cmp.Or(s.Patience, "100s"))
	if err != nil {
		return err
	}
	var wronged []string
	r.answer, err = s.until(ctx, patience, s.Ask, s.Recording(), func(a faults.Answer) error {
		err := s.Differs(a)
		if w := s.Wronged(a); err != nil && w != "" {
			wronged = append(wronged, w)
		}
		return err
	})
	if err == nil && len(wronged) > 0 {
		err = fmt.Errorf("before it was certain, it said as an error: %s", strings.Join(slices.Compact(wronged), "; "))
	}
	return err
}

// watch follows the rollout to the end of the watch.
func (s *scene) watch(ctx context.Context, r *result) error {
	patience, err := time.ParseDuration(cmp.Or(s.Patience, "170s"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	args := append(s.Args(s.Ask, s.namespace), "--record", filepath.Join(s.dir, s.Recording()))
	cmd := s.plugin(ctx, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	stream, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var printed bytes.Buffer
	var stepped error
	var verdict time.Time // when a rollout was first called failed
	rolling := false
	lines := bufio.NewReader(stream)
	for {
		line, err := lines.ReadBytes('\n')
		printed.Write(line)
		told := phase(line)
		if told == "failed" && verdict.IsZero() {
			verdict = time.Now()
		}
		if !rolling && told == "rolling" {
			rolling = true
			for _, step := range s.Meanwhile {
				if out, err := s.shell(ctx, step); err != nil {
					stepped = fmt.Errorf("%s: %w: %s", step, err, out)
				}
			}
		}
		if err != nil {
			break
		}
	}
	code, err := exit(cmd.Wait())
	if err != nil || ctx.Err() != nil {
		return cmp.Or(err, fmt.Errorf("it did not end within %s: %s", patience, errs.String()))
	}
	if stepped != nil {
		return stepped
	}
	if r.answer, err = faults.ReadAnswer(printed.Bytes(), code); err != nil {
		return fmt.Errorf("exit code %d: %w: %s", code, err, errs.String())
	}
	if err := s.Differs(r.answer); err != nil || code != 2 {
		return err
	}
	grace, err := time.ParseDuration(cmp.Or(s.Grace, "0s"))
	if err != nil {
		return err
	}
	if r.lag, err = lagOf(r.answer, verdict, filepath.Join(s.dir, s.Recording()), grace); err != nil {
		return err
	}
	return r.lag.late()
}

// keep copies the recordings of the scene to the corpus.
func (s *scene) keep() error {
	for _, name := range []string{s.Recording(), faults.BesideRecording} {
		text, err := os.ReadFile(filepath.Join(s.dir, name))
		if os.IsNotExist(err) && name == faults.BesideRecording {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(s.corpus, filepath.FromSlash(s.Folder()), name), text, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// people is what people see.
func (s *scene) people(ctx context.Context) string {
	args := s.Args(s.Ask, s.namespace)
	args = args[:len(args)-2] // without -o
	if s.Watches() {
		args = append(strings.Fields(s.Ask), "--replay", filepath.Join(s.dir, s.Recording()))
	}
	out, err := s.plugin(ctx, args...).CombinedOutput()
	if _, err := exit(err); err != nil {
		return err.Error()
	}
	return string(out)
}
