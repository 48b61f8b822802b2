package explaintree

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/collect"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// roots are the queries for what was asked about.
func (o *options) roots(ctx context.Context, env *cli.Env, session *cli.Session) ([]source.Query, error) {
	namespace, err := env.Namespace(&o.Shared, o.allNames)
	if err != nil {
		return nil, err
	}
	if len(o.files) > 0 {
		roots, written, err := cli.RootsOfFiles(o.files, env, namespace)
		o.written = written
		return roots, err
	}
	if len(o.args) == 0 {
		return topOf(ctx, session, namespace)
	}
	var roots []source.Query
	for _, a := range o.args {
		kind, err := resolve(ctx, session, a.Type)
		if err != nil {
			return nil, err
		}
		q := source.Query{Kind: kind.GroupKind(), Namespace: namespace, Name: a.Name, Labels: o.selector}
		if !kind.Namespaced {
			q.Namespace = ""
		}
		roots = append(roots, q)
	}
	return roots, nil
}

// resolve finds the kind without discovery where it is a built-in one.
func resolve(ctx context.Context, session *cli.Session, name string) (source.Kind, error) {
	if kind, err := source.Resolve(scheme.Kinds(), name); err == nil {
		return kind, nil
	}
	kinds, _ := session.Kinds(ctx)
	if kind, err := source.Resolve(kinds, name); err == nil || !session.Refresh(ctx) {
		return kind, err
	}
	kinds, _ = session.Kinds(ctx)
	return source.Resolve(kinds, name)
}

// topOf are the workloads of a dump, when nothing was named: what a person
// would ask about first.
func topOf(ctx context.Context, session *cli.Session, namespace string) ([]source.Query, error) {
	var roots []source.Query
	for _, k := range scheme.Kinds() {
		q := source.Query{Kind: k.GroupKind(), Namespace: namespace}
		result, err := session.Read(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, object := range result.Objects {
			if len(object.GetOwnerReferences()) == 0 && interesting(k) {
				roots = append(roots, source.Query{Kind: k.GroupKind(), Namespace: object.GetNamespace(), Name: object.GetName()})
			}
		}
	}
	if len(roots) == 0 {
		return nil, fmt.Errorf("the snapshot holds no workload; name an object, such as node/NAME")
	}
	return roots, nil
}

func interesting(k source.Kind) bool {
	switch k.Kind {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "CronJob", "Job", "Pod":
		return true
	}
	return false
}

// explainRoot adds to "does not exist" what is close to the name.
func explainRoot(ctx context.Context, session *cli.Session, err error) error {
	var root *collect.RootError
	if !errors.As(err, &root) {
		return err
	}
	if root.Gap != nil {
		code := cli.ExitUnknown
		if root.Gap.Reason == source.NotServed {
			code = cli.ExitError
		}
		return &cli.Exit{Code: code, Err: err}
	}
	result, listErr := session.Read(ctx, source.Query{Kind: root.Query.Kind, Namespace: root.Query.Namespace, Metadata: true})
	if listErr != nil || root.Query.Name == "" {
		return err
	}
	var names []string
	for _, o := range result.Objects {
		names = append(names, o.GetName())
	}
	if close := source.Close(names, root.Query.Name); len(close) > 0 {
		return fmt.Errorf("%w; did you mean %s?", err, strings.Join(close, ", "))
	}
	if len(names) == 0 && result.Gap == nil {
		return nothingThere(ctx, session, root, err)
	}
	return err
}

// nothingThere tells a namespace that does not exist from one without objects
// of the kind.
func nothingThere(ctx context.Context, session *cli.Session, root *collect.RootError, err error) error {
	namespaces := source.Query{Kind: schema.GroupKind{Kind: "Namespace"}, Metadata: true}
	result, listErr := session.Read(ctx, namespaces)
	if listErr != nil || result.Gap != nil || root.Query.Namespace == "" {
		return fmt.Errorf("%w; there is none of that kind there", err)
	}
	var names []string
	for _, o := range result.Objects {
		if o.GetName() == root.Query.Namespace {
			return fmt.Errorf("%w; there is none of that kind there", err)
		}
		names = append(names, o.GetName())
	}
	if close := source.Close(names, root.Query.Namespace); len(close) > 0 {
		return fmt.Errorf("namespace %q does not exist; did you mean %s?", root.Query.Namespace, strings.Join(close, ", "))
	}
	return fmt.Errorf("namespace %q does not exist; list them with: kubectl get namespaces", root.Query.Namespace)
}
