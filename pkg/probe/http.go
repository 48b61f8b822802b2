package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// HTTP asks the API server to GET / from the pod's IP (pods/proxy). Any HTTP
// status, even 500, and any answer that is no HTTP at all, proves that
// something listens there.
func (p *Prober) HTTP(ctx context.Context, t Target) Result {
	c, err := p.once()
	if err != nil {
		return failed(err)
	}
	req, err := p.get(ctx, c.config, fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:%d/proxy/", url.PathEscape(t.Namespace), url.PathEscape(t.Pod), t.Port))
	if err != nil {
		return failed(err)
	}
	p.requests.Add(1)
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return failed(err)
	}
	defer resp.Body.Close()
	// An answer that never ends is an answer: its head is enough.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	return judgeHTTP(resp.StatusCode, body)
}

func (p *Prober) get(ctx context.Context, config *rest.Config, path string) (*http.Request, error) {
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, err
	}
	u := strings.TrimSuffix(base.String(), "/") + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "*/*")
	return req, nil
}

// judgeHTTP tells the API server's own words from the pod's.
func judgeHTTP(code int, body []byte) Result {
	words, own := serverStatus(body)
	if !own {
		text := string(body)
		return Result{
			Outcome: Answered, Status: code, Detail: fmt.Sprintf("HTTP %d", code),
			TLS: code == http.StatusBadRequest && saysHTTPS(text),
		}
	}
	if reached, ok := strings.CutPrefix(words, "error trying to reach service: "); ok {
		return judgeReach(reached)
	}
	return refusedByServer(code, words)
}

// saysHTTPS knows how servers that speak TLS refuse plain text: net/http, nginx, Apache.
func saysHTTPS(body string) bool {
	return strings.Contains(body, "HTTP request to an HTTPS server") ||
		strings.Contains(body, "HTTP request was sent to HTTPS port") ||
		strings.Contains(body, "speaking plain HTTP to an SSL-enabled server port")
}

// serverStatus reads the message of a Status that the API server itself wrote.
// A pod may be an API server too, and refuse: its Status does not speak of the
// subresource that was asked for.
func serverStatus(body []byte) (words string, own bool) {
	var status metav1.Status
	if json.Unmarshal(body, &status) != nil || status.Kind != "Status" || status.Status != metav1.StatusFailure {
		return "", false
	}
	unreached := strings.HasPrefix(status.Message, "error trying to reach service: ")
	ofPod := status.Details != nil && status.Details.Kind == "pods"
	overloaded := status.Code == http.StatusTooManyRequests || status.Code == http.StatusGatewayTimeout
	badTarget := status.Code == http.StatusBadRequest && strings.HasPrefix(status.Message, "address not allowed")
	unknownUser := status.Code == http.StatusUnauthorized && status.Message == "Unauthorized"
	return status.Message, unreached || ofPod || overloaded || badTarget || unknownUser
}

// judgeReach sorts what happened between the API server and the pod
// (apimachinery pkg/util/proxy, UpgradeAwareHandler: the dial's own error).
func judgeReach(words string) Result {
	r := Result{Detail: words}
	contains := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(words, part) {
				return true
			}
		}
		return false
	}
	switch {
	case contains("connection refused"):
		r.Outcome = Refused
	case contains("malformed HTTP response", "connection reset by peer", "EOF", "HTTP/1.x transport connection broken", "server gave HTTP response", "tls: "):
		// The connection stood before it broke.
		r.Outcome = Answered
		r.TLS = contains(`malformed HTTP response "\x15\x03`)
	case contains("timeout", "timed out", "deadline exceeded", "no route to host", "network is unreachable"):
		r.Outcome = TimedOut
	default:
		r.Outcome = Unable
	}
	return r
}
