package guardrollout

import (
	"context"
	"fmt"

	"github.com/leadsman-dev/leadsman/pkg/act"
	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// proposals are what the cluster would keep if the manifests were applied: the
// answer to a server-side dry run. Of a snapshot they are merged here into what
// it holds.
func (o *options) proposals(ctx context.Context, env *cli.Env, session *cli.Session) (rollout.Proposals, error) {
	proposals := rollout.Proposals{Next: map[object.Ref]source.Object{}, Along: o.along}
	actor := act.New(env.Config.ToRESTConfig)
	for _, ref := range o.targets {
		manifest, ok := o.manifests[ref.Key()]
		if !ok {
			continue
		}
		if session.Watcher == nil {
			merged, err := merged(ctx, session, ref, manifest)
			if err != nil {
				return proposals, err
			}
			proposals.Next[ref.Key()] = merged
			continue
		}
		kept, err := actor.Propose(ctx, object.New("apps/v1", ref.Kind, ref.Namespace, ref.Name), manifest)
		if err != nil {
			return proposals, fmt.Errorf("the cluster would not take %s as it is written: %w", ref, err)
		}
		proposals.Next[ref.Key()] = kept
	}
	return proposals, nil
}

// merged is the manifest over the snapshot's object, or the manifest alone
// where there is none.
func merged(ctx context.Context, session *cli.Session, ref object.Ref, manifest source.Object) (source.Object, error) {
	manifest.SetNamespace(ref.Namespace)
	found, err := session.Read(ctx, source.Query{Kind: ref.GroupKind(), Namespace: ref.Namespace, Name: ref.Name})
	if err != nil {
		return nil, err
	}
	if len(found.Objects) != 1 || source.MetadataOnly(found.Objects[0]) {
		return manifest, nil
	}
	return act.Merged(ref, found.Objects[0], manifest)
}
