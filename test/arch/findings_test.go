package arch

import (
	"flag"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/pkg/dns"
	"github.com/leadsman-dev/leadsman/pkg/endpoints"
	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/rollout"
	"github.com/leadsman-dev/leadsman/pkg/tree"
)

var update = flag.Bool("update", false, "add new finding codes to the ledger")

// ledger is every code that was ever published, so that a retired name is
// never given to something else. A retired one has " retired" behind it.
const ledger = "testdata/codes.txt"

func docs() []finding.Doc {
	return slices.Concat(tree.Docs(), endpoints.Docs(), dns.Docs(), rollout.Docs())
}

func TestEveryFindingIsRegisteredOnceUnderAStableName(t *testing.T) {
	shape := regexp.MustCompile(`^(tree|endpoints|rollout|preflight|dns)/[a-z0-9]+(-[a-z0-9]+)*$`)
	seen := map[string]bool{}
	for _, d := range docs() {
		if !shape.MatchString(d.Code) {
			t.Errorf("%q is not named domain/kebab-case", d.Code)
		}
		if seen[d.Code] {
			t.Errorf("%s is registered twice", d.Code)
		}
		seen[d.Code] = true
		for part, text := range map[string]string{"Title": d.Title, "Means": d.Means, "Told": d.Told, "Fix": d.Fix, "Source": d.Source} {
			if strings.TrimSpace(text) == "" {
				t.Errorf("the page of %s has no %s", d.Code, part)
			}
		}
		if strings.Contains(d.Title, "\n") || strings.HasSuffix(d.Title, ".") {
			t.Errorf("the title of %s is one line without a full stop, not %q", d.Code, d.Title)
		}
		if !slices.Contains([]finding.Severity{finding.Error, finding.Warning, finding.Info}, d.Severity) {
			t.Errorf("%s has the severity %q", d.Code, d.Severity)
		}
	}
}

func TestNoCodeIsReportedThatHasNoPage(t *testing.T) {
	codes := codes()
	code := regexp.MustCompile(`^(tree|endpoints|rollout|preflight|dns)/[a-z0-9-]+$`)
	for _, f := range files(t) {
		if f.test() || !f.in("pkg", "plugins") {
			continue
		}
		imported := map[string]bool{}
		for _, i := range f.syntax.Imports {
			imported[strings.Trim(i.Path.Value, `"`)] = true
		}
		f.literals(func(value string, at ast.Node) {
			if code.MatchString(value) && !imported[value] && !slices.Contains(codes, value) {
				t.Errorf("%s names the finding %s, which no analyzer registers", f.at(at), value)
			}
		})
	}
}

func TestEveryCodeIsProvokedByATest(t *testing.T) {
	quoted := map[string]bool{}
	for _, f := range files(t) {
		if f.test() && !f.in("test/arch") {
			f.literals(func(value string, _ ast.Node) { quoted[value] = true })
		}
	}
	fixtures, err := filepath.Glob(root + "/pkg/*/testdata/faults/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range fixtures {
		quoted[strings.TrimSuffix(filepath.Base(name), ".txtar")] = true
	}
	for _, code := range codes() {
		_, bare, _ := strings.Cut(code, "/")
		if !quoted[code] && !quoted[bare] {
			t.Errorf("no test names %s: show where it fires, and a look-alike where it stays silent", code)
		}
	}
}

func TestNoRetiredNameIsUsedAgain(t *testing.T) {
	data, err := os.ReadFile(ledger)
	if err != nil && !*update {
		t.Fatal(err)
	}
	lines := slices.Collect(strings.Lines(string(data)))
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	for _, code := range codes() {
		switch {
		case slices.Contains(lines, code+" retired"):
			t.Errorf("%s is retired; a new finding needs a new name", code)
		case slices.Contains(lines, code):
		case *update:
			lines = append(lines, code)
		default:
			t.Errorf("%s is not in %s yet; add it with: go test ./test/arch -update", code, ledger)
		}
	}
	for _, line := range lines {
		if code, retired := strings.CutSuffix(line, " retired"); !retired && !slices.Contains(codes(), code) {
			t.Errorf("%s was published and is gone; write \"%s retired\" into %s", code, code, ledger)
		}
	}
	if *update {
		slices.Sort(lines)
		if err := os.MkdirAll(filepath.Dir(ledger), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(ledger, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func codes() []string {
	var codes []string
	for _, d := range docs() {
		codes = append(codes, d.Code)
	}
	return codes
}
