package probe

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Said is what a file or a program in a pod said.
type Said struct {
	Text string
	Code int
	Err  string // why it said nothing: then Text proves nothing
}

// Resolver is how a container resolves names.
type Resolver struct {
	Conf  Said   // /etc/resolv.conf
	Hosts Said   // /etc/hosts
	Libc  string // "glibc", "musl", or "" where it could not be told
	Why   string // the file that tells
}

// The parts are marked by lines that no such file has.
const (
	hostsMark = "=leadsman:hosts="
	libcMark  = "=leadsman:libc="

	lookupMark = "=leadsman:lookup="
)

// lookAround prints the two files and the C libraries of the container. What
// the dynamic loader is called is part of each libc's ABI.
const lookAround = `cat /etc/resolv.conf; c=$?; echo; echo ` + hostsMark + `$c
cat /etc/hosts; c=$?; echo; echo ` + libcMark + `$c
for f in /lib/ld-musl-* /lib/ld-linux* /lib64/ld-linux* /lib/*/ld-linux* /usr/lib/*/ld-linux* /lib/libc.so.6 /lib64/libc.so.6; do
  [ -e "$f" ] && echo "$f"
done
exit 0`

// Resolver reads how a container resolves names, with one exec.
func (p *Prober) Resolver(ctx context.Context, in Container) (Resolver, Result) {
	out, err := p.exec(ctx, in, "sh", "-c", lookAround)
	if err != nil {
		r := execFailed(err)
		return Resolver{Conf: Said{Err: r.Detail}, Hosts: Said{Err: r.Detail}}, r
	}
	if noShell(out) {
		const why = "the image has no shell or tools"
		return Resolver{Conf: Said{Err: why}, Hosts: Said{Err: why}}, Result{Outcome: Unable, Detail: why}
	}
	return parseResolver(out.stdout), Result{Outcome: Answered}
}

// noShell knows runtimes that report a missing program by its exit code.
func noShell(out output) bool {
	return (out.code == 126 || out.code == 127) && out.stdout == "" || out.stdout == "" && noSuchProgram(out.stderr)
}

func parseResolver(text string) Resolver {
	conf, rest := cutMark(text, hostsMark)
	hosts, libs := cutMark(rest, libcMark)
	r := Resolver{Conf: conf, Hosts: hosts}
	for _, file := range strings.Fields(libs) {
		switch {
		case strings.Contains(file, "/ld-musl-"):
			r.Libc, r.Why = "musl", file+" is there"
			return r
		case r.Libc == "" && (strings.Contains(file, "/ld-linux") || strings.HasSuffix(file, "/libc.so.6")):
			r.Libc, r.Why = "glibc", file+" is there"
		}
	}
	return r
}

// cutLast splits at the last line that is the mark.
func cutLast(text, mark string) (before, after string) {
	if at := strings.LastIndex(text, "\n"+mark+"\n"); at >= 0 {
		return text[:at], text[at+len(mark)+2:]
	}
	return text, ""
}

// cutMark splits at the last line that begins with the mark: what stands
// before it is the file, whose exit code follows the mark.
func cutMark(text, mark string) (Said, string) {
	at := strings.LastIndex(text, "\n"+mark)
	if at < 0 {
		return Said{Err: "it could not be read to its end"}, text
	}
	code, rest, _ := strings.Cut(text[at+1+len(mark):], "\n")
	if code != "0" {
		return Said{Err: "cat cannot read it"}, rest
	}
	return Said{Text: text[:at]}, rest
}

// lookup asks the container's own libc; where its image has no getent, its
// nslookup, which is none; or it says that there is no such program.
const lookup = `limit="timeout $2"
$limit true >/dev/null 2>&1 || limit=
if command -v getent >/dev/null 2>&1; then
  $limit getent ahosts "$1" 2>&1; echo "=leadsman:getent=$?"
elif command -v nslookup >/dev/null 2>&1; then
  $limit nslookup "$1" 2>&1; echo "=leadsman:nslookup=$?"
else
  echo =leadsman:none=
fi
exit 0`

// Lookup resolves a name as the container's programs do (getent ahosts: A and
// AAAA by its libc, /etc/hosts and nsswitch.conf), or with its nslookup. What
// was not run says why.
func (p *Prober) Lookup(ctx context.Context, in Container, name string) (getent, nslookup Said) {
	seconds := 5
	if deadline, ok := ctx.Deadline(); ok {
		seconds = max(1, int(time.Until(deadline)/time.Second)-1)
	}
	out, err := p.exec(ctx, in, "sh", "-c", lookup, "sh", name, strconv.Itoa(seconds))
	switch {
	case err != nil:
		return neither(execFailed(err).Detail)
	case noShell(out):
		return neither("the image has no shell or tools")
	}
	return parseLookup(out.stdout)
}

func neither(why string) (getent, nslookup Said) { return Said{Err: why}, Said{Err: why} }

func parseLookup(text string) (getent, nslookup Said) {
	if strings.Contains(text, "=leadsman:none=") {
		return neither("the image has neither getent nor nslookup")
	}
	found := lookupCode.FindStringSubmatchIndex(text)
	if found == nil {
		return neither("the lookup did not end")
	}
	said := Said{Text: text[:found[0]], Code: number(text[found[4]:found[5]])}
	if text[found[2]:found[3]] == "nslookup" {
		return Said{Err: "the image has no getent"}, said
	}
	return said, Said{Err: "getent was run"}
}

var lookupCode = regexp.MustCompile(`=leadsman:(getent|nslookup)=(\d{1,3})\s*$`)

func number(digits string) int {
	n := 0
	for _, d := range digits {
		n = n*10 + int(d-'0')
	}
	return n
}
