package live

import (
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// connection is what the first question sets up.
type connection struct {
	base    *url.URL
	http    *http.Client
	timeout time.Duration // of a request with its retries
}

func (s *Source) connect() (*connection, error) {
	s.connectOnce.Do(func() { s.conn, s.connectErr = s.newConnection() })
	return s.conn, s.connectErr
}

func (s *Source) newConnection() (*connection, error) {
	config, err := s.getter.ToRESTConfig()
	if err != nil {
		return nil, configError(err)
	}
	config = rest.CopyConfig(config)
	timeout := cmp.Or(config.Timeout, s.opts.RequestTimeout, defaultTimeout)
	config.Timeout = 0 // of http.Client, it would cut watches short
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, configError(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, configError(err)
	}
	transport := client.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &connection{
		base: base, timeout: timeout,
		http: &http.Client{
			Transport:     &meter{next: transport, requests: &s.requests, bytes: &s.bytes, answered: &s.answered, gzip: !config.DisableCompression},
			CheckRedirect: client.CheckRedirect,
		},
	}, nil
}

func configError(err error) error {
	if clientcmd.IsEmptyConfig(err) {
		return fmt.Errorf("no cluster is configured: set KUBECONFIG or --kubeconfig, or read a dump with --snapshot")
	}
	text := strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "invalid configuration: ")
	return fmt.Errorf("the kubeconfig cannot be used: %s; see: kubectl config get-contexts", text)
}

// meter counts requests and the bytes of their answers. It asks for gzip
// itself, as http.Transport would, so that it sees the bytes before they are
// inflated. The server compresses only answers above 128 KiB (apiserver
// pkg/endpoints/handlers/responsewriters), where it pays on any but a local
// cluster; kubectl's --disable-compression turns it off.
type meter struct {
	next     http.RoundTripper
	requests *atomic.Int64
	bytes    *atomic.Int64
	answered *atomic.Bool
	gzip     bool
}

// RoundTrip implements http.RoundTripper.
func (m *meter) RoundTrip(req *http.Request) (*http.Response, error) {
	m.requests.Add(1)
	ours := m.gzip && req.Header.Get("Accept-Encoding") == "" && req.URL.Query().Get("watch") == ""
	if ours {
		req = req.Clone(req.Context())
		req.Header.Set("Accept-Encoding", "gzip")
	}
	resp, err := m.next.RoundTrip(req)
	if err == nil {
		m.answered.Store(true)
	}
	if err != nil || resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, err
	}
	if resp.Header.Get("X-From-Cache") == "" { // httpcache: the body is on disk
		resp.Body = &countedBody{ReadCloser: resp.Body, bytes: m.bytes}
	}
	if ours && strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		resp.Body = &inflatedBody{wire: resp.Body}
		resp.Header.Del("Content-Encoding")
		resp.Header.Del("Content-Length")
		resp.ContentLength, resp.Uncompressed = -1, true
	}
	return resp, nil
}

// WrappedRoundTripper implements utilnet.RoundTripperWrapper.
func (m *meter) WrappedRoundTripper() http.RoundTripper { return m.next }

var _ utilnet.RoundTripperWrapper = (*meter)(nil)

type countedBody struct {
	io.ReadCloser
	bytes *atomic.Int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.bytes.Add(int64(n))
	return n, err
}

// inflatedBody starts to read with the first Read, since a gzip.Reader wants
// its header at once.
type inflatedBody struct {
	wire io.ReadCloser
	gz   *gzip.Reader
	err  error
}

func (b *inflatedBody) Read(p []byte) (int, error) {
	if b.gz == nil && b.err == nil {
		if b.gz, b.err = gzip.NewReader(b.wire); errors.Is(b.err, io.EOF) {
			b.err = io.ErrUnexpectedEOF
		}
	}
	if b.err != nil {
		return 0, b.err
	}
	return b.gz.Read(p)
}

func (b *inflatedBody) Close() error { return b.wire.Close() }
