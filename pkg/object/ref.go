// Package object is the identity of a Kubernetes object: how it is named on a
// command line, printed, compared and put in order.
package object

import (
	"cmp"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Ref names one object. Two Refs mean the same object when their Keys are
// equal: the version under which an object was read is not part of what it is.
type Ref struct {
	Group     string
	Version   string
	Kind      string
	Namespace string
	Name      string
}

// New builds a Ref from an API version such as "apps/v1". A version that does
// not parse is kept whole as the group, so that hostile input stays visible.
func New(apiVersion, kind, namespace, name string) Ref {
	gv, err := schema.ParseGroupVersion(apiVersion)
	if err != nil {
		gv = schema.GroupVersion{Group: apiVersion}
	}
	return Ref{Group: gv.Group, Version: gv.Version, Kind: kind, Namespace: namespace, Name: name}
}

// Of is the Ref of an object that was read under the kind gvk.
func Of(gvk schema.GroupVersionKind, o metav1.Object) Ref {
	return Ref{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind, Namespace: o.GetNamespace(), Name: o.GetName()}
}

// Key is the Ref without its version, for use as a map key.
func (r Ref) Key() Ref {
	r.Version = ""
	return r
}

// IsZero says whether the Ref names nothing.
func (r Ref) IsZero() bool { return r.Kind == "" && r.Name == "" }

// GroupKind is the kind without its version.
func (r Ref) GroupKind() schema.GroupKind {
	return schema.GroupKind{Group: r.Group, Kind: r.Kind}
}

// APIVersion is the wire form of group and version, such as "apps/v1".
func (r Ref) APIVersion() string {
	return schema.GroupVersion{Group: r.Group, Version: r.Version}.String()
}

// String is the short form in which people talk of an object:
// "Deployment/web". The namespace is left to the context.
func (r Ref) String() string { return r.Kind + "/" + r.Name }

// Long is String with the namespace in front: "shop/Deployment/web".
func (r Ref) Long() string {
	if r.Namespace == "" {
		return r.String()
	}
	return r.Namespace + "/" + r.String()
}

// Arg is the form that kubectl takes on its command line: "deployment/web",
// with the group where the kind alone would be ambiguous ("widget.example.com/x").
func (r Ref) Arg() string {
	kind := strings.ToLower(r.Kind)
	if r.Group != "" && strings.Contains(r.Group, ".") && !strings.HasSuffix(r.Group, ".k8s.io") {
		kind += "." + r.Group
	}
	return kind + "/" + r.Name
}

// Compare orders Refs by namespace, kind, group and name. It ignores versions.
func Compare(a, b Ref) int {
	return cmp.Or(
		cmp.Compare(a.Namespace, b.Namespace),
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Group, b.Group),
		cmp.Compare(a.Name, b.Name),
	)
}

// Arg is what a user wrote to name objects: a type, and a name unless a
// selector chooses.
type Arg struct {
	Type string // "deploy", "deployments.apps", "widgets.v1.example.com"
	Name string
}

// ParseArgs reads kubectl's forms: "TYPE/NAME …", "TYPE NAME …" and, when
// selecting is true, "TYPE" alone.
func ParseArgs(args []string, selecting bool) ([]Arg, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("name an object, such as deployment/web")
	}
	if !strings.Contains(args[0], "/") {
		return parseTypeThenNames(args, selecting)
	}
	parsed := make([]Arg, 0, len(args))
	for _, a := range args {
		kind, name, ok := strings.Cut(a, "/")
		if !ok || kind == "" || name == "" || strings.Contains(name, "/") {
			return nil, fmt.Errorf("%q is not of the form TYPE/NAME, such as deployment/web", a)
		}
		parsed = append(parsed, Arg{Type: kind, Name: name})
	}
	if selecting {
		return nil, fmt.Errorf("a name and a selector exclude each other: give TYPE -l SELECTOR or TYPE/NAME")
	}
	return parsed, nil
}

func parseTypeThenNames(args []string, selecting bool) ([]Arg, error) {
	types := strings.Split(args[0], ",")
	names := args[1:]
	switch {
	case selecting && len(names) > 0:
		return nil, fmt.Errorf("a name and a selector exclude each other: give TYPE -l SELECTOR or TYPE/NAME")
	case !selecting && len(names) == 0:
		return nil, fmt.Errorf("which %s? give a name (%s/NAME) or a selector (-l)", args[0], args[0])
	case selecting:
		names = []string{""}
	}
	parsed := make([]Arg, 0, len(types)*len(names))
	for _, t := range types {
		for _, n := range names {
			if t == "" || strings.Contains(n, "/") {
				return nil, fmt.Errorf("%q is not of the form TYPE NAME, such as deployment web", strings.Join(args, " "))
			}
			parsed = append(parsed, Arg{Type: t, Name: n})
		}
	}
	return parsed, nil
}
