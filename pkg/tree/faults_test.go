package tree_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/leadsman-dev/leadsman/pkg/collect"
	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/source/snapshot"
	"github.com/leadsman-dev/leadsman/pkg/tree"
)

// Each archive in testdata/faults holds a dump in which the fault of its name
// is, and its look-alike in which it is not.
func TestFaultsFireAndTheirLookalikesAreSilent(t *testing.T) {
	for name, archive := range faults(t) {
		code := "tree/" + name
		args := strings.Fields(string(archive.Comment))[1:]
		for _, f := range archive.Files {
			t.Run(name+"/"+f.Name, func(t *testing.T) {
				r := explain(t, f.Data, args...)
				got := codesOf(r)
				fires := strings.HasPrefix(f.Name, "fires")
				if got[code] != fires {
					t.Errorf("%s: found %v, want %v; verdict: %s", code, got, fires, r.Summary)
				}
				if fires {
					checkClaims(t, r, code)
				} else if worst, any := finding.Worst(r.Findings); any && worst == finding.Error {
					t.Errorf("the look-alike is accused: %s", r.Summary)
				}
			})
		}
	}
}

// checkClaims: a claim carries its object, a field and what stands there, and
// says what to do.
func checkClaims(t *testing.T, r *report.Report, code string) {
	t.Helper()
	for _, f := range r.Findings {
		if f.Code != code {
			continue
		}
		if f.Object.IsZero() || f.Message == "" || len(f.Evidence) == 0 {
			t.Errorf("a claim without evidence: %+v", f)
		}
		for _, e := range f.Evidence {
			if e.Object.IsZero() || e.Field == "" || e.Value == "" {
				t.Errorf("evidence without place or value: %+v", e)
			}
		}
	}
}

func TestEveryCodeOfTheTreeHasItsFixtures(t *testing.T) {
	have := faults(t)
	fromHealth := map[string]bool{}
	for _, d := range health.Docs() {
		fromHealth["tree/"+d.Code] = true // tested in pkg/health, by a test like this one
	}
	for _, d := range tree.Docs() {
		_, name, _ := strings.Cut(d.Code, "/")
		if _, ok := have[name]; !ok && !fromHealth[d.Code] {
			t.Errorf("%s has no testdata/faults/%s.txtar", d.Code, name)
		}
	}
}

func faults(t testing.TB) map[string]*txtar.Archive {
	t.Helper()
	paths, err := filepath.Glob("testdata/faults/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	all := map[string]*txtar.Archive{}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".txtar")] = archive
	}
	return all
}

func codesOf(r *report.Report) map[string]bool {
	codes := map[string]bool{}
	for _, f := range r.Findings {
		codes[f.Code] = true
	}
	return codes
}

// explain runs the whole house on a dump, from source to report.
func explain(t *testing.T, dump []byte, args ...string) *report.Report {
	t.Helper()
	store, gaps, err := snapshot.Read([]string{"-"}, strings.NewReader(string(dump)), snapshot.Options{Now: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)})
	if err != nil || len(gaps) > 0 {
		t.Fatalf("cannot read the dump: %v, %v", err, gaps)
	}
	return explainSource(t, store, relation.Choice{}, args...)
}

func explainSource(t *testing.T, src source.Source, choice relation.Choice, args ...string) *report.Report {
	t.Helper()
	parsed, err := object.ParseArgs(args, false)
	if err != nil {
		t.Fatal(err)
	}
	kinds, _ := src.Kinds(t.Context())
	var roots []source.Query
	for _, a := range parsed {
		kind, err := source.Resolve(append(scheme.Kinds(), kinds...), a.Type)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, source.Query{Kind: kind.GroupKind(), Name: a.Name})
	}
	table, err := relation.NewTable()
	if err != nil {
		t.Fatal(err)
	}
	facts, err := collect.Collect(t.Context(), src, collect.Request{Roots: roots, Table: table, Choice: choice, Extra: tree.Needs})
	if err != nil {
		t.Fatal(err)
	}
	return tree.Explain(facts.Graph, facts.Roots, tree.Options{})
}
