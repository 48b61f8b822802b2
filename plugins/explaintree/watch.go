package explaintree

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/collect"
	"github.com/leadsman-dev/leadsman/pkg/render/live"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

const (
	settle = 150 * time.Millisecond // changes come in bursts: one frame for each burst
	pulse  = 10 * time.Second       // ages and graces move on without any change
)

// follow shows the tree again whenever a watch reports a change. The same
// judgement and the same renderer draw every frame.
func (o *options) follow(ctx context.Context, env *cli.Env, session *cli.Session, request collect.Request) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	frames := make(chan live.Frame)
	go func() {
		defer close(frames)
		if err := o.draw(ctx, session, request, env.Streams.InPlace(), frames); err != nil {
			cancel(err)
		}
	}()
	return live.Show(ctx, env.Streams, o.Color, env.Now, frames)
}

// draw sends a frame after each change, until ctx ends or the object is gone.
// Where frames stand one after the other, only news is worth another one.
func (o *options) draw(ctx context.Context, session *cli.Session, request collect.Request, inPlace bool, frames chan<- live.Frame) error {
	cache := collect.NewCache(session.Watcher, nil)
	defer cache.Close()
	var last []*report.Node
	var said []byte
	for {
		cache.Tick()
		facts, err := collect.Collect(ctx, cache, request)
		var root *collect.RootError
		switch {
		case errors.As(err, &root) && root.Gap == nil && last != nil:
			return &cli.Exit{Code: cli.ExitSuperseded, Err: fmt.Errorf("%w any more: it was deleted", err)}
		case err != nil:
			return explainRoot(ctx, session, err)
		}
		r := o.explain(facts, session)
		r.Budget = report.Budget{}   // what a stream costs is no property of one frame
		news, err := json.Marshal(r) // ages are in no document: they move on by themselves
		if err != nil {
			return err
		}
		if bytes.Equal(news, said) && !inPlace {
			if err := wait(ctx, cache); err != nil {
				return err
			}
			continue
		}
		said = news
		next := r.Tree
		r.Tree = report.Mark(last, next)
		last = next
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
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(settle):
		return nil
	}
}
