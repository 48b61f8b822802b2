package checkendpoints

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/endpoints"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// aboutPrefix tells the answers of this plugin from others'.
const aboutPrefix = "check-endpoints "

// kept is what a snapshot keeps of the answers.
type kept struct {
	Probes []endpoints.Observation `json:"probes"`
}

// observe asks the live questions; of a snapshot, it takes the answers that
// were kept in it. It says how many requests that took and how many questions
// were left.
func (o *options) observe(ctx context.Context, env *cli.Env, session *cli.Session, v *index.View, r *report.Report) (seen []endpoints.Observation, requests, left int, err error) {
	if len(o.Snapshot) > 0 {
		seen, err = o.recorded(session.Replayed())
		return seen, 0, 0, err
	}
	live := newAsker(env, o)
	seen, left = live.ask(ctx, v, r)
	if ctx.Err() != nil {
		return nil, 0, 0, context.Cause(ctx)
	}
	if document, err := json.Marshal(kept{seen}); err == nil { // it holds nothing that JSON cannot say
		session.Keep(source.Answers{About: aboutPrefix + o.target(), Document: document})
	}
	return seen, live.prober.Requests(), left, nil
}

// recorded are the answers that a snapshot keeps to the questions of this run.
func (o *options) recorded(all []source.Answers) ([]endpoints.Observation, error) {
	var seen []endpoints.Observation
	asked := false
	for _, a := range all {
		var k kept
		if strings.HasPrefix(a.About, aboutPrefix) && json.Unmarshal(a.Document, &k) == nil {
			seen, asked = append(seen, k.Probes...), true
		}
	}
	if !asked {
		return nil, errors.New("the snapshot holds no answers of probes; leave --probe and --probe-from out, or save one with them: --probe --save-snapshot FILE")
	}
	return slices.DeleteFunc(seen, func(s endpoints.Observation) bool {
		if s.Probe == endpoints.Path {
			return s.From.Key() != o.through.Key()
		}
		return !o.probe
	}), nil
}
