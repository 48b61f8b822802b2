// Package probe asks live questions through the API server: does anything
// answer on a pod's port, which ports does it listen on, can a client pod
// connect. Nothing is installed in the cluster and nothing is changed there.
package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
)

// Outcome is the answer in one word.
type Outcome string

// The outcomes. Only the first three say something about the port; the others
// say that the question could not be asked.
const (
	Answered  Outcome = "answered"  // something listens there
	Refused   Outcome = "refused"   // nothing listens at that address
	TimedOut  Outcome = "timed out" // no answer: a route, a policy, or a probe too short
	Forbidden Outcome = "forbidden" // you may not ask
	Gone      Outcome = "gone"      // there is no such pod, or it has ended
	Unable    Outcome = "unable"    // the means are missing: no kubelet, no shell, no address
)

// Asked says whether the outcome tells something about the port.
func (o Outcome) Asked() bool { return o == Answered || o == Refused || o == TimedOut }

// Result is what one question was answered with.
type Result struct {
	Outcome Outcome
	Detail  string // the words of whoever answered; strangers' text
	Status  int    // HTTP status, where there was one
	TLS     bool   // it speaks TLS where plain text was offered
	Took    time.Duration
}

// Target is a TCP port of a pod.
type Target struct {
	Namespace string
	Pod       string
	Port      int
}

// limits of what strangers may send, and of how much is asked at once.
const (
	mostBytes = 64 << 10
	atOnce    = 16
)

// Prober asks. It is safe for concurrent use.
type Prober struct {
	config   func() (*rest.Config, error)
	requests atomic.Int64
	once     func() (*client, error)
}

type client struct {
	config *rest.Config
	http   *http.Client
}

// New prepares a Prober. The configuration is read with the first question.
func New(config func() (*rest.Config, error)) *Prober {
	p := &Prober{config: config}
	p.once = sync.OnceValues(p.connect)
	return p
}

// Requests is how many requests were sent so far.
func (p *Prober) Requests() int { return int(p.requests.Load()) }

func (p *Prober) connect() (*client, error) {
	config, err := p.config()
	if err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.Timeout = 0 // the context bounds each question
	c, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	// A redirect is an answer; where it leads is not ours to follow.
	plain := &http.Client{Transport: c.Transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	return &client{config: config, http: plain}, nil
}

// Each asks all questions in parallel, at most 16 at a time, each within
// patience. The answers stand in the order of the questions.
func Each[Q any](ctx context.Context, patience time.Duration, questions []Q, ask func(context.Context, Q) Result) []Result {
	results := make([]Result, len(questions))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, q := range questions {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			started := time.Now()
			results[i] = ask(ctx, q)
			results[i].Took = time.Since(started)
			return nil
		})
	}
	_ = group.Wait() // the functions return no error
	return results
}

// within runs what knows no context; ctx's end leaves it behind.
func within[T any](ctx context.Context, run func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		value, err := run()
		done <- outcome{value, err}
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// failed sorts an error of the way to the pod: it says nothing about the port.
func failed(err error) Result {
	var status *apierrors.StatusError
	var slow net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.As(err, &slow) && slow.Timeout():
		return Result{Outcome: TimedOut, Detail: "no answer in time"}
	case errors.As(err, &status):
		return refusedByServer(int(status.ErrStatus.Code), status.ErrStatus.Message)
	}
	return Result{Outcome: Unable, Detail: err.Error()}
}

// refusedByServer sorts the API server's own refusals.
func refusedByServer(code int, words string) Result {
	switch code {
	case http.StatusUnauthorized, http.StatusForbidden:
		return Result{Outcome: Forbidden, Detail: words}
	case http.StatusNotFound:
		return Result{Outcome: Gone, Detail: words}
	case http.StatusGatewayTimeout:
		return Result{Outcome: TimedOut, Detail: words}
	}
	if words == "" {
		words = fmt.Sprintf("the API server answered %d %s", code, http.StatusText(code))
	}
	return Result{Outcome: Unable, Detail: words}
}
