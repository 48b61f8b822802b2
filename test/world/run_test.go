package world

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/term"
	"github.com/leadsman-dev/leadsman/plugins/checkendpoints"
	"github.com/leadsman-dev/leadsman/plugins/explaintree"
	"github.com/leadsman-dev/leadsman/plugins/guardrollout"
	"github.com/leadsman-dev/leadsman/plugins/tracedns"
)

// command is a plugin with a question about the shop.
type command struct {
	name   string
	plugin cli.Plugin
	well   []string // what it is asked about the Deployment that is well
	sick   []string // and about the one that is not
}

var commands = []command{
	{"explain-tree", explaintree.Command, []string{"deploy/web"}, []string{"deploy/sick"}},
	{"check-endpoints", checkendpoints.Command, []string{"web"}, []string{"sick"}},
	{"guard-rollout", guardrollout.Command, []string{"deploy/web"}, []string{"deploy/sick", "--timeout", "5s"}},
	{"trace-dns", tracedns.Command, []string{"web", "--from", "deploy/web"}, []string{"sick", "--from", "deploy/web"}},
}

// shop is the cluster of the tests.
func shop(t testing.TB) *Cluster {
	t.Helper()
	c, err := Open("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// up starts an API server. It says nothing of the time: its objects are of the
// time of their snapshot.
func up(t testing.TB, handler http.Handler) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		handler.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = nil
	server.Start()
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server.URL
}

// each runs many that mostly wait, so that the number of processors is no
// measure for how many at once.
func each(n int, run func(int)) {
	places := make(chan struct{}, 12)
	var all sync.WaitGroup
	for i := range n {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			run(i)
		})
	}
	all.Wait()
}

// output may be written by several at once.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// ended is how a run ended.
type ended struct {
	code     int
	out, err string
	took     time.Duration
}

// kubeconfig writes one for the server of a test.
func kubeconfig(t testing.TB, home, url string) string {
	t.Helper()
	config := filepath.Join(home, "config")
	text := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"x","clusters":[{"name":"c","cluster":{"server":%q}}],"users":[{"name":"u","user":{}}],"contexts":[{"name":"x","context":{"cluster":"c","user":"u","namespace":"shop"}}]}`, url)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}

// ask runs a command against a server, at the moment of the snapshot.
func ask(ctx context.Context, t testing.TB, plugin cli.Plugin, url string, now func() time.Time, args ...string) ended {
	t.Helper()
	home := t.TempDir()
	config := kubeconfig(t, home, url)
	var out, fail output
	env := &cli.Env{
		Streams: term.Streams{In: strings.NewReader(""), Out: &out, Err: &fail, Getenv: func(name string) string { return map[string]string{"HOME": home, "LANG": "C.UTF-8"}[name] }},
		Config:  genericclioptions.NewConfigFlags(true).WithDiscoveryQPS(-1).WithDiscoveryBurst(-1),
		Display: "kubectl plugin", Now: now, Version: "test",
	}
	cmd := plugin(env)
	cmd.SetArgs(append([]string{"--kubeconfig", config, "--cache-dir", filepath.Join(home, "cache")}, args...))
	started := time.Now()
	err := cmd.ExecuteContext(ctx)
	e := ended{code: cli.Code(err), out: out.String(), err: fail.String(), took: time.Since(started)}
	var exit *cli.Exit
	if err != nil && !(errors.As(err, &exit) && exit.Err == nil) && !errors.Is(err, context.Canceled) {
		e.err += "error: " + err.Error() + "\n"
	}
	return e
}

var changing = []struct {
	is      *regexp.Regexp
	written string
}{
	{regexp.MustCompile(`http://127\.0\.0\.1:\d+`), "https://cluster.example"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "cluster.example"},
	{regexp.MustCompile(`\d+ requests?, [0-9.]+ m?s(?:, )?`), ""},
}

// said is the answer in a sentence: the error, or the verdict and what was not
// seen.
func (e ended) said() string {
	lines := strings.Split(strings.TrimSpace(e.out), "\n")
	text := strings.TrimSpace(e.err)
	if !strings.Contains(text, "error: ") {
		text = lines[0]
		if last := lines[len(lines)-1]; len(lines) > 1 && strings.Contains(last, "not seen") && !strings.HasPrefix(text, "?") {
			text += " … " + last
		}
	}
	for _, c := range changing {
		text = c.is.ReplaceAllString(text, c.written)
	}
	return strings.Join(strings.Fields(text), " ")
}
