package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/cause"
)

// order puts what keeps the rollout from finishing first, in the order in
// which the causes were given, then lost service, then what was said before.
func (t *target) order(found []finding.Finding) {
	place := func(f finding.Finding) int {
		domain, _, _ := strings.Cut(f.Code, "/")
		switch {
		case f.CausedBy != nil:
			return 1
		case f.Severity == finding.Info:
			return 3
		case domain == "preflight":
			return 2
		}
		return 0
	}
	slices.SortStableFunc(found, func(a, b finding.Finding) int { return place(a) - place(b) })
}

// verdict is the answer about one target, in one word and in one sentence.
func (t *target) verdict(r *report.Rollout, causes []cause.Cause) (report.Verdict, string) {
	name := t.ref.String()
	kept := serviceWords(r)
	switch t.phase {
	case report.PhaseUnknown:
		return report.Unknown, fmt.Sprintf("%s cannot be seen", name)
	case report.PhaseDeleted:
		return report.Broken, fmt.Sprintf("%s was deleted while it was watched%s", name, kept)
	case report.PhaseSuperseded:
		return report.Broken, fmt.Sprintf("%s got another template while it was rolling out%s: this rollout is superseded%s", name, revisionWords(t.to), kept)
	case report.PhaseFailed:
		return report.Broken, fmt.Sprintf("%s cannot finish rolling out%s: %s%s", name, revisionWords(t.to), because(t.failed, "its pods fail"), kept)
	case report.PhaseTimedOut:
		return report.Broken, fmt.Sprintf("%s did not finish rolling out%s in time: %s%s", name, revisionWords(t.to), because(t.failed, counted(r.Counts)), kept)
	case report.PhaseReturned:
		return report.Broken, fmt.Sprintf("%s is back on%s: the rollout failed%s", name, revisionWords(t.to), kept)
	case report.PhaseLost:
		return report.Broken, fmt.Sprintf("%s could not be brought back: %s%s", name, because(t.failed, lostWords(t.wayBack)), kept)
	case report.PhaseComplete:
		return completeVerdict(r), t.completeSummary(r, kept)
	case report.PhaseAwaited:
		return report.Progressing, fmt.Sprintf("%s: nothing rolls yet, the next rollout is waited for", name)
	case report.PhasePaused:
		return report.Broken, fmt.Sprintf("%s is paused: it does not go on until it is resumed%s", name, kept)
	case report.PhaseSettling:
		return report.Progressing, fmt.Sprintf("%s: %s, waiting for %s%s", name, counted(r.Counts), r.Waiting, kept)
	case report.PhaseBack:
		return report.Progressing, fmt.Sprintf("%s is going back%s: %s%s", name, revisionWords(t.to), counted(r.Counts), kept)
	}
	if len(causes) > 0 && causes[0].Severity == finding.Error {
		return report.Broken, fmt.Sprintf("%s is in trouble: %s%s", name, causes[0].Message, kept)
	}
	return report.Progressing, fmt.Sprintf("%s is rolling out%s: %s%s", name, revisionWords(t.to), counted(r.Counts), kept)
}

func (t *target) completeSummary(r *report.Rollout, kept string) string {
	if t.nothing {
		return fmt.Sprintf("%s: nothing to roll out, %s%s", t.ref, counted(r.Counts), kept)
	}
	if r.Strategy == "OnDelete" && r.Counts.Old > 0 {
		return fmt.Sprintf("%s rolls nothing by itself (OnDelete): %s of an older revision until somebody deletes them%s", t.ref, stays(r.Counts.Old), kept)
	}
	took := time.Duration(r.Elapsed * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("%s rolled out%s in %s: %s%s", t.ref, revisionWords(t.to), took, counted(r.Counts), kept)
}

func stays(pods int) string {
	if pods == 1 {
		return "1 pod stays"
	}
	return fmt.Sprintf("%d pods stay", pods)
}

// completeVerdict: what finished and lost service on the way is broken.
func completeVerdict(r *report.Rollout) report.Verdict {
	if r.Lost() {
		return report.Broken
	}
	return report.OK
}

func counted(c report.Counts) string {
	return fmt.Sprintf("%d of %d pods available", c.Available, c.Desired)
}

func revisionWords(r *report.Revision) string {
	switch {
	case r == nil:
		return ""
	case r.Number == 0:
		return " a revision"
	}
	return fmt.Sprintf(" revision %d", r.Number)
}

func because(causes []cause.Cause, otherwise string) string {
	if len(causes) == 0 {
		return otherwise
	}
	return causes[0].Message
}

func lostWords(b *report.WayBack) string {
	if b == nil || b.Refused == "" {
		return "it did not get there in time"
	}
	return b.Refused
}

// serviceWords say whether service was kept, where that is proven or lost.
func serviceWords(r *report.Rollout) string {
	held := false
	for _, p := range r.Proof {
		switch p.Verdict {
		case report.BrokenProof:
			return fmt.Sprintf("; service was lost: %s %s", p.Service, p.Summary)
		case report.Held, report.HeldWithGaps:
			held = true
		}
	}
	for _, p := range r.Probes {
		if p.Failed > 0 {
			return fmt.Sprintf("; %d of %d requests to %s failed", p.Failed, p.Sent, p.Target)
		}
	}
	if held && r.Phase != report.PhaseComplete || len(r.Proof) == 0 || !held {
		return ""
	}
	return "; service was held"
}

// conclude sums up the targets: the worst verdict, a sentence for each.
func (w *Watch) conclude(r *report.Report, v *index.View) {
	var names, sentences []string
	r.Verdict = report.OK
	for _, rollout := range r.Rollouts {
		names = append(names, rollout.Object.String())
		sentences = append(sentences, rollout.Summary)
		if slices.Index(worst, rollout.Verdict) < slices.Index(worst, r.Verdict) {
			r.Verdict = rollout.Verdict
		}
	}
	r.Target = strings.Join(names, ", ")
	r.Summary = strings.Join(sentences, ". ")
	w.limits(r, v)
	r.Gaps = gapsOf(v)
}

var worst = []report.Verdict{report.Broken, report.Unknown, report.Progressing, report.OK}

func gapsOf(v *index.View) []report.Gap {
	gaps := []report.Gap{}
	for _, g := range v.Gaps {
		gap := report.Gap{Resource: g.Resource, Namespace: g.Namespace, Name: g.Name, Reason: string(g.Reason), Detail: g.Detail}
		if !slices.Contains(gaps, gap) {
			gaps = append(gaps, gap)
		}
	}
	return gaps
}
