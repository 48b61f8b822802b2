package main

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestTheServerFollowsItsEnvironment(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, path string
		env        map[string]string
		age        time.Duration
		status     int
		body       string
	}{
		{"says who it is", "/", map[string]string{"NAME": "nginx", "VERSION": "1.25"}, 0, 200, "nginx 1.25 "},
		{"is ready at once by default", "/readyz", nil, 0, 200, "ok"},
		{"is not ready before its time", "/readyz", map[string]string{"READY_AFTER": "10s"}, 9 * time.Second, 503, "no"},
		{"is ready after its time", "/readyz", map[string]string{"READY_AFTER": "10s"}, 10 * time.Second, 200, "ok"},
		{"is unready again", "/readyz", map[string]string{"UNREADY_AFTER": "5s"}, 6 * time.Second, 503, "no"},
		{"is healthy by default", "/healthz", nil, time.Hour, 200, "ok"},
		{"becomes unhealthy", "/healthz", map[string]string{"UNHEALTHY_AFTER": "5s"}, 6 * time.Second, 500, "no"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := start
			s, err := newServer(func(name string) string { return tt.env[name] }, func() time.Time { return now })
			if err != nil {
				t.Fatal(err)
			}
			now = start.Add(tt.age)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest("GET", tt.path, nil))
			if w.Code != tt.status || !strings.HasPrefix(w.Body.String(), tt.body) {
				t.Errorf("%d %q, want %d %q", w.Code, w.Body, tt.status, tt.body)
			}
		})
	}
}

func TestADurationWithoutAUnitIsExplained(t *testing.T) {
	env := func(name string) string {
		if name == "EXIT_AFTER" {
			return "10"
		}
		return ""
	}
	if _, err := newServer(env, time.Now); err == nil || !strings.Contains(err.Error(), "EXIT_AFTER") {
		t.Errorf("err = %v, want one that names EXIT_AFTER", err)
	}
}
