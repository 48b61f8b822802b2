package tracedns

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/dns"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/probe"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// atOnce bounds the questions under way.
const atOnce = 16

// asker carries out the judgement's plan of live questions.
type asker struct {
	prober   *probe.Prober
	patience time.Duration
	now      func() time.Time
	all      bool // ask each server for what it says of itself, whether or not there is a doubt
	logs     bool // read the log of each
	warn     io.Writer
}

func newAsker(env *cli.Env, o *options) *asker {
	return &asker{
		prober: probe.New(env.Config.ToRESTConfig), patience: o.patience, now: env.Now,
		all: o.output == "wide" || o.output == "json" || o.output == "yaml", logs: o.output == "wide", warn: env.Streams.Err,
	}
}

func (a *asker) requests() int { return a.prober.Requests() }

// ask adds to what was seen whatever the plan still wants, all in parallel.
func (a *asker) ask(ctx context.Context, v *index.View, ask dns.Ask, seen dns.Observations) dns.Observations {
	plan := dns.Live(v, ask, seen)
	var group errgroup.Group
	group.SetLimit(atOnce)
	do := func(job func(context.Context)) {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, a.patience)
			defer cancel()
			job(ctx)
			return nil
		})
	}
	// Each job writes what is its own; all is put together when all have ended.
	servers := make([]visit, len(plan.Servers))
	for i, s := range plan.Servers {
		servers[i] = a.visit(s, plan.Questions, seen, do)
	}
	client := a.client(plan, ask, seen, do)
	_ = group.Wait() // the jobs return no error

	seen.Coming = false
	seen.Replicas, seen.Answers = slices.Clone(seen.Replicas), slices.Clone(seen.Answers)
	for i, s := range plan.Servers {
		servers[i].tell(s, &seen)
	}
	client(&seen)
	return seen
}

// visit is what one server is asked in one go.
type visit struct {
	reached  *probe.Result
	answers  *[]dns.Answer
	metrics  *probe.CoreDNS
	ready    *dns.Replica
	logged   *probe.Page
	told     bool
	existing bool
}

func (a *asker) visit(s dns.Server, questions []dns.Question, seen dns.Observations, do func(func(context.Context))) visit {
	at := slices.IndexFunc(seen.Replicas, func(r dns.Replica) bool { return r.UID == s.UID })
	v := visit{reached: new(probe.Result), answers: new([]dns.Answer), metrics: new(probe.CoreDNS), ready: new(dns.Replica), existing: at >= 0}
	known := dns.Replica{}
	if v.existing {
		known = seen.Replicas[at]
	}
	if left := unasked(questions, s, seen); known.Err == "" && len(left) > 0 || !v.existing {
		do(func(ctx context.Context) { *v.answers, *v.reached = a.dns(ctx, s, left, false) })
	}
	if v.told = (a.all || s.AskState) && !known.Told; v.told {
		do(func(ctx context.Context) { *v.metrics = a.metrics(ctx, s) })
		do(func(ctx context.Context) { a.readiness(ctx, s, v.ready) })
	}
	if (a.logs || s.ReadLog) && !known.LogRead {
		v.logged = new(probe.Page)
		do(func(ctx context.Context) {
			if page, result := a.prober.LogHead(ctx, containerOf(s)); result.Outcome == probe.Answered {
				*v.logged = page
			}
		})
	}
	return v
}

// tell writes down what the server said.
func (v visit) tell(s dns.Server, seen *dns.Observations) {
	if v.reached.Outcome != probe.Unable { // else nothing was asked
		seen.Answers = append(seen.Answers, *v.answers...)
	}
	if !v.existing {
		r := dns.Replica{Pod: s.Pod, UID: s.UID}
		if v.reached.Outcome != probe.Answered {
			r.Err = inWords(*v.reached)
		}
		seen.Replicas = append(seen.Replicas, r)
	}
	r := &seen.Replicas[slices.IndexFunc(seen.Replicas, func(r dns.Replica) bool { return r.UID == s.UID })]
	if v.told {
		r.Told, r.Healthy, r.Ready, r.ReadyText = true, v.ready.Healthy, v.ready.Ready, v.ready.ReadyText
		r.Version, r.MaxReject, r.Upstream = v.metrics.Version, v.metrics.Rejected, v.metrics.Broken
		if v.metrics.ConfigHash != "" {
			r.ConfigHash = v.metrics.ConfigHash
		}
	}
	if v.logged != nil {
		r.LogRead = v.logged.Body != ""
		if r.ConfigHash == "" {
			r.ConfigHash = probe.LoggedHash(v.logged.Body)
		}
	}
}

// unasked are the questions that this server was not asked yet.
func unasked(questions []dns.Question, s dns.Server, seen dns.Observations) []dns.Question {
	var left []dns.Question
	for _, q := range questions {
		known := slices.ContainsFunc(seen.Answers, func(a dns.Answer) bool {
			return a.UID == s.UID && a.Question.Type == q.Type && strings.EqualFold(a.Question.Name, q.Name)
		})
		if !known {
			left = append(left, q)
		}
	}
	return left
}

func (a *asker) dns(ctx context.Context, s dns.Server, questions []dns.Question, fresh bool) ([]dns.Answer, probe.Result) {
	if len(questions) == 0 {
		return nil, a.prober.Forward(ctx, target(s, s.Port))
	}
	asked := make([]probe.DNSQuestion, len(questions))
	for i, q := range questions {
		asked[i] = probe.DNSQuestion{Name: q.Name, Type: string(q.Type), Fresh: fresh}
	}
	said, reached := a.prober.DNS(ctx, target(s, s.Port), asked)
	answers := make([]dns.Answer, len(questions))
	for i, q := range questions {
		answers[i] = answerOf(said[i])
		answers[i].Pod, answers[i].UID, answers[i].Question, answers[i].Again = s.Pod, s.UID, q, fresh
	}
	return answers, reached
}

// answerOf puts an answer into the words of the judgement.
func answerOf(said probe.DNSAnswer) dns.Answer {
	if said.Fault != "" {
		fault := said.Fault
		if strings.Contains(fault, "in time") {
			fault = "timed out"
		}
		return dns.Answer{Err: fault, Truncated: said.Truncated}
	}
	answer := dns.Answer{Rcode: dns.Rcode(said.RCode), SOA: said.Zone, Truncated: said.Truncated}
	for _, r := range said.Records {
		answer.Records = append(answer.Records, dns.Record{Name: r.Name, Type: dns.Type(r.Type), TTL: r.TTL, Data: r.Data})
	}
	if answer.Rcode == dns.NoError && len(answer.Records) == 0 {
		answer.Rcode = dns.NoData
	}
	return answer
}

func target(s dns.Server, port int32) probe.Target {
	return probe.Target{Namespace: s.Pod.Namespace, Pod: s.Pod.Name, Port: int(port)}
}

func containerOf(s dns.Server) probe.Container {
	return probe.Container{Namespace: s.Pod.Namespace, Pod: s.Pod.Name, Container: s.Container}
}

func (a *asker) metrics(ctx context.Context, s dns.Server) probe.CoreDNS {
	if s.Metrics == 0 {
		return probe.CoreDNS{}
	}
	page, result := a.prober.Get(ctx, target(s, s.Metrics), "/metrics")
	if result.Outcome != probe.Answered || page.Status != 200 {
		return probe.CoreDNS{}
	}
	return probe.ParseCoreDNS(page.Body)
}

// readiness asks the ready plugin, and only where there is none the health
// plugin: a server that is ready is healthy.
func (a *asker) readiness(ctx context.Context, s dns.Server, r *dns.Replica) {
	port, path, into := s.Ready, "/ready", &r.Ready
	if port == 0 {
		port, path, into = s.Health, "/health", &r.Healthy
	}
	if port == 0 {
		return
	}
	page, result := a.prober.Get(ctx, target(s, port), path)
	if result.Outcome != probe.Answered {
		return
	}
	well := page.Status == 200
	*into = &well
	if !well && path == "/ready" {
		r.ReadyText = strings.TrimSpace(page.Body[:min(len(page.Body), 200)])
	}
}

// client asks the pod, and its kubelet where the pod cannot say what its
// resolv.conf is. The returned function writes down what was learnt.
func (a *asker) client(plan dns.Plan, ask dns.Ask, seen dns.Observations, do func(func(context.Context))) func(*dns.Observations) {
	var files *probe.Resolver
	var getent, nslookup *probe.Said
	var kubelet *dns.Kubelet
	in := probe.Container{Namespace: plan.Client.Namespace, Pod: plan.Client.Name, Container: plan.Container}
	if plan.Client.Name != "" && seen.ResolvConf == nil {
		do(func(ctx context.Context) {
			found, result := a.prober.Resolver(ctx, in)
			if result.Outcome != probe.Answered {
				found.Conf.Err, found.Hosts.Err = inWords(result), inWords(result)
			}
			files = &found
		})
		if addresses(ask.Types) && !strings.HasPrefix(ask.Name, "-") {
			do(func(ctx context.Context) {
				one, other := a.prober.Lookup(ctx, in, ask.Name)
				getent, nslookup = &one, &other
			})
		}
	}
	unread := seen.ResolvConf != nil && seen.ResolvConf.Err != "" || plan.Client.Name == ""
	if plan.Node != "" && seen.Kubelet == nil && unread {
		do(func(ctx context.Context) { kubelet = a.kubelet(ctx, plan.Node) })
	}
	return func(o *dns.Observations) {
		o.Pod = plan.UID
		if files != nil {
			o.ResolvConf, o.Hosts = textOf(files.Conf), textOf(files.Hosts)
			o.Libc, o.LibcWhy = dns.Libc(files.Libc), files.Why
		}
		if getent != nil {
			o.Getent, o.Nslookup = textOf(*getent), textOf(*nslookup)
		}
		if kubelet != nil {
			o.Kubelet = kubelet
		}
	}
}

// addresses says whether getent ahosts asks for what the user asks for.
func addresses(types []dns.Type) bool {
	return !slices.ContainsFunc(types, func(t dns.Type) bool { return t != dns.A && t != dns.AAAA })
}

func textOf(s probe.Said) *dns.Text {
	return &dns.Text{Text: s.Text, ExitCode: s.Code, Err: s.Err}
}

func (a *asker) kubelet(ctx context.Context, node string) *dns.Kubelet {
	page, result := a.prober.Configz(ctx, node)
	var config struct {
		Kubelet *dns.Kubelet `json:"kubeletconfig"`
	}
	if result.Outcome != probe.Answered || json.Unmarshal([]byte(page.Body), &config) != nil {
		return nil
	}
	return config.Kubelet
}

// inWords is why a question could not be asked.
func inWords(r probe.Result) string {
	r.Detail = strings.TrimPrefix(r.Detail, "unable to upgrade connection: ")
	switch {
	case r.Outcome == probe.Unable && r.Detail != "":
		return r.Detail
	case r.Outcome == probe.TimedOut:
		return "timed out"
	case r.Detail == "" || strings.Contains(strings.ToLower(r.Detail), string(r.Outcome)):
		return r.Detail
	}
	return string(r.Outcome) + ": " + r.Detail
}

// logLines is enough of a DNS server's log to find its latest errors.
const logLines = 400

// doubt asks again what replicas answered otherwise than expected, past their
// caches, and reads the logs of those that fail: a stale cache entry mends
// itself, another view of the cluster does not.
func (a *asker) doubt(ctx context.Context, v *index.View, ask dns.Ask, r *report.Report, seen dns.Observations) (dns.Observations, bool) {
	if r.Trace == nil || r.Trace.Grid == nil {
		return seen, false
	}
	var group errgroup.Group
	group.SetLimit(atOnce)
	grid, servers := r.Trace.Grid, dns.Live(v, ask, seen).Servers
	answers := make([][]dns.Answer, len(servers))
	lines := make([][]string, len(servers))
	any := false
	for i, s := range servers {
		again, failing := deviations(grid, s.Pod)
		if len(again) > 0 {
			any = true
			group.Go(func() error {
				ctx, cancel := context.WithTimeout(ctx, a.patience)
				defer cancel()
				answers[i], _ = a.dns(ctx, s, again, true)
				return nil
			})
		}
		if failing {
			any = true
			group.Go(func() error {
				ctx, cancel := context.WithTimeout(ctx, a.patience)
				defer cancel()
				page, _ := a.prober.LogTail(ctx, containerOf(s), logLines)
				lines[i] = complaints(page.Body)
				return nil
			})
		}
	}
	if !any {
		return seen, false
	}
	_ = group.Wait() // the jobs return no error
	seen.Answers, seen.Replicas = slices.Clone(seen.Answers), slices.Clone(seen.Replicas)
	for i, s := range servers {
		seen.Answers = append(seen.Answers, answers[i]...)
		at := slices.IndexFunc(seen.Replicas, func(r dns.Replica) bool { return r.UID == s.UID })
		if at >= 0 && len(lines[i]) > 0 {
			seen.Replicas[at].Log = lines[i]
		}
	}
	return seen, true
}

// deviations are the questions that a replica answered otherwise than
// expected, and whether it fails altogether.
func deviations(grid *report.Grid, pod object.Ref) (again []dns.Question, failing bool) {
	at := slices.IndexFunc(grid.Rows, func(r report.GridRow) bool { return r.Replica.Key() == pod.Key() })
	if at < 0 {
		return nil, false
	}
	row := grid.Rows[at]
	failing = row.Error != "" || row.Stale || row.Ready == report.HopBroken
	for i, c := range row.Cells {
		trouble := c.Text == string(dns.ServFail) || c.Text == string(dns.Refused) || strings.Contains(c.Text, "timed out")
		failing = failing || trouble
		if i < len(grid.Columns) && !trouble && c.Text != "?" && (c.Deviant || grid.Columns[i].Expected != "" && grid.Columns[i].Expected != c.Text) {
			again = append(again, dns.Question{Name: grid.Columns[i].Name, Type: dns.Type(grid.Columns[i].Type)})
		}
	}
	return again, failing
}

// mostComplaints bounds what is kept of a log.
const mostComplaints = 12

// complaints are the last lines of CoreDNS' log that tell of trouble.
func complaints(log string) []string {
	var found []string
	for line := range strings.Lines(log) {
		for _, sign := range []string{"[ERROR]", "[FATAL]", "[WARNING]", "plugin/loop", "Running configuration SHA512"} {
			if strings.Contains(line, sign) {
				found = append(found, strings.TrimRight(line[:min(len(line), 500)], "\r\n"))
				break
			}
		}
	}
	return found[max(0, len(found)-mostComplaints):]
}
