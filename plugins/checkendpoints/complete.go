package checkendpoints

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/endpoints"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// completions offers Services, clients, and the values of flags.
func (o *options) completions(env *cli.Env, cmd *cobra.Command) {
	env.Complete(cmd, &o.Shared, cli.Offers{
		Args: services,
		Flags: map[string]cli.Words{
			"output":     cli.Fixed(formats...),
			"from":       func(a *cli.Ask) []string { return a.Placed("pod", "node") },
			"probe-from": func(a *cli.Ask) []string { return a.Placed("pod") },
		},
		Docs: endpoints.Docs,
	})
}

// services are named plainly, or behind the type if that is how one began.
func services(a *cli.Ask) []string {
	prefix := a.Typed[:strings.LastIndex(a.Typed, "/")+1]
	if _, err := serviceName(prefix + "x"); err != nil {
		return nil
	}
	return a.Names(source.Kind{Kind: "Service", Namespaced: true}, "", prefix)
}
