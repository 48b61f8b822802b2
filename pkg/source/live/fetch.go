package live

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// pauses are those between the tries of a request that failed without the
// server saying when to come back. Jitter keeps parallel reads apart.
var pauses = [...]time.Duration{100 * time.Millisecond, 400 * time.Millisecond}

// maxTries bounds how often a server may send a client away with Retry-After.
const maxTries = 10

// unreachable wraps a failure that came before any connection stood.
type unreachable struct{ error }

func (u unreachable) Unwrap() error { return u.error }

// fetch gets a whole answer, within the time-out and the limit of requests in
// flight. It keeps its place while it waits for a retry: an overloaded server
// is not to be met with the next request instead.
func (s *Source) fetch(ctx context.Context, path string, params url.Values, accept string) ([]byte, error) {
	c, err := s.connect()
	if err != nil {
		return nil, err
	}
	release, err := hold(ctx, s.slots)
	if err != nil {
		return nil, err
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	for try := 0; ; try++ {
		body, err := s.try(ctx, c, path, params, accept)
		pause, again := retryIn(err, try)
		if !again {
			return body, err
		}
		if deadline, _ := ctx.Deadline(); time.Until(deadline) < pause {
			return body, err
		}
		if sleep(ctx, pause) != nil {
			return body, err
		}
	}
}

func (s *Source) try(ctx context.Context, c *connection, path string, params url.Values, accept string) ([]byte, error) {
	resp, err := s.send(ctx, c, path, params, accept)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// send makes one request. An answer that is no success is an error of type
// *apierrors.StatusError.
func (s *Source) send(ctx context.Context, c *connection, path string, params url.Values, accept string) (*http.Response, error) {
	var connected atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	u := *c.base
	u.Path = strings.TrimSuffix(u.Path, "/") + path
	u.RawQuery = params.Encode()
	req, err := http.NewRequestWithContext(traced, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	resp, err := c.http.Do(req)
	switch {
	case err != nil && !connected.Load() && !errors.Is(ctx.Err(), context.Canceled):
		return nil, unreachable{err}
	case err != nil:
		return nil, err
	}
	s.warn(resp.Header)
	if resp.StatusCode < http.StatusInternalServerError && isPage(resp) { // what is 5xx passes
		resp.Body.Close()
		return nil, webPage{resp.Status}
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, statusError(resp)
	}
	return resp, nil
}

func isPage(resp *http.Response) bool {
	return strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html")
}

func (s *Source) warn(h http.Header) {
	if s.opts.Warnings == nil || len(h["Warning"]) == 0 {
		return
	}
	warnings, _ := utilnet.ParseWarningHeaders(h["Warning"])
	for _, w := range warnings {
		if w.Code != 299 || w.Text == "" { // client-go rest.handleWarnings
			continue
		}
		if _, told := s.warned.LoadOrStore(w.Text, true); !told {
			s.opts.Warnings(w.Text)
		}
	}
}

// statusError is the server's own Status where it sent one, and its equivalent
// where a proxy or the bare mux answered.
func statusError(resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var st metav1.Status
	if raw, kind, ok := unwrapProtobuf(body); ok && kind == "Status" {
		_ = st.Unmarshal(raw)
	} else {
		_ = utiljson.Unmarshal(body, &st)
	}
	after, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	if st.Status != metav1.StatusFailure || st.Code == 0 {
		words := strings.TrimSpace(string(body[:min(len(body), 512)]))
		if isPage(resp) {
			words = resp.Status + ", says a proxy before the API server"
		}
		return apierrors.NewGenericServerResponse(resp.StatusCode, "get", schema.GroupResource{}, "", words, after, true)
	}
	if st.Details == nil {
		st.Details = &metav1.StatusDetails{}
	}
	st.Details.RetryAfterSeconds = max(st.Details.RetryAfterSeconds, int32(min(max(after, 0), 3600)))
	return &apierrors.StatusError{ErrStatus: st}
}

// retryIn says whether and when a read is worth another try.
func retryIn(err error, try int) (time.Duration, bool) {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, new(unreachable)) || errors.As(err, new(webPage)) {
		return 0, false
	}
	var status *apierrors.StatusError
	if errors.As(err, &status) {
		code := status.ErrStatus.Code
		overloaded := code == http.StatusTooManyRequests
		if !overloaded && (code < 500 || code == http.StatusNotImplemented) {
			return 0, false
		}
		if d := status.ErrStatus.Details; d != nil && d.RetryAfterSeconds > 0 {
			return time.Duration(d.RetryAfterSeconds) * time.Second, try < maxTries
		}
		if overloaded {
			return jittered(time.Second), try < maxTries
		}
	}
	if try >= len(pauses) {
		return 0, false
	}
	return jittered(pauses[try]), true
}

func jittered(d time.Duration) time.Duration {
	return d + rand.N(d/2)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
