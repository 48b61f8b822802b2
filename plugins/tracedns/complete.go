package tracedns

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/dns"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// completions offers names to look up, clients, and the values of flags.
func (o *options) completions(env *cli.Env, cmd *cobra.Command) {
	env.Complete(cmd, &o.Shared, cli.Offers{
		Args: o.lookups,
		Flags: map[string]cli.Words{
			"output": cli.Fixed(formats...),
			"libc":   cli.Fixed(libcWords()...),
			"type":   cli.Listed(cli.Fixed(strings.Split(typeWords(), ", ")...)),
			"from": func(a *cli.Ask) []string {
				return a.Placed("pod", "deploy", "sts", "ds", "rs", "job", "cronjob", "rc")
			},
		},
		Docs: dns.Docs,
	})
}

// lookups are the Services as the client would call them: by name in its own
// namespace and, once there is a dot, with the namespace in all.
func (o *options) lookups(a *cli.Ask) []string {
	if len(a.Args) > 0 {
		return nil
	}
	if !strings.Contains(a.Typed, ".") {
		var namespace string
		if client, err := clientNamed(o.from); err == nil {
			namespace = client.Namespace
		}
		return a.Names(source.Kind{Kind: "Service", Namespaced: true}, namespace, "")
	}
	var words []string
	for _, service := range a.Read(schema.GroupKind{Kind: "Service"}, "*", true) {
		words = append(words, service.GetName()+"."+service.GetNamespace())
	}
	slices.Sort(words)
	return words
}
