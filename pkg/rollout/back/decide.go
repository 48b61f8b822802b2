package back

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/cause"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// Ask is what one wants to go back for.
type Ask struct {
	To        int64         // the revision that the user named; 0 chooses the last healthy one
	ByHand    bool          // a person looks at it and says so: the causes do not matter
	Failed    []cause.Cause // why, the root first
	Outlasted bool          // the causes outlasted the time-out: they need not be certain any more
}

// Decision is whether and how to go back. Nothing is done where Refused says
// why not; Command is then the right thing to do instead.
type Decision struct {
	Target  object.Ref
	Refused string
	Command string
	To      *workload.Revision // nil where none was chosen
	Why     string             // why that one
	Diff    []string           // what going back changes
	Needs   string             // the permission
	Resumes bool               // the Deployment is paused, and goes on with the old template
	Trapped []Trapped          // pods that will keep a StatefulSet from going back

	pause  bool
	expect expectation
}

// Trapped is a pod of a StatefulSet that nobody replaces: it is not ready,
// and the controller waits for it to become so before it replaces any
// (pkg/controller/statefulset, processReplica under OrderedReady).
type Trapped struct {
	Pod object.Ref
	UID types.UID
}

// expectation is what must not have changed until the write.
type expectation struct {
	uid         types.UID
	generation  int64
	revision    string    // as the object names its current one
	revisionUID types.UID // of the object that keeps the template of To
}

// Decide says whether to go back, as of this view.
func Decide(v *index.View, w *workload.Workload, s Start, ask Ask) Decision {
	d := Decision{Target: w.Ref, Needs: permission("patch", w.Ref), expect: expectation{uid: s.UID, generation: w.Generation, revision: revisionOf(w.Object)}}
	if why := d.standing(w, s); why != "" {
		return d.refuse(why)
	}
	if o, owned := OwnerOf(v, w.Object); owned {
		d.Command = o.Command
		return d.refuse(fmt.Sprintf("%s (%s) and would undo or overwrite what is changed here: %s", o.Words, o.Evidence, o.Advice))
	}
	if why := d.choose(v, w, s, ask); why != "" {
		return d.refuse(why)
	}
	d.Diff = workload.Difference(w.Template, d.To.Template)
	d.Command = undo(w.Ref, d.To.Number)
	if !ask.ByHand {
		if why := against(ask, w.Template, d.To.Template); why != "" {
			return d.refuse(why)
		}
	}
	if w.Paused {
		d.Resumes = true
		if !ask.ByHand {
			d.Command = finding.Kubectl(w.Ref.Namespace, "rollout", "history", w.Ref.Arg())
			return d.refuse("it is paused: somebody stopped it on purpose, and going back would set it going")
		}
	}
	d.Trapped = TrappedBy(w, d.To.Hash, ask.Failed)
	return d
}

func (d Decision) refuse(why string) Decision {
	d.Refused, d.Needs = why, ""
	return d
}

// standing says why nothing can be decided about the object as it stands.
func (d *Decision) standing(w *workload.Workload, s Start) string {
	switch {
	case w.Object.GetUID() != s.UID:
		return fmt.Sprintf("%s was deleted and created anew since the watch began: it is another one", w.Ref)
	case w.Object.GetDeletionTimestamp() != nil:
		return fmt.Sprintf("%s is being deleted", w.Ref)
	case w.Observed < w.Generation || w.Current == nil:
		d.Command = finding.Kubectl(w.Ref.Namespace, "rollout", "history", w.Ref.Arg())
		return "the controller has not acted on the newest spec yet: which revision is rolled out is not known"
	}
	return ""
}

// choose picks the revision, or says why there is none.
func (d *Decision) choose(v *index.View, w *workload.Workload, s Start, ask Ask) string {
	var older []workload.Revision
	for _, r := range w.Revisions {
		if r.Hash != w.Current.Hash {
			older = append(older, r)
		}
	}
	d.Command = finding.Kubectl(w.Ref.Namespace, "rollout", "history", w.Ref.Arg())
	switch {
	case ask.To == w.Current.Number && ask.To != 0:
		return fmt.Sprintf("revision %d is the one that is rolled out now", ask.To)
	case len(older) == 0 && hidden(v, w):
		return "the older revisions cannot be seen"
	case len(older) == 0:
		return "this is its first revision: there is none to go back to"
	}
	var why string
	if d.To, why = pick(older, w, s, ask.To); d.To == nil {
		if ask.To == 0 {
			if previous := w.Previous(); previous != nil {
				d.Command = undo(w.Ref, previous.Number)
			}
		}
		return why
	}
	d.Why = why
	switch {
	case d.To.Template == nil:
		return fmt.Sprintf("the template of revision %d cannot be read", d.To.Number)
	case index.SameTemplate(d.To.Template, w.Template):
		return fmt.Sprintf("revision %d has the same template as the one that is rolled out: going back would change nothing", d.To.Number)
	}
	d.expect.revisionUID = d.To.Object.Object.GetUID()
	return ""
}

func pick(older []workload.Revision, w *workload.Workload, s Start, to int64) (*workload.Revision, string) {
	if to != 0 {
		i := slices.IndexFunc(older, func(r workload.Revision) bool { return r.Number == to })
		if i < 0 {
			return nil, fmt.Sprintf("there is no revision %d: the cluster keeps %s", to, numbers(older))
		}
		if s.Healthy(older[i].Hash) {
			return &older[i], "it was named, and was seen fully available"
		}
		return &older[i], "it was named; it was not seen available since the watch began"
	}
	// The one that is being replaced first: it served last.
	candidates := older
	if p := w.Previous(); p != nil {
		candidates = append([]workload.Revision{*p}, older...)
	}
	for i := range candidates {
		if r := &candidates[i]; s.Healthy(r.Hash) {
			if r.Hash == s.Hash {
				return r, "it was current when the watch began, and was seen fully available"
			}
			return r, "it was seen fully available since the watch began"
		}
	}
	return nil, fmt.Sprintf("no older revision was seen fully available since the watch began: name one that you trust; the cluster keeps %s", numbers(older))
}

func numbers(revisions []workload.Revision) string {
	var words []string
	for _, r := range slices.Backward(revisions) {
		words = append(words, strconv.FormatInt(r.Number, 10))
	}
	if len(words) == 1 {
		return "revision " + words[0]
	}
	return "revisions " + strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// hidden says whether a gap hides the revisions.
func hidden(v *index.View, w *workload.Workload) bool {
	kind := schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}
	if w.Ref.Kind != "Deployment" {
		kind.Kind = "ControllerRevision"
	}
	for _, g := range v.Gaps {
		if g.Kind == kind && (g.Namespace == "" || g.Namespace == w.Ref.Namespace) {
			return true
		}
	}
	return false
}

func undo(ref object.Ref, number int64) string {
	if number == 0 { // the controller did not number it: the newest old one is meant
		return finding.Kubectl(ref.Namespace, "rollout", "undo", ref.Arg())
	}
	return finding.Kubectl(ref.Namespace, "rollout", "undo", ref.Arg(), "--to-revision="+strconv.FormatInt(number, 10))
}

func permission(verb string, ref object.Ref) string {
	return verb + " " + strings.ToLower(ref.Kind) + "s." + ref.Group
}

// TrappedBy are the pods that would keep, or keep, a StatefulSet from rolling to
// the revision: the lowest one that is not ready, if it is of another revision,
// and those that fail for certain, ready for a moment or not. Only deleting them
// helps. None where nothing is in the way.
func TrappedBy(w *workload.Workload, hash string, failed []cause.Cause) []Trapped {
	if w.Ref.Kind != "StatefulSet" || w.Strategy.Parallel || w.OnDelete() {
		return nil
	}
	failing := map[string]bool{}
	for _, c := range failed {
		for _, pod := range c.Pods {
			failing[pod.Name] = c.Terminal || failing[pod.Name]
		}
	}
	var down []workload.Pod
	for _, p := range w.Pods {
		if p.DeletionTimestamp == nil && (!p.Ready() || failing[p.Name]) {
			down = append(down, p)
		}
	}
	slices.SortFunc(down, func(a, b workload.Pod) int { return cmp.Compare(ordinal(a.Name), ordinal(b.Name)) })
	var trapped []Trapped
	for i, p := range down {
		if p.Hash == hash { // it is awaited by right, and what is above it after it
			break
		}
		if p.Live() && (i == 0 || failing[p.Name]) { // an ended one is replaced
			trapped = append(trapped, Trapped{object.New("v1", "Pod", p.Namespace, p.Name), p.UID})
		}
	}
	return trapped
}

func ordinal(name string) int {
	n, err := strconv.Atoi(name[strings.LastIndexByte(name, '-')+1:])
	if err != nil {
		return int(^uint(0) >> 1)
	}
	return n
}

// Report is the decision as the report shows it.
func (d Decision) Report() *report.WayBack {
	b := &report.WayBack{Why: d.Why, Diff: d.Diff, Refused: d.Refused, Command: d.Command, Needs: d.Needs}
	if d.To != nil {
		b.To = &report.Revision{Number: d.To.Number, Name: d.To.Object.Ref.Name, Hash: d.To.Hash}
		if d.To.Template != nil {
			for _, c := range d.To.Template.Spec.Containers {
				b.To.Images = append(b.To.Images, c.Image)
			}
		}
	}
	if len(d.Trapped) > 0 && d.Refused == "" {
		var names []string
		for _, t := range d.Trapped {
			names = append(names, t.Pod.String())
		}
		b.Needs += ", delete pods"
		b.Why += fmt.Sprintf("; %s must be deleted after that: the controller waits for a pod to become ready before it replaces any", strings.Join(names, " and "))
	}
	return b
}
