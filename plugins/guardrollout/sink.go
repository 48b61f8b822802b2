package guardrollout

import (
	"context"
	"errors"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/render/doc"
	"github.com/leadsman-dev/leadsman/pkg/render/html"
	"github.com/leadsman-dev/leadsman/pkg/render/junit"
	"github.com/leadsman-dev/leadsman/pkg/render/rollout"
	"github.com/leadsman-dev/leadsman/pkg/render/screen"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// sink is where reports go while they change, and at the end.
type sink interface {
	Frame(r *report.Report, now time.Time) error
	End(r *report.Report) error
}

// sink is the one for an output format where there is no screen.
func (o *options) sink(env *cli.Env, format string) sink {
	out, style := env.Streams.Out, env.Streams.Style(o.Color)
	var s sink
	switch format {
	case "ndjson":
		return rollout.NewStream(out)
	case "json":
		return atEnd(func(r *report.Report) error { return doc.JSON(out, r, style) })
	case "yaml":
		return atEnd(func(r *report.Report) error { return doc.YAML(out, r, style) })
	case "html":
		return atEnd(func(r *report.Report) error { return html.Rollout(out, r, style) })
	case "junit":
		return atEnd(func(r *report.Report) error { return junit.Render(out, r, style) })
	default:
		lines := rollout.NewLines(out, style)
		lines.Options = rollout.Options{Wide: format == "wide", Learn: o.Learn}
		s = lines
	}
	if o.annotations == "github" {
		return annotated{s, env}
	}
	return s
}

// atEnd prints one document, at the end.
type atEnd func(*report.Report) error

func (atEnd) Frame(*report.Report, time.Time) error { return nil }
func (e atEnd) End(r *report.Report) error          { return e(r) }

// annotated adds the annotations of a review.
type annotated struct {
	sink
	env *cli.Env
}

func (a annotated) End(r *report.Report) error {
	return errors.Join(a.sink.End(r), rollout.Annotations(a.env.Streams.Out, r))
}

// loop judges again and again and hands every report to show, to the end.
type loop func(ctx context.Context, show func(*report.Report, time.Time) error) (*report.Report, error)

// show runs a loop and shows what it says: on a screen in place, else line by
// line. What was said last stands in full at the end, also when the watch was
// interrupted.
func (o *options) show(ctx context.Context, env *cli.Env, actions screen.Actions, run loop) (*report.Report, error) {
	if (o.output == "text" || o.output == "wide") && env.Streams.InPlace() {
		return o.onScreen(ctx, env, actions, run)
	}
	out := o.sink(env, o.output)
	r, err := run(ctx, out.Frame)
	if r == nil {
		return nil, err
	}
	return r, errors.Join(err, out.End(r))
}

func (o *options) onScreen(ctx context.Context, env *cli.Env, actions screen.Actions, run loop) (*report.Report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	frames := make(chan *report.Report)
	closed := make(chan error, 1)
	go func() {
		err := screen.Show(ctx, env.Streams, env.Streams.Style(o.Color), frames, actions, rollout.Options{Wide: o.output == "wide", Learn: o.Learn})
		cancel(err) // the user went
		closed <- err
	}()
	r, err := run(ctx, func(r *report.Report, _ time.Time) error {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case frames <- r:
			return nil
		}
	})
	close(frames)
	left := <-closed
	if errors.Is(left, screen.ErrLeft) {
		return r, &cli.Exit{Code: cli.ExitInterrupted, Err: left}
	}
	return r, errors.Join(err, left)
}
