package guardrollout

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/rollout"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// patience bounds a completion: a key press must not hang on a dead cluster.
const patience = 2 * time.Second

// completions offers TYPE/NAME, and the values of flags.
func (o *options) completions(env *cli.Env, cmd *cobra.Command) {
	fixed := func(words ...string) cobra.CompletionFunc {
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return words, cobra.ShellCompDirectiveNoFileComp
		}
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), patience)
		defer cancel()
		return o.words(ctx, env, typed)
	}
	for flag, words := range map[string]cobra.CompletionFunc{
		"output": fixed(formats...), "color": fixed("auto", "always", "never"), "fail-on": fixed("error", "warning", "never"),
		"on-failure": fixed(onFailure...), "annotations": fixed("github"), "speed": fixed("1x", "10x", "max"), "explain": func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return codes(), cobra.ShellCompDirectiveNoFileComp
		},
	} {
		if err := cmd.RegisterFlagCompletionFunc(flag, words); err != nil { // only a flag that does not exist can fail here
			cmd.PrintErrln(err)
		}
	}
	env.CompleteNamespaces(cmd, &o.Shared)
}

// words are "deploy/", "sts/", "ds/", and behind the slash the names.
func (o *options) words(ctx context.Context, env *cli.Env, typed string) ([]string, cobra.ShellCompDirective) {
	kind, _, named := strings.Cut(typed, "/")
	if !named {
		return []string{"deployment/", "statefulset/", "daemonset/"}, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	k, err := source.Resolve(scheme.Kinds(), kind)
	if err != nil || k.Group != "apps" || !slices.Contains(workload.Kinds, k.Kind) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	session, err := env.Open(ctx, &o.Shared)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	namespace, err := env.Namespace(&o.Shared, false)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	result, err := session.Read(ctx, source.Query{Kind: k.GroupKind(), Namespace: namespace, Metadata: true})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var words []string
	for _, found := range result.Objects {
		words = append(words, kind+"/"+found.GetName())
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

func codes() []string {
	words := []string{"all"}
	for _, d := range rollout.Docs() {
		words = append(words, d.Code+"\t"+d.Title)
	}
	return words
}
