package guardrollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// present makes sure that each target is there; in a snapshot without -n its
// namespace is looked up.
func (o *options) present(ctx context.Context, session *cli.Session) error {
	for i, ref := range o.targets {
		kind := ref.GroupKind()
		if ref.Namespace == "" {
			namespace, err := o.namespaceOf(ctx, session, ref)
			if err != nil {
				return err
			}
			o.targets[i].Namespace = namespace
			continue
		}
		result, err := session.Read(ctx, source.Query{Kind: kind, Namespace: ref.Namespace, Name: ref.Name})
		switch {
		case err != nil:
			return err
		case result.Gap != nil:
			return &cli.Exit{Code: cli.ExitUnknown, Err: fmt.Errorf("%s in namespace %q cannot be seen: %s", ref, ref.Namespace, result.Gap.Why())}
		case len(result.Objects) == 0:
			return o.absent(ctx, session, ref)
		}
	}
	return nil
}

// namespaceOf looks the target up, and says what is close to a name that is not there.
func (o *options) namespaceOf(ctx context.Context, session *cli.Session, ref object.Ref) (string, error) {
	namespace, err := session.NamespaceOf(ctx, ref)
	if errors.Is(err, cli.ErrNowhere) {
		return "", o.absent(ctx, session, ref)
	}
	return namespace, err
}

// absent says what is close to the name of an object that does not exist.
func (o *options) absent(ctx context.Context, session *cli.Session, ref object.Ref) error {
	result, err := session.Read(ctx, source.Query{Kind: ref.GroupKind(), Namespace: ref.Namespace, Metadata: true})
	missing := fmt.Errorf("%s %q in namespace %q does not exist", ref.Kind, ref.Name, ref.Namespace)
	if ref.Namespace == "" {
		missing = fmt.Errorf("%s %q does not exist in any namespace of the snapshot", ref.Kind, ref.Name)
	}
	if err != nil {
		return missing
	}
	var names []string
	for _, other := range result.Objects {
		names = append(names, other.GetName())
	}
	if close := source.Close(names, ref.Name); len(close) > 0 {
		return fmt.Errorf("%w; did you mean %s?", missing, strings.Join(close, ", "))
	}
	if ref.Namespace == "" {
		return missing
	}
	return fmt.Errorf("%w; list what there is with: kubectl -n %s get %ss", missing, ref.Namespace, strings.ToLower(ref.Kind))
}

// selected are the workloads that -l selects; of a snapshot in which nothing
// was named, all.
func (o *options) selected(ctx context.Context, session *cli.Session, namespace string) error {
	o.targets = nil
	var gap *source.Gap
	for _, kind := range workload.Kinds {
		result, err := session.Read(ctx, source.Query{Kind: schema.GroupKind{Group: "apps", Kind: kind}, Namespace: namespace, Labels: o.selector})
		if err != nil {
			return err
		}
		if result.Gap != nil && result.Gap.Reason != source.NotRecorded {
			gap = result.Gap
		}
		for _, found := range result.Objects {
			o.targets = append(o.targets, object.Ref{Group: "apps", Version: "v1", Kind: kind, Namespace: found.GetNamespace(), Name: found.GetName()})
		}
	}
	switch {
	case len(o.targets) > 0:
		return nil
	case gap != nil:
		return &cli.Exit{Code: cli.ExitUnknown, Err: fmt.Errorf("%s cannot be seen: %s", gap.Resource, gap.Why())}
	case o.selector != "":
		return notFound(fmt.Sprintf("in namespace %q has the labels %s", namespace, o.selector))
	}
	return notFound("is in the snapshot")
}

// fromFiles are the workloads that manifests name. Other objects of the
// manifests are passed over: nothing of them rolls.
func (o *options) fromFiles(env *cli.Env, namespace string) error {
	all, err := cli.Manifests(o.files, env, namespace)
	if err != nil {
		return err
	}
	o.targets, o.manifests = nil, map[object.Ref]source.Object{}
	for _, m := range all {
		o.along = append(o.along, m.Ref)
		if m.Query.Kind.Group == "apps" && slices.Contains(workload.Kinds, m.Query.Kind.Kind) {
			o.targets = append(o.targets, m.Ref)
			o.manifests[m.Ref.Key()] = m.Object
		}
	}
	if len(o.targets) == 0 {
		return notFound("stands in " + strings.Join(o.files, ", "))
	}
	return nil
}

func notFound(what string) error {
	return fmt.Errorf("no Deployment, StatefulSet or DaemonSet %s", what)
}
