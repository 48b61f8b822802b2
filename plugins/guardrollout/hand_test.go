package guardrollout

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"

	"github.com/leadsman-dev/leadsman/pkg/act"
	"github.com/leadsman-dev/leadsman/pkg/collect"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/source/snapshot"
)

// still is a cluster in which nothing happens any more.
type still struct {
	source.Watcher
	now time.Time
}

func (s still) Now() time.Time { return s.now }

// failed is a guard that has seen a recorded rollout fail, and the server that
// its hand writes to.
func failed(t *testing.T, o options, in string, server http.Handler) (*guard, *report.Report) {
	t.Helper()
	env, _ := environment(in)
	replay, err := snapshot.OpenJournalFile("../../pkg/rollout/testdata/badimage.ndjson.gz", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = replay.Close() })
	p := &player{o: &options{}, replay: replay}
	if err := p.begin(); err != nil {
		t.Fatal(err)
	}
	r, err := p.run(t.Context(), func(*report.Report, time.Time) error { return nil })
	if err != nil || r.Rollouts[0].Phase != report.PhaseFailed {
		t.Fatal(err, r.Summary)
	}
	if server == nil {
		server = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			t.Errorf("the cluster was asked: %s %s", r.Method, r.URL)
		})
	}
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	g := &guard{o: &o, env: env, watch: p.watch, view: index.New(p.store.Contents()), last: r}
	g.cache = collect.NewCache(still{now: p.store.Now()}, g.happened)
	g.hand = &hand{g: g, acted: map[object.Ref]bool{}, actor: act.New(func() (*rest.Config, error) { return &rest.Config{Host: listening.URL}, nil })}
	return g, r
}

// told are the actions that the watch heard of.
func told(t *testing.T, g *guard) []rollout.Action {
	t.Helper()
	var actions []rollout.Action
	for _, h := range g.drain() {
		var a rollout.Action
		if !rollout.Acts(h.Note) || json.Unmarshal(h.Note.Document, &a) != nil {
			t.Errorf("%+v", h)
		}
		actions = append(actions, a)
	}
	return actions
}

// cluster answers with the objects of a view, and keeps what it was sent.
type cluster struct {
	view    func() *index.View
	refuse  bool
	patches []string
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if c.refuse {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"deployments.apps \"app\" is forbidden: User \"me\" cannot patch resource"}`)
		return
	}
	kind := map[string]string{"deployments": "Deployment", "replicasets": "ReplicaSet"}
	parts := strings.Split(r.URL.Path, "/") // /apis/apps/v1/namespaces/NS/KIND/NAME
	found, ok := c.view().Get(object.New("apps/v1", kind[parts[6]], parts[5], parts[7]))
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method == http.MethodPatch {
		body, _ := io.ReadAll(r.Body)
		c.patches = append(c.patches, r.URL.Query().Get("dryRun")+" "+string(body))
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(found.Object)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fields["apiVersion"], fields["kind"] = "apps/v1", kind[parts[6]]
	_ = json.NewEncoder(w).Encode(fields)
}

func TestNothingIsDoneUnlessItWasAskedFor(t *testing.T) {
	for name, o := range map[string]options{"report": {onFailure: "report"}, "a rollback that is asked about": {onFailure: "rollback"}} {
		g, r := failed(t, o, "", nil)
		if g.hand.act(t.Context(), r) || len(told(t, g)) > 0 {
			t.Errorf("%s: something was done", name)
		}
	}
}

func TestARollbackPutsTheTemplateBackOnce(t *testing.T) {
	c := &cluster{}
	g, r := failed(t, options{onFailure: "rollback", yes: true}, "", c)
	c.view = func() *index.View { return g.view }
	if !g.hand.act(t.Context(), r) {
		t.Fatal("nothing was tried")
	}
	actions := told(t, g)
	if len(actions) != 1 || actions[0].Kind != rollout.GoingBack || actions[0].WayBack.Done != "rolled back to revision 1" {
		t.Fatalf("%+v", actions)
	}
	if len(c.patches) != 2 || !strings.HasPrefix(c.patches[0], "All ") || !strings.HasPrefix(c.patches[1], " ") {
		t.Fatalf("not a trial and then the write: %q", c.patches)
	}
	for _, want := range []string{`"op":"test","path":"/metadata/resourceVersion"`, `"op":"test","path":"/metadata/uid"`, `"op":"replace","path":"/spec/template"`, `"image":"netapp:v1"`} {
		if !strings.Contains(c.patches[1], want) {
			t.Errorf("no %s in %s", want, c.patches[1])
		}
	}
	if strings.Contains(c.patches[1], "/metadata/annotations") || strings.Contains(c.patches[1], "pod-template-hash") {
		t.Errorf("more than the template: %s", c.patches[1])
	}
	if g.hand.act(t.Context(), r) {
		t.Error("a rollback is never chained")
	}
}

func TestAPauseStopsTheRolloutWhereItIs(t *testing.T) {
	c := &cluster{}
	g, r := failed(t, options{onFailure: "pause"}, "", c)
	c.view = func() *index.View { return g.view }
	g.hand.act(t.Context(), r)
	actions := told(t, g)
	if len(actions) != 1 || actions[0].Kind != rollout.Paused || actions[0].WayBack.Done != "paused" || len(c.patches) != 2 || !strings.Contains(c.patches[1], `"path":"/spec/paused","value":true`) {
		t.Errorf("%+v %q", actions, c.patches)
	}
}

func TestWhatMayNotBeWrittenIsPartOfTheReport(t *testing.T) {
	for onFailure, kind := range map[string]rollout.ActionKind{"rollback": rollout.BackLost, "pause": rollout.Paused} {
		g, r := failed(t, options{onFailure: onFailure, yes: true}, "", &cluster{refuse: true})
		g.hand.act(t.Context(), r)
		actions := told(t, g)
		if len(actions) != 1 || actions[0].Kind != kind || actions[0].WayBack.Refused == "" || actions[0].WayBack.Done != "" {
			t.Errorf("%s: %+v", onFailure, actions)
		}
	}
}

func TestOnlyAYesIsAYes(t *testing.T) {
	for answer, want := range map[string]bool{"y\n": true, "YES\n": true, "\n": false, "": false, "n\n": false, "yesterday\n": false} {
		c := &cluster{}
		g, r := failed(t, options{onFailure: "rollback"}, answer, c)
		c.view = func() *index.View { return g.view }
		did, err := g.hand.ask(t.Context(), r)
		if did != want || err != nil || (len(c.patches) > 0) != want {
			t.Errorf("%q: %v %v", answer, did, err)
		}
		asked := g.env.Streams.Err.(interface{ String() string }).String()
		for _, line := range []string{"Deployment/app cannot finish rolling out.", "back to revision 1", "image busybox:22 → netapp:v1", "this needs the right to patch deployments.apps", "Go back now? [y/N]"} {
			if !strings.Contains(asked, line) {
				t.Errorf("%q is not said before it is asked:\n%s", line, asked)
			}
		}
	}
}

func TestAQuestionEndsWithTheWatch(t *testing.T) {
	g, r := failed(t, options{onFailure: "rollback"}, "", nil)
	silence, never := io.Pipe()
	defer never.Close()
	g.env.Streams.In = silence
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if did, err := g.hand.ask(ctx, r); did || err == nil {
		t.Error(did, err)
	}
}

func TestKeysSayWhatTheyWouldDo(t *testing.T) {
	c := &cluster{}
	g, r := failed(t, options{onFailure: "report"}, "", c)
	c.view = func() *index.View { return g.view }
	keys := g.hand.actions()
	plan, err := keys.Back(t.Context(), r.Rollouts[0].Object)
	if err != nil || !slices.ContainsFunc(plan.Lines, func(line string) bool { return strings.Contains(line, "image busybox:22 → netapp:v1") }) || len(c.patches) > 0 {
		t.Fatalf("%v %q %q", err, plan.Lines, c.patches)
	}
	if did, err := plan.Do(t.Context()); err != nil || did != "going back to revision 1" {
		t.Error(did, err)
	}
	if _, err := plan.Do(t.Context()); err == nil {
		t.Error("it was done twice")
	}
	if did, err := keys.Pause(t.Context(), r.Rollouts[0].Object); err != nil || !strings.Contains(did, "kubectl -n gt-image rollout resume deployment/app") {
		t.Error(did, err)
	}
	if _, err := keys.Pause(t.Context(), object.New("apps/v1", "Deployment", "gt-image", "other")); err == nil {
		t.Error("what is not watched was paused")
	}
}
