package live

import (
	"bytes"
	"context"
	"net/url"
	"strconv"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

const maxLog = 64 << 10 // bytes

// noLog is what the kubelet answers, with status 200, when the runtime has
// already removed the container (pkg/kubelet/kuberuntime, GetContainerLogs).
const noLog = "unable to retrieve container logs for "

// Log implements source.Source. It reads the pod by name: that the UID is
// still the same is the caller's word. That a container has no previous
// instance is a gap too, in the server's words, since the kubelet may have
// removed it.
func (s *Source) Log(ctx context.Context, q source.LogQuery) (string, *source.Gap) {
	path := pathOf(source.Kind{Version: "v1", Resource: "pods", Namespaced: true}, q.Namespace) + "/" + url.PathEscape(q.Pod) + "/log"
	params := url.Values{"container": {q.Container}, "limitBytes": {strconv.Itoa(maxLog)}}
	if q.Previous {
		params.Set("previous", "true")
	}
	for lines := max(q.Lines, 1); ; lines /= 4 {
		params.Set("tailLines", strconv.Itoa(lines))
		body, err := s.fetch(ctx, path, params, "*/*")
		if err != nil {
			return "", s.logGap(ctx, q, err)
		}
		// The kubelet counts the bytes from the first of the lines, so that
		// the limit cuts off the end: ask for fewer lines.
		if bytes.HasPrefix(body, []byte(noLog)) {
			return "", &source.Gap{Resource: "pods/log", Namespace: q.Namespace, Name: q.Pod, Reason: source.ServerError, Detail: string(body[:min(len(body), 200)])}
		}
		if len(body) < maxLog || lines < 4 {
			return string(body[:min(len(body), maxLog)]), nil
		}
	}
}

func (s *Source) logGap(ctx context.Context, q source.LogQuery, err error) *source.Gap {
	gap := &source.Gap{Resource: "pods/log", Namespace: q.Namespace, Name: q.Pod}
	reason, detail, fatal := s.reasonFor(ctx, err, false)
	if fatal != nil {
		reason, detail = source.ServerError, fatal.Error()
	}
	if reason == source.NotServed { // the pod is gone
		reason = source.ServerError
	}
	gap.Reason, gap.Detail = reason, detail
	return gap
}
