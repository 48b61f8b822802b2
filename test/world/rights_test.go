package world

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// role is the ClusterRole that a command asks for.
func role(t testing.TB, cmd command) rbacv1.ClusterRole {
	t.Helper()
	printed := ask(t.Context(), t, cmd.plugin, "http://127.0.0.1:1", time.Now, "--print-rbac")
	var r rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict([]byte(printed.out), &r); err != nil || printed.code != 0 || len(r.Rules) == 0 {
		t.Fatal(err, printed)
	}
	return r
}

// right is one line of a ClusterRole taken apart.
type right struct{ group, resource, verb string }

func (r right) title() string { return strings.Trim(r.resource+"."+r.group, ".") }

func rightsOf(r rbacv1.ClusterRole) []right {
	var all []right
	for _, rule := range r.Rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					all = append(all, right{group, resource, verb})
				}
			}
		}
	}
	return all
}

// guarded is a cluster with an authorizer, which remembers what it refused.
type guarded struct {
	next    http.Handler
	allowed []right

	mu      sync.Mutex
	refused []right
}

func (g *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := Read(r)
	wanted := right{a.Kind.Group, a.Resource(), a.Verb}
	if a.discovery || slices.Contains(g.allowed, wanted) {
		g.next.ServeHTTP(w, r)
		return
	}
	g.mu.Lock()
	g.refused = append(g.refused, wanted)
	g.mu.Unlock()
	Forbid(w, a, "system:serviceaccount:shop:reader")
}

// judged is what a test compares of an answer.
type judged struct {
	Verdict  string
	Summary  string
	Findings []struct{ Code, Severity string }
	Gaps     []struct{ Resource, Reason string }

	code    int
	fail    string
	refused []right
	advised bool // preflight's advice comes beside the answer, in time or not
}

func (j judged) codes() []string {
	var codes []string
	for _, f := range j.Findings {
		if !j.advised || !strings.HasPrefix(f.Code, "preflight/") {
			codes = append(codes, f.Code)
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func (j judged) unseen() string {
	var names []string
	for _, g := range j.Gaps {
		if g.Reason == "forbidden" {
			names = append(names, strings.SplitN(g.Resource, ".", 2)[0])
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

func judge(t *testing.T, c *Cluster, cmd command, question []string, allowed []right) judged {
	t.Helper()
	g := &guarded{next: c, allowed: allowed}
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	e := ask(ctx, t, cmd.plugin, up(t, g), func() time.Time { return c.Store.Now().Add(time.Since(began)) }, append(slices.Clone(question), "-o", "json")...)
	if ctx.Err() != nil {
		t.Errorf("%s %v hangs: %s", cmd.name, question, e.said())
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	j := judged{code: e.code, fail: e.said(), refused: g.refused, advised: cmd.name == "guard-rollout"}
	if e.out != "" {
		if err := json.Unmarshal([]byte(e.out), &j); err != nil {
			t.Fatalf("%v in %s", err, e.out)
		}
		j.fail = ""
	}
	return j
}

// without takes a right away: all verbs of a resource, or one.
func without(all []right, r right) []right {
	return slices.DeleteFunc(slices.Clone(all), func(o right) bool {
		return o.group == r.group && o.resource == r.resource && (r.verb == "" || o.verb == r.verb)
	})
}

// told is a cell of the table; "" where the right was not made use of.
func told(taken right, all, less judged) string {
	switch {
	case less.fail != "":
		return fmt.Sprintf("exit %d: %s", less.code, less.fail)
	case less.advised && slices.Contains(advice, taken.resource):
		return "the same; advice that needs it is left out"
	case len(less.refused) == 0:
		return ""
	case less.unseen() == "" && slices.Contains(secondary, taken.resource):
		return "the same, computed instead of observed"
	}
	text := fmt.Sprintf("%s, exit %d", less.Verdict, less.code)
	if less.Verdict != all.Verdict || less.Summary != all.Summary {
		text += ": " + strings.TrimSuffix(less.Summary, ".")
	}
	if gone := slices.DeleteFunc(all.codes(), func(code string) bool { return slices.Contains(less.codes(), code) }); len(gone) > 0 {
		text += "; not told: " + strings.Join(gone, ", ")
	}
	if unseen := less.unseen(); unseen != "" {
		text += "; not seen: " + unseen
	}
	return text
}

func TestWithEachRightTakenAwayTheAnswerIsTheSameOrUnknown(t *testing.T) {
	c := shop(t)
	page := rightsTop
	unused := func(taken []right, rows []string) string {
		var names []string
		for n, r := range taken {
			if rows[n] == "" {
				names = append(names, r.title())
			}
		}
		return strings.Join(names, ", ")
	}
	before := commands[2]
	before.name, before.well, before.sick = "guard-rollout --preflight", append(before.well, "--preflight"), append(before.sick, "--preflight")
	for _, cmd := range append(slices.Clone(commands), before) {
		all := rightsOf(role(t, cmd))
		well, sick := judge(t, c, cmd, cmd.well, all), judge(t, c, cmd, cmd.sick, all)
		if refused := append(well.refused, sick.refused...); len(refused) > 0 {
			t.Errorf("%s: the ClusterRole lacks %v", cmd.name, refused)
		}
		var taken []right
		for _, r := range all {
			if r.verb = ""; !slices.Contains(taken, r) {
				taken = append(taken, r)
			}
		}
		rows := make([]string, len(taken))
		each(len(taken), func(n int) {
			less := without(all, taken[n])
			one, two := judge(t, c, cmd, cmd.well, less), judge(t, c, cmd, cmd.sick, less)
			check(t, cmd, taken[n], well, one)
			check(t, cmd, taken[n], sick, two)
			ofWell, ofSick := told(taken[n], well, one), told(taken[n], sick, two)
			if ofWell != "" || ofSick != "" {
				rows[n] = fmt.Sprintf("| %s | %s | %s |\n", taken[n].title(), cmp.Or(ofWell, "–"), cmp.Or(ofSick, "–"))
			}
		})
		page += fmt.Sprintf("\n## kubectl %s\n\nWith all rights: what is well is %s (exit %d), what is sick %s (exit %d).\n\n| taken away | asked about what is well | asked about what is sick |\n|---|---|---|\n%s\nNot needed for these two: %s.\n",
			cmd.name, well.Verdict, well.code, sick.Verdict, sick.code, strings.Join(rows, ""), unused(taken, rows))
	}
	kept(t, "../../docs/rights.md", page)
}

const rightsTop = `# When a right is missing

<!-- Written by make docs; do not edit. -->

Each command with its ClusterRole of [rbac.md](rbac.md), and with one resource of it taken away, asked about a Deployment that
is well and about one that is sick. What could not be seen is named; a verdict that depends on it is unknown (exit code 3),
and nothing is called missing because it may not be read.
`

// advice is what only preflight reads. Beside a watch it is left out without a
// word where it may not be read; --preflight names it.
var advice = []string{"configmaps", "horizontalpodautoscalers", "limitranges", "nodes", "persistentvolumeclaims", "persistentvolumes", "poddisruptionbudgets", "priorityclasses", "resourcequotas", "secrets", "serviceaccounts", "storageclasses"}

// secondary are second looks at what is told without them too: where they are
// refused, a claim is marked as computed instead of observed.
var secondary = []string{"nodes/proxy", "pods/proxy", "pods/log"}

// lesser are what is said in the place of a cause that cannot be seen.
var lesser = []string{"endpoints/cannot-see", "rollout/rbac", "rollout/not-provable", "rollout/progress-deadline"}

// check holds the promise: nothing is accused that was not before, and what
// was refused is named.
func check(t *testing.T, cmd command, taken right, all, less judged) {
	t.Helper()
	if strings.Contains(less.fail, "does not exist") || strings.Contains(less.fail, "has no pod") {
		t.Errorf("%s without %v: what may not be read is called missing: %s", cmd.name, taken, less.fail)
	}
	waits := less.advised && less.code == 4 // why nothing comes cannot be told
	if less.code != all.code && less.code != 3 && !waits {
		t.Errorf("%s without %v: exit %d, not %d or 3: %s%s", cmd.name, taken, less.code, all.code, less.Summary, less.fail)
	}
	known := all.codes()
	for _, code := range less.codes() {
		if !slices.Contains(known, code) && !slices.Contains(lesser, code) {
			t.Errorf("%s without %v: %s is claimed: %s", cmd.name, taken, code, less.Summary)
		}
	}
	beside := less.advised && slices.Contains(advice, taken.resource) || slices.Contains(secondary, taken.resource)
	if len(less.refused) > 0 && less.fail == "" && less.unseen() == "" && !beside {
		t.Errorf("%s without %v: that %v was refused is not told", cmd.name, taken, less.refused[0])
	}
}
