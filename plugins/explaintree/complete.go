package explaintree

import (
	"github.com/spf13/cobra"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/tree"
)

// completions offers types, names, and the values of flags.
func (o *options) completions(env *cli.Env, cmd *cobra.Command) {
	env.Complete(cmd, &o.Shared, cli.Offers{
		Args: func(a *cli.Ask) []string { return a.Objects(nil) },
		Flags: map[string]cli.Words{
			"output":    cli.Fixed(formats...),
			"relations": cli.Listed(relations),
		},
		Docs: tree.Docs,
	})
}

func relations(*cli.Ask) []string {
	table, err := relation.NewTable()
	if err != nil {
		return nil
	}
	return append([]string{"owner", "all"}, table.Names()...)
}
