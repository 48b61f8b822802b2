package guardrollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/render/screen"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/source/snapshot"
)

// aboutWatch is the note with which every recording begins: what was watched,
// and under which conditions it was to end.
const aboutWatch = "guard-rollout"

// aboutEnd is the one with which it ends.
const aboutEnd = "end"

// watched is its document.
type watched struct {
	Targets        []object.Ref  `json:"targets"`
	Timeout        time.Duration `json:"timeout,omitempty"`
	StableFor      time.Duration `json:"stableFor,omitempty"`
	WaitTerminated bool          `json:"waitTerminated,omitempty"`
	Await          bool          `json:"await,omitempty"`
	StayPaused     bool          `json:"stayPaused,omitempty"`
	KeepGoing      bool          `json:"keepGoing,omitempty"`
}

func (o *options) opening(env *cli.Env) (source.Note, error) {
	j := o.judgement(env)
	document, err := json.Marshal(watched{o.targets, j.Timeout, j.StableFor, j.WaitTerminated, j.Await, j.StayPaused, o.keepGoing})
	return source.Note{About: aboutWatch, Document: document}, err
}

// player shows a recording: it is the guard's loop, with the file in place of
// the cluster and the file's clock in place of ours.
type player struct {
	o       *options
	replay  *snapshot.Replay
	next    *source.Happening // read ahead
	setBack time.Duration     // what the clock of the recording lost
	cut     error             // the recording broke off here
	store   *source.Store
	watch   *rollout.Watch
	keep    bool
	on      time.Duration // how long the clock goes on after the recording's end
}

// tail: a replay judges at other moments than the watch did, and may see the
// last change a little later.
const tail = 2 * time.Second

func (o *options) runReplay(ctx context.Context, env *cli.Env) error {
	replay, err := snapshot.OpenJournalFile(o.replay, env.Streams.In)
	if err != nil {
		return err
	}
	p := &player{o: o, replay: replay, on: tail}
	r, err := o.show(ctx, env, screen.Actions{}, func(ctx context.Context, show func(*report.Report, time.Time) error) (*report.Report, error) {
		if err := p.begin(); err != nil {
			return nil, err
		}
		return p.run(ctx, show)
	})
	if err = errors.Join(err, replay.Close()); err != nil {
		return err
	}
	if p.cut != nil {
		fmt.Fprintf(env.Streams.Err, "Warning: %v\n", p.cut)
	}
	if !p.watch.Final(p.keep) {
		return &cli.Exit{Code: cli.ExitUnknown, Err: errors.New("the recording ends before the rollout did: how it went on is not known")}
	}
	return o.exit(r)
}

// begin reads what was watched.
func (p *player) begin() error {
	first, err := p.replay.Next()
	if err != nil {
		return err
	}
	var w watched
	if first.Note == nil || first.Note.About != aboutWatch || json.Unmarshal(first.Note.Document, &w) != nil {
		return fmt.Errorf("%s was not recorded by guard-rollout", p.o.replay)
	}
	if len(p.o.targets) > 0 {
		w.Targets = within(w.Targets, p.o.targets)
	}
	if len(w.Targets) == 0 {
		return fmt.Errorf("%s has no such workload", p.o.replay)
	}
	p.store, p.keep = source.NewStore(first.At), w.KeepGoing
	p.watch = rollout.New(first.At, w.Targets, rollout.Options{
		Timeout: w.Timeout, StableFor: w.StableFor, WaitTerminated: w.WaitTerminated, Await: w.Await, StayPaused: w.StayPaused, Learn: p.o.Learn,
	})
	p.read()
	return nil
}

func within(all, chosen []object.Ref) []object.Ref {
	var kept []object.Ref
	for _, ref := range all {
		for _, c := range chosen {
			if c.GroupKind() == ref.GroupKind() && c.Name == ref.Name {
				kept = append(kept, ref)
			}
		}
	}
	return kept
}

// read looks one happening ahead. Where the recording breaks off it ends. A clock
// that was set back while it was made stands still instead: what happened later
// is later.
func (p *player) read() {
	h, err := p.replay.Next()
	at := h.At.Add(p.setBack)
	if p.next != nil && at.Before(p.next.At) {
		p.setBack += p.next.At.Sub(at)
		at = p.next.At
	}
	h.At, p.next = at, &h
	if err != nil {
		p.next = nil
		if !errors.Is(err, io.EOF) {
			p.cut = err
		}
	}
}

// run plays burst after burst, and a judgement each second in between, as the
// watch itself did.
func (p *player) run(ctx context.Context, show func(*report.Report, time.Time) error) (*report.Report, error) {
	now := p.answered(p.store.Now())
	for {
		r := p.judge(now)
		if err := show(r, now); err != nil {
			return r, err
		}
		// Not as soon as nothing more is to be waited for: something may have
		// been done about it.
		if p.next == nil && (p.watch.Final(p.keep) || p.cut != nil || p.on <= 0) {
			return r, nil
		}
		then := now.Add(pulse)
		if p.next == nil {
			p.on -= pulse
		} else if p.next.At.Add(settle).Before(then) {
			then = p.next.At.Add(settle)
		}
		then = latest(then, now.Add(time.Millisecond))
		if err := p.pass(ctx, then.Sub(now)); err != nil {
			return r, err
		}
		now = then
		for n := 0; p.next != nil && !p.next.At.After(now); n++ {
			if n > 0 && rollout.Acts(p.next.Note) {
				now = p.next.At
				break
			}
			p.play()
		}
		now = p.answered(now)
	}
}

func (p *player) play() {
	p.store.Play(*p.next)
	p.watch.Happened(*p.next)
	p.read()
}

// answered plays on until all that the judgement wants was answered, and says
// when that was: the watch, too, judged only then.
func (p *player) answered(now time.Time) time.Time {
	for p.next != nil && p.wants() {
		now = latest(now, p.next.At)
		p.play()
	}
	return now
}

func (p *player) wants() bool {
	queries, _ := p.watch.Needs(index.New(p.store.Contents()))
	for _, q := range queries {
		if !p.store.Covers(q) {
			return true
		}
	}
	return false
}

func (p *player) judge(now time.Time) *report.Report {
	p.store.SetNow(now)
	r := p.watch.Observe(index.New(p.store.Contents()))
	r.Budget = report.Budget{Snapshot: true, Recorded: true}
	return r
}

// pass lets time go by at the chosen pace.
func (p *player) pass(ctx context.Context, span time.Duration) error {
	if p.o.pace == 0 || p.watch.Final(p.keep) {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Duration(float64(span) / p.o.pace)):
		return nil
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
