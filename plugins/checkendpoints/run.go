package checkendpoints

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/collect"
	"github.com/leadsman-dev/leadsman/pkg/endpoints"
	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/render/doc"
	renderendpoints "github.com/leadsman-dev/leadsman/pkg/render/endpoints"
	"github.com/leadsman-dev/leadsman/pkg/render/html"
	"github.com/leadsman-dev/leadsman/pkg/render/junit"
	"github.com/leadsman-dev/leadsman/pkg/render/sarif"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

func run(ctx context.Context, env *cli.Env, o options) error {
	switch {
	case o.Explain != "":
		return env.Explain(endpoints.Docs(), o.Explain, o.Color)
	case o.PrintRBAC:
		return printRBAC(env)
	}
	session, err := env.Open(ctx, &o.Shared)
	if err != nil {
		return err
	}
	asks, err := o.asks(ctx, env, session)
	if err != nil {
		return err
	}
	if o.watch {
		return o.follow(ctx, env, session, asks)
	}
	r, err := o.answer(ctx, env, session, asks)
	if err != nil {
		return errors.Join(err, session.Close())
	}
	if err := errors.Join(o.write(env.Streams.Out, r, env.Streams.Style(o.Color)), session.Close()); err != nil {
		return err
	}
	return o.FailOn.Judge(r)
}

// answer collects, judges, and where live questions were asked for, asks them
// and judges again with the answers.
func (o *options) answer(ctx context.Context, env *cli.Env, session *cli.Session, asks []endpoints.Ask) (*report.Report, error) {
	reader := collect.NewReader(session, needs(asks))
	v, services, err := facts(ctx, reader, session, asks)
	if err != nil {
		return nil, err
	}
	opts := endpoints.Options{From: asks[0].From, All: len(asks[0].Names) == 0, Learn: o.Learn}
	r := endpoints.Explain(v, services, opts)
	if doubted := recheck(r, asks); len(doubted) > 0 && session.Watcher != nil {
		// Slices follow pods within seconds: what is late is not yet wrong.
		if err := pause(ctx, lagging); err != nil {
			return nil, err
		}
		if err := reader.Again(ctx, doubted); err != nil {
			return nil, err
		}
		if v, services, err = facts(ctx, reader, session, asks); err != nil {
			return nil, err
		}
		r = endpoints.Explain(v, services, opts)
	}
	asked, left := 0, 0
	if o.probe || o.through.Name != "" {
		if opts.Observations, asked, left, err = o.observe(ctx, env, session, v, r); err != nil {
			return nil, err
		}
		r = endpoints.Explain(v, services, opts)
	}
	if left > 0 {
		r.Gaps = append(r.Gaps, report.Gap{Resource: "probes", Reason: string(source.TimedOut), Detail: fmt.Sprintf("%d live questions were not asked, or not answered in time; ask about fewer Services", left)})
	}
	o.shape(r, session)
	r.Budget.Requests += asked
	return r, nil
}

func facts(ctx context.Context, reader *collect.Reader, session *cli.Session, asks []endpoints.Ask) (*index.View, []object.Ref, error) {
	v, err := reader.View(ctx)
	if err != nil {
		return nil, nil, err
	}
	services, err := selected(ctx, v, asks, session)
	if err == nil {
		err = clientIsThere(v, asks[0].From)
	}
	return v, services, err
}

// lagging is how long the slice controller is given before its slices are
// called wrong.
const lagging = 1500 * time.Millisecond

// recheck is what all asks want to see again before the slices are accused.
func recheck(r *report.Report, asks []endpoints.Ask) []source.Query {
	var queries []source.Query
	for _, ask := range asks {
		queries = append(queries, endpoints.Recheck(r, ask)...)
	}
	slices.SortFunc(queries, source.Query.Compare)
	return slices.Compact(queries)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// shape adds what the run itself knows, and leaves out what was not asked for.
func (o *options) shape(r *report.Report, session *cli.Session) {
	r.Target = o.target()
	if len(r.Services) == 0 && r.Summary == "" {
		r.Summary = "There is no Service to check: " + r.Target + "."
	}
	if r.Verdict == "" {
		r.Verdict = report.OK
	}
	if o.onlyProblems {
		onlyProblems(r)
	}
	r.Budget = session.Budget()
}

// target is what was asked for, as it was asked.
func (o *options) target() string {
	switch {
	case len(o.names) > 0:
		return "service/" + strings.Join(o.names, " service/")
	case len(o.files) > 0:
		return "-f " + strings.Join(o.files, " -f ")
	}
	target := "services"
	if o.selector != "" {
		target += " -l " + o.selector
	}
	if o.allNames {
		target += " -A"
	}
	return target
}

// onlyProblems leaves the Services out about which nothing is to be said. The
// sentence above them still counts all.
func onlyProblems(r *report.Report) {
	all := len(r.Services)
	r.Services = slices.DeleteFunc(slices.Clone(r.Services), func(s *report.Service) bool {
		return s.Verdict == report.OK && !warned(r, s)
	})
	r.Findings = slices.DeleteFunc(slices.Clone(r.Findings), func(f finding.Finding) bool { return f.Severity == finding.Info })
	if len(r.Services) == 0 && all > 0 {
		r.Summary = fmt.Sprintf("All %d Services are well.", all)
		if all == 1 {
			r.Summary = "The Service is well."
		}
	}
}

func warned(r *report.Report, s *report.Service) bool {
	return slices.ContainsFunc(r.Findings, func(f finding.Finding) bool {
		return f.Severity != finding.Info && slices.Contains(s.Codes, f.Code)
	})
}

// write renders a report in the chosen format.
func (o *options) write(w io.Writer, r *report.Report, style term.Style) error {
	switch o.output {
	case "json":
		return doc.JSON(w, r, style)
	case "yaml":
		return doc.YAML(w, r, style)
	case "name":
		return doc.Names(w, r, style)
	case "html":
		return html.Endpoints(w, r, style)
	case "junit":
		return junit.Render(w, r, style)
	case "sarif":
		return sarif.Render(w, r, style)
	}
	return renderendpoints.Options{Wide: o.output == "wide", NoHeaders: o.noHeaders}.Render(w, r, style)
}
