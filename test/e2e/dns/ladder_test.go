package dns

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

var lab *Lab

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		opened, remove, err := open(ctx)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer remove()
		lab = opened
		return m.Run()
	}())
}

// variants are the DNS settings of pods whose resolv.conf and queries are held
// against the prediction.
var variants = []struct{ name, spec string }{
	{"default", ``},
	{"one-dot", `dnsConfig: {options: [{name: ndots, value: "1"}]}`},
	{"more", `dnsConfig: {searches: [example.com, more.test], options: [{name: ndots, value: "3"}, {name: timeout, value: "1"}]}`},
	{"none", "dnsPolicy: None\ndnsConfig: {nameservers: [10.96.0.10]}"},
	{"own", "dnsPolicy: None\ndnsConfig: {nameservers: [10.96.0.10], searches: [svc.cluster.local, cluster.local], options: [{name: ndots, value: \"2\"}]}"},
}

// names are looked up by every resolver; NS is the namespace of the test.
var names = []string{
	"web", "web.", "WEB", "web.NS", "web.NS.svc", "web.NS.svc.cluster.local", "web.NS.svc.cluster.local.",
	"db", "db.NS", "db.NS.svc.cluster.local.", "ext", "ext.NS.svc", "empty", "empty.NS",
	"nope", "nope.NS", "nope.other", "nope.other.svc", "nope.NS.svc.cluster.local", "nope.",
	"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "kubernetes.default.svc.cluster.local.",
	"kube-dns.kube-system", "kube-dns.kube-system.svc.cluster.local.",
	"example.com", "example.com.", "www.example.com", "www", "api.example.org", "api.example.org.", "nope.example.com", "nope.example.com.",
	"a.b.c.d.e", "a.b.c.d.e.f", "a.b.c.d", "a.b.c", "a.b", "x-y-z", "web.web", "svc", "NS", "NS.svc", "cluster.local", "cluster.local.",
	"10-244-1-2.NS.pod", "10-244-1-2.NS.pod.cluster.local", "web.NS.svc.cluster.local.extra", "xn--bcher-kva.example",
}

const zoo = `{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"ports":[{"port":80}]}}
---
{"apiVersion":"v1","kind":"Service","metadata":{"name":"empty"},"spec":{"clusterIP":"None","selector":{"app":"nobody"},"ports":[{"port":80}]}}
---
{"apiVersion":"v1","kind":"Service","metadata":{"name":"db"},"spec":{"clusterIP":"None","selector":{"app":"glibc-default"},"ports":[{"name":"sql","port":5432}]}}
---
{"apiVersion":"v1","kind":"Service","metadata":{"name":"ext"},"spec":{"type":"ExternalName","externalName":"example.com"}}`

func TestResolversSendWhatIsPredicted(t *testing.T) {
	ns := lab.Namespace(t, "dns")
	manifests := []string{zoo}
	for _, v := range variants {
		for _, libc := range []string{"glibc", "musl"} {
			manifests = append(manifests, e2e.Pod(libc+"-"+v.name, "containers: [{name: c, image: \"resolver:"+libc+"\"}]\n"+v.spec))
		}
	}
	apply(t, ns, manifests...)
	kubectl(t, "-n", ns, "wait", "--for=condition=Ready", "pod", "--all", "--timeout=90s")
	time.Sleep(2 * time.Second) // DNS follows the slices
	program := goProgram(t)

	asked := make([]string, len(names))
	for i, n := range names {
		asked[i] = strings.ReplaceAll(n, "NS", ns)
		if n == "WEB" {
			asked[i] = n
		}
	}
	began := time.Now().Add(-time.Second)
	if err := each(8, len(variants), func(i int) error { return lookUpAll(t.Context(), ns, variants[i].name, program, asked) }); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // of the logs
	log := readLog(t, began)
	compared, wrong := 0, 0
	for _, v := range variants {
		predicted := predict(t, ns, "glibc-"+v.name, asked)
		for libc, pod := range map[string]string{"glibc": "glibc-", "go": "glibc-", "musl": "musl-", "busybox": "musl-"} {
			sent := sentBy(log, podIP(t, ns, pod+v.name), libc+"-"+v.name, len(asked))
			for i, name := range asked {
				compared++
				sent[i] = withoutTarget(name, sent[i])
				if diff := cmp.Diff(sent[i], predicted[i][libc]); diff != "" {
					wrong++
					t.Errorf("%s, %s, %s: sent (-) and predicted (+) differ: %s", v.name, libc, name, diff)
				}
			}
		}
	}
	t.Logf("%d of %d lookups as predicted: %d names, %d settings, 4 resolvers", compared-wrong, compared, len(asked), len(variants))
}

// lookUpAll runs each resolver over all names, a mark before each. The logs of
// two servers are put in order by when their lines were read, so that it pauses.
func lookUpAll(ctx context.Context, ns, variant, program string, asked []string) error {
	loop := func(tag, command string) string {
		return `i=0; for n in "$@"; do ` + command + ` ` + tag + `-` + variant + `-$i.mark. >/dev/null 2>&1; sleep 0.2; ` + command + ` "$n" >/dev/null 2>&1; sleep 0.2; i=$((i+1)); done; ` + command + ` ` + tag + `-` + variant + `-$i.mark. >/dev/null 2>&1; true`
	}
	run := func(pod, script string) error {
		args := append([]string{"-n", ns, "exec", pod, "--", "sh", "-c", script, "sh"}, asked...)
		if out, err := lab.Kubectl(ctx, args...); err != nil {
			return fmt.Errorf("%s: %w: %s", pod, err, out)
		}
		return nil
	}
	copied := lab.Command(ctx, "-n", ns, "exec", "-i", "glibc-"+variant, "--", "sh", "-c", "cat > /tmp/lookup && chmod 755 /tmp/lookup")
	file, err := os.Open(program)
	if err != nil {
		return err
	}
	defer file.Close()
	copied.Stdin = file
	if out, err := copied.CombinedOutput(); err != nil {
		return fmt.Errorf("copy the program: %w: %s", err, out)
	}
	scripts := [][2]string{
		{"glibc-" + variant, loop("glibc", "getent ahosts") + "; " + `/tmp/lookup go-` + variant + ` "$@" >/dev/null; /tmp/lookup go-` + variant + `-end x. >/dev/null`},
		{"musl-" + variant, loop("musl", "resolve") + "; " + loop("busybox", "nslookup")},
	}
	return each(2, 2, func(i int) error { return run(scripts[i][0], scripts[i][1]) })
}

// withoutTarget drops what CoreDNS asks itself on behalf of the client, which it
// logs as the client's: the target of an ExternalName Service.
func withoutTarget(name string, sent []string) []string {
	if !strings.HasPrefix(name, "ext") {
		return sent
	}
	return slices.DeleteFunc(sent, func(line string) bool { return strings.HasSuffix(line, " example.com.") })
}

func goProgram(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lookup")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w", "-o", path, "./lookup")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// seenQuery is a line of the DNS servers' logs.
type seenQuery struct{ when, client, kind, name string }

var logLine = regexp.MustCompile(`^(\S+) \[INFO\] ([0-9a-f.:\[\]]+):\d+ - \d+ "(\S+) IN (\S+) udp`)

func readLog(t *testing.T, since time.Time) []seenQuery {
	t.Helper()
	var all []seenQuery
	for _, pod := range strings.Fields(kubectl(t, "-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-dns", "-o", "name")) {
		text := kubectl(t, "-n", "kube-system", "logs", pod, "--timestamps", "--since-time="+since.UTC().Format(time.RFC3339))
		for line := range strings.Lines(text) {
			if m := logLine.FindStringSubmatch(line); m != nil {
				all = append(all, seenQuery{m[1], m[2], m[3], strings.ToLower(m[4])})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b seenQuery) int { return strings.Compare(a.when, b.when) })
	return all
}

// sentBy is what one resolver sent for each name: "A,AAAA name", each once. Two
// servers' logs do not tell the order within one look-up; what it stops at does.
func sentBy(log []seenQuery, ip, tag string, count int) [][]string {
	sent := make([][]string, count)
	kinds := make([]map[string][]string, count)
	order := make([][]string, count)
	at := -1
	for _, q := range log {
		if q.client != ip {
			continue
		}
		if number, ok := strings.CutSuffix(q.name, ".mark."); ok {
			at = -1
			if index, ok := strings.CutPrefix(number, tag+"-"); ok {
				if _, err := fmt.Sscanf(index, "%d", &at); err != nil || at >= count {
					at = -1
				}
			}
			continue
		}
		if at < 0 {
			continue
		}
		if kinds[at] == nil {
			kinds[at] = map[string][]string{}
		}
		if _, known := kinds[at][q.name]; !known {
			order[at] = append(order[at], q.name)
		}
		if !slices.Contains(kinds[at][q.name], q.kind) {
			kinds[at][q.name] = append(kinds[at][q.name], q.kind)
		}
	}
	for i := range sent {
		for _, name := range order[i] {
			slices.Sort(kinds[i][name])
			sent[i] = append(sent[i], strings.Join(kinds[i][name], ",")+" "+name)
		}
		slices.Sort(sent[i])
	}
	return sent
}

// predict asks the program for the ladders of all resolvers.
func predict(t *testing.T, ns, pod string, asked []string) []map[string][]string {
	t.Helper()
	all := make([]map[string][]string, len(asked))
	err := each(4, len(asked), func(i int) error {
		name := asked[i]
		a, err := lab.askJSON(t.Context(), name, "-n", ns, "--from", "pod/"+pod, "--libc", "all")
		if err != nil {
			return err
		}
		all[i] = map[string][]string{}
		for _, r := range a.Report.Trace.Resolvers {
			for _, rung := range r.Ladder {
				if rung.State == "not asked" {
					continue
				}
				types := slices.Clone(rung.Types)
				slices.Sort(types)
				line := strings.Join(types, ",") + " " + strings.ToLower(rung.Name)
				if rung.State == "unknown" {
					line = "perhaps " + line
				}
				all[i][r.Libc] = append(all[i][r.Libc], line)
			}
		}
		for _, lines := range all[i] {
			slices.Sort(lines)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func podIP(t *testing.T, ns, pod string) string {
	t.Helper()
	return strings.TrimSpace(kubectl(t, "-n", ns, "get", "pod", pod, "-o", "jsonpath={.status.podIP}"))
}

func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := lab.Kubectl(t.Context(), args...)
	if err != nil {
		t.Fatalf("kubectl %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return out
}

func apply(t *testing.T, ns string, manifests ...string) {
	t.Helper()
	if err := lab.Apply(t.Context(), ns, strings.Join(manifests, "\n---\n")); err != nil {
		t.Fatal(err)
	}
}
