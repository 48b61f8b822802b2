package cli

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"

	"github.com/leadsman-dev/leadsman/pkg/term"
)

// clock is the cluster's. What objects say of time is written by it, so that how
// long something lasts is measured by it too, however this machine's is set.
type clock struct {
	own     func() time.Time
	ahead   atomic.Int64 // by how many nanoseconds the cluster's is ahead
	known   atomic.Bool  // it was compared: it does not jump again
	differs func(string)
}

// agree is by how much the clocks may differ and count as one: the header has
// whole seconds, and answers take their time.
const agree = 3 * time.Second

// Now is the cluster's time as far as that is known.
func (c *clock) Now() time.Time { return c.own().Add(time.Duration(c.ahead.Load())) }

// heard compares the clocks by the header Date of an answer. One that took long,
// or came out of a cache, tells nothing.
func (c *clock) heard(sent time.Time, answer *http.Response) {
	date, err := http.ParseTime(answer.Header.Get("Date"))
	received := c.own()
	if err != nil || answer.Header.Get("Age") != "" || received.Sub(sent) > agree || !c.known.CompareAndSwap(false, true) {
		return
	}
	middle := sent.Add(received.Sub(sent) / 2)
	ahead := date.Add(time.Second / 2).Sub(middle)
	if ahead.Abs() <= agree {
		return
	}
	c.ahead.Store(int64(ahead))
	side := "behind"
	if ahead < 0 {
		side = "ahead of"
	}
	c.differs(fmt.Sprintf("the clock of this machine is %s %s the cluster's; what is said of time goes by the cluster's", ahead.Abs().Round(time.Second), side))
}

// listening is the access to a cluster whose answers set the clock.
type listening struct {
	genericclioptions.RESTClientGetter
	clock *clock
}

// ToRESTConfig is the configuration with an ear for the answers' time.
func (l listening) ToRESTConfig() (*rest.Config, error) {
	config, err := l.RESTClientGetter.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return ear{next, l.clock} })
	return config, nil
}

type ear struct {
	next  http.RoundTripper
	clock *clock
}

func (e ear) RoundTrip(request *http.Request) (*http.Response, error) {
	if e.clock.known.Load() {
		return e.next.RoundTrip(request)
	}
	sent := e.clock.own()
	answer, err := e.next.RoundTrip(request)
	if err == nil {
		e.clock.heard(sent, answer)
	}
	return answer, err
}

// clusterClock goes by this machine's until the cluster answers.
func (e *Env) clusterClock() *clock {
	return &clock{own: e.Now, differs: func(text string) {
		fmt.Fprintf(e.Streams.Err, "Warning: %s\n", term.Escape(text))
	}}
}
