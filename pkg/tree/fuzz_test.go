package tree_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/collect"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/source/snapshot"
	"github.com/leadsman-dev/leadsman/pkg/tree"
)

// Whatever a dump holds (owners that own themselves, selectors that do not
// parse, names that lie), an explanation ends, says the same twice, and draws
// each object once.
func FuzzExplain(f *testing.F) {
	archives := faults(f)
	for _, name := range slices.Sorted(maps.Keys(archives)) {
		for _, file := range archives[name].Files {
			f.Add(string(file.Data))
		}
	}
	table, err := relation.NewTable()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, dump string) {
		store, _, err := snapshot.Read([]string{"-"}, strings.NewReader(dump), snapshot.Options{Now: time.Unix(1767225600, 0), MaxFile: 1 << 16})
		if err != nil {
			return
		}
		roots := everyObject(store)
		if len(roots) == 0 {
			return
		}
		first, second := say(t, store, table, roots), say(t, store, table, roots)
		if first != second {
			t.Errorf("two answers:\n%s\n%s", first, second)
		}
	})
}

func everyObject(store *source.Store) []source.Query {
	var roots []source.Query
	for gk, objects := range store.Contents().Objects {
		for _, o := range objects {
			roots = append(roots, source.Query{Kind: gk, Namespace: o.GetNamespace(), Name: o.GetName()})
		}
	}
	slices.SortFunc(roots, source.Query.Compare)
	return roots[:min(20, len(roots))]
}

func say(t *testing.T, store *source.Store, table *relation.Table, roots []source.Query) string {
	t.Helper()
	facts, err := collect.Collect(t.Context(), store, collect.Request{Roots: roots, Table: table, Choice: relation.Choice{All: true}, Extra: tree.Needs})
	if err != nil {
		return err.Error() // an object without a name cannot be asked for
	}
	r := tree.Explain(facts.Graph, facts.Roots, tree.Options{Learn: true})
	seen := map[string]bool{}
	report.Walk(r.Tree, func(n *report.Node, _ int) {
		key := n.Object.Group + "/" + n.Object.Long()
		if n.Above || n.Created == nil { // a pointer, a container, or what was not read
			return
		}
		if seen[key] {
			t.Errorf("%s is drawn twice", key)
		}
		seen[key] = true
	})
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
