package act

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// statusOf reads the server's refusal. A proxy may answer in its own words.
func statusOf(code int, body []byte) metav1.Status {
	var status metav1.Status
	if json.Unmarshal(body, &status) != nil || status.Kind != "Status" {
		status = metav1.Status{Message: strings.Join(strings.Fields(string(body[:min(len(body), 300)])), " ")}
	}
	if status.Message == "" {
		status.Message = fmt.Sprintf("%d %s", code, http.StatusText(code))
	}
	return status
}

// refusal sorts what the server answered instead of doing it. The words are
// the server's where they say more than ours could.
func (r request) refusal(kind source.Kind, code int, status metav1.Status) error {
	words := status.Message
	because := func(reason error) error { return fmt.Errorf("%s: %w: %s", r.ref.Arg(), reason, words) }
	switch {
	case code == http.StatusConflict && r.method != "POST":
		return because(ErrMoved)
	case r.failedTest(code, status):
		words = "it is no longer at the version that was looked at"
		return because(ErrMoved)
	case code == http.StatusNotFound && status.Details != nil && status.Details.Name == r.ref.Name:
		if r.method == "GET" {
			return because(ErrMissing)
		}
		words = "it is gone"
		return because(ErrMoved)
	case code == http.StatusForbidden && byRBAC(words):
		where := " in the whole cluster"
		if kind.Namespaced {
			where = " in namespace " + r.ref.Namespace
		}
		return fmt.Errorf("%s: %w: it needs the permission \"%s %s\"%s", r.ref.Arg(), ErrForbidden, r.verb, kind.Title(), where)
	case code == http.StatusUnauthorized:
		return fmt.Errorf("%s: %w: the cluster does not accept your credentials (401 Unauthorized)", r.ref.Arg(), ErrForbidden)
	case code >= 500 && strings.Contains(words, "failed calling webhook"): // which comes before the write
		return because(ErrRefused)
	case code >= 500 && r.writes():
		return r.unsure(words)
	case code == http.StatusTooManyRequests, code >= 500:
		return because(ErrAway)
	}
	return because(ErrRefused)
}

// failedTest says whether a test within a JSON patch failed. The server says of
// that no more than that the patch could not be carried out, and names neither
// the object nor a field, as it does of what is not valid (apiserver
// pkg/endpoints/handlers/patch.go, applyJSPatch). Its paths exist in every
// object of the kind, so that nothing but a test can fail.
func (r request) failedTest(code int, status metav1.Status) bool {
	if code != http.StatusUnprocessableEntity || r.media != string(types.JSONPatchType) {
		return false
	}
	d := status.Details
	return d == nil || d.Name == "" && !slices.ContainsFunc(d.Causes, func(c metav1.StatusCause) bool { return c.Field != "" })
}

// byRBAC tells a missing permission from a refusal by admission, such as of a
// quota, which has the same code (apiserver
// pkg/endpoints/handlers/responsewriters, forbiddenMessage).
func byRBAC(words string) bool {
	return strings.Contains(words, ": User \"") && strings.Contains(words, " cannot ")
}

// unanswered sorts a request that got no answer. One that was never sent
// changed nothing; of another it is not known.
func (r request) unanswered(ctx context.Context, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	words := strings.Join(strings.Fields(err.Error()), " ")
	if ctx.Err() != nil {
		words = "no answer in time"
		if errors.Is(ctx.Err(), context.Canceled) {
			words = "interrupted"
		}
	}
	if r.writes() && !utilnet.IsConnectionRefused(err) {
		return r.unsure(words)
	}
	return fmt.Errorf("%s: %w: %s", r.ref.Arg(), ErrAway, words)
}

func (r request) unsure(words string) error {
	get := finding.Kubectl(r.ref.Namespace, "get", r.ref.Arg(), "-o", "yaml")
	return fmt.Errorf("%s: %w (%s): look with: %s", r.ref.Arg(), ErrUnsure, words, get)
}
