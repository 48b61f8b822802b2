package tracedns

import (
	"context"
	"io"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/collect"
	"github.com/leadsman-dev/leadsman/pkg/dns"
	"github.com/leadsman-dev/leadsman/pkg/render/live"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

const (
	settling = 300 * time.Millisecond // changes come in bursts, and DNS follows them
	pulse    = 5 * time.Second        // answers change without any change of an object
)

// follow asks again whenever a watch reports a change, and now and then
// without one. The same judgement and the same renderer draw every frame.
func (o *options) follow(ctx context.Context, env *cli.Env, session *cli.Session) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	frames := make(chan live.Frame)
	go func() {
		defer close(frames)
		if err := o.draw(ctx, env, session, frames); err != nil {
			cancel(err)
		}
	}()
	return live.Show(ctx, env.Streams, o.Color, env.Now, frames)
}

func (o *options) draw(ctx context.Context, env *cli.Env, session *cli.Session, frames chan<- live.Frame) error {
	cache := collect.NewCache(session.Watcher, nil)
	defer cache.Close()
	var asker *asker
	if o.probe {
		asker = newAsker(env, o)
	}
	for {
		cache.Tick()
		r, err := o.frame(ctx, cache, asker, session)
		if err != nil {
			return err
		}
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

// frame is one answer. What a stream costs is no property of a frame.
func (o *options) frame(ctx context.Context, cache *collect.Cache, asker *asker, session *cli.Session) (r *report.Report, err error) {
	if asker != nil {
		r, _, err = o.answerLive(ctx, cache, asker, session)
	} else if v, failed := facts(ctx, cache, o.ask, dns.Observations{}); failed == nil {
		r, err = o.judge(v, dns.Observations{}, session, 0)
	} else {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	r.Budget = report.Budget{}
	return r, nil
}

func wait(ctx context.Context, cache *collect.Cache) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(pulse):
		return nil
	case <-cache.Changed():
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(settling):
		return nil
	}
}
