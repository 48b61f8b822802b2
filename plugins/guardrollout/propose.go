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
// answer to a server-side dry run. Without a cluster the manifests stand as
// they are written.
func (o *options) proposals(ctx context.Context, env *cli.Env, session *cli.Session) (rollout.Proposals, error) {
	proposals := rollout.Proposals{Next: map[object.Ref]source.Object{}, Along: o.along}
	actor := act.New(env.Config.ToRESTConfig)
	for _, ref := range o.targets {
		manifest, ok := o.manifests[ref.Key()]
		if !ok {
			continue
		}
		if session.Watcher == nil {
			manifest.SetNamespace(ref.Namespace)
			proposals.Next[ref.Key()] = manifest
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
