package tracedns

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/dns"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/probe"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

func environment() (*cli.Env, *bytes.Buffer) {
	var out bytes.Buffer
	return &cli.Env{
		Streams: term.Streams{In: strings.NewReader(""), Out: &out, Err: &out},
		Config:  genericclioptions.NewConfigFlags(true), Display: "kubectl trace-dns", Now: func() time.Time { return time.Unix(1000, 0) },
	}, &out
}

func parsed(args ...string) (options, error) {
	env, _ := environment()
	var got options
	cmd := command(env, func(_ context.Context, o options) error { got = o; return nil })
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(context.Background())
	return got, err
}

func TestTheQuestionIsReadFromTheFlags(t *testing.T) {
	o, err := parsed("redis", "--from", "shop/deploy/backend", "--type", "srv,A", "--type", "a", "--libc", "musl", "-c", "app")
	if err != nil {
		t.Fatal(err)
	}
	want := dns.Ask{
		Name: "redis", From: object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "backend"},
		Types: []dns.Type{dns.SRV, dns.A}, Libc: dns.Musl, Container: "app",
	}
	if diff := cmp.Diff(want, o.ask); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCannotBeAskedIsRefused(t *testing.T) {
	for name, args := range map[string][]string{
		"no name":                {},
		"two names":              {"a", "b"},
		"an empty name":          {""},
		"an unknown type":        {"a", "--type", "BOGUS"},
		"an unknown libc":        {"a", "--libc", "dietlibc"},
		"an unknown format":      {"a", "-o", "dot"},
		"a kind without pods":    {"a", "--from", "svc/web"},
		"a path":                 {"a", "--from", "a/b/c/d"},
		"no name of a client":    {"a", "--from", "pod/"},
		"a snapshot to follow":   {"a", "--snapshot", "x", "-w"},
		"following as JSON":      {"a", "-w", "-o", "json"},
		"a container for nobody": {"a", "--debug-container", "busybox"},
		"one in each frame":      {"a", "--from", "x", "--debug-container", "busybox", "-w"},
		"no time for a question": {"a", "--probe-timeout", "0s"},
	} {
		if _, err := parsed(args...); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestTheRoleCoversReadingAndAsking(t *testing.T) {
	env, out := environment()
	cmd := Command(env)
	cmd.SetArgs([]string{"--print-rbac"})
	if err := cmd.ExecuteContext(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"endpointslices", "configmaps", "pods/portforward", "pods/exec", "nodes/proxy", "pods/log"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(out.String(), "secrets") {
		t.Error("it asks for secrets")
	}
}

func TestAnswersAreToldInTheWordsOfTheJudgement(t *testing.T) {
	for name, c := range map[string]struct {
		said probe.DNSAnswer
		want dns.Answer
	}{
		"nothing in time": {probe.DNSAnswer{Fault: "no answer in time"}, dns.Answer{Err: "timed out"}},
		"malformed":       {probe.DNSAnswer{Fault: "malformed: x", Truncated: true}, dns.Answer{Err: "malformed: x", Truncated: true}},
		"no record":       {probe.DNSAnswer{RCode: "NOERROR", Zone: "cluster.local."}, dns.Answer{Rcode: dns.NoData, SOA: "cluster.local."}},
		"a record": {
			probe.DNSAnswer{RCode: "NOERROR", Records: []probe.DNSRecord{{Name: "a.", Type: "A", TTL: 5, Data: "10.0.0.1"}}},
			dns.Answer{Rcode: dns.NoError, Records: []dns.Record{{Name: "a.", Type: dns.A, TTL: 5, Data: "10.0.0.1"}}},
		},
	} {
		if diff := cmp.Diff(c.want, answerOf(c.said)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestOnlyWhatDeviatesIsAskedAgain(t *testing.T) {
	pod := object.Ref{Version: "v1", Kind: "Pod", Namespace: "kube-system", Name: "coredns-a"}
	grid := &report.Grid{
		Columns: []report.GridColumn{{Name: "a.", Type: "A"}, {Name: "b.", Type: "A"}, {Name: "c.", Type: "AAAA"}},
		Rows: []report.GridRow{{Replica: pod, Ready: report.HopOK, Cells: []report.Cell{
			{Text: "10.0.0.1"}, {Text: "NXDOMAIN", Deviant: true}, {Text: "SERVFAIL", Deviant: true},
		}}},
	}
	again, failing := deviations(grid, pod)
	if diff := cmp.Diff([]dns.Question{{Name: "b.", Type: dns.A}}, again); diff != "" || !failing {
		t.Error(diff, failing)
	}
	if again, failing := deviations(grid, object.Ref{Kind: "Pod", Name: "other"}); len(again) > 0 || failing {
		t.Error("another pod is asked")
	}
}

func TestOnlyComplaintsAreKeptOfALog(t *testing.T) {
	log := strings.Repeat("[INFO] 10.0.0.1:1 - \"A IN x.\"\n", 50) + "[ERROR] plugin/errors: 2 x. A: i/o timeout\r\n" + "[FATAL] plugin/loop: Loop\n"
	if diff := cmp.Diff([]string{"[ERROR] plugin/errors: 2 x. A: i/o timeout", "[FATAL] plugin/loop: Loop"}, complaints(log)); diff != "" {
		t.Error(diff)
	}
	if got := len(complaints(strings.Repeat("[ERROR] x\n", 100))); got != mostComplaints {
		t.Errorf("%d lines", got)
	}
}

func TestARecordingSaysWhereTheClientWas(t *testing.T) {
	ask := dns.Ask{Name: "redis", From: object.Ref{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "backend"}, Namespace: "shop"}
	kept := []source.Answers{record(ask, dns.Observations{Pod: "u1"}), {About: "other tool", Document: []byte("{}")}}
	unplaced := ask
	unplaced.Namespace, unplaced.From.Namespace = "", ""
	if namespace, err := recordedNamespace(unplaced, kept); namespace != "shop" || err != nil {
		t.Errorf("%q %v", namespace, err)
	}
	if seen := recorded(nil, ask, kept); seen.Pod != "u1" {
		t.Errorf("%+v", seen)
	}
	elsewhere := ask
	elsewhere.Namespace, elsewhere.From.Namespace = "stage", "stage"
	kept = append(kept, record(elsewhere, dns.Observations{}))
	if _, err := recordedNamespace(unplaced, kept); err == nil {
		t.Error("one of two is chosen")
	}
}
