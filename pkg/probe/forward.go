package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// Forward asks the kubelet to connect to localhost inside the pod
// (pods/portforward): it bypasses Services, the CNI and policies. TCP only.
// Nothing is sent; the connection is closed as soon as it stands.
func (p *Prober) Forward(ctx context.Context, t Target) Result {
	c, err := p.once()
	if err != nil {
		return failed(err)
	}
	r, err := within(ctx, func() (Result, error) { return p.forward(ctx, c, t) })
	if err != nil {
		return failed(err)
	}
	return r
}

func (p *Prober) forward(ctx context.Context, c *client, t Target) (Result, error) {
	dialer, err := forwardDialer(c.config, t)
	if err != nil {
		return Result{}, err
	}
	p.requests.Add(1)
	conn, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
	if err != nil {
		return judgeUpgrade(err), nil
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	return knock(conn, t.Port)
}

// forwardDialer is kubectl's (kubectl pkg/cmd/portforward): WebSocket, and SPDY
// where a server or a proxy on the way does not know that.
func forwardDialer(config *rest.Config, t Target) (httpstream.Dialer, error) {
	target, err := subresource(config, t.Namespace, t.Pod, "portforward", nil)
	if err != nil {
		return nil, err
	}
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	old := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, target)
	tunnel, err := portforward.NewSPDYOverWebsocketDialerForStreaming(target, config)
	if err != nil {
		return nil, err
	}
	return portforward.NewFallbackDialerForStreaming(tunnel, old, notUpgraded), nil
}

func notUpgraded(err error) bool {
	return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
}

// knock opens the pair of streams of one forwarded connection and closes its
// sending half. A kubelet that cannot connect writes why to the error stream;
// one that can ends both streams in silence.
func knock(conn httpstream.Connection, port int) (Result, error) {
	headers := http.Header{}
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	headers.Set(corev1.PortHeader, strconv.Itoa(port))
	headers.Set(corev1.PortForwardRequestIDHeader, "0")
	faults, err := conn.CreateStream(headers)
	if err != nil {
		return Result{}, err
	}
	if err := faults.Close(); err != nil {
		return Result{}, err
	}
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := conn.CreateStream(headers)
	if err != nil {
		return Result{}, err
	}
	if err := data.Close(); err != nil {
		return Result{}, err
	}
	spoke := make(chan struct{})
	go func() {
		var first [1]byte
		if n, _ := data.Read(first[:]); n > 0 {
			close(spoke)
		}
	}()
	return awaitVerdict(faults, spoke)
}

// awaitVerdict waits for the first sign: words of failure, a clean end, or data.
func awaitVerdict(faults io.Reader, spoke <-chan struct{}) (Result, error) {
	type ending struct {
		words []byte
		err   error
	}
	ended := make(chan ending, 1)
	go func() {
		words, err := io.ReadAll(io.LimitReader(faults, mostBytes))
		ended <- ending{words, err}
	}()
	select {
	case <-spoke:
		return Result{Outcome: Answered, Detail: "it connects, and the server speaks first"}, nil
	case e := <-ended:
		if len(e.words) > 0 {
			return judgeForward(string(e.words)), nil
		}
		if e.err != nil {
			return Result{}, fmt.Errorf("the connection to the pod broke: %w", e.err)
		}
		return Result{Outcome: Answered, Detail: "it connects"}, nil
	}
}

// judgeForward sorts the words of the container runtime, each of which has its
// own: containerd "dial tcp4 127.0.0.1:80: connect: connection refused", CRI-O
// and socat "Connection refused".
func judgeForward(words string) Result {
	r := Result{Outcome: Unable, Detail: strings.TrimSpace(words)}
	lower := strings.ToLower(words)
	switch {
	case strings.Contains(lower, "connection refused"):
		r.Outcome, r.Detail = Refused, "connection refused on localhost inside the pod"
	case strings.Contains(lower, "timeout"), strings.Contains(lower, "timed out"):
		r.Outcome = TimedOut
	case strings.Contains(lower, "not found"), strings.Contains(lower, "not running"):
		r.Outcome = Gone
	}
	return r
}

// judgeUpgrade sorts a refusal to open the connection at all: the API server's,
// whose words the dialers keep only as text.
func judgeUpgrade(err error) Result {
	words := err.Error()
	lower := strings.ToLower(words)
	r := failed(err)
	switch {
	case r.Outcome != Unable:
	case strings.Contains(lower, "forbidden"), strings.Contains(lower, "unauthorized"):
		r.Outcome = Forbidden
	case strings.Contains(lower, "not found"), strings.Contains(lower, "not running"), strings.Contains(lower, "current phase is"):
		r.Outcome = Gone
	}
	var upgrade *httpstream.UpgradeFailureError
	if errors.As(err, &upgrade) && upgrade.Cause != nil {
		r.Detail = upgrade.Cause.Error()
	}
	return r
}

// subresource is the URL of a pod's subresource.
func subresource(config *rest.Config, namespace, pod, name string, query url.Values) (*url.URL, error) {
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, err
	}
	u := base.JoinPath("api", "v1", "namespaces", namespace, "pods", pod, name)
	u.RawQuery = query.Encode()
	return u, nil
}
