package checkendpoints

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/endpoints"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// patience bounds a completion: a key press must not hang on a dead cluster.
const patience = 2 * time.Second

// completions offers names, and the values of flags. Names come from one
// metadata list.
func (o *options) completions(env *cli.Env, cmd *cobra.Command) {
	names := func(kind, prefix string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			ctx, cancel := context.WithTimeout(cmd.Context(), patience)
			defer cancel()
			return o.nameWords(ctx, env, kind, prefix), cobra.ShellCompDirectiveNoFileComp
		}
	}
	fixed := func(words ...string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return words, cobra.ShellCompDirectiveNoFileComp
		}
	}
	cmd.ValidArgsFunction = names("Service", "")
	for flag, words := range map[string]func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective){
		"output":     fixed(formats...),
		"color":      fixed("auto", "always", "never"),
		"fail-on":    fixed("error", "warning", "never"),
		"from":       names("Pod", "pod/"),
		"probe-from": names("Pod", "pod/"),
		"explain": func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return codeWords(), cobra.ShellCompDirectiveNoFileComp
		},
	} {
		if err := cmd.RegisterFlagCompletionFunc(flag, words); err != nil { // only a flag that does not exist can fail here
			cmd.PrintErrln(err)
		}
	}
	env.CompleteNamespaces(cmd, &o.Shared)
}

func (o *options) nameWords(ctx context.Context, env *cli.Env, kind, prefix string) []string {
	session, err := env.Open(ctx, &o.Shared)
	if err != nil {
		return nil
	}
	namespace, err := env.Namespace(&o.Shared, false)
	if err != nil {
		return nil
	}
	result, err := session.Read(ctx, source.Query{Kind: schema.GroupKind{Kind: kind}, Namespace: namespace, Metadata: true})
	if err != nil {
		return nil
	}
	var words []string
	for _, object := range result.Objects {
		words = append(words, prefix+object.GetName())
	}
	return words
}

func codeWords() []string {
	words := []string{"all"}
	for _, d := range endpoints.Docs() {
		words = append(words, d.Code+"\t"+d.Title)
	}
	return words
}
