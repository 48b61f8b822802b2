package rollout

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/back"
	"github.com/leadsman-dev/leadsman/pkg/rollout/cause"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// target is what is remembered of one workload.
type target struct {
	ref   object.Ref
	phase report.Phase

	uid      types.UID
	template *corev1.PodTemplateSpec // that is rolled out
	same     int64                   // generation of the object that is known to have it; 0 where none is
	replicas int
	began    time.Time // when the rollout was first seen
	newest   int64     // generation that came in
	turned   time.Time // when it came in
	watched  time.Time // since when its availability is followed
	looked   time.Time // when it was judged before
	nothing  bool      // nothing was to be rolled
	absent   bool      // it did not exist when the watch began
	done     time.Time // since when it is complete; zero where it is not
	anew     bool      // what was deleted was created anew
	failed   []cause.Cause
	reason   []finding.Finding // why it went back

	memory   *cause.Memory
	start    *back.Start
	before   []finding.Finding // what was said before the rollout
	progress []sample
	scaled   *scaling
	logs     map[logKey]report.LogTail
	wayBack  *report.WayBack
	backTo   string                  // hash of the revision that is gone back to
	left     *corev1.PodTemplateSpec // the template that was left by going back
	from, to *report.Revision
	shown    *report.Rollout // what was said of it last
	said     []finding.Finding
	closed   bool      // nothing changes what was said any more
	gone     time.Time // since when the object is not there
}

// recreation is how long an object may be away before it counts as deleted:
// kubectl replace --force and some deploy tools delete and create.
const recreation = 2 * time.Second

// scaling is a change of replicas while the rollout went on.
type scaling struct {
	from, to int
	at       time.Time
}

func newTarget(ref object.Ref, start time.Time) *target {
	return &target{ref: ref, began: start, logs: map[logKey]report.LogTail{}}
}

// query reads all workloads of the kind: whose selectors overlap is judged, too,
// and one watch serves all targets.
func (t *target) query() source.Query {
	return source.Query{Kind: t.ref.GroupKind(), Namespace: t.ref.Namespace}
}

// happened notes when a new spec came in: a burst may hold a whole rollout.
func (t *target) happened(h source.Happening) {
	o := h.Object
	if h.Query.Kind == t.ref.GroupKind() && o.GetName() == t.ref.Name && o.GetNamespace() == t.ref.Namespace && o.GetGeneration() != t.newest {
		t.newest, t.turned = o.GetGeneration(), h.At
	}
}

// observe judges one target. What is final is not judged again.
func (w *Watch) observe(t *target, v *index.View) (*report.Rollout, []finding.Finding) {
	if t.closed {
		return t.shown, t.said
	}
	wl, ok := workload.Of(v, t.ref)
	switch {
	case !ok && t.uid == "":
		t.phase, t.absent = report.PhaseUnknown, true
		if presence, _ := v.Presence(t.ref); w.opts.Await && presence == index.Missing && !w.overdue(v) {
			t.phase = report.PhaseAwaited
		}
	case !ok:
		if t.gone.IsZero() {
			t.gone = v.Now
		}
		if v.Now.Sub(t.gone) < recreation {
			return t.shown, t.said
		}
		t.phase = report.PhaseDeleted
	case t.uid != "" && wl.Object.GetUID() != t.uid:
		t.phase, t.anew = report.PhaseDeleted, true
	}
	var causes []cause.Cause
	if ok && t.phase != report.PhaseDeleted {
		if t.uid == "" {
			t.begin(w, v, wl)
		}
		causes = t.memory.Judge(v, wl)
		t.start.See(v, wl)
		w.proof.Learn(v, wl)
		t.move(w, v, wl, causes)
	}
	t.shown, t.said = t.describe(w, v, wl, causes)
	t.looked = v.Now
	t.closed = t.phase.Final()
	return t.shown, t.said
}

// begin remembers how things stood when the target was first seen.
func (t *target) begin(w *Watch, v *index.View, wl *workload.Workload) {
	t.uid, t.template, t.replicas = wl.Object.GetUID(), wl.Template, wl.Replicas
	t.memory, t.watched = cause.NewMemory(t.began), v.Now
	start := back.Begin(v, wl)
	t.start = &start
	t.phase = report.PhaseRolling
	if t.absent {
		t.began = v.Now
	} else if done(v, wl) {
		t.nothing = wl.Done()
		t.phase = report.PhaseSettling
		if w.opts.Await {
			t.nothing, t.phase = false, report.PhaseAwaited
		}
	}
}

// move carries out the changes of phase that the view asks for.
func (t *target) move(w *Watch, v *index.View, wl *workload.Workload, causes []cause.Cause) {
	if t.phase == report.PhaseBack && !t.returning(w, v, wl) {
		return
	}
	changed := t.changed(wl)
	if wl.Replicas != t.replicas {
		if wl.Ref.Kind != "DaemonSet" && t.phase != report.PhaseAwaited {
			t.scaled = &scaling{from: t.replicas, to: wl.Replicas, at: v.Now}
		}
		t.replicas = wl.Replicas
	}
	switch {
	case t.phase == report.PhaseAwaited && changed:
		// It began after the last look: from then on service is followed.
		t.from, t.to = t.to, &report.Revision{Images: imagesOf(wl.Template), Changes: workload.Difference(t.template, wl.Template)}
		t.template, t.same = wl.Template, wl.Generation
		t.began, t.watched, t.phase = v.Now, t.looked, report.PhaseRolling
		if t.turned.After(t.looked) && t.turned.Before(v.Now) {
			t.began = t.turned
		}
		t.memory = cause.NewMemory(v.Now)
	case t.phase == report.PhaseAwaited:
		if w.overdue(v) {
			t.phase = report.PhaseTimedOut
		}
		return
	case changed:
		t.phase = report.PhaseSuperseded
		return
	}
	if t.phase == report.PhaseLost { // what could not be brought back was not brought back
		return
	}
	t.sample(v, wl)
	t.advance(w, v, wl, causes)
}

// changed says whether the object has another template than the one that is
// rolled out. A spec changes with its generation alone.
func (t *target) changed(wl *workload.Workload) bool {
	if t.same != 0 && t.same == wl.Generation {
		return false
	}
	if !index.SameTemplate(wl.Template, t.template) {
		return true
	}
	t.same = wl.Generation
	return false
}

// returning says whether the template that is gone back to has arrived.
func (t *target) returning(w *Watch, v *index.View, wl *workload.Workload) bool {
	if t.left == nil {
		t.left = t.template
		t.memory = cause.NewMemory(v.Now)
	}
	for i := range wl.Revisions {
		if r := wl.Revisions[i]; r.Hash == t.backTo && r.Template != nil {
			t.template, t.same = r.Template, 0
		}
	}
	if !index.SameTemplate(wl.Template, t.left) {
		return true
	}
	if w.overdue(v) {
		t.phase = report.PhaseLost
	}
	return false
}

func (t *target) advance(w *Watch, v *index.View, wl *workload.Workload, causes []cause.Cause) {
	goingBack := t.phase == report.PhaseBack
	certain := terminal(causes)
	switch {
	case len(certain) > 0 && goingBack:
		t.phase, t.failed = report.PhaseLost, certain
	case len(certain) > 0:
		t.phase, t.failed = report.PhaseFailed, certain
	case done(v, wl) && goingBack:
		t.phase = report.PhaseReturned
	case done(v, wl):
		t.settle(w, v, wl)
	case w.overdue(v) && goingBack:
		t.phase, t.failed = report.PhaseLost, causes
	case w.overdue(v):
		t.phase, t.failed = report.PhaseTimedOut, causes
	case goingBack:
	case wl.Paused:
		t.phase, t.done = report.PhasePaused, time.Time{}
		if !w.opts.StayPaused {
			t.phase = report.PhaseFailed
			t.failed = named(causes, "rollout/paused")
		}
	default:
		t.phase, t.done, t.nothing = report.PhaseRolling, time.Time{}, false
	}
}

// done is the controller's own word. A DaemonSet is complete, too, where all that
// it lacks are pods on nodes that are down or cordoned: those are told apart.
func done(v *index.View, wl *workload.Workload) bool {
	if wl.Done() {
		return !contradicted(wl)
	}
	down := cause.DownNodes(v, wl)
	if wl.Ref.Kind != "DaemonSet" || len(down) == 0 || wl.Observed < wl.Generation || wl.Current == nil {
		return false
	}
	available := 0
	for _, p := range wl.Pods {
		if p.AvailableAt(v.Now, wl.MinReady) && (p.New || wl.OnDelete()) && !slices.Contains(down, p.Spec.NodeName) {
			available++
		}
	}
	return available >= wl.Replicas-len(down)
}

// settle waits until a complete rollout has stood the time that it must.
// contradicted says that the pods tell another story than the status of their
// owner, which follows them by seconds where the controller is busy.
func contradicted(wl *workload.Workload) bool {
	ready := 0
	for _, p := range wl.Pods {
		if p.Live() && p.Ready() && (p.New || wl.OnDelete()) {
			ready++
		}
	}
	return wl.Current != nil && len(wl.Pods) > 0 && ready < wl.Goal // else which are new is not known
}

func (t *target) settle(w *Watch, v *index.View, wl *workload.Workload) {
	if t.done.IsZero() {
		t.done = v.Now
	}
	t.phase = report.PhaseSettling
	leaving := w.opts.WaitTerminated && oldTerminating(wl) > 0
	stable := t.nothing || v.Now.Sub(t.done) >= w.opts.StableFor
	switch {
	case stable && !leaving:
		t.phase = report.PhaseComplete
	case w.overdue(v):
		t.phase = report.PhaseTimedOut
	}
}

func (w *Watch) overdue(v *index.View) bool {
	return w.opts.Timeout > 0 && v.Now.Sub(w.start) >= w.opts.Timeout
}

func terminal(causes []cause.Cause) []cause.Cause {
	var certain []cause.Cause
	for _, c := range causes {
		if c.Terminal {
			certain = append(certain, c)
		}
	}
	return certain
}

func named(causes []cause.Cause, code string) []cause.Cause {
	for _, c := range causes {
		if c.Code == code {
			return []cause.Cause{c}
		}
	}
	return nil
}

func oldTerminating(wl *workload.Workload) int {
	n := 0
	for _, p := range wl.Pods {
		if !p.New && p.DeletionTimestamp != nil {
			n++
		}
	}
	return n
}
