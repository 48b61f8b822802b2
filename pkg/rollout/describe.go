package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/cause"
	"github.com/leadsman-dev/leadsman/pkg/rollout/preflight"
	"github.com/leadsman-dev/leadsman/pkg/rollout/proof"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// describe writes down how a target stands.
func (t *target) describe(w *Watch, v *index.View, wl *workload.Workload, causes []cause.Cause) (*report.Rollout, []finding.Finding) {
	r := &report.Rollout{Object: t.ref, Phase: t.phase, Started: &t.began, Elapsed: max(0, v.Now.Sub(t.began).Seconds()), Back: t.wayBack}
	var found []finding.Finding
	if wl != nil && t.phase != report.PhaseDeleted {
		r.Object = wl.Ref
		if t.phase != report.PhaseSuperseded { // it is about the revision that was rolled out
			t.revisions(wl)
		}
		t.offer(w, v, wl)
		r.Back = t.wayBack
		r.Strategy = strategyWords(wl)
		r.Pods = pods(v, wl, causes)
		r.Counts = counts(v, wl, r.Pods)
		r.Waiting = waiting(w, wl, r, causes)
		r.ETA = t.eta(v, wl, r.Counts)
		r.Events = events(v, wl, t.began)
		r.Logs = t.tails(v, wl, r.Pods)
		if t.phase != report.PhaseAwaited && !t.nothing && v.Now.After(t.watched) {
			r.Proof = w.proof.Proofs(v, wl, t.watched, v.Now)
		}
		found = append(found, t.why(causes)...)
		found = append(found, proof.Findings(wl, r.Proof)...)
		r.Learn = lessons(w.opts, wl)
	}
	t.frozen(r)
	r.From, r.To = t.from, t.to
	r.Probes = w.samples.Reports()
	if wl != nil {
		found = append(found, proof.ProbeFindings(wl, r.Probes)...)
	}
	found = append(found, t.own(v, wl)...)
	found = append(found, t.expected()...)
	follow(found)
	order(found)
	for _, f := range found {
		if f.Severity != finding.Info && !slices.Contains(r.Codes, f.Code) {
			r.Codes = append(r.Codes, f.Code)
		}
	}
	r.Verdict, r.Summary = t.verdict(w, r, causes)
	return r, found
}

// frozen: of what was deleted or superseded, the last look is told. What took
// its place has other pods and other numbers.
func (t *target) frozen(r *report.Rollout) {
	switch {
	case t.shown == nil:
	case t.phase == report.PhaseDeleted:
		r.Strategy, r.Counts, r.Proof = t.shown.Strategy, t.shown.Counts, t.shown.Proof
	case t.phase == report.PhaseSuperseded:
		r.Counts, r.Pods, r.Logs = t.shown.Counts, t.shown.Pods, t.shown.Logs
	}
}

// follow: what was said before the rollout to take a Service's endpoints away
// is the cause where it then lost them.
func follow(found []finding.Finding) {
	for _, before := range found {
		if before.Code != preflight.Leaves {
			continue
		}
		for i := range found {
			lost := &found[i]
			if lost.Code == proof.Broken && lost.CausedBy == nil && lost.Evidence[0].Object == before.Evidence[0].Object {
				lost.CausedBy = &finding.Cause{Code: before.Code, Object: before.Object}
			}
		}
	}
}

// expected is what was said before the rollout. What would have stopped a
// rollout that is complete was mended meanwhile.
func (t *target) expected() []finding.Finding {
	var kept []finding.Finding
	for _, f := range t.before {
		if f.Severity != finding.Error || t.phase != report.PhaseComplete && t.phase != report.PhaseSettling {
			kept = append(kept, f)
		}
	}
	return kept
}

// why are the causes, and those for which it was gone back: the first is why it
// stands as it stands.
func (t *target) why(causes []cause.Cause) []finding.Finding {
	first, then := slices.Clone(t.reason), said(causes)
	switch t.phase {
	case report.PhaseLost:
		first, then = then, first
	case report.PhaseReturned:
		for i := range first {
			first[i].Fix = nil // it was mended by going back
		}
	}
	found := slices.Clone(first)
	for _, f := range then {
		if !slices.ContainsFunc(first, func(other finding.Finding) bool { return other.Code == f.Code && other.Object.Key() == f.Object.Key() }) {
			found = append(found, f)
		}
	}
	return found
}

func said(causes []cause.Cause) []finding.Finding {
	var found []finding.Finding
	for _, c := range causes {
		found = append(found, c.Finding)
	}
	return found
}

// revisions says what is rolled out, and from where. What was once known stays:
// old ReplicaSets may be cleaned up while the rollout goes on.
func (t *target) revisions(wl *workload.Workload) {
	if wl.Current == nil {
		return
	}
	if t.to != nil && t.to.Hash == wl.Current.Hash && t.to.Number != 0 {
		return
	}
	if t.to != nil && !index.SameTemplate(wl.Current.Template, wl.Template) { // the controller has not made the new one yet
		return
	}
	to := describeRevision(wl.Current)
	if before := wl.Previous(); before != nil {
		t.from = describeRevision(before)
		to.Changes = workload.Difference(before.Template, wl.Template)
	}
	t.to = to
}

func describeRevision(r *workload.Revision) *report.Revision {
	return &report.Revision{Number: r.Number, Name: r.Object.Ref.Name, Hash: r.Hash, Images: imagesOf(r.Template)}
}

func imagesOf(template *corev1.PodTemplateSpec) []string {
	if template == nil {
		return nil
	}
	var images []string
	for _, c := range template.Spec.Containers {
		images = append(images, c.Image)
	}
	return images
}

func strategyWords(wl *workload.Workload) string {
	s := wl.Strategy
	switch {
	case s.Type != "RollingUpdate":
		return s.Type
	case wl.Ref.Kind == "StatefulSet" && s.Partition > 0:
		return fmt.Sprintf("RollingUpdate from ordinal %d on", s.Partition)
	case wl.Ref.Kind == "StatefulSet" && s.MaxUnavailable > 1:
		return fmt.Sprintf("RollingUpdate, %d at a time", s.MaxUnavailable)
	case wl.Ref.Kind == "StatefulSet":
		return "RollingUpdate, one at a time"
	}
	return fmt.Sprintf("RollingUpdate, at most %d more, %d fewer", s.Surge, s.MaxUnavailable)
}

// pods are the pods with what each waits for: new ones first, failing ones
// first among them. They come by name, and stay so among equals.
func pods(v *index.View, wl *workload.Workload, causes []cause.Cause) []report.RolloutPod {
	problems := problemsOf(causes)
	rows, next := make([]report.RolloutPod, len(wl.Pods)), [2*len(failingFirst) + 1]int{}
	ranks := make([]int, len(wl.Pods))
	for i, p := range wl.Pods {
		ranks[i] = slices.Index(failingFirst[:], stateOf(v, wl, p, problems[p.Name]))
		if !p.New {
			ranks[i] += len(failingFirst)
		}
		next[ranks[i]+1]++
	}
	for rank := range next[1:] {
		next[rank+1] += next[rank]
	}
	for i, p := range wl.Pods {
		row := &rows[next[ranks[i]]]
		next[ranks[i]]++
		*row = report.RolloutPod{
			Object: object.Ref{Version: "v1", Kind: "Pod", Namespace: p.Namespace, Name: p.Name}, New: p.New, Revision: p.Hash,
			State: failingFirst[ranks[i]%len(failingFirst)], Problem: problems[p.Name], Node: p.Spec.NodeName, Since: sinceOf(p),
		}
		for _, c := range p.Status.ContainerStatuses {
			row.Restarts += int(c.RestartCount)
		}
		if row.State != report.PodAvailable && row.State != report.PodEnded {
			row.Waiting = cause.Waiting(v, wl, p)
		}
	}
	return rows
}

var failingFirst = [...]report.PodState{
	report.PodFailing, report.PodPending, report.PodStarting, report.PodReady, report.PodAvailable, report.PodTerminating, report.PodEnded,
}

// problemsOf is what is wrong with which pod, by its name.
func problemsOf(causes []cause.Cause) map[string]string {
	code := map[string]string{}
	for _, c := range causes {
		for _, p := range c.Pods {
			if code[p.Name] == "" && c.Severity != finding.Info {
				code[p.Name] = c.Code
			}
		}
	}
	return code
}
func stateOf(v *index.View, wl *workload.Workload, p workload.Pod, problem string) report.PodState {
	switch {
	case p.DeletionTimestamp != nil:
		return report.PodTerminating
	case problem != "":
		return report.PodFailing
	case !p.Live():
		return report.PodEnded
	case p.AvailableAt(v.Now, wl.MinReady):
		return report.PodAvailable
	case p.Ready():
		return report.PodReady
	case p.Spec.NodeName == "":
		return report.PodPending
	}
	return report.PodStarting
}

// sinceOf is the newest change of a pod's conditions.
func sinceOf(p workload.Pod) *time.Time {
	newest := p.CreationTimestamp.Time
	for _, c := range p.Status.Conditions {
		if c.LastTransitionTime.After(newest) {
			newest = c.LastTransitionTime.Time
		}
	}
	if newest.IsZero() {
		return nil
	}
	return &newest
}

func counts(v *index.View, wl *workload.Workload, rows []report.RolloutPod) report.Counts {
	c := report.Counts{Desired: wl.Goal, Floor: wl.Floor()}
	if podsUnseen(v, wl) {
		c.Updated, c.Ready, c.Available, c.Old = wl.Told()
		return c
	}
	for _, p := range wl.Pods {
		switch {
		case p.New && p.Live():
			c.Updated++
			if p.Ready() {
				c.Ready++
			}
			if p.AvailableAt(v.Now, wl.MinReady) {
				c.Available++
			}
		case !p.New && p.Live():
			c.Old++
			if p.Ready() {
				c.OldReady++
			}
		case !p.New && p.DeletionTimestamp != nil && p.Status.Phase == corev1.PodRunning:
			c.OldTerminating++
		}
	}
	for _, r := range rows {
		if r.New && r.State == report.PodFailing {
			c.Failing++
		}
	}
	return c
}

// podsUnseen says that the pods, or which of them are new, may not be seen.
func podsUnseen(v *index.View, wl *workload.Workload) bool {
	return slices.ContainsFunc(v.Gaps, func(g source.Gap) bool {
		return (g.Kind == kindPod || g.Kind == kindReplicaSet && wl.Ref.Kind == "Deployment") && (g.Namespace == "" || g.Namespace == wl.Ref.Namespace)
	})
}

// waiting is what the whole rollout waits for, in words.
func waiting(w *Watch, wl *workload.Workload, r *report.Rollout, causes []cause.Cause) string {
	c := r.Counts
	switch {
	case r.Phase == report.PhaseAwaited:
		return "the next rollout"
	case r.Phase == report.PhaseSettling && w.opts.WaitTerminated && c.OldTerminating > 0:
		return fmt.Sprintf("%s to end", plural(c.OldTerminating, "old pod"))
	case r.Phase == report.PhaseSettling:
		return "it to stay available for " + proof.Seconds(w.opts.StableFor.Seconds())
	case r.Phase.Final():
		return ""
	case wl.Observed < wl.Generation:
		return "the controller to act on the new spec"
	case len(causes) > 0 && causes[0].Severity != finding.Info:
		return causes[0].Message
	case c.Updated < c.Desired && c.Available >= c.Updated:
		return fmt.Sprintf("%s of the new revision to be created", plural(c.Desired-c.Updated, "pod"))
	}
	var parts []string
	for _, p := range r.Pods {
		if p.New && p.Waiting != "" && !slices.Contains(parts, p.Waiting) {
			parts = append(parts, p.Waiting)
		}
	}
	if len(parts) == 0 && c.Old > 0 {
		return fmt.Sprintf("%s to be replaced", plural(c.Old, "old pod"))
	}
	if len(parts) > 2 {
		parts = append(parts[:2], fmt.Sprintf("%d more", len(parts)-2))
	}
	return strings.Join(parts, "; ")
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
