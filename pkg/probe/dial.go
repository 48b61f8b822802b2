package probe

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// connect is run by the client's shell: it tries the tools that images have,
// and says which one it was. $1 is the host, $2 the port, $3 seconds, $4 the
// host as URLs write it.
const connect = `
limit="timeout $3"
$limit true >/dev/null 2>&1 || limit=
if command -v curl >/dev/null 2>&1; then
  curl -sS -g -o /dev/null --noproxy '*' --connect-timeout "$3" -m "$3" -w 'connected=%{time_connect} status=%{http_code}\n' "http://$4:$2/" 2>&1; echo "tool=curl code=$?"
elif command -v wget >/dev/null 2>&1; then
  http_proxy= $limit wget -O /dev/null "http://$4:$2/" 2>&1; echo "tool=wget code=$?"
elif command -v nc >/dev/null 2>&1; then
  $limit nc -w "$3" "$1" "$2" </dev/null 2>&1 >/dev/null; echo "tool=nc code=$?"
elif command -v bash >/dev/null 2>&1; then
  $limit bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1; echo "tool=bash code=$?"
else
  echo "tool=none code=0"
fi`

// Dial connects from inside a pod with what its image has (curl, wget, nc,
// bash): the real path, through the Service, the CNI and its policies. host is
// an IP or a name as the pod would write it.
func (p *Prober) Dial(ctx context.Context, from Container, host string, port int) Result {
	seconds := 3
	if deadline, ok := ctx.Deadline(); ok {
		seconds = max(1, int(time.Until(deadline)/time.Second)-1)
	}
	inURL := host
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() {
		inURL = "[" + host + "]"
	}
	out, err := p.exec(ctx, from, "sh", "-c", connect, "sh", host, strconv.Itoa(port), strconv.Itoa(seconds), inURL)
	if err != nil {
		return execFailed(err)
	}
	return judgeDial(out.stdout)
}

// judgeDial reads what the tool wrote.
func judgeDial(text string) Result {
	at := strings.LastIndex(text, "tool=")
	if at < 0 {
		return Result{Outcome: Unable, Detail: "the image has no shell"}
	}
	words := strings.TrimSpace(text[:at])
	tool, number, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text[at:]), "tool="), " code=")
	code, err := strconv.Atoi(number)
	if err != nil || tool == "none" {
		return Result{Outcome: Unable, Detail: "the image has neither curl, wget, nc nor bash"}
	}
	r := Result{Outcome: toolOutcome(tool, code, words), Detail: lastLine(tool, words)}
	if code == 0 {
		r.Detail = tool + " connects"
	}
	if tool == "curl" {
		_, rest, _ := strings.Cut(words, "status=")
		r.Status, _ = strconv.Atoi(strings.TrimSpace(rest))
	}
	return r
}

func toolOutcome(tool string, code int, words string) Outcome {
	lower := strings.ToLower(words)
	switch {
	case tool == "curl" && strings.Contains(words, "connected=0.") && !strings.Contains(words, "connected=0.000000"):
		return Answered // even where no answer followed
	case code == 0:
		return Answered
	case strings.Contains(lower, "refused"):
		return Refused
	case strings.Contains(lower, "bad address"), strings.Contains(lower, "resolve"), strings.Contains(lower, "unknown host"), strings.Contains(lower, "name or service not known"):
		return Unable // it has no address for the name: a question for trace-dns
	case strings.Contains(lower, "timed out"), strings.Contains(lower, "timeout"), strings.Contains(lower, "unreachable"), strings.Contains(lower, "no route"),
		code == 124 || code == 143, tool == "curl" && code == 28: // 124 and 143 are timeout's
		return TimedOut
	case tool == "wget" && connectedByWget(lower):
		return Answered
	case tool == "curl" && code != 7 && code != 6:
		return Answered // the protocol failed, not the connection
	case tool == "nc" && lower == "":
		return TimedOut // it says nothing, not even "refused"
	}
	return Unable
}

// connectedByWget knows what busybox and GNU wget say of a server that is there
// and does not answer with a page.
func connectedByWget(lower string) bool {
	for _, sign := range []string{"server returned error", "error getting response", "bad header", "short read", "error 4", "error 5", "connected.", "reset by peer"} {
		if strings.Contains(lower, sign) {
			return true
		}
	}
	return false
}

// lastLine is what the tool said in the end, without the numbers asked of curl.
func lastLine(tool, words string) string {
	lines := strings.Split(words, "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if line := strings.TrimSpace(lines[i]); line != "" && !strings.HasPrefix(line, "connected=") {
			return tool + ": " + strings.TrimPrefix(line, tool+": ")
		}
	}
	return tool
}
