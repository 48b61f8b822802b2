package tracedns

import (
	"context"
	"errors"
	"io"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/collect"
	"github.com/leadsman-dev/leadsman/pkg/dns"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/render/doc"
	"github.com/leadsman-dev/leadsman/pkg/render/trace"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

func run(ctx context.Context, env *cli.Env, o options) error {
	switch {
	case o.Explain != "":
		return env.Explain(dns.Docs(), o.Explain, o.Color)
	case o.PrintRBAC:
		return printRBAC(env, o.debug != "")
	}
	session, err := env.Open(ctx, &o.Shared)
	if err != nil {
		return err
	}
	if err := o.settle(ctx, env, session); err != nil {
		return err
	}
	if o.watch {
		return o.follow(ctx, env, session)
	}
	r, err := o.answer(ctx, env, session)
	if err != nil {
		return errors.Join(err, session.Close())
	}
	if err := errors.Join(o.write(env.Streams.Out, r, env.Streams.Style(o.Color)), session.Close()); err != nil {
		return err
	}
	return o.FailOn.Judge(r)
}

// answer collects, asks, and judges.
func (o *options) answer(ctx context.Context, env *cli.Env, session *cli.Session) (*report.Report, error) {
	src, asks := remember(session), session.Watcher != nil && o.probe
	v, err := facts(ctx, src, o.ask, dns.Observations{Coming: asks})
	if err != nil {
		return nil, err
	}
	if !asks {
		seen := dns.Observations{}
		if o.probe {
			seen = recorded(v, o.ask, session.Replayed())
		}
		if v, err = facts(ctx, src, o.ask, seen); err != nil {
			return nil, err
		}
		return o.judge(v, seen, session, 0)
	}
	live := newAsker(env, o)
	v, seen, err := o.look(ctx, src, v, live)
	if err != nil {
		return nil, err
	}
	r, err := o.judge(v, seen, session, live.requests())
	if err != nil {
		return nil, err
	}
	if more, any := live.doubt(ctx, v, o.ask, r, seen); any {
		seen = more
		if v, err = facts(ctx, src, o.ask, seen); err != nil {
			return nil, err
		}
		if r, err = o.judge(v, seen, session, live.requests()); err != nil {
			return nil, err
		}
	}
	session.Keep(record(o.ask, seen))
	return r, nil
}

// look asks live. What was seen may call for other facts, and for other
// questions; those then for facts once more.
func (o *options) look(ctx context.Context, src source.Source, v *index.View, live *asker) (*index.View, dns.Observations, error) {
	seen := live.ask(ctx, v, o.ask, dns.Observations{})
	if o.debug != "" {
		seen = live.debug(ctx, dns.Live(v, o.ask, seen), o, seen)
	}
	for range 2 {
		var err error
		if v, err = facts(ctx, src, o.ask, seen); err != nil {
			return nil, seen, err
		}
		seen = live.ask(ctx, v, o.ask, seen)
	}
	v, err := facts(ctx, src, o.ask, seen)
	return v, seen, err
}

// facts reads what the judgement needs.
func facts(ctx context.Context, src source.Source, ask dns.Ask, seen dns.Observations) (*index.View, error) {
	return collect.View(ctx, src, func(v *index.View) ([]source.Query, []source.LogQuery) {
		return dns.Needs(v, ask, seen), nil
	})
}

func (o *options) judge(v *index.View, seen dns.Observations, session *cli.Session, asked int) (*report.Report, error) {
	r, err := dns.Explain(v, o.ask, dns.Options{Learn: o.Learn, Seen: seen})
	if err != nil {
		return nil, err
	}
	r.Budget = session.Budget()
	r.Budget.Requests += asked
	return r, nil
}

// write renders a report in the chosen format.
func (o *options) write(w io.Writer, r *report.Report, style term.Style) error {
	switch o.output {
	case "json":
		return doc.JSON(w, r, style)
	case "yaml":
		return doc.YAML(w, r, style)
	case "mermaid":
		return trace.Mermaid(w, r, style)
	}
	return trace.Options{Wide: o.output == "wide", Learn: o.Learn}.Render(w, r, style)
}
