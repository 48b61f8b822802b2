package probe

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
)

func TestServiceTargets(t *testing.T) {
	for target, want := range map[string]string{
		"svc/web:80/healthz":        "services/web:80/proxy/healthz",
		"svc/web:http/a/b?c=d":      "services/web:http/proxy/a/b?c=d",
		"service/web":               "services/web/proxy/",
		"services/https:web:443/":   "services/https:web:443/proxy/",
		"svc/https:web":             "services/https:web:/proxy/",
		"svc/http:80/":              "services/http:80/proxy/", // a Service that is called http
		"svc/":                      "",
		"svc/a:b:c/":                "",
		"svc/a%2f..%2fb:80/":        "",
		"https://svc/web":           "-",
		"web:80":                    "-",
		"deployment/web":            "-",
		"svc/web:80/with space":     "services/web:80/proxy/with space",
		"svc/web:80/\x00":           "",
		"svc/web?x:80/":             "",
		"svc/https:web:https/h?a=b": "services/https:web:https/proxy/h?a=b",
	} {
		s, ok, err := parseServiceTarget(target)
		got := "-"
		switch {
		case err != nil:
			got = ""
		case ok:
			got = strings.TrimPrefix(s.proxyPath("shop"), "/api/v1/namespaces/shop/")
		}
		if got != want {
			t.Errorf("%q: %q, want %q", target, got, want)
		}
	}
}

func TestTheAPIServersWordsAreNotTheServices(t *testing.T) {
	status := func(code int, message, kind, name string) string {
		return fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","message":%q,"code":%d,"details":{"kind":%q,"name":%q}}`, message, code, kind, name)
	}
	for name, tt := range map[string]struct {
		code           int
		body           string
		outcome, words string
	}{
		"an answer":                    {200, "hello", SampleOK, ""},
		"not found, says the pod":      {404, "404 page not found", SampleOK, ""},
		"an error of the pod":          {500, "oops", SampleFailed, "HTTP 500 Internal Server Error"},
		"a bad gateway of the pod":     {502, "", SampleFailed, "HTTP 502 Bad Gateway"},
		"nobody listens":               {503, status(503, "error trying to reach service: dial tcp 10.1.2.3:80: connect: connection refused", "", ""), SampleFailed, "dial tcp 10.1.2.3:80: connect: connection refused"},
		"no endpoints":                 {503, status(503, `no endpoints available for service "web"`, "", ""), SampleFailed, `no endpoints available for service "web"`},
		"no such port":                 {503, status(503, `no service port 81 found for service "web"`, "", ""), SampleFailed, `no service port 81 found for service "web"`},
		"no such Service":              {404, status(404, `services "web" not found`, "services", "web"), SampleFailed, `services "web" not found`},
		"a time-out of the API server": {504, status(504, "request did not complete within the allotted timeout", "", ""), SampleFailed, "HTTP 504 Gateway Timeout: request did not complete within the allotted timeout"},
		"no permission":                {403, status(403, `services "web" is forbidden: User "x" cannot get resource "services/proxy"`, "services", "web"), SampleUnasked, `services "web" is forbidden: User "x" cannot get resource "services/proxy"`},
		"not logged in":                {401, status(401, "Unauthorized", "", ""), SampleUnasked, "Unauthorized"},
		"too many requests":            {429, status(429, "Too many requests, please try again later.", "", ""), SampleUnasked, "Too many requests, please try again later."},
		"too many requests, in plain text of the pod": {429, "slow down", SampleOK, ""},
		"a pod that is an API server itself":          {404, status(404, `pods "x" not found`, "pods", "x"), SampleOK, ""},
	} {
		outcome, words := judgeService("web", tt.code, []byte(tt.body))
		if outcome != tt.outcome || words != tt.words {
			t.Errorf("%s: %s, %q", name, outcome, words)
		}
	}
}

// gather sends requests until n samples have come.
func gather(t *testing.T, p *Prober, l Load, n int) []Sample {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var all []Sample
	if err := p.Load(ctx, l, func(s Sample) {
		if all = append(all, s); len(all) == n {
			cancel()
		}
	}); err != nil {
		t.Fatal(err)
	}
	if len(all) != n {
		t.Fatalf("%d samples, not %d", len(all), n)
	}
	return all
}

func outcomes(samples []Sample) map[string]int {
	counts := map[string]int{}
	for _, s := range samples {
		counts[strings.TrimSpace(s.Outcome+" "+s.Words)]++
	}
	return counts
}

func TestEveryRequestToAURLIsItsOwnConnection(t *testing.T) {
	var connections, requests atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	got := outcomes(gather(t, New(nil), Load{Target: server.URL, Rate: 100}, 5))
	if diff := cmp.Diff(map[string]int{"ok": 5}, got); diff != "" {
		t.Error(diff)
	}
	if connections.Load() != requests.Load() {
		t.Errorf("%d requests over %d connections", requests.Load(), connections.Load())
	}
}

func TestASlowAnswerHoldsNobodyUp(t *testing.T) {
	var n atomic.Int64
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if n.Add(1) == 1 {
			<-release
		}
	}))
	defer server.Close()
	defer close(release)
	all := gather(t, New(nil), Load{Target: server.URL, Rate: 50, Timeout: 300 * time.Millisecond}, 20)
	if diff := cmp.Diff(map[string]int{"ok": 19, "failed no answer in time": 1}, outcomes(all)); diff != "" {
		t.Error(diff)
	}
	for _, s := range all {
		if s.Outcome == SampleFailed && s.Latency < 300*time.Millisecond {
			t.Errorf("it was waited for %s", s.Latency)
		}
	}
}

func TestAnAnswerThatBreaksOffIsNone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "half")
	}))
	defer server.Close()
	for _, s := range gather(t, New(nil), Load{Target: server.URL, Rate: 100}, 2) {
		if s.Outcome != SampleFailed || s.Words != "the answer (HTTP 200 OK) broke off: unexpected EOF" {
			t.Errorf("%+v", s)
		}
	}
}

func TestCertificatesAreVerifiedUnlessToldOtherwise(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of clients that do not trust it
	server.StartTLS()
	defer server.Close()
	for insecure, want := range map[bool]string{false: SampleFailed, true: SampleOK} {
		if s := gather(t, New(nil), Load{Target: server.URL, Rate: 100, Insecure: insecure}, 1)[0]; s.Outcome != want {
			t.Errorf("insecure %v: %+v", insecure, s)
		}
	}
}

func TestAServiceIsAskedThroughTheAPIServer(t *testing.T) {
	p := prober(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RequestURI() != "/api/v1/namespaces/shop/services/web:80/proxy/healthz?x=1" {
			t.Errorf("asked for %s", r.URL.RequestURI())
		}
	})
	if got := gather(t, p, Load{Target: "svc/web:80/healthz?x=1", Namespace: "shop", Rate: 100}, 3); outcomes(got)["ok"] != 3 {
		t.Errorf("%+v", got)
	}
}

func TestAnAPIServerThatIsAwaySaysNothingOfTheService(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	for target, want := range map[string]string{"svc/web:80/": SampleUnasked, server.URL: SampleFailed} {
		p := New(func() (*rest.Config, error) { return &rest.Config{Host: server.URL}, nil })
		if s := gather(t, p, Load{Target: target, Rate: 100}, 1)[0]; s.Outcome != want || !strings.Contains(s.Words, "refused") {
			t.Errorf("%s: %+v", target, s)
		}
	}
}

func TestALoadThatCannotBeSentIsAnError(t *testing.T) {
	for name, l := range map[string]Load{
		"no target":       {},
		"a bare name":     {Target: "web:80"},
		"another scheme":  {Target: "ftp://web"},
		"too fast":        {Target: "http://web", Rate: 1e6},
		"backwards":       {Target: "http://web", Rate: -1},
		"no real service": {Target: "svc/:80"},
	} {
		if err := New(nil).Load(t.Context(), l, func(Sample) {}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
