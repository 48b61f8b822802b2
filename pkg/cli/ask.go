package cli

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Ask is one question of a shell: what could the word be that is being typed?
type Ask struct {
	Args  []string // the arguments before it
	Typed string   // what of it is there

	ctx    context.Context
	env    *Env
	shared *Shared
	opened *Session
}

// session is nil where there is nothing to ask. A dump that comes from standard
// input cannot be read here: that is the user's terminal.
func (a *Ask) session() *Session {
	if a.opened == nil && !slices.Contains(a.shared.Snapshot, "-") {
		a.opened, _ = a.env.Open(a.ctx, a.shared)
	}
	return a.opened
}

// Read lists objects; nothing where they cannot be listed. Without a namespace
// it is the one of the flags and the kubeconfig; "*" is all of them.
func (a *Ask) Read(kind schema.GroupKind, namespace string, metadata bool) []source.Object {
	session := a.session()
	if session == nil {
		return nil
	}
	switch namespace {
	case "*":
		namespace = ""
	case "":
		var err error
		if namespace, err = a.env.Namespace(a.shared, false); err != nil {
			return nil
		}
	}
	result, err := session.Read(a.ctx, source.Query{Kind: kind, Namespace: namespace, Metadata: metadata})
	if err != nil {
		return nil
	}
	return result.Objects
}

// Names are the names of the objects of a kind, each once, behind a prefix;
// without those that are given already.
func (a *Ask) Names(kind source.Kind, namespace, prefix string) []string {
	if !kind.Namespaced {
		namespace = "*"
	}
	var words []string
	for _, o := range a.Read(kind.GroupKind(), namespace, true) {
		if word := prefix + o.GetName(); !slices.Contains(a.Args, word) {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

func (a *Ask) namespaces() []string {
	return a.Names(source.Kind{Kind: "Namespace"}, "", "")
}

// Objects offers TYPE/NAME and, behind a TYPE, its NAMEs. The types are those
// given, or all that the cluster has.
func (a *Ask) Objects(kinds []source.Kind) []string {
	kind, _, slash := strings.Cut(a.Typed, "/")
	switch {
	case slash:
		return a.namesOf(kinds, kind, kind+"/")
	case len(a.Args) > 0 && !strings.Contains(a.Args[0], "/"):
		return a.namesOf(kinds, a.Args[0], "")
	}
	return a.types(kinds)
}

func (a *Ask) namesOf(kinds []source.Kind, name, prefix string) []string {
	known := kinds
	if known == nil {
		known = scheme.Kinds() // saves the discovery
	}
	kind, err := source.Resolve(known, name)
	if err != nil && kinds == nil {
		kind, err = source.Resolve(a.kinds(), name)
	}
	if err != nil {
		return nil
	}
	return a.Names(kind, "", prefix)
}

// kinds are all that there are, from the cached discovery; the built-in ones
// where there is none.
func (a *Ask) kinds() []source.Kind {
	if session := a.session(); session != nil {
		if kinds, _ := session.Kinds(a.ctx); len(kinds) > 0 {
			return kinds
		}
	}
	return scheme.Kinds()
}

// types are the names of kinds as one writes them before a slash: "pod/",
// "widgets.example.com/" where "widget" means another kind. A short name is
// offered to whoever typed it when nothing else begins so: "sts/".
func (a *Ask) types(kinds []source.Kind) []string {
	if kinds == nil {
		kinds = a.kinds()
	}
	var words []string
	for _, k := range kinds {
		if !k.Listable {
			continue
		}
		name := k.Singular
		if other, err := source.Resolve(kinds, name); err != nil || other.GroupKind() != k.GroupKind() {
			name = k.Title()
		}
		words = append(words, name+"/")
	}
	slices.Sort(words)
	if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, a.Typed) }) {
		if _, err := source.Resolve(kinds, a.Typed); err == nil {
			words = append(words, a.Typed+"/")
		}
	}
	return words
}

// Placed offers TYPE/NAME and, for objects of another namespace,
// NAMESPACE/TYPE/NAME, for the given types.
func (a *Ask) Placed(types ...string) []string {
	kindOf := func(name string) (source.Kind, bool) {
		kind, err := source.Resolve(scheme.Kinds(), name)
		return kind, err == nil && slices.ContainsFunc(types, func(t string) bool {
			one, err := source.Resolve(scheme.Kinds(), t)
			return err == nil && one.GroupKind() == kind.GroupKind()
		})
	}
	begin := func(prefix string, of []string) (words []string) {
		for _, w := range of {
			words = append(words, prefix+w+"/")
		}
		return words
	}
	parts := strings.Split(a.Typed, "/")
	switch len(parts) {
	case 1:
		return append(begin("", types), begin("", a.namespaces())...)
	case 2:
		if kind, ok := kindOf(parts[0]); ok {
			return a.Names(kind, "", parts[0]+"/")
		}
		namespaced := slices.DeleteFunc(slices.Clone(types), func(t string) bool {
			kind, ok := kindOf(t)
			return !ok || !kind.Namespaced
		})
		return begin(parts[0]+"/", namespaced)
	case 3:
		if kind, ok := kindOf(parts[1]); ok && kind.Namespaced && parts[0] != "" {
			return a.Names(kind, parts[0], parts[0]+"/"+parts[1]+"/")
		}
	}
	return nil
}
