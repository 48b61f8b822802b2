package guardrollout

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/rollout"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// completions offers what can be rolled out, and the values of flags.
func (o *options) completions(env *cli.Env, cmd *cobra.Command) {
	env.Complete(cmd, &o.Shared, cli.Offers{
		Args: func(a *cli.Ask) []string { return a.Objects(rollable()) },
		Flags: map[string]cli.Words{
			"output":      cli.Fixed(formats...),
			"on-failure":  cli.Fixed(onFailure...),
			"annotations": cli.Fixed("github"),
			"speed":       cli.Fixed("1x", "10x", "max"),
			"probe":       ports,
		},
		Docs: rollout.Docs,
	})
}

func rollable() []source.Kind {
	return slices.DeleteFunc(scheme.Kinds(), func(k source.Kind) bool {
		return k.Group != "apps" || !slices.Contains(workload.Kinds, k.Kind)
	})
}

// ports are those of Services, as --probe takes them.
func ports(a *cli.Ask) []string {
	var words []string
	for _, o := range a.Read(schema.GroupKind{Kind: "Service"}, "", false) {
		service, ok := o.(*corev1.Service)
		if !ok {
			continue
		}
		for _, port := range service.Spec.Ports {
			words = append(words, fmt.Sprintf("svc/%s:%d", service.Name, port.Port))
		}
	}
	slices.Sort(words)
	return slices.Compact(words) // a port of TCP and one of UDP may have the same number
}
