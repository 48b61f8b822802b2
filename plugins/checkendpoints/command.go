// Package checkendpoints wires the plugin kubectl check-endpoints: flags become
// options, options a run.
package checkendpoints

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// formats are the values of -o.
var formats = []string{"table", "wide", "name", "json", "yaml", "junit", "sarif", "html"}

// options are what the user chose.
type options struct {
	cli.Shared
	files        []string
	selector     string
	allNames     bool // -A
	output       string
	noHeaders    bool
	watch        bool
	onlyProblems bool
	probe        bool
	probeFrom    string
	from         string
	patience     time.Duration

	names           []string
	client, through object.Ref // --from and --probe-from; their namespace may be ""
}

// Command is "kubectl check-endpoints".
func Command(env *cli.Env) *cobra.Command {
	return command(env, func(ctx context.Context, o options) error { return run(ctx, env, o) })
}

// command takes what it runs, so that flags are tested without a cluster.
func command(env *cli.Env, run func(context.Context, options) error) *cobra.Command {
	o := options{Shared: cli.Shared{FailOn: cli.FailOnError, Trim: new(trimmer).trim}}
	cmd := env.New(&cobra.Command{
		Use:   "check-endpoints [SERVICE ...] [-l SELECTOR] [-A] [-f FILE]",
		Short: "Check whether traffic to a Service reaches the right pods, and if not, why",
		Long: `Check whether traffic to a Service reaches the right pods, and if not, why.

For each port, the endpoints that there should be are held against the
EndpointSlices and the pods: by address, port, UID and condition. What differs
is named with its cause, its evidence and the command that mends it. For one
Service the slices and the pods stand side by side; for many there is a line
each, the worst first. Without a name, every Service of the namespace is checked.

All is computed from what the API server stores. With --probe, the pods are
also asked: through the API server, with nothing installed. Nothing is changed.

The exit code is 2 when an error was found, 3 when too little could be seen.`,
		Example: strings.TrimRight(fmt.Sprintf(`  # Does traffic reach the pods of this Service?
  %[1]s web

  # Every Service of the cluster, only what is not well
  %[1]s -A --only-problems

  # Does something really listen there?
  %[1]s web --probe

  # May this pod connect, and can it?
  %[1]s web --from pod/frontend-x2k9p
  %[1]s web --probe-from pod/frontend-x2k9p

  # What do Service, selector and EndpointSlice mean here?
  %[1]s web --learn

  # In a pipeline
  %[1]s -n shop -o junit > endpoints.xml

  # Last night's incident, from a dump
  %[1]s web --snapshot dump.tar.gz
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
	flags.StringArrayVarP(&o.files, "filename", "f", nil, "Check the Services that are named in this manifest.")
	flags.StringVarP(&o.selector, "selector", "l", "", "Selector (label query) to filter Services on, such as app=web,tier!=cache.")
	flags.BoolVarP(&o.allNames, "all-namespaces", "A", false, "Check the Services of all namespaces.")
	flags.StringVarP(&o.output, "output", "o", "table", "Output format: "+strings.Join(formats, ", ")+".")
	flags.BoolVar(&o.noHeaders, "no-headers", false, "Leave the headers of the columns out.")
	flags.BoolVarP(&o.watch, "watch", "w", false, "Stay, and show the answer again whenever it changes.")
	flags.BoolVar(&o.onlyProblems, "only-problems", false, "Leave out Services that are well.")
	flags.BoolVar(&o.probe, "probe", false, "Also ask the pods, through the API server, whether they listen (pods/proxy, port-forward, exec).")
	flags.StringVar(&o.probeFrom, "probe-from", "", "Also connect to the Service from inside this pod, such as pod/web-x2k9p or shop/pod/web-x2k9p.")
	flags.StringVar(&o.from, "from", "", "Also judge whether this client may connect by the NetworkPolicies, such as pod/web-x2k9p; or what becomes of traffic that arrives at a node, such as node/n1.")
	flags.DurationVar(&o.patience, "probe-timeout", 5*time.Second, "How long one live question may take.")
	o.completions(env, cmd)
	return cmd
}

// complete reads the arguments and checks what excludes each other.
func (o *options) complete(args []string) error {
	if o.PrintRBAC || o.Explain != "" {
		return nil
	}
	probing := o.probe || o.probeFrom != ""
	switch {
	case !slices.Contains(formats, o.output):
		return fmt.Errorf("-o %s is none of %s", o.output, strings.Join(formats, ", "))
	case o.watch && len(o.Snapshot) > 0:
		return fmt.Errorf("-w follows a cluster; a snapshot does not change")
	case o.watch && o.output != "table" && o.output != "wide":
		return fmt.Errorf("-w draws the answer again and again; use it with -o table or wide")
	case o.watch && probing:
		return fmt.Errorf("-w shows what the API server stores; leave --probe and --probe-from out, or leave -w out")
	case o.patience <= 0:
		return fmt.Errorf("--probe-timeout must be positive")
	case len(o.files) > 0 && (len(args) > 0 || o.selector != "" || o.allNames):
		return fmt.Errorf("-f names the Services itself; leave the arguments, -l and -A out")
	case len(args) > 0 && o.selector != "":
		return fmt.Errorf("a name and a selector exclude each other: give SERVICE or -l SELECTOR")
	case len(args) > 0 && o.allNames:
		return fmt.Errorf("a Service is named within one namespace: give -n NAMESPACE, or leave the name out")
	}
	for _, arg := range args {
		name, err := serviceName(arg)
		if err != nil {
			return err
		}
		o.names = append(o.names, name)
	}
	var err error
	if node, ok := strings.CutPrefix(o.from, "node/"); ok && node != "" && !strings.Contains(node, "/") {
		o.client = object.Ref{Version: "v1", Kind: "Node", Name: node}
	} else if o.client, err = podNamed("--from", o.from); err != nil {
		return err
	}
	o.through, err = podNamed("--probe-from", o.probeFrom)
	return err
}

// serviceName takes "web", "svc/web", "service/web" and "services/web".
func serviceName(arg string) (string, error) {
	kind, name, typed := strings.Cut(arg, "/")
	if !typed {
		kind, name = "service", arg
	}
	if !slices.Contains([]string{"svc", "service", "services"}, strings.ToLower(kind)) || name == "" || strings.Contains(name, "/") {
		return "", fmt.Errorf("%q names no Service; give its name, such as web or service/web", arg)
	}
	return name, nil
}

// podNamed takes "pod/x", "po/x", "x" and, of another namespace, "ns/pod/x".
func podNamed(flag, arg string) (object.Ref, error) {
	if arg == "" {
		return object.Ref{}, nil
	}
	parts := strings.Split(arg, "/")
	ref := object.Ref{Version: "v1", Kind: "Pod", Name: parts[len(parts)-1]}
	bad := ref.Name == "" || len(parts) > 3
	if len(parts) > 1 {
		bad = bad || !slices.Contains([]string{"po", "pod", "pods"}, strings.ToLower(parts[len(parts)-2]))
	}
	if len(parts) == 3 {
		ref.Namespace = parts[0]
		bad = bad || ref.Namespace == ""
	}
	if bad {
		return object.Ref{}, fmt.Errorf("%s: %q names no pod; write pod/NAME, or NAMESPACE/pod/NAME", flag, arg)
	}
	return ref, nil
}
