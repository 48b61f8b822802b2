package tracedns

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/dns"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// patience bounds a completion: a key press must not hang on a dead cluster.
const patience = 2 * time.Second

type completer = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// completions offers names, and the values of flags. Names come from one
// metadata list each.
func (o *options) completions(env *cli.Env, cmd *cobra.Command) {
	fixed := func(words ...string) completer {
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return words, cobra.ShellCompDirectiveNoFileComp
		}
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return o.nameWords(cmd.Context(), env, schema.GroupKind{Kind: "Service"}, ""), cobra.ShellCompDirectiveNoFileComp
	}
	types := strings.Split(typeWords(), ", ")
	for flag, words := range map[string]completer{
		"output":  fixed(formats...),
		"color":   fixed("auto", "always", "never"),
		"fail-on": fixed("error", "warning", "never"),
		"libc":    fixed(libcWords()...),
		"type":    fixed(types...),
		"from":    o.clientWords(env),
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

// clientWords offers pods, and workloads once their type is written.
func (o *options) clientWords(env *cli.Env) completer {
	return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		kind, _, begun := strings.Cut(typed, "/")
		if !begun {
			words := []string{"deploy/", "sts/", "ds/"}
			words = append(words, o.nameWords(cmd.Context(), env, schema.GroupKind{Kind: "Pod"}, "pod/")...)
			return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		}
		ref, err := clientNamed(kind + "/x")
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return o.nameWords(cmd.Context(), env, ref.GroupKind(), kind+"/"), cobra.ShellCompDirectiveNoFileComp
	}
}

func (o *options) nameWords(ctx context.Context, env *cli.Env, kind schema.GroupKind, prefix string) []string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	session, err := env.Open(ctx, &o.Shared)
	if err != nil {
		return nil
	}
	namespace, err := env.Namespace(&o.Shared, false)
	if err != nil {
		return nil
	}
	result, err := session.Read(ctx, source.Query{Kind: kind, Namespace: namespace, Metadata: true})
	if err != nil {
		return nil
	}
	var words []string
	for _, object := range result.Objects {
		words = append(words, prefix+object.GetName())
	}
	slices.Sort(words)
	return slices.Compact(words)
}

func codeWords() []string {
	words := []string{"all"}
	for _, d := range dns.Docs() {
		words = append(words, d.Code+"\t"+d.Title)
	}
	return words
}
