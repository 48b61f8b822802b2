package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Load is a stream of GET requests at a steady rate.
type Load struct {
	// Target is a URL, asked from this machine, or svc/[SCHEME:]NAME[:PORT][/PATH],
	// asked through the API server. It sends each request to one of the Service's
	// ready pods by itself: what kube-proxy, a load balancer or a mesh do to
	// clients is seen by a URL alone.
	Target    string
	Namespace string        // of a Service
	Rate      float64       // a second; 0 is 10
	Timeout   time.Duration // of one request; 0 is 5 s
	Insecure  bool          // do not verify the certificate of an https URL
	KeepAlive bool          // use a URL's connections again, as browsers do; new ones see more of what can fail
}

// Sample is how one request of a Load went.
type Sample struct {
	Target  string
	At      time.Time     // when it was due
	Latency time.Duration // since then
	Outcome string
	Words   string // why it failed or was not asked; strangers' text
}

// The outcomes of a Sample.
const (
	SampleOK      = "ok"      // any answer with a status below 500
	SampleFailed  = "failed"  // no answer, a broken one, none in time, or a status of 500 and above
	SampleUnasked = "unasked" // the question did not get through to the Service: it says nothing about it
)

const (
	usualRate    = 10
	mostRate     = 1000
	usualTimeout = 5 * time.Second
	longestWords = 300
	// latest a request may be sent and still count from when it was due: what
	// is missed by more, as by a machine that slept, is not made up for.
	latestStart = time.Second
)

// Load sends requests until ctx ends, each when it is due, whether or not
// earlier ones have been answered: a slow answer must not hide what those who
// wait behind it would have seen (coordinated omission). Samples are delivered
// one at a time, in the order in which they end; those that ctx cuts off are
// not. The error is of a Load that cannot be sent.
func (p *Prober) Load(ctx context.Context, l Load, deliver func(Sample)) error {
	l, ask, err := p.prepare(l)
	if err != nil {
		return err
	}
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		room   = make(chan struct{}, int(math.Ceil(l.Rate*l.Timeout.Seconds()))+atOnce)
		finish = func(due time.Time, outcome, words string) {
			mu.Lock()
			defer mu.Unlock()
			if ctx.Err() == nil {
				deliver(Sample{Target: l.Target, At: due, Latency: time.Since(due), Outcome: outcome, Words: short(words)})
			}
		}
	)
	defer wg.Wait()
	every := time.Duration(float64(time.Second) / l.Rate)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for due := time.Now(); ; due = due.Add(every) {
		timer.Reset(time.Until(due))
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if late := time.Since(due); late > latestStart {
			finish(due, SampleUnasked, fmt.Sprintf("this machine sent nothing for %s", late.Round(time.Millisecond)))
			due = time.Now()
		}
		select {
		case room <- struct{}{}:
		default:
			finish(due, SampleUnasked, "too many requests wait for an answer")
			continue
		}
		wg.Go(func() {
			defer func() { <-room }()
			asking, cancel := context.WithTimeout(ctx, l.Timeout)
			defer cancel()
			outcome, words := ask(asking)
			finish(due, outcome, words)
		})
	}
}

// prepare fills in what was left open and finds how to ask.
func (p *Prober) prepare(l Load) (Load, func(context.Context) (outcome, words string), error) {
	if l.Rate == 0 {
		l.Rate = usualRate
	}
	if l.Timeout == 0 {
		l.Timeout = usualTimeout
	}
	if !(l.Rate > 0 && l.Rate <= mostRate) || l.Timeout < 0 {
		return l, nil, fmt.Errorf("cannot send %g requests a second within %s each: give a rate above 0 and up to %d", l.Rate, l.Timeout, mostRate)
	}
	if s, ok, err := parseServiceTarget(l.Target); err != nil {
		return l, nil, err
	} else if ok {
		return l, func(ctx context.Context) (string, string) { return p.askService(ctx, l.Namespace, s) }, nil
	}
	u, err := url.Parse(l.Target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return l, nil, fmt.Errorf("%q is neither a URL such as https://shop.example.com/healthz nor a Service such as svc/web:80/healthz", l.Target)
	}
	client := directClient(l)
	return l, func(ctx context.Context) (string, string) { return askURL(ctx, client, u.String()) }, nil
}

// directClient goes straight to the URL's host, by no proxy: whose answer it is
// must be certain. A redirect is an answer.
func directClient(l Load) *http.Client {
	dialer := &net.Dialer{Timeout: l.Timeout}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, DisableKeepAlives: !l.KeepAlive, TLSHandshakeTimeout: l.Timeout,
			MaxIdleConnsPerHost: atOnce, IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: l.KeepAlive,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: l.Insecure},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func askURL(ctx context.Context, client *http.Client, target string) (outcome, words string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return SampleUnasked, err.Error()
	}
	code, _, err := answer(client, req)
	switch {
	case err != nil:
		return SampleFailed, requestWords(ctx, err)
	case code >= http.StatusInternalServerError:
		return SampleFailed, statusWords(code)
	}
	return SampleOK, ""
}

// answer sends a request and reads its answer, to the end or as far as is
// worth while: one that breaks off is none.
func answer(client *http.Client, req *http.Request) (code int, body []byte, err error) {
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, mostBytes))
	if err != nil {
		return resp.StatusCode, body, fmt.Errorf("the answer (%s) broke off: %w", statusWords(resp.StatusCode), err)
	}
	return resp.StatusCode, body, nil
}

func requestWords(ctx context.Context, err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // the target is told beside it
	}
	var slow net.Error
	if ctx.Err() != nil || errors.As(err, &slow) && slow.Timeout() {
		return "no answer in time"
	}
	return err.Error()
}

func statusWords(code int) string {
	if text := http.StatusText(code); text != "" {
		return fmt.Sprintf("HTTP %d %s", code, text)
	}
	return fmt.Sprintf("HTTP %d", code)
}

// short bounds strangers' words, without cutting a character.
func short(words string) string {
	if len(words) <= longestWords {
		return words
	}
	for i := range words {
		if i > longestWords {
			return words[:i] + "…"
		}
	}
	return words
}
