package cli

import (
	"fmt"
	"os"
	"slices"

	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/source/snapshot"
)

// ReadFiles reads whole files, for flags that name them.
func ReadFiles(paths []string) ([][]byte, error) {
	var docs [][]byte
	for _, path := range paths {
		doc, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

// RootsOfFiles are the objects that manifests name, to be read where they
// live. A namespace in the manifest wins over the given one, as in kubectl.
func RootsOfFiles(paths []string, env *Env, namespace string) ([]source.Query, error) {
	store, gaps, err := snapshot.Read(paths, env.Streams.In, snapshot.Options{Now: env.Now()})
	if err != nil {
		return nil, err
	}
	if len(gaps) > 0 {
		return nil, fmt.Errorf("%s: %s", gaps[0].Resource, gaps[0].Detail)
	}
	contents := store.Contents()
	var roots []source.Query
	for gk, objects := range contents.Objects {
		namespaced := slices.ContainsFunc(contents.Kinds, func(k source.Kind) bool { return k.GroupKind() == gk && k.Namespaced })
		for _, o := range objects {
			q := source.Query{Kind: gk, Namespace: o.GetNamespace(), Name: o.GetName()}
			if q.Namespace == "" && namespaced {
				q.Namespace = namespace
			}
			roots = append(roots, q)
		}
	}
	if len(roots) == 0 {
		return nil, fmt.Errorf("%v names no object", paths)
	}
	slices.SortFunc(roots, source.Query.Compare)
	return roots, nil
}
