package act

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/rest"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

const (
	patience  = 15 * time.Second // of a request, where --request-timeout says nothing
	mostBytes = 16 << 20         // of an answer
	mostWait  = 10 * time.Second // for a server that asks to be left alone
)

// request is one question to the server, or one order.
type request struct {
	verb   string // as RBAC calls it
	method string
	ref    object.Ref
	query  url.Values
	media  string // of the body
	body   []byte
	dryRun bool
}

func (r request) writes() bool { return r.method != "GET" && !r.dryRun }

// wire is the way to the server.
type wire struct {
	requests *atomic.Int64
	connect  func() (*connection, error)
}

type connection struct {
	base    *url.URL
	http    *http.Client
	timeout time.Duration
}

func newWire(config func() (*rest.Config, error)) wire {
	return wire{requests: &atomic.Int64{}, connect: sync.OnceValues(func() (*connection, error) {
		c, err := config()
		if err != nil {
			return nil, err
		}
		c = rest.CopyConfig(c)
		timeout := cmp.Or(c.Timeout, patience)
		c.Timeout = 0 // the context bounds each request
		base, _, err := rest.DefaultServerUrlFor(c)
		if err != nil {
			return nil, err
		}
		client, err := rest.HTTPClientFor(c)
		if err != nil {
			return nil, err
		}
		plain := &http.Client{Transport: client.Transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // an order is for this server
		}}
		return &connection{base, plain, timeout}, nil
	})}
}

// ask sends a request and returns the object of the answer. It sends again only
// what the server said it did not look at (429).
func (w wire) ask(ctx context.Context, r request) (*unstructured.Unstructured, error) {
	c, err := w.connect()
	if err != nil {
		return nil, err
	}
	kind, ok := kindOf(r.ref)
	if !ok {
		return nil, fmt.Errorf("%s: %s %s is no built-in kind, and only those are written", r.ref.Arg(), r.ref.APIVersion(), r.ref.Kind)
	}
	if bad := func(s string) bool { return s == "" || s == "." || s == ".." }; bad(r.ref.Name) || kind.Namespaced && bad(r.ref.Namespace) {
		return nil, fmt.Errorf("%s: an object is written by its name and namespace", r.ref.Arg())
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	for {
		w.requests.Add(1)
		answer, wait, err := c.send(ctx, r, kind)
		if wait <= 0 {
			return answer, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// kindOf is the built-in kind. Which version is asked for, the reference says.
func kindOf(ref object.Ref) (source.Kind, bool) {
	kinds := scheme.Kinds()
	i := slices.IndexFunc(kinds, func(k source.Kind) bool { return k.GroupKind() == ref.GroupKind() })
	if i < 0 {
		return source.Kind{}, false
	}
	kinds[i].Version = cmp.Or(ref.Version, kinds[i].Version)
	return kinds[i], true
}

// send is one request. A wait above zero says when it may be sent again.
func (c *connection) send(ctx context.Context, r request, kind source.Kind) (o *unstructured.Unstructured, wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, r.method, c.url(r, kind), bytes.NewReader(r.body))
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Accept", "application/json")
	if r.media != "" {
		req.Header.Set("Content-Type", r.media)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, 0, r.unanswered(ctx, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostBytes+1))
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		refused := r.refusal(kind, resp.StatusCode, statusOf(resp.StatusCode, body))
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && resp.StatusCode == http.StatusTooManyRequests {
			return nil, min(mostWait, time.Duration(max(1, seconds))*time.Second), refused
		}
		return nil, 0, refused
	}
	if err == nil && len(body) > mostBytes {
		err = fmt.Errorf("an answer of more than %d bytes", mostBytes)
	}
	answer := &unstructured.Unstructured{}
	if err == nil {
		err = utiljson.Unmarshal(body, &answer.Object) // generations are whole numbers
	}
	if err != nil && r.writes() {
		return &unstructured.Unstructured{Object: map[string]any{}}, 0, nil // it was done; what it became, the next read says
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w: %v", r.ref.Arg(), ErrAway, err)
	}
	return answer, 0, nil
}

func (c *connection) url(r request, kind source.Kind) string {
	parts := []string{"apis", kind.Group, kind.Version}
	if kind.Group == "" {
		parts = []string{"api", kind.Version}
	}
	if kind.Namespaced {
		parts = append(parts, "namespaces", url.PathEscape(r.ref.Namespace))
	}
	query := url.Values{}
	for key, values := range r.query {
		query[key] = values
	}
	if r.dryRun {
		query.Set("dryRun", metav1.DryRunAll)
	}
	if r.method != "GET" && r.method != "DELETE" && query.Get("fieldManager") == "" {
		query.Set("fieldManager", manager)
	}
	parts = append(parts, kind.Resource)
	if r.method != "POST" {
		parts = append(parts, url.PathEscape(r.ref.Name))
	}
	u := c.base.JoinPath(parts...)
	u.RawQuery = query.Encode()
	return u.String()
}

func deleteOptions(uid types.UID, resourceVersion string) []byte {
	preconditions := &metav1.Preconditions{UID: &uid}
	if resourceVersion != "" {
		preconditions.ResourceVersion = &resourceVersion
	}
	body, _ := json.Marshal(metav1.DeleteOptions{ // strings alone: they have a JSON form
		TypeMeta:      metav1.TypeMeta{APIVersion: "v1", Kind: "DeleteOptions"},
		Preconditions: preconditions,
	})
	return body
}
