package script

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/term"
	"github.com/leadsman-dev/leadsman/plugins/checkendpoints"
	"github.com/leadsman-dev/leadsman/plugins/explaintree"
	"github.com/leadsman-dev/leadsman/plugins/guardrollout"
	"github.com/leadsman-dev/leadsman/plugins/tracedns"
)

// plugins are the commands that the README shows, by how they are typed.
func plugins() map[string]cli.Plugin {
	return map[string]cli.Plugin{"explain-tree": explaintree.Command, "check-endpoints": checkendpoints.Command, "guard-rollout": guardrollout.Command, "trace-dns": tracedns.Command}
}

// named is the plugin that a line of the README runs.
func named(line string) (string, cli.Plugin, bool) {
	words := strings.Fields(line)
	if len(words) < 2 || words[0] != "kubectl" {
		return "", nil, false
	}
	command, ok := plugins()[words[1]]
	return words[1], command, ok
}

// Every command of the pages that a person writes is run on the shop's dump;
// what they show as output is what the command prints.
func TestTheDocsAreTrue(t *testing.T) {
	shop, err := filepath.Abs("testdata/snapshots/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	roll, err := filepath.Abs("../../pkg/rollout/testdata/frontend.ndjson.gz")
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for _, name := range []string{"../../README.md", "../../docs/ci.md"} {
		page, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, page)
	}
	t.Chdir(t.TempDir())
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) { checkPage(t, page, shop, roll) })
	}
}

func checkPage(t *testing.T, path, shop, roll string) {
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, block := range regexp.MustCompile("(?s)```(console|sh)\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		for _, c := range commandsOf(block[2], block[1] == "console") {
			commands++
			t.Run(c.line, func(t *testing.T) {
				now := c.check(t, shop, roll)
				page = bytes.Replace(page, []byte(c.output), []byte(now), 1)
			})
		}
	}
	if commands == 0 {
		t.Fatal("the page shows no command")
	}
	if *update {
		if err := os.WriteFile(path, page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

type shown struct {
	line   string
	output string // "" where none is shown
}

// commandsOf reads a block of commands; in a console they stand behind "$ ",
// and their output below them.
func commandsOf(block string, console bool) []shown {
	var all []shown
	for line := range strings.Lines(block) {
		command, typed := strings.CutPrefix(line, "$ ")
		_, _, ours := named(command)
		switch {
		case typed == console && ours:
			all = append(all, shown{line: strings.TrimSpace(command)})
		case console && len(all) > 0:
			all[len(all)-1].output += line
		}
	}
	return all
}

// cost is the last line of a live answer, which the dump cannot give.
var cost = regexp.MustCompile(`(?m)^\d+ requests, [\d.]+ s$`)

// check returns the output that the README should show.
func (c shown) check(t *testing.T, shop, roll string) string {
	t.Helper()
	out, code, said := c.run(t.Context(), shop, roll)
	if code == cli.ExitError {
		t.Fatalf("%s: %s", c.line, said)
	}
	if c.output == "" {
		return ""
	}
	out = strings.Replace(out, "from a snapshot\n", cost.FindString(c.output)+"\n", 1)
	if diff := cmp.Diff(c.output, out); diff != "" && !*update {
		t.Errorf("%s (-readme +really); rewrite it with: make script UPDATE=1\n%s", c.line, diff)
	}
	return out
}

// live are the flags that want a cluster.
var live = []string{"-w", "--probe", "--probe=", "--await", "--record=", "--on-failure=", "--yes"}

func wantsCluster(arg string) bool {
	return slices.ContainsFunc(live, func(flag string) bool {
		return arg == flag || strings.HasSuffix(flag, "=") && strings.HasPrefix(arg, flag)
	})
}

// run runs the command as it is written, but on the dump or the recording and
// without staying.
func (c shown) run(ctx context.Context, shop, roll string) (output string, code int, said string) {
	name, command, _ := named(c.line)
	typed, _, _ := strings.Cut(c.line, " > ") // into a file: the shell's part
	args := slices.DeleteFunc(strings.Fields(typed)[2:], wantsCluster)
	if i := slices.Index(args, "--replay"); i >= 0 {
		args[i+1] = roll
		args = slices.DeleteFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "--speed=") })
	} else if i := slices.Index(args, "--snapshot"); i >= 0 {
		args[i+1] = shop
	} else {
		args = append(args, "--snapshot", shop)
	}
	var out, errs bytes.Buffer
	streams := term.Streams{
		In: strings.NewReader(""), Out: &out, Err: &errs,
		Getenv: func(name string) string { return map[string]string{"LANG": "C.UTF-8"}[name] },
	}
	code = cli.Run(ctx, command, append([]string{"kubectl-" + strings.ReplaceAll(name, "-", "_")}, args...), streams)
	return out.String(), code, fmt.Sprintf("exit code %d: %s", code, errs.String())
}
