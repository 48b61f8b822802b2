package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// serviceTarget is a port of a Service and what is asked of it.
type serviceTarget struct {
	scheme, name, port string // port: a name or a number; "": the only one
	path               string // with its slash, and a query if there is one
}

// parseServiceTarget reads svc/[SCHEME:]NAME[:PORT][/PATH]; false where it is
// something else.
func parseServiceTarget(target string) (serviceTarget, bool, error) {
	kind, rest, ok := strings.Cut(target, "/")
	if !ok || kind != "svc" && kind != "service" && kind != "services" {
		return serviceTarget{}, false, nil
	}
	what, path, _ := strings.Cut(rest, "/")
	s := serviceTarget{path: "/" + path}
	parts := strings.Split(what, ":")
	if len(parts) > 1 && (parts[0] == "http" || parts[0] == "https") && (len(parts) == 3 || !isPort(parts[1])) {
		s.scheme, parts = parts[0], parts[1:]
	}
	s.name = parts[0]
	if len(parts) > 1 {
		s.port = parts[1]
	}
	if s.name == "" || len(parts) > 2 || strings.ContainsAny(what, "?#%") {
		return s, false, fmt.Errorf("%q is not of the form svc/NAME:PORT/PATH, such as svc/web:80/healthz", target)
	}
	if _, err := url.ParseRequestURI(s.path); err != nil {
		return s, false, fmt.Errorf("%q: %q is no path that a request can have", target, s.path)
	}
	return s, true, nil
}

func isPort(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// proxyPath is the Service's place at the API server. The scheme needs both colons.
func (s serviceTarget) proxyPath(namespace string) string {
	id := s.name
	if s.port != "" || s.scheme != "" {
		id += ":" + s.port
	}
	if s.scheme != "" {
		id = s.scheme + ":" + id
	}
	return "/api/v1/namespaces/" + url.PathEscape(namespace) + "/services/" + id + "/proxy" + s.path
}

// askService asks through the API server (services/proxy). What keeps the
// question from the Service is not held against it.
func (p *Prober) askService(ctx context.Context, namespace string, s serviceTarget) (outcome, words string) {
	c, err := p.once()
	if err != nil {
		return SampleUnasked, err.Error()
	}
	req, err := p.get(ctx, c.config, s.proxyPath(namespace))
	if err != nil {
		return SampleUnasked, err.Error()
	}
	p.requests.Add(1)
	code, body, err := answer(c.http, req)
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return SampleFailed, "no answer in time"
	case err != nil && code == 0:
		return SampleUnasked, "the API server cannot be reached: " + requestWords(ctx, err)
	case err != nil:
		return SampleFailed, requestWords(ctx, err)
	}
	return judgeService(s.name, code, body)
}

// judgeService tells the API server's own words from those of the pod.
func judgeService(service string, code int, body []byte) (outcome, words string) {
	var status metav1.Status
	own := json.Unmarshal(body, &status) == nil && status.Kind == "Status" && status.Status == metav1.StatusFailure
	if own {
		if outcome, words, known := judgeOwnWords(service, code, status); known {
			return outcome, words
		}
	}
	if code >= http.StatusInternalServerError {
		if text, ok := strings.CutPrefix(string(body), reachError); ok { // written plain where the dial fails late
			return SampleFailed, strings.TrimSpace(text)
		}
		return SampleFailed, statusWords(code)
	}
	return SampleOK, ""
}

const reachError = "error trying to reach service: "

// judgeOwnWords sorts the refusals that the API server writes itself
// (kubernetes pkg/registry/core/service/storage, ResourceLocation; apiserver
// pkg/endpoints/filters). A pod may be an API server too: what does not speak of
// this Service or of the way to it may be the pod's.
func judgeOwnWords(service string, code int, status metav1.Status) (outcome, words string, known bool) {
	words = status.Message
	about := status.Details != nil && status.Details.Kind == "services" && status.Details.Name == service || strings.Contains(words, fmt.Sprintf("services %q", service))
	switch reached, unreached := strings.CutPrefix(words, reachError); {
	case unreached:
		return SampleFailed, reached, true
	case strings.HasPrefix(words, "no endpoints available for service"), strings.HasPrefix(words, "no service port"):
		return SampleFailed, words, true
	case code == http.StatusNotFound && about:
		return SampleFailed, words, true // whoever asks for that Service gets nothing
	case code == http.StatusTooManyRequests, code == http.StatusUnauthorized && words == "Unauthorized", code == http.StatusForbidden && about,
		code == http.StatusBadRequest && (about || strings.HasPrefix(words, "address not allowed") || strings.HasPrefix(words, "invalid service request")):
		return SampleUnasked, words, true
	case code >= http.StatusInternalServerError:
		return SampleFailed, statusWords(code) + ": " + words, true
	}
	return "", "", false
}
