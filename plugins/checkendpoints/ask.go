package checkendpoints

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/endpoints"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// asks are what is asked about: one Ask, or with -f one for each namespace
// that the manifests name, and of a dump one for each that it holds.
func (o *options) asks(ctx context.Context, env *cli.Env, session *cli.Session) ([]endpoints.Ask, error) {
	namespace, err := env.Namespace(&o.Shared, o.allNames)
	if err != nil {
		return nil, err
	}
	for _, client := range []*object.Ref{&o.client, &o.through} {
		if client.Kind == "Pod" && client.Namespace == "" {
			if client.Namespace, err = o.namespaceOf(ctx, session, *client, namespace); err != nil {
				return nil, err
			}
		}
	}
	from := o.client
	if from.Name == "" {
		from = o.through
	}
	if len(o.files) == 0 {
		ask := endpoints.Ask{Names: o.names, Namespace: namespace, Labels: o.selector, From: from}
		if len(o.Snapshot) > 0 && namespace == "" {
			return spread(ctx, session, ask)
		}
		return []endpoints.Ask{ask}, nil
	}
	roots, _, err := cli.RootsOfFiles(o.files, env, namespace)
	if err != nil {
		return nil, err
	}
	return asksOf(roots, from, strings.Join(o.files, ", "))
}

// namespaceOf is where a client is: in the namespace that was chosen, or where a
// dump has it.
func (o *options) namespaceOf(ctx context.Context, session *cli.Session, client object.Ref, chosen string) (string, error) {
	switch {
	case chosen != "":
		return chosen, nil
	case len(o.Snapshot) > 0:
		return session.NamespaceOf(ctx, client)
	}
	return "", fmt.Errorf("in which namespace is pod %q? write NAMESPACE/pod/%s", client.Name, client.Name)
}

// spread asks a dump about each namespace in which it holds Services, unless it
// holds all of a cluster: a dump of one namespace knows nothing of the others.
func spread(ctx context.Context, session *cli.Session, ask endpoints.Ask) ([]endpoints.Ask, error) {
	services, err := session.Read(ctx, source.Query{Kind: schema.GroupKind{Kind: "Service"}})
	if err != nil {
		return nil, err
	}
	pods, err := session.Read(ctx, source.Query{Kind: schema.GroupKind{Kind: "Pod"}, Metadata: true})
	if err != nil {
		return nil, err
	}
	if len(ask.Names) == 0 && (services.Gap == nil && pods.Gap == nil || len(services.Objects) == 0) {
		return []endpoints.Ask{ask}, nil
	}
	var asks []endpoints.Ask
	nowhere := slices.Clone(ask.Names)
	for _, o := range services.Objects {
		if len(ask.Names) > 0 && !slices.Contains(ask.Names, o.GetName()) {
			continue
		}
		nowhere = slices.DeleteFunc(nowhere, func(name string) bool { return name == o.GetName() })
		at := slices.IndexFunc(asks, func(a endpoints.Ask) bool { return a.Namespace == o.GetNamespace() })
		if at < 0 {
			asks = append(asks, endpoints.Ask{Namespace: o.GetNamespace(), Labels: ask.Labels, From: ask.From})
			at = len(asks) - 1
		}
		if len(ask.Names) > 0 {
			asks[at].Names = append(asks[at].Names, o.GetName())
		}
	}
	if len(nowhere) > 0 {
		return nil, fmt.Errorf("service %q is not in the snapshot%s", nowhere[0], closeTo(nowhere[0], services))
	}
	return asks, nil
}

// closeTo is what a person may have meant.
func closeTo(name string, services source.Result) string {
	var names []string
	for _, o := range services.Objects {
		names = append(names, o.GetName())
	}
	switch close := source.Close(names, name); {
	case len(close) > 0:
		return "; did you mean " + strings.Join(slices.Compact(close), ", ") + "?"
	case len(names) == 0 && services.Gap == nil:
		return "; there is no Service there"
	}
	return ""
}

// asksOf keeps the Services of a manifest: what else is in it is not asked about.
func asksOf(roots []source.Query, from object.Ref, files string) ([]endpoints.Ask, error) {
	var asks []endpoints.Ask
	for _, q := range roots {
		if q.Kind.Group != "" || q.Kind.Kind != "Service" {
			continue
		}
		at := slices.IndexFunc(asks, func(a endpoints.Ask) bool { return a.Namespace == q.Namespace })
		if at < 0 {
			asks = append(asks, endpoints.Ask{Namespace: q.Namespace, From: from})
			at = len(asks) - 1
		}
		asks[at].Names = append(asks[at].Names, q.Name)
	}
	if len(asks) == 0 {
		return nil, fmt.Errorf("%s names no Service", files)
	}
	return asks, nil
}

// needs is what all asks need.
func needs(asks []endpoints.Ask) func(*index.View) ([]source.Query, []source.LogQuery) {
	return func(v *index.View) ([]source.Query, []source.LogQuery) {
		var queries []source.Query
		var logs []source.LogQuery
		for _, ask := range asks {
			q, l := endpoints.Needs(v, ask)
			queries, logs = append(queries, q...), append(logs, l...)
		}
		slices.SortFunc(queries, source.Query.Compare)
		return slices.Compact(queries), logs
	}
}

// selected are the Services that were asked about. One that was named and does
// not exist is an error, unless it merely cannot be seen.
func selected(ctx context.Context, v *index.View, asks []endpoints.Ask, session *cli.Session) ([]object.Ref, error) {
	var all []object.Ref
	for _, ask := range asks {
		found, absent := endpoints.Selected(v, ask)
		if len(absent) > 0 {
			return nil, missing(ctx, v, absent[0], session)
		}
		all = append(all, found...)
	}
	if len(all) > 0 {
		return all, nil
	}
	if gap := servicesGap(v); gap != nil {
		return nil, &cli.Exit{Code: cli.ExitUnknown, Err: fmt.Errorf("services cannot be seen: %s", gap.Why())}
	}
	return nil, nil
}

// clientIsThere: of a client that does not exist nothing can be judged.
func clientIsThere(v *index.View, client object.Ref) error {
	if client.IsZero() {
		return nil
	}
	if presence, _ := v.Presence(client); presence != index.Missing {
		return nil
	}
	what := strings.ToLower(client.Kind)
	if client.Namespace == "" {
		return fmt.Errorf("%s %q, which was named as the client, does not exist; see: kubectl get %ss", what, client.Name, what)
	}
	return fmt.Errorf("%s %q in namespace %q, which was named as the client, does not exist; see: kubectl -n %s get %ss", what, client.Name, client.Namespace, client.Namespace, what)
}

func servicesGap(v *index.View) *source.Gap {
	at := slices.IndexFunc(v.Gaps, func(g source.Gap) bool { return g.Kind.Kind == "Service" && g.Kind.Group == "" })
	if at < 0 {
		return nil
	}
	return &v.Gaps[at]
}

// gone says that a Service that was asked for does not exist.
type gone struct {
	service object.Ref
	hint    string
}

func (e *gone) Error() string {
	return fmt.Sprintf("service %q in namespace %q does not exist%s", e.service.Name, e.service.Namespace, e.hint)
}

func missing(ctx context.Context, v *index.View, service object.Ref, session *cli.Session) error {
	if presence, gap := v.Presence(service); presence == index.Unknown && gap != nil {
		return &cli.Exit{Code: cli.ExitUnknown, Err: fmt.Errorf("service %q in namespace %q cannot be seen: %s", service.Name, service.Namespace, gap.Why())}
	}
	result, err := session.Read(ctx, source.Query{Kind: service.GroupKind(), Namespace: service.Namespace, Metadata: true})
	if err != nil {
		return &gone{service: service}
	}
	return &gone{service, closeTo(service.Name, result)}
}
