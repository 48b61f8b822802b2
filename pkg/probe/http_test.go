package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

func prober(t *testing.T, serve http.HandlerFunc) *Prober {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	return New(func() (*rest.Config, error) { return &rest.Config{Host: server.URL}, nil })
}

func TestQuestionsGoToThePodsProxy(t *testing.T) {
	p := prober(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %s", r.Method, r.URL.EscapedPath()) })
	got := p.HTTP(t.Context(), Target{"shop", "web", 8080})
	if got.Outcome != Answered || p.Requests() != 1 {
		t.Errorf("%+v after %d requests", got, p.Requests())
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	p := prober(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
	if got := p.HTTP(t.Context(), Target{"shop", "web", 80}); got.Status != http.StatusFound || p.Requests() != 1 {
		t.Errorf("%+v", got)
	}
}

func TestAProbeThatHangsEndsInTime(t *testing.T) {
	release := make(chan struct{})
	p := prober(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	ask := map[string]func(context.Context, Target) Result{
		"http": p.HTTP, "forward": p.Forward,
		"exec": func(ctx context.Context, t Target) Result {
			_, r := p.Listeners(ctx, Container{Namespace: t.Namespace, Pod: t.Pod})
			return r
		},
		"dial": func(ctx context.Context, t Target) Result {
			return p.Dial(ctx, Container{Namespace: t.Namespace, Pod: t.Pod}, "10.0.0.1", 80)
		},
	}
	for name, ask := range ask {
		got := Each(t.Context(), 200*time.Millisecond, []Target{{"shop", "web", 80}}, ask)[0]
		if got.Outcome != TimedOut || got.Took > 5*time.Second {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAnAnswerWithoutEndIsAnAnswer(t *testing.T) {
	p := prober(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write([]byte(strings.Repeat("x", 1024))); err != nil {
				return
			}
		}
	})
	if got := p.HTTP(t.Context(), Target{"shop", "web", 80}); got.Outcome != Answered {
		t.Errorf("%+v", got)
	}
}

func TestRefusalsOfTheServerSayNothingAboutThePort(t *testing.T) {
	p := prober(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, status("403", "Forbidden", `pods \"web\" is forbidden: you may not`, `"details":{"name":"web","kind":"pods"},`))
	})
	_, listened := p.Listeners(t.Context(), Container{Namespace: "shop", Pod: "web"})
	for name, got := range map[string]Result{
		"http": p.HTTP(t.Context(), Target{"shop", "web", 80}), "forward": p.Forward(t.Context(), Target{"shop", "web", 80}),
		"exec": listened, "dial": p.Dial(t.Context(), Container{Namespace: "shop", Pod: "web"}, "10.0.0.1", 80),
	} {
		if got.Outcome != Forbidden || !strings.Contains(got.Detail, "you may not") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestWithoutAConfigurationNothingIsSent(t *testing.T) {
	p := New(func() (*rest.Config, error) { return nil, errors.New("no kubeconfig") })
	if got := p.Forward(t.Context(), Target{"shop", "web", 80}); got.Outcome != Unable || got.Detail != "no kubeconfig" || p.Requests() != 0 {
		t.Errorf("%+v", got)
	}
}

func TestAnswersStandInTheOrderOfTheQuestions(t *testing.T) {
	questions := make([]int, 100)
	for i := range questions {
		questions[i] = i
	}
	for i, r := range Each(t.Context(), time.Minute, questions, func(_ context.Context, q int) Result { return Result{Status: q} }) {
		if r.Status != i {
			t.Errorf("answer %d stands at %d", r.Status, i)
		}
	}
}
