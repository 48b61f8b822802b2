package snapshot

import (
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// coverage is what a foreign dump can be taken to hold in full. It says so of
//   - a kind in a namespace of which a List has objects, and the kind as a
//     whole where one List has them from several namespaces, as with -A;
//   - a kind in a namespace of which there are several objects one by one,
//     since a single one was asked for by name;
//   - the empty lists of `kubectl cluster-info dump`, which its folders name.
//
// All else is unknown, not missing.
type coverage struct {
	queries map[source.Query]*source.Gap
	singles map[source.Query]int
	nodes   map[string]bool // folders that hold a nodes file
	empty   []emptyList
}

type emptyList struct {
	root  string
	query source.Query
}

func newCoverage() coverage {
	return coverage{queries: map[source.Query]*source.Gap{}, singles: map[source.Query]int{}, nodes: map[string]bool{}}
}

func (c *coverage) file(name string) {
	name = filepath.ToSlash(name)
	if base := path.Base(name); base == "nodes.json" || base == "nodes.yaml" {
		c.nodes[path.Dir(name)] = true
	}
}

func (c *coverage) list(d *decoder, name string, l list, seen []decoded, failed *source.Gap) {
	if len(seen) == 0 {
		c.emptyList(d, name, l, failed)
		return
	}
	namespaces := map[schema.GroupKind]map[string]bool{}
	for _, r := range seen {
		if namespaces[r.kind] == nil {
			namespaces[r.kind] = map[string]bool{}
		}
		namespaces[r.kind][r.object.GetNamespace()] = true
	}
	for gk, in := range namespaces {
		for ns := range in {
			if ns != "" || !d.namespaced(gk) {
				c.queries[source.Query{Kind: gk, Namespace: ns}] = failed
			}
		}
		if len(in) > 1 {
			c.queries[source.Query{Kind: gk}] = failed
		}
	}
}

func (c *coverage) emptyList(d *decoder, name string, l list, failed *source.Gap) {
	of := l.itemKind()
	gv, err := schema.ParseGroupVersion(of.APIVersion)
	if err != nil || of.Kind == "" || failed != nil {
		return
	}
	gk, _ := home(gv, of.Kind)
	if !d.namespaced(gk) {
		c.queries[source.Query{Kind: gk}] = nil
		return
	}
	folder := path.Dir(filepath.ToSlash(name))
	c.empty = append(c.empty, emptyList{path.Dir(folder), source.Query{Kind: gk, Namespace: folder[strings.LastIndexAny(folder, "/!")+1:]}})
}

func (c *coverage) single(d *decoder, seen []decoded) {
	for _, r := range seen {
		if ns := r.object.GetNamespace(); ns != "" || !d.namespaced(r.kind) {
			c.singles[source.Query{Kind: r.kind, Namespace: ns}]++
		}
	}
}

// namespaced says of an unknown kind that it is, for then it covers less.
func (d *decoder) namespaced(gk schema.GroupKind) bool {
	if k, ok := d.known[gk]; ok {
		return k.Namespaced
	}
	if k, ok := d.custom[gk]; ok {
		return k.Namespaced
	}
	return true
}

func (c *coverage) declare(s *source.Store) {
	for q, n := range c.singles {
		if _, ok := c.queries[q]; !ok && n > 1 {
			c.queries[q] = nil
		}
	}
	for _, e := range c.empty {
		if _, ok := c.queries[e.query]; !ok && c.nodes[e.root] {
			c.queries[e.query] = nil
		}
	}
	for _, q := range slices.SortedFunc(maps.Keys(c.queries), source.Query.Compare) {
		s.Answer(q, source.Result{Gap: c.queries[q]})
	}
}
