package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// CompleteNamespaces offers the namespaces for -n; silent when they cannot be
// listed.
func (e *Env) CompleteNamespaces(cmd *cobra.Command, s *Shared) {
	err := cmd.RegisterFlagCompletionFunc("namespace", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Second)
		defer cancel()
		session, err := e.Open(ctx, s)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		result, err := session.Read(ctx, source.Query{Kind: schema.GroupKind{Kind: "Namespace"}, Metadata: true})
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, o := range result.Objects {
			names = append(names, o.GetName())
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil { // only a flag that does not exist can fail here
		cmd.PrintErrln(err)
	}
}
