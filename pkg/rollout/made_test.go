package rollout_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var (
	noon       = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	web        = object.New("apps/v1", "Deployment", "shop", "web")
	deployKind = schema.GroupKind{Group: "apps", Kind: "Deployment"}
	setKind    = schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}
	podKind    = schema.GroupKind{Kind: "Pod"}
)

// scene is a cluster with one Deployment of two pods, made by hand for what a
// recording cannot show.
type scene struct {
	store *source.Store
	watch *rollout.Watch
	now   time.Time
}

func begin(opts rollout.Options, targets ...object.Ref) *scene {
	s := &scene{store: source.NewStore(noon), now: noon}
	s.store.SetKinds(scheme.Kinds(), nil)
	for _, kind := range []schema.GroupKind{deployKind, setKind, podKind} {
		s.store.Cover(source.Query{Kind: kind, Namespace: "shop"})
	}
	if len(targets) == 0 {
		targets = []object.Ref{web}
	}
	s.watch = rollout.New(noon, targets, opts)
	return s
}

func (s *scene) look(after time.Duration) *report.Report {
	s.now = s.now.Add(after)
	s.store.SetNow(s.now)
	return s.watch.Observe(index.New(s.store.Contents()))
}

func (s *scene) one(after time.Duration) *report.Rollout { return s.look(after).Rollouts[0] }

func template(name, image string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": name}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: image}}},
	}
}

// deploy puts a Deployment of two pods as it stands in one generation.
func (s *scene) deploy(name, uid, image string, generation, observed int64, updated, available int32) {
	s.store.Put(deployKind, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(uid), Generation: generation, CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour)),
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "argo", Time: new(metav1.NewTime(s.now))}}},
		Spec:   appsv1.DeploymentSpec{Replicas: new(int32(2)), Template: template(name, image), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}},
		Status: appsv1.DeploymentStatus{ObservedGeneration: observed, Replicas: 2, UpdatedReplicas: updated, ReadyReplicas: available, AvailableReplicas: available},
	})
}

func (s *scene) set(name, uid, number, image string, replicas int32) {
	t := template(name, image)
	t.Labels["pod-template-hash"] = "h" + number
	s.store.Put(setKind, &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name + "-h" + number, UID: types.UID(uid + number), CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour)),
			Annotations: map[string]string{"deployment.kubernetes.io/revision": number}, Labels: t.Labels,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: name, UID: types.UID(uid), Controller: new(true)}}},
		Spec: appsv1.ReplicaSetSpec{Replicas: &replicas, Template: t, Selector: &metav1.LabelSelector{MatchLabels: t.Labels}},
	})
}

// pod puts a pod of a revision; since is when it became ready by its node's clock.
func (s *scene) pod(name, uid, number, suffix string, ready bool, since time.Time, change ...func(*corev1.Pod)) {
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name + "-h" + number + "-" + suffix, UID: types.UID(uid + number + suffix), CreationTimestamp: metav1.NewTime(since),
			Labels:          map[string]string{"app": name, "pod-template-hash": "h" + number},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: name + "-h" + number, UID: types.UID(uid + number), Controller: new(true)}}},
		Spec: corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{Name: "app"}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(since)},
			{Type: corev1.PodReady, Status: status, LastTransitionTime: metav1.NewTime(since)}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "app", Ready: ready, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(since)}}}}},
	}
	for _, c := range change {
		c(p)
	}
	s.store.Put(podKind, p)
}

// steady is revision 1, rolled out.
func (s *scene) steady(uid string) {
	s.deploy("web", uid, "web:v1", 1, 1, 2, 2)
	s.set("web", uid, "1", "web:v1", 2)
	s.pod("web", uid, "1", "a", true, noon.Add(-time.Hour))
	s.pod("web", uid, "1", "b", true, noon.Add(-time.Hour))
}

// rolling is revision 2 under way, beside revision 1.
func (s *scene) rolling(uid string) {
	s.steady(uid)
	s.deploy("web", uid, "web:v2", 2, 2, 1, 2)
	s.set("web", uid, "2", "web:v2", 1)
	s.pod("web", uid, "2", "a", false, s.now)
}

func (s *scene) gone(kind schema.GroupKind, o source.Object) { s.store.Apply(kind, watch.Deleted, o) }

func (s *scene) undeploy() {
	s.gone(deployKind, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}})
}

func TestClocksOfNodesThatAreWrongDoNotChangeTheVerdict(t *testing.T) {
	for name, skew := range map[string]time.Duration{"ten minutes behind": -10 * time.Minute, "right": 0, "ten minutes ahead": 10 * time.Minute} {
		s := begin(rollout.Options{StableFor: time.Second, Timeout: time.Minute})
		s.rolling("u")
		if r := s.one(0); r.Phase != report.PhaseRolling || r.Elapsed < 0 {
			t.Errorf("%s: %s after %.1f s", name, r.Phase, r.Elapsed)
		}
		s.deploy("web", "u", "web:v2", 2, 2, 2, 2)
		s.set("web", "u", "1", "web:v1", 0)
		s.set("web", "u", "2", "web:v2", 2)
		for _, old := range []string{"a", "b"} {
			s.gone(podKind, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-h1-" + old}})
			s.pod("web", "u", "2", old, true, s.now.Add(skew))
		}
		if r := s.one(time.Second); r.Phase != report.PhaseSettling {
			t.Errorf("%s: %s", name, r.Phase)
		}
		if r := s.one(2 * time.Second); r.Phase != report.PhaseComplete || r.Verdict != report.OK || r.Counts.Available != 2 {
			t.Errorf("%s: %s, %s, %+v", name, r.Phase, r.Verdict, r.Counts)
		}
	}
}

func TestAnObjectThatComesBackUnderItsNameIsAnotherOne(t *testing.T) {
	s := begin(rollout.Options{})
	s.rolling("u")
	s.one(0)
	s.undeploy() // both within one burst: nobody looked in between
	s.rolling("v")
	r := s.look(100 * time.Millisecond)
	if r.Rollouts[0].Phase != report.PhaseDeleted || !said(r, "rollout/recreated") || !strings.Contains(r.Summary, "created anew") {
		t.Errorf("%s: %s", r.Rollouts[0].Phase, r.Summary)
	}
}

func TestAnObjectIsDeletedOnlyWhenItStaysAway(t *testing.T) {
	s := begin(rollout.Options{})
	s.rolling("u")
	s.one(0)
	s.undeploy()
	if r := s.one(time.Second); r.Phase != report.PhaseRolling {
		t.Errorf("%s at once", r.Phase)
	}
	if r := s.one(time.Second); r.Phase != report.PhaseRolling {
		t.Errorf("%s after a second", r.Phase)
	}
	r := s.look(time.Second)
	if r.Rollouts[0].Phase != report.PhaseDeleted || !said(r, "rollout/deleted") || r.Rollouts[0].Counts.Desired != 2 {
		t.Errorf("%s: %+v", r.Summary, r.Rollouts[0].Counts)
	}
}

func TestTwoUsersWhoRollAtOnceAreToldApart(t *testing.T) {
	s := begin(rollout.Options{Await: true})
	s.steady("u")
	if r := s.one(0); r.Phase != report.PhaseAwaited {
		t.Fatal(r.Phase)
	}
	s.deploy("web", "u", "web:v2", 2, 1, 2, 2)
	if r := s.one(time.Second); r.Phase != report.PhaseRolling || r.From == nil || r.From.Number != 1 || r.To.Number != 0 || strings.Join(r.To.Changes, "") != "image web:v1 → v2" {
		t.Errorf("%s: %+v → %+v", r.Phase, r.From, r.To)
	}
	s.deploy("web", "u", "web:v3", 3, 1, 2, 2) // the other one
	r := s.look(time.Second)
	if r.Rollouts[0].Phase != report.PhaseSuperseded || r.Findings[0].Code != "rollout/superseded" || !strings.Contains(r.Findings[0].Message, "last written by argo") {
		t.Errorf("%s: %+v", r.Rollouts[0].Phase, r.Findings)
	}
	s.deploy("web", "u", "web:v3", 3, 3, 2, 2)
	if again := s.look(time.Second); again.Summary != r.Summary || !s.watch.Final(false) {
		t.Errorf("what was final was judged again: %s", again.Summary)
	}
}

// Under load a whole rollout may lie between two looks.
func TestARolloutThatNobodySawStillTookItsTime(t *testing.T) {
	s := begin(rollout.Options{Await: true})
	s.steady("u")
	s.one(0)
	s.now = s.now.Add(time.Second)
	s.deploy("web", "u", "web:v2", 2, 2, 2, 2)
	changed := s.store.Find(source.Query{Kind: deployKind, Namespace: "shop", Name: "web"})[0]
	s.watch.Happened(source.Happening{At: s.now, Query: source.Query{Kind: deployKind, Namespace: "shop"}, Change: watch.Modified, Object: changed})
	s.set("web", "u", "1", "web:v1", 0)
	s.set("web", "u", "2", "web:v2", 2)
	for _, name := range []string{"a", "b"} {
		s.gone(podKind, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-h1-" + name}})
		s.pod("web", "u", "2", name, true, s.now)
	}
	if r := s.one(9 * time.Second); r.Phase != report.PhaseComplete || r.Elapsed != 9 || !strings.Contains(r.Summary, "rolled out revision 2 in 9 s") {
		t.Errorf("%s after %.1f s: %s", r.Phase, r.Elapsed, r.Summary)
	}
}

func TestAWatchOfWhatDoesNotExistYet(t *testing.T) {
	s := begin(rollout.Options{Await: true})
	if r := s.one(0); r.Phase != report.PhaseAwaited {
		t.Fatal(r.Phase)
	}
	s.deploy("web", "u", "web:v1", 1, 1, 2, 0)
	s.set("web", "u", "1", "web:v1", 2)
	s.pod("web", "u", "1", "a", false, s.now)
	if r := s.one(time.Second); r.Phase != report.PhaseRolling || r.From != nil || r.Elapsed != 0 {
		t.Errorf("%s from %+v after %.1f s", r.Phase, r.From, r.Elapsed)
	}
	without := begin(rollout.Options{})
	if r := without.one(0); r.Phase != report.PhaseUnknown || r.Verdict != report.Unknown {
		t.Errorf("%s %s", r.Phase, r.Verdict)
	}
}

func TestAWaitForARolloutEnds(t *testing.T) {
	s := begin(rollout.Options{Await: true, Timeout: time.Minute})
	s.steady("u")
	s.one(0)
	if r := s.one(time.Minute); r.Phase != report.PhaseTimedOut {
		t.Error(r.Phase)
	}
}

func TestAPauseEndsTheWatchUnlessSomebodyLooksOn(t *testing.T) {
	for looksOn, want := range map[bool]report.Phase{true: report.PhasePaused, false: report.PhaseFailed} {
		s := begin(rollout.Options{StayPaused: looksOn})
		s.rolling("u")
		s.one(0)
		d := s.store.Find(source.Query{Kind: deployKind, Namespace: "shop", Name: "web"})[0].(*appsv1.Deployment).DeepCopy()
		d.Spec.Paused = true
		s.store.Put(deployKind, d)
		if r := s.one(time.Second); r.Phase != want {
			t.Errorf("somebody looks on %v: %s", looksOn, r.Phase)
		}
	}
}

// fail makes the new pod fail for certain.
func (s *scene) fail(message string) {
	s.pod("web", "u", "2", "a", false, s.now, func(p *corev1.Pod) {
		p.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "InvalidImageName", Message: message}}
	})
}

func (s *scene) tell(a rollout.Action) {
	n := rollout.Acted(a)
	s.watch.Happened(source.Happening{At: s.now, Note: &n})
}

func TestGoingBackIsWatchedToItsEnd(t *testing.T) {
	s := begin(rollout.Options{Timeout: time.Minute})
	s.rolling("u")
	s.one(0)
	s.fail("bad name")
	if r := s.one(time.Second); r.Phase != report.PhaseFailed || r.Back == nil || r.Back.To == nil || r.Back.To.Number != 1 {
		t.Fatalf("%s %+v", r.Phase, r.Back)
	}
	way := &report.WayBack{To: &report.Revision{Number: 1}, Done: "rolled back to revision 1"}
	s.tell(rollout.Action{Object: web, Kind: rollout.GoingBack, Revision: "h1", WayBack: way})
	if r := s.one(time.Second); r.Phase != report.PhaseBack || s.watch.Final(false) {
		t.Errorf("%s before the template arrived", r.Phase)
	}
	s.deploy("web", "u", "web:v1", 3, 3, 2, 2)
	s.set("web", "u", "1", "web:v1", 2)
	s.gone(podKind, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-h2-a"}})
	r := s.look(time.Second)
	if ro := r.Rollouts[0]; ro.Phase != report.PhaseReturned || ro.Elapsed != 3 || !strings.Contains(r.Summary, "rolled back to revision 1; the rollout had failed: ") {
		t.Errorf("%s after %.1f s: %s", ro.Phase, ro.Elapsed, r.Summary)
	}
	if len(r.Findings) == 0 || r.Findings[0].Code != "rollout/image-invalid" || len(r.Findings[0].Fix) > 0 {
		t.Errorf("why it was gone back is lost: %+v", r.Findings)
	}
}

func TestARollbackThatCouldNotBeDoneStaysLost(t *testing.T) {
	failed := func() *scene {
		s := begin(rollout.Options{Timeout: time.Minute})
		s.rolling("u")
		s.one(0)
		s.fail("bad name")
		s.one(time.Second)
		return s
	}
	s := failed()
	s.tell(rollout.Action{Object: web, Kind: rollout.BackLost, WayBack: &report.WayBack{Refused: "forbidden"}})
	r := s.look(time.Second)
	if r.Rollouts[0].Phase != report.PhaseLost || !strings.Contains(r.Summary, "could not be brought back: forbidden; the rollout had failed: ") {
		t.Errorf("%s: %s", r.Rollouts[0].Phase, r.Summary)
	}
	n := 0
	for _, f := range r.Findings {
		if f.Code == "rollout/image-invalid" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the cause is told %d times", n)
	}
	s = failed() // it was given up because a newer rollout came
	s.deploy("web", "u", "web:v3", 3, 2, 1, 2)
	s.tell(rollout.Action{Object: web, Kind: rollout.BackLost, WayBack: &report.WayBack{Refused: "it moved"}})
	if r := s.one(time.Second); r.Phase != report.PhaseSuperseded {
		t.Error(r.Phase)
	}
}

func TestWhatCannotBeSeenIsSaid(t *testing.T) {
	s := begin(rollout.Options{})
	s.rolling("u")
	slices := source.Query{Kind: schema.GroupKind{Group: "discovery.k8s.io", Kind: "EndpointSlice"}, Namespace: "shop"}
	s.store.Answer(slices, source.Result{Gap: &source.Gap{Kind: slices.Kind, Resource: "endpointslices", Namespace: "shop", Reason: source.Forbidden}})
	pods := source.Query{Kind: podKind, Namespace: "shop", Labels: "app=web"}
	s.watch.Happened(source.Happening{At: s.now, Query: pods, Change: source.Lost})
	r := s.look(time.Second)
	if !said(r, "rollout/rbac") || !said(r, "rollout/watch-gap") || strings.Contains(fmt.Sprint(r.Findings), "pods/log") {
		t.Errorf("%+v", r.Findings)
	}
	s.store.PutLog(source.LogText{Query: source.LogQuery{Namespace: "shop", Pod: "web-h2-a", UID: "u2a", Container: "app"}, Gap: &source.Gap{Resource: "pods/log", Reason: source.Forbidden}})
	if r := s.look(time.Second); !strings.Contains(fmt.Sprint(r.Findings), "SKIP: pods/log may not be read") {
		t.Errorf("%+v", r.Findings)
	}
	s.watch.Happened(source.Happening{At: s.now, Query: pods, Change: source.Resumed})
	if r := s.look(time.Second); said(r, "rollout/watch-gap") {
		t.Error("the watch is back")
	}
}

// Strangers write names, labels, messages and logs. The judgement leaves them
// as they are, for who writes them to escape.
func TestHostileTextIsCarriedAndNotObeyed(t *testing.T) {
	const hostile = "\x1b[2J\u202e::error::%0A{{.}}<script>\x00\xff; rm -rf /"
	s := begin(rollout.Options{Learn: true})
	s.rolling("u")
	s.one(0)
	s.fail(hostile)
	s.store.PutLog(source.LogText{Query: source.LogQuery{Namespace: "shop", Pod: "web-h2-a", UID: "u2a", Container: "app"}, Text: hostile})
	r := s.look(time.Second)
	text, err := json.Marshal(r)
	if err != nil || r.Rollouts[0].Phase != report.PhaseFailed {
		t.Fatal(err, r.Rollouts[0].Phase)
	}
	if strings.ContainsAny(string(text), "\x1b\x00") {
		t.Error("control characters stand in the document")
	}
	for _, f := range r.Findings {
		for _, fix := range f.Fix {
			if strings.Contains(fix.Command, "rm -rf") {
				t.Errorf("a stranger's words are in a command: %s", fix.Command)
			}
		}
	}
}

// fleet is n Deployments of 100 pods each, half of them rolled.
func fleet(n int) *scene {
	var targets []object.Ref
	for i := range n {
		targets = append(targets, object.New("apps/v1", "Deployment", "shop", fmt.Sprintf("web-%02d", i)))
	}
	s := begin(rollout.Options{}, targets...)
	for _, target := range targets {
		s.deploy(target.Name, target.Name, "web:v2", 2, 2, 50, 75)
		s.store.Find(source.Query{Kind: deployKind, Namespace: "shop", Name: target.Name})[0].(*appsv1.Deployment).Spec.Replicas = new(int32(100))
		s.set(target.Name, target.Name, "1", "web:v1", 50)
		s.set(target.Name, target.Name, "2", "web:v2", 50)
		for p := range 50 {
			s.pod(target.Name, target.Name, "1", fmt.Sprintf("%02d", p), true, noon.Add(-time.Hour))
			s.pod(target.Name, target.Name, "2", fmt.Sprintf("%02d", p), p%2 == 0, noon)
		}
	}
	return s
}

func TestFiftyTargetsAreJudgedEachForItself(t *testing.T) {
	s := fleet(50)
	r := s.look(time.Second)
	for _, ro := range r.Rollouts {
		if ro.Phase != report.PhaseRolling || len(ro.Pods) != 100 || ro.Counts.Updated != 50 || ro.Counts.Old != 50 {
			t.Fatalf("%s: %s, %+v", ro.Object, ro.Phase, ro.Counts)
		}
	}
}

// One judgement of 50 targets with 5,000 pods.
func BenchmarkObserve5000Pods(b *testing.B) {
	s := fleet(50)
	s.look(0)
	view := index.New(s.store.Contents())
	b.ReportAllocs()
	for b.Loop() {
		s.watch.Observe(view)
	}
}

// And the view that it looks at.
func BenchmarkView5000Pods(b *testing.B) {
	s := fleet(50)
	b.ReportAllocs()
	for b.Loop() {
		index.New(s.store.Contents())
	}
}
