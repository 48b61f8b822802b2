package world

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Fault is one way in which a cluster, or what stands before it, goes wrong.
// Before is put in front of any API server: a Cluster, or a reverse proxy to a
// real one.
type Fault struct {
	Title  string // what happens
	Before func(http.Handler) http.Handler
	// Patience is the --request-timeout of the tests where a request may hang.
	Patience time.Duration
}

// Faults are all of them, in the order in which docs/failures.md tells them.
func Faults() []Fault {
	return []Fault{
		{"Nothing goes wrong", func(next http.Handler) http.Handler { return next }, 0},
		{"Each answer takes 200 ms", delayed(200 * time.Millisecond), 0},
		{"No request is answered", instead(everything, hang), time.Second},
		{"Pods are not answered", instead(resource("pods"), hang), time.Second},
		{"Each answer stops in its middle, and the connection stays", cut(everything, hang), time.Second},
		{"Each answer stops in its middle, and the connection ends", cut(everything, abort), 0},
		{"Connections end before any answer", instead(everything, abort), 0},
		{"429 Too Many Requests with Retry-After, once for each request", once(status(http.StatusTooManyRequests, "1")), 0},
		{"429 Too Many Requests for ever, with Retry-After", instead(everything, status(http.StatusTooManyRequests, "1")), 3 * time.Second},
		{"429 Too Many Requests for ever, without Retry-After", instead(everything, status(http.StatusTooManyRequests, "")), 3 * time.Second},
		{"500 Internal Server Error, once for each request", once(status(http.StatusInternalServerError, "")), 0},
		{"500 Internal Server Error for ever", instead(everything, status(http.StatusInternalServerError, "")), 0},
		{"503 Service Unavailable for ever", instead(everything, status(http.StatusServiceUnavailable, "")), 0},
		{"503 Service Unavailable for EndpointSlices", instead(resource("endpointslices"), status(http.StatusServiceUnavailable, "")), 0},
		{"504 Gateway Timeout for pods", instead(resource("pods"), status(http.StatusGatewayTimeout, "")), 0},
		{"401 Unauthorized from the first request", instead(everything, unauthorized), 0},
		{"401 Unauthorized from the sixth request: the token expires", instead(after(5), unauthorized), 0},
		{"403 Forbidden for everything", instead(everything, forbidden), 0},
		{"Invalid JSON", instead(everything, says(jsonType, `{"kind":"List","items":[{"metadata":`)), 0},
		{"Invalid protobuf", instead(everything, says(protobufType, "k8s\x00\xff\xff\xff\xff\xff\xff")), 0},
		{"An empty answer", instead(everything, says(jsonType, "")), 0},
		{"A page of a proxy that wants a login, as HTML with status 200", instead(everything, says("text/html", loginPage)), 0},
		{"A redirect to a login page", instead(everything, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.URL.Path == "/login" {
				says("text/html", loginPage)(w, r, next)
				return
			}
			http.Redirect(w, r, "/login", http.StatusFound)
		}), 0},
		{"502 Bad Gateway for ever, as a web page of a load balancer", instead(everything, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, "<html><body><h1>502 Bad Gateway</h1></body></html>")
		}), 0},
		{"Objects of another kind than was asked for", other, 0},
		{"Pages of one object each", onePage, 0},
		{"The continue token expires after the first page (410 Gone)", func(next http.Handler) http.Handler {
			return onePage(instead(param("continue"), status(http.StatusGone, ""))(next))
		}, 0},
		{"Pages without an end", endless, 0},
		{"Watches are refused (403 Forbidden)", instead(param("watch"), forbidden), 0},
		{"Watches end at once", instead(param("watch"), says(jsonType, "")), 0},
		{"Watches have expired (410 Gone)", instead(param("watch"), says(jsonType, `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410,"message":"too old resource version"}}`)), 0},
		{"Watches say what is no event", instead(param("watch"), says(jsonType, `{"type":"WHAT","object":{}}`)), 0},
		{"Discovery is refused (403 Forbidden)", instead(discovery, forbidden), 0},
		{"Discovery answers 503 Service Unavailable", instead(discovery, status(http.StatusServiceUnavailable, "")), 0},
		{"Discovery is not answered", instead(discovery, hang), time.Second},
		{"The groups of extension API servers are stale", stale, 0},
	}
}

// loginPage is what a proxy shows to whoever has no session with it.
const loginPage = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in to go on</body></html>"

type answer func(w http.ResponseWriter, r *http.Request, next http.Handler)

type which func(*http.Request) bool

func everything(*http.Request) bool { return true }

func discovery(r *http.Request) bool { return Read(r).discovery }

func resource(name string) which {
	return func(r *http.Request) bool { return Read(r).Resource() == name }
}

func param(name string) which {
	return func(r *http.Request) bool { return r.URL.Query().Get(name) != "" }
}

func after(n int64) which {
	var seen atomic.Int64
	return func(*http.Request) bool { return seen.Add(1) > n }
}

func instead(of which, say answer) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if of(r) {
				say(w, r, next)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// once lets each request fail the first time.
func once(say answer) func(http.Handler) http.Handler {
	var mu sync.Mutex
	seen := map[string]bool{}
	return instead(func(r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		key := r.Method + r.URL.RequestURI()
		again := seen[key]
		seen[key] = true
		return !again
	}, say)
}

func delayed(d time.Duration) func(http.Handler) http.Handler {
	return instead(everything, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		select {
		case <-time.After(d):
			next.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
}

func hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() }

// abort ends the connection without a word.
func abort(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

func status(code int, retryAfter string) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		Refuse(w, code, metav1.StatusReason(strings.ReplaceAll(http.StatusText(code), " ", "")), "", "the server says "+strconv.Itoa(code))
	}
}

func unauthorized(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	Refuse(w, http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "", "Unauthorized")
}

func forbidden(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	Forbid(w, Read(r), "system:serviceaccount:shop:reader")
}

// Forbid refuses a request in the API server's words (apiserver
// pkg/endpoints/handlers/responsewriters, ForbiddenMessage).
func Forbid(w http.ResponseWriter, a Asked, user string) {
	if a.Verb == "" {
		Refuse(w, http.StatusForbidden, metav1.StatusReasonForbidden, "", fmt.Sprintf("forbidden: User %q cannot get path", user))
		return
	}
	where := " at the cluster scope"
	if a.Namespace != "" {
		where = fmt.Sprintf(" in the namespace %q", a.Namespace)
	}
	subject := a.Kind.Title()
	if a.Name != "" {
		subject = fmt.Sprintf("%s %q", subject, a.Name)
	}
	Refuse(w, http.StatusForbidden, metav1.StatusReasonForbidden, a.Name, fmt.Sprintf("%s is forbidden: User %q cannot %s resource %q in API group %q%s",
		subject, user, a.Verb, a.Resource(), a.Kind.Group, where))
}

func says(contentType, body string) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", contentType)
		fmt.Fprint(w, body)
	}
}

// cut sends the first half of an answer.
func cut(of which, then answer) func(http.Handler) http.Handler {
	return instead(of, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if Read(r).Verb == "watch" {
			then(w, r, next)
			return
		}
		whole := httptest.NewRecorder()
		next.ServeHTTP(whole, r)
		for name, values := range whole.Header() {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(whole.Body.Len()))
		w.WriteHeader(whole.Code)
		_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
		w.(http.Flusher).Flush()
		then(w, r, next)
	})
}

// asking puts another question to the server in the place of the one that came.
func asking(next http.Handler, w http.ResponseWriter, r *http.Request, change func(*http.Request)) {
	changed := r.Clone(r.Context())
	change(changed)
	changed.RequestURI = changed.URL.RequestURI()
	next.ServeHTTP(w, changed)
}

// other answers with Namespaces, whatever was asked for.
func other(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asking(next, w, r, func(r *http.Request) { r.URL.Path, r.URL.RawQuery = "/api/v1/namespaces", "" })
	})
}

func onePage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		params := r.URL.Query()
		if params.Get("limit") == "" {
			next.ServeHTTP(w, r)
			return
		}
		asking(next, w, r, func(r *http.Request) {
			params.Set("limit", "1")
			r.URL.RawQuery = params.Encode()
		})
	})
}

// endless promises one more page with every page.
func endless(next http.Handler) http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := Read(r)
		if a.Verb != "list" || r.URL.Query().Get("limit") == "" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", jsonType)
		fmt.Fprintf(w, `{"apiVersion":%q,"kind":"%sList","metadata":{"resourceVersion":"1","continue":"%d"},"items":[]}`, a.Kind.GVK().GroupVersion(), a.Kind.Kind, n.Add(1))
	})
}

// stale leaves one group without versions, as aggregated discovery does when
// its extension API server does not answer.
func stale(next http.Handler) http.Handler {
	return instead(func(r *http.Request) bool { return r.URL.Path == "/apis" }, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		whole := httptest.NewRecorder()
		next.ServeHTTP(whole, r)
		w.Header().Set("Content-Type", whole.Header().Get("Content-Type"))
		fmt.Fprint(w, strings.Replace(whole.Body.String(), `"items":[`, `"items":[{"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1beta1","freshness":"Stale"}]},`, 1))
	})(next)
}
