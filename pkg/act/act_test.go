package act

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

var web = object.New("apps/v1", "Deployment", "shop", "web")

// server answers in the order of its answers, and notes down what it is asked.
type server struct {
	t       *testing.T
	answers []answer
	mu      sync.Mutex
	asked   []string // "PATCH /path?query"
	bodies  []string
	media   []string
}

type answer struct {
	code   int
	body   string
	header string // of Retry-After
	drop   bool   // the connection breaks
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	s.asked, s.bodies, s.media = append(s.asked, r.Method+" "+r.URL.RequestURI()), append(s.bodies, string(body)), append(s.media, r.Header.Get("Content-Type"))
	if len(s.asked) > len(s.answers) {
		s.t.Errorf("it was asked once more: %s", s.asked[len(s.asked)-1])
		return
	}
	a := s.answers[len(s.asked)-1]
	if a.drop {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			connection.Close()
		}
		return
	}
	if a.header != "" {
		w.Header().Set("Retry-After", a.header)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.code)
	_, _ = io.WriteString(w, a.body)
}

// count is how often it was asked. A connection that it broke tells nobody that
// it has done noting that down.
func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// against is an Actor of a server that gives these answers.
func against(t *testing.T, answers ...answer) (*Actor, *server) {
	t.Helper()
	s := &server{t: t, answers: answers}
	up := httptest.NewServer(s)
	t.Cleanup(up.Close)
	return New(func() (*rest.Config, error) { return &rest.Config{Host: up.URL, Timeout: 5 * time.Second}, nil }), s
}

func ok(body string) answer { return answer{code: 200, body: body} }

// status is a refusal in the server's own form.
func status(code int, message, details string) answer {
	return answer{code: code, body: fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","message":%q,"details":{%s},"code":%d}`, message, details, code)}
}

const deployment = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop","uid":"u","resourceVersion":"7","generation":3}}`

// failedTest is what a server of version 1.36 says of a test that failed.
var failedTest = status(422, "the server rejected our request due to an error in our request", "")

func TestAWriteIsTriedBeforeItIsDone(t *testing.T) {
	a, s := against(t, ok(deployment), ok(deployment))
	o, err := a.Patch(t.Context(), web, []byte(`[]`), false)
	if err != nil || o.GetGeneration() != 3 || a.Requests() != 2 {
		t.Fatal(o, err)
	}
	want := []string{
		"PATCH /apis/apps/v1/namespaces/shop/deployments/web?dryRun=All&fieldManager=leadsman",
		"PATCH /apis/apps/v1/namespaces/shop/deployments/web?fieldManager=leadsman",
	}
	if diff := cmp.Diff(want, s.asked); diff != "" {
		t.Error(diff)
	}
	a, s = against(t, ok(deployment))
	if _, err := a.Patch(t.Context(), web, []byte(`[]`), true); err != nil || s.count() != 1 {
		t.Error("a dry run alone:", s.asked, err)
	}
}

func TestWhatTheTrialRefusesIsNotDone(t *testing.T) {
	quota := `deployments.apps "web" is forbidden: exceeded quota: q, requested: pods=1`
	for name, c := range map[string]struct {
		answer answer
		is     error
		words  string
	}{
		"a test that fails":           {failedTest, ErrMoved, "no longer at the version"},
		"a conflict":                  {status(409, "the object has been modified", `"name":"web"`), ErrMoved, "modified"},
		"an object that is gone":      {status(404, `deployments.apps "web" not found`, `"name":"web"`), ErrMoved, "it is gone"},
		"a field that is not valid":   {status(422, "spec.replicas: Invalid value", `"name":"web","causes":[{"field":"spec.replicas"}]`), ErrRefused, "spec.replicas"},
		"a missing permission":        {status(403, `deployments.apps "web" is forbidden: User "jane" cannot patch resource "deployments"`, ""), ErrForbidden, `"patch deployments.apps" in namespace shop`},
		"a quota":                     {status(403, quota, `"name":"web"`), ErrRefused, "exceeded quota: q"},
		"a webhook":                   {status(400, `admission webhook "x.dev" denied the request: no`, ""), ErrRefused, "denied the request: no"},
		"a webhook that is away":      {status(500, `Internal error occurred: failed calling webhook "x.dev"`, ""), ErrRefused, "failed calling webhook"},
		"no credentials":              {status(401, "Unauthorized", ""), ErrForbidden, "401"},
		"a server in trouble":         {status(503, "etcd is away", ""), ErrAway, "etcd is away"},
		"a proxy":                     {answer{code: 502, body: "<html>Bad\n Gateway</html>"}, ErrAway, "<html>Bad Gateway</html>"},
		"a connection that breaks":    {answer{drop: true}, ErrAway, "EOF"},
		"an answer that is none":      {ok("{"), ErrAway, "unexpected end"},
		"a redirect, which is no yes": {answer{code: 307}, ErrRefused, "Temporary Redirect"},
	} {
		t.Run(name, func(t *testing.T) {
			a, s := against(t, c.answer)
			_, err := a.Patch(t.Context(), web, []byte(`[]`), false)
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.words) || !strings.HasPrefix(err.Error(), "deployment/web: ") || s.count() != 1 {
				t.Errorf("%v, asked %d times", err, s.count())
			}
		})
	}
}

func TestAWriteThatMayHaveHappenedIsNeverSentAgain(t *testing.T) {
	for name, broken := range map[string]answer{
		"the connection broke":     {drop: true},
		"the server ran into time": status(504, "request did not complete", ""),
		"the store ran into time":  status(500, "etcdserver: request timed out", ""),
	} {
		t.Run(name, func(t *testing.T) {
			a, s := against(t, ok(deployment), broken)
			_, err := a.Patch(t.Context(), web, []byte(`[]`), false)
			if !errors.Is(err, ErrUnsure) || !strings.Contains(err.Error(), "kubectl -n shop get deployment/web -o yaml") || s.count() != 2 {
				t.Errorf("%v, asked %d times", err, s.count())
			}
		})
	}
	a, _ := against(t, ok(deployment), ok("{"))
	if o, err := a.Patch(t.Context(), web, []byte(`[]`), false); err != nil || o.GetName() != "" {
		t.Error("it was done, and only the answer broke off:", err)
	}
}

func TestABusyServerIsAskedAgainWhenItSaysSo(t *testing.T) {
	busy := answer{code: 429, body: "{}", header: "1"}
	a, s := against(t, ok(deployment), busy, ok(deployment))
	if _, err := a.Patch(t.Context(), web, []byte(`[]`), false); err != nil || s.count() != 3 {
		t.Error(err, s.asked)
	}
	a, _ = against(t, busy)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := a.Patch(ctx, web, []byte(`[]`), false); !errors.Is(err, ErrAway) {
		t.Error(err)
	}
}

func TestAChangeReadsAgainUntilItsAuthorSaysThatItMatters(t *testing.T) {
	later := strings.Replace(deployment, `"resourceVersion":"7"`, `"resourceVersion":"8"`, 1)
	a, s := against(t, ok(deployment), failedTest, ok(later), ok(later), failedTest, ok(later), ok(later), ok(later))
	var seen []string
	o, err := a.Change(t.Context(), web, func(current *unstructured.Unstructured) ([]byte, error) {
		seen = append(seen, current.GetResourceVersion())
		return []byte(`[]`), nil
	})
	if err != nil || o.GetName() != "web" || s.count() != 8 {
		t.Error(err, s.asked)
	}
	if diff := cmp.Diff([]string{"7", "8", "8"}, seen); diff != "" {
		t.Error(diff)
	}
	matters := errors.New("another generation")
	a, s = against(t, ok(deployment), failedTest, ok(later))
	_, err = a.Change(t.Context(), web, func(current *unstructured.Unstructured) ([]byte, error) {
		if current.GetResourceVersion() == "8" {
			return nil, matters
		}
		return []byte(`[]`), nil
	})
	if !errors.Is(err, matters) || s.count() != 3 {
		t.Error(err, s.asked)
	}
	var endless []answer
	for range attempts {
		endless = append(endless, ok(deployment), failedTest)
	}
	a, _ = against(t, endless...)
	if _, err := a.Change(t.Context(), web, func(*unstructured.Unstructured) ([]byte, error) { return []byte(`[]`), nil }); !errors.Is(err, ErrMoved) {
		t.Error(err)
	}
}

func TestOnlyThePodThatIsMeantIsDeleted(t *testing.T) {
	pod := object.New("v1", "Pod", "shop", "web-1")
	a, s := against(t, ok(`{"kind":"Pod"}`), ok(`{"kind":"Pod"}`))
	if err := a.Delete(t.Context(), pod, "u-1", "9"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"DELETE /api/v1/namespaces/shop/pods/web-1?dryRun=All", "DELETE /api/v1/namespaces/shop/pods/web-1"}, s.asked); diff != "" {
		t.Error(diff)
	}
	var options struct {
		Preconditions struct{ UID, ResourceVersion string }
	}
	if err := json.Unmarshal([]byte(s.bodies[1]), &options); err != nil || options.Preconditions.UID != "u-1" || options.Preconditions.ResourceVersion != "9" {
		t.Error(s.bodies[1], err)
	}
	a, _ = against(t, status(409, "the UID in the precondition (u-1) does not match", `"name":"web-1"`))
	if err := a.Delete(t.Context(), pod, "u-1", ""); !errors.Is(err, ErrMoved) {
		t.Error(err)
	}
	a, s = against(t)
	if err := a.Delete(t.Context(), pod, "", ""); err == nil || s.count() > 0 {
		t.Error("deleted by name alone", err)
	}
}

func TestWhatCannotBeNamedIsNotAskedFor(t *testing.T) {
	a, s := against(t)
	for _, ref := range []object.Ref{
		object.New("apps/v1", "Deployment", "shop", ".."), object.New("apps/v1", "Deployment", "..", "web"), object.New("apps/v1", "Deployment", "", "web"),
		object.New("apps/v1", "Deployment", "shop", ""), object.New("example.com/v1", "Widget", "shop", "w"),
	} {
		if _, err := a.Get(t.Context(), ref); err == nil {
			t.Errorf("%v was read", ref)
		}
	}
	if s.count() > 0 || a.Requests() != 0 {
		t.Error(s.asked)
	}
	b := New(func() (*rest.Config, error) { return nil, errors.New("no kubeconfig") })
	if _, err := b.Get(t.Context(), web); err == nil || err.Error() != "no kubeconfig" {
		t.Error(err)
	}
	a, s = against(t, ok(deployment))
	if _, err := a.Get(t.Context(), object.New("apps/v1", "Deployment", "shop", "a/../b?x")); err != nil || s.asked[0] != "GET /apis/apps/v1/namespaces/shop/deployments/a%2F..%2Fb%3Fx" {
		t.Error(s.asked, err)
	}
}

// manifest is a Deployment with one variable in its environment, or none.
func manifest(env string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	text := `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","managedFields":[{}]},"status":{"replicas":3},"spec":{"template":{"spec":{"containers":[{"name":"app","image":"b"` + env + `}]}}}}`
	if err := u.UnmarshalJSON([]byte(text)); err != nil {
		panic(err)
	}
	return u
}

func TestAManifestIsProposedTheWayItWasAppliedBefore(t *testing.T) {
	missing := status(404, `deployments.apps "web" not found`, `"name":"web"`)
	live := func(metadata string) answer {
		return ok(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop"` + metadata + `},"spec":{"template":{"spec":{"containers":[{"name":"app","image":"a","env":[{"name":"OLD","value":"1"},{"name":"SIDE","value":"2"}]}]}}}}`)
	}
	noted := `,"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"app\",\"image\":\"a\",\"env\":[{\"name\":\"OLD\",\"value\":\"1\"}]}]}}}}"}`
	applied := `,"managedFields":[{"manager":"argocd-controller","operation":"Apply","fieldsV1":{"f:spec":{"f:template":{}}}}]`
	for name, c := range map[string]struct {
		live           answer
		request, media string
		body           string
	}{
		"what is new is created": {
			missing, "POST /apis/apps/v1/namespaces/shop/deployments?dryRun=All&fieldManager=leadsman&fieldValidation=Strict", "application/json",
			`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop"},"spec":{"template":{"spec":{"containers":[{"image":"b","name":"app"}]}}}}`,
		},
		"what kubectl noted down is removed, and what others added is not": {
			live(noted), "PATCH /apis/apps/v1/namespaces/shop/deployments/web?dryRun=All&fieldManager=kubectl-client-side-apply&fieldValidation=Strict", "application/strategic-merge-patch+json",
			`{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"app"}],"containers":[{"$setElementOrder/env":[{"name":"NEW"}],"env":[{"name":"NEW","value":"1"},{"$patch":"delete","name":"OLD"}],"image":"b","name":"app"}]}}}}`,
		},
		"what was applied on the server is applied so, by the same": {
			live(noted + applied), "PATCH /apis/apps/v1/namespaces/shop/deployments/web?dryRun=All&fieldManager=argocd-controller&fieldValidation=Strict&force=true", "application/apply-patch+yaml", "",
		},
		"what was never applied is applied under our name": {
			live(""), "PATCH /apis/apps/v1/namespaces/shop/deployments/web?dryRun=All&fieldManager=leadsman&fieldValidation=Strict&force=true", "application/apply-patch+yaml", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, s := against(t, c.live, ok(deployment))
			env := ""
			if c.media == "application/strategic-merge-patch+json" {
				env = `,"env":[{"name":"NEW","value":"1"}]`
			}
			o, err := a.Propose(t.Context(), web, manifest(env))
			if d, typed := o.(*appsv1.Deployment); err != nil || !typed || d.Name != "web" {
				t.Fatal(o, err)
			}
			if s.asked[1] != c.request || s.media[1] != c.media || c.body != "" && s.bodies[1] != c.body {
				t.Errorf("%s\n%s\n%s", s.asked[1], s.media[1], s.bodies[1])
			}
			if strings.Contains(s.bodies[1], "managedFields") || strings.Contains(s.bodies[1], "status") {
				t.Errorf("what the server writes was sent: %s", s.bodies[1])
			}
		})
	}
	a, _ := against(t, missing, status(404, `namespaces "shop" not found`, `"name":"shop"`))
	if _, err := a.Propose(t.Context(), web, manifest("")); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), `namespaces "shop" not found`) {
		t.Error(err)
	}
	a, _ = against(t, status(403, `deployments.apps "web" is forbidden: User "jane" cannot get resource`, ""))
	if _, err := a.Propose(t.Context(), web, manifest("")); !errors.Is(err, ErrForbidden) || !strings.Contains(err.Error(), "get deployments.apps") {
		t.Error(err)
	}
}

// Without a server what the manifest leaves open stays as it is; what it said
// when it was applied last, and says no longer, goes.
func TestAManifestIsMergedIntoASnapshot(t *testing.T) {
	live := `{"metadata":{"name":"web","namespace":"shop","generation":3%s},"spec":{"replicas":3,"progressDeadlineSeconds":600,"revisionHistoryLimit":10,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{
		"containers":[{"name":"web","image":"nginx:1.25","imagePullPolicy":"IfNotPresent","env":[{"name":"A","value":"1"}],"terminationMessagePath":"/dev/termination-log"}],"dnsPolicy":"ClusterFirst"}}}}`
	noted := `,"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\"},\"spec\":{\"replicas\":3,\"template\":{\"spec\":{\"containers\":[{\"name\":\"web\",\"env\":[{\"name\":\"A\",\"value\":\"1\"}]}]}}}}"}`
	manifest := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "web"},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "web", "image": "nginx:1.26"}}}}}}}
	for name, tt := range map[string]struct {
		annotations string
		env         int
		replicas    int32
	}{
		"never applied":             {"", 1, 3},
		"applied with what is left": {noted, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := &appsv1.Deployment{}
			if err := json.Unmarshal(fmt.Appendf(nil, live, tt.annotations), d); err != nil {
				t.Fatal(err)
			}
			kept, err := Merged(web, d, manifest)
			if err != nil {
				t.Fatal(err)
			}
			next := kept.(*appsv1.Deployment)
			c := next.Spec.Template.Spec.Containers[0]
			if c.Image != "nginx:1.26" || c.ImagePullPolicy != "IfNotPresent" || len(c.Env) != tt.env || next.Spec.Template.Spec.DNSPolicy != "ClusterFirst" {
				t.Errorf("%+v", c)
			}
			if got := next.Spec.Replicas; tt.replicas == 0 != (got == nil) || got != nil && *got != tt.replicas {
				t.Errorf("replicas %v", got)
			}
		})
	}
}
