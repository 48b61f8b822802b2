package probe

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func status(code, reason, message, details string) string {
	return `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"` + message + `","reason":"` + reason + `",` + details + `"code":` + code + `}`
}

// The texts are those of a 1.36 API server.
func TestAnswersThroughTheProxyAreToldApart(t *testing.T) {
	reach := func(words string) string {
		return status("503", "ServiceUnavailable", "error trying to reach service: "+words, "")
	}
	for name, c := range map[string]struct {
		code int
		body string
		want Result
	}{
		"a page":                          {200, "hello", Result{Outcome: Answered, Status: 200, Detail: "HTTP 200"}},
		"the pod's own 503":               {503, "no healthy upstream", Result{Outcome: Answered, Status: 503, Detail: "HTTP 503"}},
		"a redirect":                      {302, "", Result{Outcome: Answered, Status: 302, Detail: "HTTP 302"}},
		"plain text to a Go TLS server":   {400, "Client sent an HTTP request to an HTTPS server.\n", Result{Outcome: Answered, Status: 400, Detail: "HTTP 400", TLS: true}},
		"plain text to nginx with TLS":    {400, "<center>The plain HTTP request was sent to HTTPS port</center>", Result{Outcome: Answered, Status: 400, Detail: "HTTP 400", TLS: true}},
		"refused":                         {503, reach("dial tcp 10.244.2.3:8080: connect: connection refused"), Result{Outcome: Refused, Detail: "dial tcp 10.244.2.3:8080: connect: connection refused"}},
		"no HTTP":                         {503, reach(`malformed HTTP response \"hi\"`), Result{Outcome: Answered, Detail: `malformed HTTP response "hi"`}},
		"a TLS alert":                     {503, reach(`malformed HTTP response \"\\x15\\x03\\x01\\x00\\x02\\x02\"`), Result{Outcome: Answered, TLS: true, Detail: `malformed HTTP response "\x15\x03\x01\x00\x02\x02"`}},
		"closed without a word":           {503, reach("EOF"), Result{Outcome: Answered, Detail: "EOF"}},
		"reset":                           {503, reach("read tcp 172.30.77.1:5->10.244.2.3:80: read: connection reset by peer"), Result{Outcome: Answered, Detail: "read tcp 172.30.77.1:5->10.244.2.3:80: read: connection reset by peer"}},
		"lost on the way":                 {503, reach("dial tcp 10.244.2.3:80: i/o timeout"), Result{Outcome: TimedOut, Detail: "dial tcp 10.244.2.3:80: i/o timeout"}},
		"no route":                        {503, reach("dial tcp 10.244.2.3:80: connect: no route to host"), Result{Outcome: TimedOut, Detail: "dial tcp 10.244.2.3:80: connect: no route to host"}},
		"a tunnel to the nodes is down":   {503, reach("No agent available"), Result{Outcome: Unable, Detail: "No agent available"}},
		"forbidden":                       {403, status("403", "Forbidden", `pods \"ok:80\" is forbidden: User \"x\" cannot get resource \"pods/proxy\"`, `"details":{"name":"ok:80","kind":"pods"},`), Result{Outcome: Forbidden, Detail: `pods "ok:80" is forbidden: User "x" cannot get resource "pods/proxy"`}},
		"the pod is an API server":        {403, status("403", "Forbidden", `forbidden: User \"system:anonymous\" cannot get path \"/\"`, `"details":{},`), Result{Outcome: Answered, Status: 403, Detail: "HTTP 403"}},
		"no such pod":                     {404, status("404", "NotFound", `pods \"x\" not found`, `"details":{"name":"x","kind":"pods"},`), Result{Outcome: Gone, Detail: `pods "x" not found`}},
		"an address that is not allowed":  {400, status("400", "BadRequest", "address not allowed", ""), Result{Outcome: Unable, Detail: "address not allowed"}},
		"credentials that have expired":   {401, status("401", "Unauthorized", "Unauthorized", ""), Result{Outcome: Forbidden, Detail: "Unauthorized"}},
		"an API server with much to do":   {429, status("429", "TooManyRequests", "too many requests", ""), Result{Outcome: Unable, Detail: "too many requests"}},
		"a Status that is no failure":     {200, `{"kind":"Status","status":"Success"}`, Result{Outcome: Answered, Status: 200, Detail: "HTTP 200"}},
		"JSON of another shape":           {200, `{"kind":7}`, Result{Outcome: Answered, Status: 200, Detail: "HTTP 200"}},
		"a Status with details that lie?": {503, `{"kind":"Status","status":"Failure","details":"pods"}`, Result{Outcome: Answered, Status: 503, Detail: "HTTP 503"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, judgeHTTP(c.code, []byte(c.body))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestKubeletsWordsAreToldApart(t *testing.T) {
	for words, want := range map[string]Outcome{
		`error forwarding port 80 to pod a8a2, uid : failed to execute portforward in network namespace "/run/x": failed to connect to localhost:80 inside namespace "a8a2", IPv4: dial tcp4 127.0.0.1:80: connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found `: Refused,
		`error forwarding port 80 to pod x, uid : exit status 1: 2026/01/01 socat[1] E connect(5, AF=2 127.0.0.1:80, 16): Connection refused`:                                                                                                                                                         Refused,
		`error forwarding port 80 to pod x: dial tcp4 127.0.0.1:80: i/o timeout`:             TimedOut,
		`error forwarding port 80 to pod x: could not find container "x": not found`:         Gone,
		`error forwarding port 80 to pod x: unable to do port forwarding: socat not present`: Unable,
		"\x1b[2J": Unable,
	} {
		if got := judgeForward(words); got.Outcome != want {
			t.Errorf("%q is %s, want %s", words, got.Outcome, want)
		}
	}
}

func TestToolsWordsAreToldApart(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want Outcome
	}{
		"curl gets a page":                  {"connected=0.000512 status=200\ntool=curl code=0\n", Answered},
		"curl gets no answer":               {"connected=0.000512 status=000\ncurl: (28) Operation timed out after 3000 milliseconds\ntool=curl code=28\n", Answered},
		"curl is refused":                   {"curl: (7) Failed to connect to 10.0.0.1 port 80 after 0 ms: Connection refused\nconnected=0.000000 status=000\ntool=curl code=7\n", Refused},
		"curl does not connect":             {"curl: (28) Connection timed out after 3001 milliseconds\nconnected=0.000000 status=000\ntool=curl code=28\n", TimedOut},
		"curl does not know the name":       {"curl: (6) Could not resolve host: nosuch\nconnected=0.000000 status=000\ntool=curl code=6\n", Unable},
		"busybox wget gets a page":          {"Connecting to web (10.0.0.1:80)\nsaving to '/dev/null'\n'/dev/null' saved\ntool=wget code=0\n", Answered},
		"busybox wget gets 404":             {"Connecting to web (10.0.0.1:80)\nwget: server returned error: HTTP/1.1 404 Not Found\ntool=wget code=1\n", Answered},
		"busybox wget gets no HTTP":         {"wget: error getting response\ntool=wget code=1\n", Answered},
		"busybox wget is refused":           {"wget: can't connect to remote host (10.0.0.1): Connection refused\ntool=wget code=1\n", Refused},
		"busybox wget finds no route":       {"wget: can't connect to remote host (10.0.0.1): Network is unreachable\ntool=wget code=1\n", TimedOut},
		"busybox wget does not know it":     {"wget: bad address 'nosuch:80'\ntool=wget code=1\n", Unable},
		"wget is stopped by timeout":        {"Connecting to 10.0.0.1:80\nTerminated\ntool=wget code=143\n", TimedOut},
		"GNU wget is refused":               {"Connecting to 10.0.0.1:80... failed: Connection refused.\ntool=wget code=4\n", Refused},
		"GNU wget gets 503":                 {"Connecting to 10.0.0.1:80... connected.\nHTTP request sent, awaiting response... 503 Service Unavailable\ntool=wget code=8\n", Answered},
		"nc connects":                       {"tool=nc code=0\n", Answered},
		"nc is refused":                     {"nc: can't connect to remote host (10.0.0.1): Connection refused\ntool=nc code=1\n", Refused},
		"nc says nothing":                   {"tool=nc code=1\n", TimedOut},
		"bash is refused":                   {"bash: connect: Connection refused\nbash: /dev/tcp/10.0.0.1/80: Connection refused\ntool=bash code=1\n", Refused},
		"nothing is there":                  {"tool=none code=0\n", Unable},
		"the shell wrote something else":    {"hello", Unable},
		"wget crashes":                      {"Segmentation fault\ntool=wget code=139\n", Unable},
		"the tool's line is cut":            {"tool=", Unable},
		"the server's words imitate a sign": {"tool=wget code=0\nwget: can't connect to remote host: Connection refused\ntool=wget code=1\n", Refused},
	} {
		t.Run(name, func(t *testing.T) {
			if got := judgeDial(c.text); got.Outcome != c.want {
				t.Errorf("%s, want %s (%s)", got.Outcome, c.want, got.Detail)
			}
		})
	}
}
