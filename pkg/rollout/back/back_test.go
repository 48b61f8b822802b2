package back

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/cause"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

func annotated(pairs ...string) func(source.Object) {
	return func(o source.Object) {
		a := map[string]string{}
		for k, v := range o.GetAnnotations() {
			a[k] = v
		}
		for i := 0; i < len(pairs); i += 2 {
			a[pairs[i]] = pairs[i+1]
		}
		o.SetAnnotations(a)
	}
}

func labelled(pairs ...string) func(source.Object) {
	return func(o source.Object) {
		l := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			l[pairs[i]] = pairs[i+1]
		}
		o.SetLabels(l)
	}
}

func managed(by, subresource string) func(source.Object) {
	return func(o source.Object) {
		o.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: by, Subresource: subresource}})
	}
}

func TestARevisionIsHealthyOnlyWhenItsPodsServe(t *testing.T) {
	for name, c := range map[string]struct {
		scene scene
		want  []bool // of each revision
	}{
		"a rollout that is complete":                {scene{kind: "Deployment", replicas: 3, revisions: []revision{{image: "a"}, {image: "b", ready: 3}}}, []bool{false, true}},
		"too few of the current one":                {scene{kind: "Deployment", replicas: 3, revisions: []revision{{image: "a"}, {image: "b", ready: 2}}}, []bool{false, false}},
		"the old one keeps what the strategy keeps": {scene{kind: "Deployment", replicas: 4, revisions: []revision{{image: "a", ready: 3}, {image: "b", unready: 2}}}, []bool{true, false}},
		"the old one is below that":                 {scene{kind: "Deployment", replicas: 4, revisions: []revision{{image: "a", ready: 2}, {image: "b", unready: 2}}}, []bool{false, false}},
		"a pod of the old one fails":                {scene{kind: "Deployment", replicas: 4, revisions: []revision{{image: "a", ready: 3, unready: 1}, {image: "b", unready: 1}}}, []bool{false, false}},
		"scaled to nothing":                         {scene{kind: "Deployment", replicas: 0, revisions: []revision{{image: "a"}, {image: "b"}}}, []bool{false, false}},
		"a StatefulSet on its way":                  {scene{kind: "StatefulSet", replicas: 3, revisions: []revision{{image: "a", ready: 2}, {image: "b", unready: 1}}}, []bool{true, false}},
		"a DaemonSet on its way":                    {scene{kind: "DaemonSet", replicas: 3, revisions: []revision{{image: "a", ready: 2}, {image: "b", unready: 1}}}, []bool{true, false}},
		"Recreate took the old one away":            {scene{kind: "Deployment", replicas: 3, revisions: []revision{{image: "a"}, {image: "b", unready: 3}}, change: []func(source.Object){func(o source.Object) { o.(*appsv1.Deployment).Spec.Strategy.Type = "Recreate" }}}, []bool{false, false}},
		"a node of the DaemonSet is down": {scene{kind: "DaemonSet", replicas: 3, revisions: []revision{{image: "a", ready: 2, unready: 1}}, more: []source.Object{
			&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n3"}, Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown}}}},
		}}, []bool{true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := Begin(c.scene.see(t))
			var got []bool
			for i := range c.scene.revisions {
				got = append(got, s.Healthy([]string{"web-1", "web-2", "web-3"}[i]))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatWasSeenHealthyStaysSo(t *testing.T) {
	before := scene{kind: "Deployment", replicas: 3, revisions: []revision{{image: "a", ready: 3}}}
	s := Begin(before.see(t))
	if s.Number != 1 || s.Hash != "web-1" || s.UID != "u" || s.Generation != 4 {
		t.Errorf("%+v", s)
	}
	copied := s
	s.See(scene{kind: "Deployment", replicas: 3, revisions: []revision{{image: "a"}, {image: "b", ready: 3}}}.see(t))
	if !s.Healthy("web-1") || !s.Healthy("web-2") || copied.Healthy("web-2") {
		t.Error("remembered", s.healthy, copied.healthy)
	}
	other := before
	other.change = []func(source.Object){func(o source.Object) { o.SetUID("another") }}
	var empty Start
	empty.UID = "u"
	empty.See(other.see(t))
	if empty.Healthy("web-1") {
		t.Error("learnt from a namesake")
	}
}

func TestOneGoesBackToTheRevisionThatServed(t *testing.T) {
	v, w := failing().see(t)
	d := Decide(v, w, Begin(v, w), Ask{Failed: []cause.Cause{crash()}})
	if d.Refused != "" || d.To == nil || d.To.Number != 2 {
		t.Fatalf("%+v", d)
	}
	if d.Needs != "patch deployments.apps" || d.Command != "kubectl -n shop rollout undo deployment/web --to-revision=2" || d.Trapped != nil {
		t.Errorf("%+v", d)
	}
	if diff := cmp.Diff([]string{"image web:3 → 2"}, d.Diff); diff != "" {
		t.Error(diff)
	}
	r := d.Report()
	if r.To.Number != 2 || r.To.Name != "web-2" || r.To.Images[0] != "web:2" || r.Why != "it was seen fully available since the watch began" {
		t.Errorf("%+v %+v", r, r.To)
	}
	if d := Decide(v, w, Begin(v, w), Ask{To: 1, ByHand: true}); d.Refused != "" || d.To.Number != 1 || !strings.Contains(d.Why, "was not seen available") {
		t.Errorf("a revision that the user named: %+v", d)
	}
}

func TestWhyOneDoesNotGoBack(t *testing.T) {
	crashed := Ask{Failed: []cause.Cause{crash()}}
	set := func(change func(*appsv1.Deployment)) scene {
		return failing(func(o source.Object) { change(o.(*appsv1.Deployment)) })
	}
	for name, c := range map[string]struct {
		scene   scene
		ask     Ask
		start   func(*Start)
		gaps    []source.Gap
		words   string
		command string
	}{
		"the first deploy":               {scene: scene{kind: "Deployment", replicas: 1, revisions: []revision{{image: "a", unready: 1}}}, ask: crashed, words: "first revision"},
		"the revisions cannot be seen":   {scene: scene{kind: "Deployment", replicas: 1, revisions: []revision{{image: "a", unready: 1}}}, ask: crashed, gaps: []source.Gap{{Kind: schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}, Reason: source.Forbidden}}, words: "cannot be seen"},
		"none was seen healthy":          {scene: scene{kind: "Deployment", replicas: 2, revisions: []revision{{image: "a"}, {image: "b", unready: 2}, {image: "c", unready: 1}}}, ask: crashed, words: "name one that you trust; the cluster keeps revisions 1 and 2", command: "kubectl -n shop rollout undo deployment/web --to-revision=2"},
		"a revision that is not there":   {scene: failing(), ask: Ask{To: 9, ByHand: true}, words: "there is no revision 9: the cluster keeps revisions 1 and 2"},
		"the revision that it has":       {scene: failing(), ask: Ask{To: 3, ByHand: true}, words: "revision 3 is the one that is rolled out now"},
		"it is another one":              {scene: failing(), ask: crashed, start: func(s *Start) { s.UID = "before" }, words: "deleted and created anew"},
		"it is being deleted":            {scene: set(func(d *appsv1.Deployment) { d.DeletionTimestamp = &metav1.Time{Time: now} }), ask: crashed, words: "is being deleted"},
		"the controller is behind":       {scene: set(func(d *appsv1.Deployment) { d.Status.ObservedGeneration = 3 }), ask: crashed, words: "has not acted on the newest spec"},
		"it is paused":                   {scene: set(func(d *appsv1.Deployment) { d.Spec.Paused = true }), ask: crashed, words: "it is paused"},
		"no cause is known":              {scene: failing(), ask: Ask{}, words: "not determined"},
		"the cause is not certain":       {scene: failing(), ask: Ask{Failed: []cause.Cause{of(cause.OfRevision, false)}}, words: "not certain yet"},
		"a node is the cause":            {scene: failing(), ask: Ask{Failed: []cause.Cause{of(cause.OfNode, true)}, Outlasted: true}, words: "due to a node"},
		"there is no room":               {scene: failing(), ask: Ask{Failed: []cause.Cause{of(cause.OfCapacity, true)}}, words: "there is no room"},
		"something elsewhere":            {scene: failing(), ask: Ask{Failed: []cause.Cause{of(cause.Passing, false)}, Outlasted: true}, words: "may pass by itself"},
		"the old revision fails as well": {scene: failing(), ask: Ask{Failed: []cause.Cause{of(cause.Undetermined, true)}}, words: "fail alike"},
		"it is held":                     {scene: failing(), ask: Ask{Failed: []cause.Cause{of(cause.Held, true)}}, words: "held on purpose"},
		"the trap alone":                 {scene: failing(), ask: Ask{Failed: []cause.Cause{of(cause.Trapped, true)}}, words: "only its deletion helps"},
		"Helm":                           {scene: failing(annotated("meta.helm.sh/release-name", "shop", "meta.helm.sh/release-namespace", "ops")), ask: crashed, words: "Helm owns it as part of the release shop", command: "helm rollback shop -n ops"},
		"Argo CD":                        {scene: failing(annotated(argoTracking, "shop:apps/Deployment:shop/web")), ask: crashed, words: "Argo CD owns it as part of the application shop", command: "argocd app sync shop"},
		"Argo CD, by who applied it":     {scene: failing(managed("argocd-controller", ""), labelled("app.kubernetes.io/instance", "till")), ask: crashed, words: "application till (metadata.managedFields[0].manager)", command: "argocd app sync till"},
		"Flux, a kustomization":          {scene: failing(labelled("kustomize.toolkit.fluxcd.io/name", "apps", "kustomize.toolkit.fluxcd.io/namespace", "flux-system")), ask: crashed, words: "Flux owns it by the kustomization flux-system/apps", command: "flux reconcile kustomization apps -n flux-system --with-source"},
		"Flux before Helm":               {scene: failing(annotated("meta.helm.sh/release-name", "shop"), labelled("helm.toolkit.fluxcd.io/name", "shop", "helm.toolkit.fluxcd.io/namespace", "ops")), ask: crashed, words: "helmrelease ops/shop", command: "flux reconcile helmrelease shop -n ops --with-source"},
		"an operator": {scene: failing(func(o source.Object) {
			o.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "example.com/v1", Kind: "Shop", Name: "till"}})
		}), ask: crashed, words: "Shop/till owns it", command: "kubectl -n shop edit shop.example.com/till"},
		"an owner, though the user says so": {scene: failing(annotated("meta.helm.sh/release-name", "shop")), ask: Ask{ByHand: true, To: 2}, words: "Helm owns it", command: "helm rollback shop -n shop"},
	} {
		t.Run(name, func(t *testing.T) {
			v, w := c.scene.see(t, c.gaps...)
			s := Begin(v, w)
			if c.start != nil {
				c.start(&s)
			}
			d := Decide(v, w, s, c.ask)
			if !strings.Contains(d.Refused, c.words) || d.Refused == "" || c.command != "" && d.Command != c.command || d.Needs != "" {
				t.Errorf("%q, %q, needs %q", d.Refused, d.Command, d.Needs)
			}
			if _, err := d.Patch(plain(t, w.Object, "Deployment"), nil); err == nil {
				t.Error("a patch is made all the same")
			}
		})
	}
}

func TestLookAlikesAreGoneBackFrom(t *testing.T) {
	heavy := failing()
	heavy.revisions[2].edit = func(t *corev1.PodTemplateSpec) {
		t.Spec.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": resource.MustParse("64")}
	}
	consequence := of(cause.OfNode, true)
	consequence.CausedBy = crash().CausedBy
	for name, c := range map[string]struct {
		scene scene
		ask   Ask
	}{
		"no room for what the new revision asks more":  {heavy, Ask{Failed: []cause.Cause{of(cause.OfCapacity, true)}}},
		"a cause that outlasted the time-out":          {failing(), Ask{Failed: []cause.Cause{of(cause.OfRevision, false)}, Outlasted: true}},
		"a node beside a fault of the revision":        {failing(), Ask{Failed: []cause.Cause{consequence, crash()}}},
		"a person who looks at it":                     {failing(), Ask{ByHand: true}},
		"a tracking id that was copied from elsewhere": {failing(annotated(argoTracking, "shop:apps/Deployment:shop/other")), Ask{ByHand: true}},
		"Argo CD wrote no more than the status":        {failing(managed("argocd-controller", "status")), Ask{ByHand: true}},
		"Flux was told to leave it":                    {failing(labelled("kustomize.toolkit.fluxcd.io/name", "apps"), annotated("kustomize.toolkit.fluxcd.io/reconcile", "disabled")), Ask{ByHand: true}},
		"the label of Helm without a release":          {failing(labelled("app.kubernetes.io/managed-by", "Helm")), Ask{ByHand: true}},
	} {
		t.Run(name, func(t *testing.T) {
			v, w := c.scene.see(t)
			if d := Decide(v, w, Begin(v, w), c.ask); d.Refused != "" || d.To.Number != 2 {
				t.Errorf("%+v", d)
			}
		})
	}
}

func TestOwnersAreKnownBetterByWhatTheyKeep(t *testing.T) {
	release := func(version, status string) source.Object {
		return &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "sh.helm.release.v1.shop.v" + version, Labels: map[string]string{"owner": "helm", "name": "shop", "version": version, "status": status},
		}}
	}
	application := func(policy map[string]any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": map[string]any{"name": "shop", "namespace": "argocd"},
			"spec": map[string]any{"syncPolicy": policy},
		}}
	}
	helmed, argoed := annotated(helmRelease, "shop"), annotated(argoTracking, "shop:apps/Deployment:shop/web")
	for want, c := range map[string]struct {
		change func(source.Object)
		more   []source.Object
	}{
		"helm rollback shop 2 -n shop": {helmed, []source.Object{release("1", "superseded"), release("2", "superseded"), release("3", "failed"), release("4", "deployed"), release("x", "deployed")}},
		"argocd app rollback shop":     {argoed, []source.Object{application(map[string]any{})}},
		"argocd app sync shop":         {argoed, []source.Object{application(map[string]any{"automated": map[string]any{}})}},
	} {
		s := failing(c.change)
		s.more = c.more
		v, w := s.see(t)
		if o, ok := OwnerOf(v, w.Object); !ok || o.Command != want {
			t.Errorf("%+v, not %s", o, want)
		}
		if len(Needs(w.Object)) != 1 {
			t.Error("nothing more is asked for")
		}
	}
	if _, w := failing().see(t); Needs(w.Object) != nil {
		t.Error("of an object without an owner something is asked for")
	}
}

// decided is a decision to go back, and what is read again before it is done.
func decided(t *testing.T, s scene, ask Ask) (Decision, *unstructured.Unstructured, *unstructured.Unstructured, *index.View) {
	t.Helper()
	v, w := s.see(t)
	ask.ByHand = true
	d := Decide(v, w, Begin(v, w), ask)
	if d.Refused != "" {
		t.Fatal(d.Refused)
	}
	kind := "ControllerRevision"
	if s.kind == "Deployment" {
		kind = "ReplicaSet"
	}
	it, _ := v.Get(d.Revision())
	return d, plain(t, w.Object, s.kind), plain(t, it.Object, kind), v
}

func TestThePatchChangesTheTemplateAndNothingElse(t *testing.T) {
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		s := failing()
		s.kind = kind
		s.revisions[1].ready = 2 + map[string]int{"Deployment": 1}[kind]
		d, current, revision, _ := decided(t, s, Ask{})
		path := []string{"spec", "template", "spec", "newer"}
		if kind != "Deployment" {
			path = append([]string{"data"}, path...)
			_ = unstructured.SetNestedField(revision.Object, "replace", "data", "spec", "template", "$patch")
		}
		_ = unstructured.SetNestedField(revision.Object, "than this program", path...)
		text, err := d.Patch(current, revision)
		if err != nil {
			t.Fatal(kind, err)
		}
		var patch []struct {
			Op, Path string
			Value    any
		}
		if err := json.Unmarshal(text, &patch); err != nil || len(patch) != 3 {
			t.Fatal(string(text), err)
		}
		if p := patch[0]; p.Op != "test" || p.Path != "/metadata/uid" || p.Value != "u" {
			t.Error(p)
		}
		if p := patch[1]; p.Op != "test" || p.Path != "/metadata/resourceVersion" || p.Value != "77" {
			t.Error(p)
		}
		want := map[string]any{
			"metadata": map[string]any{"labels": map[string]any{"app": "web"}},
			"spec":     map[string]any{"containers": []any{map[string]any{"name": "app", "image": "web:2", "resources": map[string]any{}}}, "newer": "than this program"},
		}
		if diff := cmp.Diff(want, patch[2].Value); diff != "" || patch[2].Op != "replace" || patch[2].Path != "/spec/template" {
			t.Error(kind, diff)
		}
	}
}

func TestNothingIsDoneToWhatMoved(t *testing.T) {
	for name, move := range map[string]func(o, revision *unstructured.Unstructured){
		"another object":       func(o, _ *unstructured.Unstructured) { o.SetUID("v") },
		"another spec":         func(o, _ *unstructured.Unstructured) { o.SetGeneration(5) },
		"another revision":     func(o, _ *unstructured.Unstructured) { annotatedPlain(o, workload.RevisionAnnotation, "4") },
		"it goes":              func(o, _ *unstructured.Unstructured) { o.SetDeletionTimestamp(&metav1.Time{Time: now}) },
		"the old one is gone":  func(_, r *unstructured.Unstructured) { r.SetUID("v") },
		"nothing was read":     func(o, _ *unstructured.Unstructured) { o.Object = map[string]any{} },
		"the template is gone": func(_, r *unstructured.Unstructured) { r.SetUID(types.UID("")) },
	} {
		t.Run(name, func(t *testing.T) {
			d, current, revision, _ := decided(t, failing(), Ask{})
			move(current, revision)
			if _, err := d.Patch(current, revision); !errors.Is(err, ErrMoved) || !strings.HasPrefix(err.Error(), "deployment/web: it was changed meanwhile") {
				t.Error(err)
			}
		})
	}
	d, current, revision, _ := decided(t, failing(), Ask{})
	current.SetResourceVersion("78") // as a new status makes it
	if text, err := d.Patch(current, revision); err != nil || !strings.Contains(string(text), `"78"`) {
		t.Error(string(text), err)
	}
	if _, err := d.Patch(nil, nil); !errors.Is(err, ErrMoved) {
		t.Error(err)
	}
	if _, err := d.Patch(current, nil); !errors.Is(err, ErrMoved) {
		t.Error(err)
	}
	unstructured.RemoveNestedField(revision.Object, "spec", "template")
	if _, err := d.Patch(current, revision); err == nil {
		t.Error("a patch without a template")
	}
}

func annotatedPlain(o *unstructured.Unstructured, key, value string) {
	o.SetAnnotations(map[string]string{key: value})
}

func TestWhatIsPausedGoesBackInOneStep(t *testing.T) {
	s := failing(func(o source.Object) { o.(*appsv1.Deployment).Spec.Paused = true })
	d, current, revision, _ := decided(t, s, Ask{})
	text, err := d.Patch(current, revision)
	if err != nil || !d.Resumes || !strings.HasSuffix(string(text), `,{"op":"add","path":"/spec/paused","value":false}]`) {
		t.Error(string(text), err)
	}
}

func TestThePodThatTrapsAStatefulSetIsNamed(t *testing.T) {
	s := scene{kind: "StatefulSet", replicas: 3, revisions: []revision{{image: "a", ready: 2}, {image: "b", unready: 1}}}
	d, _, _, _ := decided(t, s, Ask{})
	if len(d.Trapped) != 1 || d.Trapped[0].Pod.Name != "web-2" || d.Trapped[0].UID != "pod-2" {
		t.Fatalf("%+v", d.Trapped)
	}
	if r := d.Report(); r.Needs != "patch statefulsets.apps, delete pods" || !strings.Contains(r.Why, "Pod/web-2 must be deleted") {
		t.Errorf("%+v", r)
	}
	for name, change := range map[string]func(*appsv1.StatefulSet){
		"Parallel": func(s *appsv1.StatefulSet) { s.Spec.PodManagementPolicy = appsv1.ParallelPodManagement },
		"OnDelete": func(s *appsv1.StatefulSet) { s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType },
	} {
		other := s
		other.change = []func(source.Object){func(o source.Object) { change(o.(*appsv1.StatefulSet)) }}
		if d, _, _, _ := decided(t, other, Ask{}); d.Trapped != nil {
			t.Errorf("%s traps nobody: %+v", name, d.Trapped)
		}
	}
	// A lower pod of the wanted revision is awaited by right.
	s.revisions = []revision{{image: "a", ready: 1, unready: 1}, {image: "b", unready: 1}}
	if _, w := s.see(t); TrappedBy(w, "web-1", nil) != nil || TrappedBy(w, "web-2", nil) == nil {
		t.Error(TrappedBy(w, "web-1", nil), TrappedBy(w, "web-2", nil))
	}
	// One that fails for certain and is ready for a moment traps it just as well.
	s.revisions = []revision{{image: "a"}, {image: "b", ready: 1, unready: 2}}
	crash := cause.Cause{Terminal: true, Pods: []object.Ref{object.New("v1", "Pod", "shop", "web-0"), object.New("v1", "Pod", "shop", "web-1")}}
	_, w := s.see(t)
	var names []string
	for _, trapped := range TrappedBy(w, "web-1", []cause.Cause{crash}) {
		names = append(names, trapped.Pod.Name)
	}
	if want := []string{"web-0", "web-1"}; !slices.Equal(names, want) {
		t.Errorf("trapped by %v, want %v", names, want)
	}
}

func TestOnlyADeploymentIsPaused(t *testing.T) {
	_, w := failing().see(t)
	d := Pause(w)
	text, err := d.Patch(plain(t, w.Object, "Deployment"), nil)
	want := `[{"op":"test","path":"/metadata/uid","value":"u"},{"op":"test","path":"/metadata/resourceVersion","value":"77"},{"op":"add","path":"/spec/paused","value":true}]`
	if err != nil || string(text) != want || d.Needs != "patch deployments.apps" || !d.Revision().IsZero() || d.Report().To != nil {
		t.Error(string(text), err)
	}
	moved := plain(t, w.Object, "Deployment")
	moved.SetGeneration(9)
	if _, err := d.Patch(moved, nil); !errors.Is(err, ErrMoved) {
		t.Error(err)
	}
	for _, c := range []struct{ kind, words, command string }{
		{"StatefulSet", "partition as large as its replicas", `kubectl -n shop patch statefulset/web --type=merge -p '{"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":3}}}}'`},
		{"DaemonSet", "OnDelete", `kubectl -n shop patch daemonset/web --type=merge -p '{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}'`},
	} {
		s := failing()
		s.kind = c.kind
		_, w := s.see(t)
		if d := Pause(w); !strings.Contains(d.Refused, c.words) || d.Command != c.command {
			t.Errorf("%+v", d)
		}
	}
	_, w = failing(func(o source.Object) { o.(*appsv1.Deployment).Spec.Paused = true }).see(t)
	if d := Pause(w); d.Refused != "it is paused already" {
		t.Error(d.Refused)
	}
}
