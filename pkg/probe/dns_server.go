package probe

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Page is what a pod answered to a GET through the API server (pods/proxy).
type Page struct {
	Status int
	Body   string
}

// mostPage is room for the metrics of a large DNS server.
const mostPage = 1 << 20

// Get asks a pod's HTTP server for a page. The Result is Answered where the
// pod itself answered, whatever its status.
func (p *Prober) Get(ctx context.Context, t Target, path string) (Page, Result) {
	return p.page(ctx, fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:%d/proxy%s", url.PathEscape(t.Namespace), url.PathEscape(t.Pod), t.Port, path), mostPage, judgeHTTP)
}

// Configz reads the configuration of a node's kubelet (nodes/proxy).
func (p *Prober) Configz(ctx context.Context, node string) (Page, Result) {
	return p.page(ctx, "/api/v1/nodes/"+url.PathEscape(node)+"/proxy/configz", mostPage, judgeAPI)
}

// LogHead reads the beginning of a container's log, where programs say how
// they were started.
func (p *Prober) LogHead(ctx context.Context, in Container) (Page, Result) {
	return p.log(ctx, in, url.Values{"limitBytes": {strconv.Itoa(logPart)}})
}

// LogTail reads the last lines of a container's log.
func (p *Prober) LogTail(ctx context.Context, in Container, lines int) (Page, Result) {
	return p.log(ctx, in, url.Values{"tailLines": {strconv.Itoa(lines)}, "limitBytes": {strconv.Itoa(mostPage)}})
}

const logPart = 4 << 10

func (p *Prober) log(ctx context.Context, in Container, query url.Values) (Page, Result) {
	if in.Container != "" {
		query.Set("container", in.Container)
	}
	return p.page(ctx, fmt.Sprintf("/api/v1/namespaces/%s/pods/%s/log?%s", url.PathEscape(in.Namespace), url.PathEscape(in.Pod), query.Encode()), mostPage, judgeAPI)
}

func (p *Prober) page(ctx context.Context, path string, most int64, judge func(int, []byte) Result) (Page, Result) {
	c, err := p.once()
	if err != nil {
		return Page{}, failed(err)
	}
	req, err := p.get(ctx, c.config, path)
	if err != nil {
		return Page{}, failed(err)
	}
	p.requests.Add(1)
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return Page{}, failed(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil && ctx.Err() != nil {
		return Page{}, failed(ctx.Err())
	}
	return Page{Status: resp.StatusCode, Body: string(body)}, judge(resp.StatusCode, body)
}

// judgeAPI is for pages that the API server or a kubelet serves itself.
func judgeAPI(code int, body []byte) Result {
	if code == http.StatusOK {
		return Result{Outcome: Answered, Status: code, Detail: "HTTP 200"}
	}
	words, _ := serverStatus(body)
	if words == "" {
		words = strings.TrimSpace(string(body[:min(len(body), 300)]))
	}
	return refusedByServer(code, words)
}

// CoreDNS is what CoreDNS' metrics say of itself.
type CoreDNS struct {
	Version      string  // "1.12.1"
	ConfigHash   string  // SHA-512 in hex of the Corefile that it runs; only after a reload
	ReloadFailed float64 // reloads that failed since it started
	Rejected     float64 // queries that forward refused because too many were under way
	Broken       float64 // times that no upstream was healthy
}

// ParseCoreDNS reads the text of /metrics. Other servers' leave it empty.
func ParseCoreDNS(metrics string) CoreDNS {
	var c CoreDNS
	lines := bufio.NewScanner(strings.NewReader(metrics))
	lines.Buffer(nil, 64<<10)
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, "coredns_") {
			continue
		}
		name, labels, value := sample(line)
		switch name {
		case "coredns_build_info":
			c.Version = label(labels, "version")
		case "coredns_reload_version_info":
			if value == 1 && label(labels, "hash") == "sha512" && hexHash.MatchString(label(labels, "value")) {
				c.ConfigHash = label(labels, "value")
			}
		case "coredns_reload_failed_total":
			c.ReloadFailed += value
		case "coredns_forward_max_concurrent_rejects_total":
			c.Rejected += value
		case "coredns_forward_healthcheck_broken_total":
			c.Broken += value
		}
	}
	return c
}

// sample splits `name{labels} value`.
func sample(line string) (name, labels string, value float64) {
	name, rest, _ := strings.Cut(line, " ")
	if open := strings.IndexByte(line, '{'); open >= 0 {
		end := strings.LastIndexByte(line, '}')
		if end < open {
			return "", "", 0
		}
		name, labels, rest = line[:open], line[open+1:end], line[end+1:]
	}
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ") // a time stamp may follow
	value, _ = strconv.ParseFloat(number, 64)
	return name, labels, value
}

// label is a label's value: CoreDNS' own have no quotes in them.
func label(labels, name string) string {
	for pair := range strings.SplitSeq(labels, ",") {
		if value, ok := strings.CutPrefix(pair, name+`="`); ok {
			return strings.TrimSuffix(value, `"`)
		}
	}
	return ""
}

var (
	hexHash = regexp.MustCompile(`^[0-9a-f]{128}$`)
	logHash = regexp.MustCompile(`(?m)^.*\[INFO\] plugin/reload: Running configuration SHA512 = ([0-9a-f]{128})\s*$`)
)

// LoggedHash is the last hash of a Corefile that CoreDNS' log tells of; "" if
// it tells of none.
func LoggedHash(log string) string {
	all := logHash.FindAllStringSubmatch(log, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1][1]
}
