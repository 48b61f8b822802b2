package rollout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/cause"
	"github.com/leadsman-dev/leadsman/pkg/rollout/proof"
)

// order puts what keeps the rollout from finishing first, in the order in
// which the causes were given, then lost service, then what was said before.
func order(found []finding.Finding) {
	root := map[string]bool{}
	for _, f := range found {
		if f.CausedBy != nil {
			root[f.CausedBy.Code] = true
		}
	}
	place := func(f finding.Finding) int {
		domain, _, _ := strings.Cut(f.Code, "/")
		switch {
		case f.CausedBy == nil && root[f.Code]:
			return 0
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
func (t *target) verdict(w *Watch, r *report.Rollout, causes []cause.Cause) (report.Verdict, string) {
	name := t.ref.String()
	kept := serviceWords(r)
	switch t.phase {
	case report.PhaseUnknown:
		return report.Unknown, fmt.Sprintf("%s cannot be seen", name)
	case report.PhaseDeleted:
		if t.anew {
			return report.Broken, fmt.Sprintf("%s was deleted and created anew while it was watched", name)
		}
		return report.Broken, fmt.Sprintf("%s was deleted while it was watched", name)
	case report.PhaseSuperseded:
		return report.Broken, fmt.Sprintf("%s got another template while it was rolling out%s: this rollout is superseded%s", name, revisionWords(t.to), kept)
	case report.PhaseFailed:
		return report.Broken, fmt.Sprintf("%s cannot finish rolling out%s: %s%s", name, revisionWords(t.to), because(t.failed, "its pods fail"), kept)
	case report.PhaseTimedOut:
		return report.Broken, fmt.Sprintf("%s did not finish rolling out%s in time: %s%s", name, revisionWords(t.to), because(t.failed, counted(r.Counts)+t.awaited(w, r)), kept)
	case report.PhaseReturned:
		return report.Broken, fmt.Sprintf("%s was rolled back%s%s%s", name, t.backWords(), t.afterWhat(), kept)
	case report.PhaseLost:
		return report.Broken, fmt.Sprintf("%s could not be brought back: %s%s%s", name, t.lostWords(), t.afterWhat(), kept)
	case report.PhaseComplete:
		return completeVerdict(r), t.completeSummary(r, kept)
	case report.PhaseAwaited:
		return report.Progressing, fmt.Sprintf("%s: nothing rolls yet, the next rollout is waited for", name)
	case report.PhasePaused:
		return report.Broken, fmt.Sprintf("%s is paused: it does not go on until it is resumed%s", name, kept)
	case report.PhaseSettling:
		return report.Progressing, fmt.Sprintf("%s: %s, waiting for %s%s", name, counted(r.Counts), r.Waiting, kept)
	case report.PhaseBack:
		return report.Progressing, fmt.Sprintf("%s is going back%s: %s%s", name, t.backWords(), counted(r.Counts), kept)
	}
	if len(causes) > 0 && causes[0].Severity == finding.Error {
		return report.Broken, fmt.Sprintf("%s is in trouble: %s%s", name, causes[0].Message, kept)
	}
	return report.Progressing, fmt.Sprintf("%s is rolling out%s: %s%s", name, revisionWords(t.to), counted(r.Counts), kept)
}

func (t *target) completeSummary(r *report.Rollout, kept string) string {
	if r.Strategy == "OnDelete" && r.Counts.Old > 0 {
		return fmt.Sprintf("%s rolls nothing by itself (OnDelete): %s of an older revision until somebody deletes them%s", t.ref, stays(r.Counts.Old), kept)
	}
	if t.nothing {
		return fmt.Sprintf("%s: nothing to roll out, %s%s", t.ref, counted(r.Counts), kept)
	}
	took := t.done.Sub(t.began).Seconds()
	return fmt.Sprintf("%s rolled out%s in %s: %s%s", t.ref, revisionWords(t.to), proof.Seconds(took), counted(r.Counts), kept)
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

// awaited is what a rollout still waited for when its time was over: without a
// cause that is all there is to go by.
func (t *target) awaited(w *Watch, r *report.Rollout) string {
	if !t.done.IsZero() && w.opts.StableFor > 0 {
		return "; they have not stayed so for " + proof.Seconds(w.opts.StableFor.Seconds()) + " yet (--stable-for)"
	}
	for _, p := range r.Pods {
		if p.New && p.Waiting != "" && (p.State == report.PodPending || p.State == report.PodStarting) {
			return fmt.Sprintf("; pod %q waits: %s", p.Object.Name, p.Waiting)
		}
	}
	return ""
}

func counted(c report.Counts) string {
	return fmt.Sprintf("%d of %d pods available", c.Available, c.Desired)
}

func revisionWords(r *report.Revision) string {
	switch {
	case r == nil:
		return ""
	case r.Number == 0:
		return " its new template"
	}
	return fmt.Sprintf(" revision %d", r.Number)
}

func because(causes []cause.Cause, otherwise string) string {
	if len(causes) == 0 {
		return otherwise
	}
	return causes[0].Message
}

// backWords name the revision that was gone back to. Going back numbers it anew.
func (t *target) backWords() string {
	if t.wayBack == nil || t.wayBack.To == nil {
		return ""
	}
	words := fmt.Sprintf(" to revision %d", t.wayBack.To.Number)
	if t.to != nil && t.to.Hash == t.backTo && t.to.Number > t.wayBack.To.Number {
		words += fmt.Sprintf(", now revision %d", t.to.Number)
	}
	return words
}

// afterWhat is why it was gone back, or tried.
func (t *target) afterWhat() string {
	if len(t.reason) == 0 {
		return ""
	}
	return "; the rollout had failed: " + t.reason[0].Message
}

func (t *target) lostWords() string {
	switch {
	case t.wayBack != nil && t.wayBack.Refused != "":
		return t.wayBack.Refused
	case len(t.failed) > 0:
		return t.failed[0].Message
	}
	return "it did not get there in time"
}

// serviceWords say whether service was kept, where that is proven or lost.
func serviceWords(r *report.Rollout) string {
	held, blind := false, false
	for _, p := range r.Proof {
		switch p.Verdict {
		case report.BrokenProof:
			return "; service was lost: " + lossWords(p)
		case report.Held, report.HeldWithGaps:
			held = true
		case report.NotProvable:
			blind = blind || p.Service.Name != ""
		}
	}
	for _, p := range r.Probes {
		if p.Failed > 0 {
			return fmt.Sprintf("; %d of %d requests to %s failed", p.Failed, p.Sent, p.Target)
		}
	}
	switch {
	case !r.Phase.Final():
		return ""
	case held:
		return "; service was held"
	case blind:
		return "; whether service was kept cannot be proven"
	}
	return ""
}

// lossWords are the worst moment; the finding says the rest.
func lossWords(p report.Proof) string {
	fewest := p.Floor
	for _, i := range p.Broken {
		fewest = min(fewest, i.Min)
	}
	if fewest == 0 {
		return fmt.Sprintf("nothing served %s, below its floor for %s", p.Service, proof.Seconds(p.Below))
	}
	return fmt.Sprintf("%s fell to %d of %d for %s", p.Service, fewest, p.Floor, proof.Seconds(p.Below))
}

// conclude sums up the targets: the worst verdict, a sentence for each.
func (w *Watch) conclude(r *report.Report, v *index.View) {
	var names, sentences, later []string
	r.Verdict = report.OK
	for _, rollout := range r.Rollouts {
		names = append(names, rollout.Object.String())
		if hopeless(rollout) {
			sentences = append(sentences, rollout.Summary)
		} else {
			later = append(later, rollout.Summary)
		}
		if slices.Index(worst, rollout.Verdict) < slices.Index(worst, r.Verdict) {
			r.Verdict = rollout.Verdict
		}
	}
	r.Target = strings.Join(names, ", ")
	r.Summary = strings.Join(append(sentences, later...), ". ")
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
