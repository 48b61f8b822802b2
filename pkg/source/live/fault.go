package live

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// errMalformed marks an answer that could not be decoded.
var errMalformed = errors.New("the answer could not be decoded")

// webPage is the status of an answer that is a page for people. An API server
// never gives one where objects are asked for; proxies and login pages do.
type webPage struct{ status string }

func (p webPage) Error() string { return "with a web page (" + p.status + ")" }

// reasonFor sorts a failed read into a gap's reason and detail, or into an
// error where nothing is left to judge: the end of the caller's ctx, no
// connection, no credentials.
func (s *Source) reasonFor(ctx context.Context, err error, custom bool) (source.Reason, string, error) {
	if ctx.Err() != nil {
		return "", "", ctx.Err()
	}
	if s.conn == nil {
		return "", "", err // the kubeconfig, already in a sentence
	}
	if errors.As(err, new(unreachable)) && !(errors.Is(err, context.DeadlineExceeded) && s.answered.Load()) { // the time may have been spent on tries before
		return "", "", s.unreachableError(err)
	}
	if errors.As(err, new(webPage)) && !custom {
		return "", "", fmt.Errorf("the cluster at %s answers %w, not as an API server does: log in where a proxy asks for it, or check the cluster's server address in the kubeconfig", s.conn.base.Redacted(), err)
	}
	if errors.Is(err, context.DeadlineExceeded) && !s.answered.Load() {
		return "", "", fmt.Errorf("cannot reach the cluster at %s: no answer within %s; check %q, allow more time with --request-timeout, or read a dump with --snapshot", s.conn.base.Redacted(), s.conn.timeout, "kubectl config current-context")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return source.TimedOut, fmt.Sprintf("no answer within %s", s.conn.timeout), nil
	}
	if errors.Is(err, errMalformed) {
		return source.Malformed, err.Error(), nil
	}
	var status *apierrors.StatusError
	if !errors.As(err, &status) {
		return source.ServerError, bare(err).Error(), nil
	}
	words := status.ErrStatus.Message
	switch status.ErrStatus.Code {
	case http.StatusUnauthorized:
		// An extension API server may refuse alone; the API server itself
		// refuses everything.
		if !custom {
			return "", "", fmt.Errorf("the cluster at %s does not accept your credentials (401 Unauthorized): log in again, or check the user of %q", s.conn.base.Redacted(), "kubectl config current-context")
		}
		return source.Forbidden, words, nil
	case http.StatusForbidden:
		return source.Forbidden, words, nil
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return source.NotServed, words, nil
	case http.StatusGatewayTimeout:
		return source.TimedOut, words, nil
	}
	return source.ServerError, words, nil
}

// unreachableError says in one sentence why there is no cluster, and what to do.
func (s *Source) unreachableError(err error) error {
	cause, hint := s.causeOf(err)
	return fmt.Errorf("cannot reach the cluster at %s: %s; %s, or read a dump with --snapshot", s.conn.base.Redacted(), cause, hint)
}

func (s *Source) causeOf(err error) (cause, hint string) {
	hint = `check "kubectl config current-context"`
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var timeout net.Error
	switch {
	case utilnet.IsConnectionRefused(err) && s.conn.base.Host == "localhost:8080":
		return "connection refused (this is the default when no cluster is configured)", "set KUBECONFIG or --kubeconfig"
	case utilnet.IsConnectionRefused(err):
		return "connection refused", hint
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("no such host %q", dns.Name), hint
	case errors.As(err, &cert):
		return "its certificate is not trusted: " + cert.Err.Error(), "check the cluster's certificate-authority in the kubeconfig"
	case errors.As(err, &record):
		return "it does not speak TLS: " + record.Error(), "check the cluster's server address in the kubeconfig"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("no connection within %s", s.conn.timeout), hint
	}
	return strings.Join(strings.Fields(bare(err).Error()), " "), hint
}

// bare strips http.Client's `Get "https://…":` from an error.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
