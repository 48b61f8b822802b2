package checkendpoints

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/collect"
	"github.com/leadsman-dev/leadsman/pkg/endpoints"
	"github.com/leadsman-dev/leadsman/pkg/render/live"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

const (
	settle = 150 * time.Millisecond // changes come in bursts: one frame for each burst
	pulse  = 10 * time.Second       // ages and graces move on without any change
)

// follow shows the answer again whenever a watch reports a change. The same
// judgement and the same renderer draw every frame.
func (o *options) follow(ctx context.Context, env *cli.Env, session *cli.Session, asks []endpoints.Ask) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	frames := make(chan live.Frame)
	go func() {
		defer close(frames)
		if err := o.draw(ctx, session, asks, frames); err != nil {
			cancel(err)
		}
	}()
	return live.Show(ctx, env.Streams, o.Color, env.Now, frames)
}

// draw sends a frame after each change, until ctx ends or a Service that was
// named is gone.
func (o *options) draw(ctx context.Context, session *cli.Session, asks []endpoints.Ask, frames chan<- live.Frame) error {
	cache := collect.NewCache(session.Watcher, nil)
	defer cache.Close()
	for shown := false; ; shown = true {
		cache.Tick()
		v, services, err := facts(ctx, collect.NewReader(cache, needs(asks)), session, asks)
		var deleted *gone
		switch {
		case errors.As(err, &deleted) && shown:
			return &cli.Exit{Code: cli.ExitSuperseded, Err: errors.New(deleted.Error() + " any more: it was deleted")}
		case err != nil:
			return err
		}
		r := endpoints.Explain(v, services, endpoints.Options{From: asks[0].From, All: len(asks[0].Names) == 0, Learn: o.Learn})
		o.shape(r, session)
		r.Budget = report.Budget{} // what a stream costs is no property of one frame
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case frames <- func(w io.Writer, style term.Style) error { return o.write(w, r, style) }:
		}
		if err := wait(ctx, cache); err != nil {
			return err
		}
	}
}

func wait(ctx context.Context, cache *collect.Cache) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(pulse):
		return nil
	case <-cache.Changed():
	}
	return pause(ctx, settle)
}
