package main

import (
	"context"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/source/live"
)

func configFlags(kubeconfig string) *genericclioptions.ConfigFlags {
	flags := genericclioptions.NewConfigFlags(true)
	flags.KubeConfig = &kubeconfig
	return flags
}

// readEverything lists the metadata of every listable kind of a namespace: the
// least that finds what an unknown object owns, since servers cannot select by
// owner.
func readEverything(ctx context.Context, src *live.Source, namespace string) error {
	kinds, _ := src.Kinds(ctx)
	group, ctx := errgroup.WithContext(ctx)
	for _, k := range kinds {
		if !k.Listable || !k.Namespaced || k.Kind == "Event" {
			continue
		}
		group.Go(func() error {
			_, err := src.Read(ctx, source.Query{Kind: k.GroupKind(), Namespace: namespace, Metadata: true})
			return err
		})
	}
	return group.Wait()
}

// readEndpoints lists, side by side, what no judgement of Services can do
// without, of the whole cluster.
func readEndpoints(ctx context.Context, src *live.Source) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, gk := range []schema.GroupKind{{Kind: "Service"}, {Group: "discovery.k8s.io", Kind: "EndpointSlice"}, {Kind: "Pod"}} {
		group.Go(func() error {
			_, err := src.Read(ctx, source.Query{Kind: gk})
			return err
		})
	}
	return group.Wait()
}

// rawRead is the bare read, with the client that the plugins use and nothing
// of their judgement.
func rawRead(ctx context.Context, kubeconfig, what, namespace string) error {
	src := live.New(configFlags(kubeconfig), live.Options{})
	switch what {
	case "pods":
		_, err := src.Read(ctx, source.Query{Kind: schema.GroupKind{Kind: "Pod"}, Namespace: namespace, Labels: "app=app-1"})
		return err
	case "endpoints":
		return readEndpoints(ctx, src)
	case "everything":
		return readEverything(ctx, src, namespace)
	}
	return nil
}
