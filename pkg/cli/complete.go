package cli

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// patience bounds a completion: a key press must not hang on a dead cluster.
const patience = 2 * time.Second

// Words are what may stand where the user is typing. Those that end in a slash
// are not whole yet: no space is put behind them. A tab separates a word from
// its description.
type Words func(*Ask) []string

// Offers are what a command offers behind the tab key beside what every command
// does. A flag that is not named here takes a file.
type Offers struct {
	Args  Words
	Flags map[string]Words
	Docs  func() []finding.Doc
}

// Complete registers them. Whatever fails there is silent: a completion is no
// place for an error.
func (e *Env) Complete(cmd *cobra.Command, s *Shared, offers Offers) {
	cmd.ValidArgsFunction = e.press(s, offers.Args)
	flags := map[string]Words{
		"namespace": (*Ask).namespaces,
		"context":   inKubeconfig(func(c api.Config) []string { return slices.Sorted(maps.Keys(c.Contexts)) }),
		"cluster":   inKubeconfig(func(c api.Config) []string { return slices.Sorted(maps.Keys(c.Clusters)) }),
		"user":      inKubeconfig(func(c api.Config) []string { return slices.Sorted(maps.Keys(c.AuthInfos)) }),
		"color":     Fixed("auto", "always", "never"),
		"fail-on":   Fixed(string(FailOnError), string(FailOnWarning), string(FailNever)),
		"explain":   codes(offers.Docs),
	}
	maps.Copy(flags, offers.Flags)
	for _, flag := range slices.Sorted(maps.Keys(flags)) {
		if err := cmd.RegisterFlagCompletionFunc(flag, e.press(s, flags[flag])); err != nil { // only a flag that does not exist can fail here
			cmd.PrintErrln(err)
		}
	}
}

// press is one press of the tab key. Only what fits is handed to the shell:
// some take long to sift the names of ten thousand pods.
func (e *Env) press(s *Shared, words Words) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), patience)
		defer cancel()
		var fit []string
		directive := cobra.ShellCompDirectiveNoFileComp
		for _, word := range words(&Ask{Args: args, Typed: typed, ctx: ctx, env: e, shared: s}) {
			if strings.HasPrefix(word, typed) {
				fit = append(fit, word)
			}
			if strings.HasSuffix(word, "/") {
				directive |= cobra.ShellCompDirectiveNoSpace
			}
		}
		return fit, directive
	}
}

// Fixed offers the same words always.
func Fixed(words ...string) Words { return func(*Ask) []string { return words } }

// Listed offers words for a flag whose value is a list with commas.
func Listed(words Words) Words {
	return func(a *Ask) []string {
		before := a.Typed[:strings.LastIndex(a.Typed, ",")+1]
		given := strings.Split(before, ",")
		var rest []string
		for _, word := range words(a) {
			if !slices.Contains(given, word) {
				rest = append(rest, before+word)
			}
		}
		return rest
	}
}

func codes(docs func() []finding.Doc) Words {
	return func(*Ask) []string {
		words := []string{"all"}
		for _, d := range docs() {
			words = append(words, d.Code+"\t"+d.Title)
		}
		return words
	}
}

func inKubeconfig(names func(api.Config) []string) Words {
	return func(a *Ask) []string {
		config, err := a.env.Config.ToRawKubeConfigLoader().RawConfig()
		if err != nil {
			return nil
		}
		return names(config)
	}
}
