// Package explaintree wires the plugin kubectl explain-tree: flags become
// options, options a run.
package explaintree

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// formats are the values of -o.
var formats = []string{"tree", "wide", "name", "json", "yaml", "dot", "mermaid", "html"}

// options are what the user chose.
type options struct {
	cli.Shared
	files        []string
	selector     string
	allNames     bool // -A
	output       string
	noHeaders    bool
	watch        bool
	depth        int
	relations    string
	relationFile []string
	onlyProblems bool
	unfold       bool // --all

	args    []object.Arg
	written []object.Ref // what the manifests of -f name, in the versions that they use
}

// Command is "kubectl explain-tree".
func Command(env *cli.Env) *cobra.Command {
	return command(env, func(ctx context.Context, o options) error { return run(ctx, env, o) })
}

// command takes what it runs, so that flags are tested without a cluster.
func command(env *cli.Env, run func(context.Context, options) error) *cobra.Command {
	o := options{Shared: cli.Shared{FailOn: cli.FailNever}}
	cmd := env.New(&cobra.Command{
		Use:   "explain-tree (TYPE/NAME ... | TYPE NAME ... | TYPE -l SELECTOR | -f FILE)",
		Short: "Explain what an object is part of, what hangs on it, and which part is broken",
		Long: `Explain what an object is part of, what hangs on it, and which part is broken.

The answer comes first, in one sentence, with its evidence and the command that
mends it. Below it stands the tree: what leads to the object and owns it, the
object itself (marked), and everything that hangs on it, down to the containers.

Any kind may be asked about: workloads, Pods, Services, Nodes, Namespaces,
ConfigMaps, claims, ServiceAccounts, custom resources. Nothing is changed.`,
		Example: strings.TrimRight(fmt.Sprintf(`  # Why does this Deployment not become ready?
  %[1]s deployment/web

  # What is this pod part of, and who would recreate it?
  %[1]s pod web-7d4b9-xk2lp

  # Everything with a label, only what is not well
  %[1]s deployments -l app=shop --only-problems

  # Who uses this ConfigMap?
  %[1]s configmap/settings

  # Explain each kind along the way
  %[1]s statefulset/db --learn

  # Last night's incident, from a dump
  %[1]s deployment/web --snapshot dump.tar.gz

  # Follow it while it changes
  %[1]s deployment/web -w
`, env.Display), "\n"),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.complete(args); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	})
	flags := cmd.Flags()
	o.AddFlags(flags)
	flags.StringArrayVarP(&o.files, "filename", "f", nil, "Explain the objects that are named in this manifest.")
	flags.StringVarP(&o.selector, "selector", "l", "", "Selector (label query) to filter on, such as app=web,tier!=cache.")
	flags.BoolVarP(&o.allNames, "all-namespaces", "A", false, "Look in all namespaces.")
	flags.StringVarP(&o.output, "output", "o", "tree", "Output format: "+strings.Join(formats, ", ")+".")
	flags.BoolVar(&o.noHeaders, "no-headers", false, "Leave the headers of the columns out.")
	flags.BoolVarP(&o.watch, "watch", "w", false, "Stay, and show the tree again whenever it changes.")
	flags.IntVar(&o.depth, "depth", -1, "Show at most this many levels below the object; -1 shows all.")
	flags.StringVar(&o.relations, "relations", "", "Relations to follow: owner, all, or names separated by commas. Default: all that belong to the question.")
	flags.StringArrayVar(&o.relationFile, "relations-file", nil, "Add relations of your own kinds, in the form that docs/relations.md describes; leadsman/relations.yaml in the configuration directory is read always.")
	flags.BoolVar(&o.onlyProblems, "only-problems", false, "Show only the rows that lead to something that is not well.")
	flags.BoolVar(&o.unfold, "all", false, "Show every row; equal healthy siblings are folded otherwise.")
	o.completions(env, cmd)
	return cmd
}

// complete reads the arguments and checks what excludes each other.
func (o *options) complete(args []string) error {
	if o.PrintRBAC || o.Explain != "" {
		return nil
	}
	if !slices.Contains(formats, o.output) {
		return fmt.Errorf("-o %s is none of %s", o.output, strings.Join(formats, ", "))
	}
	switch {
	case o.depth < -1:
		return fmt.Errorf("--depth must be a number of levels, or -1 for all")
	case o.watch && len(o.Snapshot) > 0:
		return fmt.Errorf("-w follows a cluster; a snapshot does not change")
	case o.watch && o.output != "tree" && o.output != "wide":
		return fmt.Errorf("-w draws the tree again and again; use it with -o tree or wide")
	case len(o.files) > 0 && (len(args) > 0 || o.selector != ""):
		return fmt.Errorf("-f names the objects itself; leave the arguments and -l out")
	case len(o.files) > 0 || len(args) == 0 && len(o.Snapshot) > 0:
		return nil
	}
	parsed, err := object.ParseArgs(args, o.selector != "" || o.allNames)
	o.args = parsed
	return err
}
