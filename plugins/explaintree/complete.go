package explaintree

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/tree"
)

// patience bounds a completion: a key press must not hang on a dead cluster.
const patience = 2 * time.Second

// completions offers types, names, and the values of flags. Types come from the
// table of built-in kinds and the cached discovery, names from one metadata list.
func (o *options) completions(env *cli.Env, cmd *cobra.Command) {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), patience)
		defer cancel()
		if kind, prefix, ok := typeOf(args, word); ok {
			return o.nameWords(ctx, env, kind, prefix), cobra.ShellCompDirectiveNoFileComp
		}
		return o.typeWords(ctx, env), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	fixed := map[string]func() []string{
		"output":    func() []string { return formats },
		"color":     func() []string { return []string{"auto", "always", "never"} },
		"fail-on":   func() []string { return []string{"error", "warning", "never"} },
		"relations": relationWords,
		"explain":   codeWords,
	}
	for flag, words := range fixed {
		err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return words(), cobra.ShellCompDirectiveNoFileComp
		})
		if err != nil { // only a flag that does not exist can fail here
			cmd.PrintErrln(err)
		}
	}
	env.CompleteNamespaces(cmd, &o.Shared)
}

// typeOf reads which type's names are wanted: "TYPE/…" or "TYPE …".
func typeOf(args []string, word string) (kind, prefix string, ok bool) {
	if kind, _, ok := strings.Cut(word, "/"); ok {
		return kind, kind + "/", true
	}
	if len(args) > 0 && !strings.Contains(args[0], "/") {
		return args[0], "", true
	}
	return "", "", false
}

func (o *options) typeWords(ctx context.Context, env *cli.Env) []string {
	session, err := env.Open(ctx, &o.Shared)
	if err != nil {
		return nil
	}
	kinds, _ := session.Kinds(ctx)
	if len(kinds) == 0 {
		kinds = scheme.Kinds()
	}
	var words []string
	for _, k := range kinds {
		if k.Listable {
			words = append(words, k.Title()+"/")
		}
	}
	return words
}

func (o *options) nameWords(ctx context.Context, env *cli.Env, kindName, prefix string) []string {
	session, err := env.Open(ctx, &o.Shared)
	if err != nil {
		return nil
	}
	kind, err := resolve(ctx, session, kindName)
	if err != nil {
		return nil
	}
	namespace, err := env.Namespace(&o.Shared, false)
	if err != nil {
		return nil
	}
	if !kind.Namespaced {
		namespace = ""
	}
	result, err := session.Read(ctx, source.Query{Kind: kind.GroupKind(), Namespace: namespace, Metadata: true})
	if err != nil {
		return nil
	}
	var words []string
	for _, object := range result.Objects {
		words = append(words, prefix+object.GetName())
	}
	return words
}

func relationWords() []string {
	table, err := relation.NewTable()
	if err != nil {
		return nil
	}
	return append([]string{"owner", "all"}, table.Names()...)
}

func codeWords() []string {
	words := []string{"all"}
	for _, d := range tree.Docs() {
		words = append(words, d.Code+"\t"+d.Title)
	}
	return words
}
