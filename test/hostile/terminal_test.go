package hostile

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/pkg/render/doc"
	renderendpoints "github.com/leadsman-dev/leadsman/pkg/render/endpoints"
	"github.com/leadsman-dev/leadsman/pkg/render/rollout"
	"github.com/leadsman-dev/leadsman/pkg/render/trace"
	"github.com/leadsman-dev/leadsman/pkg/render/tree"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// terminals are the pictures for people.
func terminals() map[string]render {
	lines := func(w io.Writer, r *report.Report, style term.Style) error {
		l := rollout.NewLines(w, style)
		if err := l.Frame(r, *r.Rollouts[0].Started); err != nil {
			return err
		}
		return l.End(r)
	}
	return map[string]render{
		"ExplainTree":    tree.Options{Wide: true}.Render,
		"CheckEndpoints": renderendpoints.Options{Wide: true}.Render,
		"TraceDNS":       trace.Options{Wide: true, Learn: true}.Render,
		"GuardRollout":   lines,
	}
}

// inBrackets is a command to Azure Pipelines, TeamCity or an older runner.
var inBrackets = regexp.MustCompile(`##[A-Za-z]*\[`)

// colour is the only thing of ours that a terminal acts on.
var colour = regexp.MustCompile(`\x1b\[[0-9;]*m`)

func FuzzTerminal(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, pick uint8, a, b string) {
		part := kind(pick)
		to := terminals()[part]
		r := full(part, pick, a, b)
		for _, style := range []term.Style{{}, {Unicode: true, Width: 60}, {Color: true, Unicode: true, Width: 100}} {
			out := written(t, to, r, style)
			if style.Color {
				out = colour.ReplaceAllString(out, "")
			}
			if sign := invisible(out); sign != "" {
				t.Errorf("%s: %s gets through", part, sign)
			}
			for line := range strings.Lines(out) {
				if strings.HasPrefix(strings.TrimSpace(line), "::") || inBrackets.MatchString(line) {
					t.Errorf("%s: a CI system would act on the line %q", part, line)
				}
			}
			bounded(t, out, written(t, to, full(part, pick, "x"), style), a, b)
		}
		if sign := invisible(written(t, doc.Names, r, term.Style{})); sign != "" {
			t.Errorf("%s: %s gets through -o name", part, sign)
		}
	})
}

// workflow is a workflow command with its data, as GitHub's runner reads it.
var workflow = regexp.MustCompile(`^::(error|warning|notice) title=[^:,\r\n]*::[^\r\n]*$`)

func FuzzAnnotations(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, pick uint8, a, b string) {
		r := full("GuardRollout", pick, a, b)
		out := written(t, func(w io.Writer, r *report.Report, _ term.Style) error { return rollout.Annotations(w, r) }, r, term.Style{})
		if n := strings.Count(out, "\n"); n > len(r.Findings)+1 {
			t.Errorf("%d commands for %d findings", n, len(r.Findings))
		}
		for line := range strings.Lines(out) {
			if !workflow.MatchString(strings.TrimSuffix(line, "\n")) || control(line) != "" {
				t.Errorf("the command %q", line)
			}
		}
	})
}
