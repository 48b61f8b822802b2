package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/leadsman-dev/leadsman/pkg/object"
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

// UserFile is a file of the user's own settings, from leadsman/ in the
// configuration directory (XDG_CONFIG_HOME, or .config in the home directory;
// APPDATA on Windows). That there is none is no error.
func (e *Env) UserFile(name string) ([]byte, error) {
	folder := e.Streams.Env("XDG_CONFIG_HOME")
	switch {
	case folder != "":
	case e.Streams.Env("APPDATA") != "":
		folder = e.Streams.Env("APPDATA")
	case e.Streams.Env("HOME") != "":
		folder = filepath.Join(e.Streams.Env("HOME"), ".config")
	default:
		return nil, nil
	}
	doc, err := os.ReadFile(filepath.Join(folder, "leadsman", name))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR) { // HOME=/dev/null
		return nil, nil
	}
	return doc, err
}

// Manifest is one object of a manifest file.
type Manifest struct {
	Query  source.Query // by which it is read where it lives
	Ref    object.Ref   // in the API version that the manifest uses
	Object source.Object
}

// Manifests are the objects of manifest files. A namespace in the manifest wins
// over the given one, as in kubectl.
func Manifests(paths []string, env *Env, namespace string) ([]Manifest, error) {
	store, gaps, err := snapshot.Read(paths, env.Streams.In, snapshot.Options{Now: env.Now()})
	if err != nil {
		return nil, err
	}
	if len(gaps) > 0 {
		return nil, fmt.Errorf("%s: %s", gaps[0].Resource, gaps[0].Detail)
	}
	var all []Manifest
	contents := store.Contents()
	for gk, objects := range contents.Objects {
		namespaced := slices.ContainsFunc(contents.Kinds, func(k source.Kind) bool { return k.GroupKind() == gk && k.Namespaced })
		for _, o := range objects {
			q := source.Query{Kind: gk, Namespace: o.GetNamespace(), Name: o.GetName()}
			if q.Namespace == "" && namespaced {
				q.Namespace = namespace
			}
			gvk := o.GetObjectKind().GroupVersionKind()
			all = append(all, Manifest{q, object.New(gvk.GroupVersion().String(), gvk.Kind, q.Namespace, q.Name), o})
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%v names no object", paths)
	}
	slices.SortFunc(all, func(a, b Manifest) int { return a.Query.Compare(b.Query) })
	return all, nil
}

// RootsOfFiles are the objects that manifests name, to be read where they live,
// and the same objects in the API versions that the manifests use.
func RootsOfFiles(paths []string, env *Env, namespace string) (roots []source.Query, written []object.Ref, err error) {
	all, err := Manifests(paths, env, namespace)
	for _, m := range all {
		roots, written = append(roots, m.Query), append(written, m.Ref)
	}
	slices.SortFunc(written, object.Compare)
	return roots, written, err
}
