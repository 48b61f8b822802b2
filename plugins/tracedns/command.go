// Package tracedns wires the plugin kubectl trace-dns: flags become options,
// options a run.
package tracedns

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/dns"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// formats are the values of -o.
var formats = []string{"text", "wide", "json", "yaml", "mermaid", "html"}

// options are what the user chose.
type options struct {
	cli.Shared
	from      string
	container string
	types     []string
	libc      string
	output    string
	watch     bool
	probe     bool
	patience  time.Duration
	debug     string // the image of a debug container; "": none

	ask dns.Ask // its namespaces are known only when the run begins
}

// Command is "kubectl trace-dns".
func Command(env *cli.Env) *cobra.Command {
	return command(env, func(ctx context.Context, o options) error { return run(ctx, env, o) })
}

// command takes what it runs, so that flags are tested without a cluster.
func command(env *cli.Env, run func(context.Context, options) error) *cobra.Command {
	o := options{Shared: cli.Shared{FailOn: cli.FailOnError}}
	cmd := env.New(&cobra.Command{
		Use:   "trace-dns NAME [--from POD | --from WORKLOAD]",
		Short: "Show what happens, step by step, when a pod looks up a name",
		Long: `Show what happens, step by step, when a pod looks up a name.

From the pod's resolv.conf follow the queries that its libc sends, from the
Corefile who answers each, and from Services, EndpointSlices and pods what the
answer should be. Then every DNS server of the cluster is asked the same
questions, and the answers are held against each other. Where they differ, or
the name cannot work, the cause is named with its evidence and its fix.

The servers are asked through the API server (port-forward, pods/proxy), the pod
by exec, where its image has a shell. Nothing is installed, nothing is changed.
With --probe=false, and from a snapshot, only what is stored is judged. What a
server says of itself (readiness, metrics, log) is asked where there is a doubt,
and with -o wide always.

--debug-container IMAGE is the one exception: where the pod's image has no shell,
an ephemeral container of that image is added to the pod. It prints resolv.conf
and hosts, looks the name up with getent or nslookup, and ends. Kubernetes cannot
remove it from the pod again: it stays listed until the pod is deleted.

Without --from, a pod of the namespace with default DNS settings is assumed.

The exit code is 2 when the name cannot work or a server answers wrongly, 3 when
too little could be seen.`,
		Example: strings.TrimRight(fmt.Sprintf(`  # Why does this pod not find redis?
  %[1]s redis --from pod/backend-x2k9p

  # From one of the pods of a workload
  %[1]s redis --from deploy/backend

  # The ports that a Service publishes, the name of an address
  %[1]s _http._tcp.web.shop.svc.cluster.local --type SRV
  %[1]s 10.96.0.1

  # What would each resolver make of this name?
  %[1]s api.example.org --libc all

  # What do search list, ndots and Corefile mean here?
  %[1]s redis --from deploy/backend --learn

  # From a pod whose image has no shell; the container cannot be removed again
  %[1]s redis --from pod/distroless --debug-container busybox

  # Keep all of it, and look again elsewhere
  %[1]s redis --from deploy/backend --save-snapshot dns.yaml
  %[1]s redis --from deploy/backend --snapshot dns.yaml
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
	flags.StringVar(&o.from, "from", "", "Who looks the name up: pod/NAME, or a workload such as deploy/NAME, of which one pod is taken; another namespace as NAMESPACE/pod/NAME.")
	flags.StringVarP(&o.container, "container", "c", "", "The container of the pod that is asked; the first if it is not given.")
	flags.StringSliceVar(&o.types, "type", nil, "Record types to ask for: "+typeWords()+". Without it A and AAAA, and PTR for an address.")
	flags.StringVar(&o.libc, "libc", string(dns.Auto), "Whose order of queries is shown: "+strings.Join(libcWords(), ", ")+". busybox is its nslookup; auto goes by what the container has.")
	flags.StringVarP(&o.output, "output", "o", "text", "Output format: "+strings.Join(formats, ", ")+".")
	flags.BoolVarP(&o.watch, "watch", "w", false, "Stay, ask again and again, and show the answer whenever it changes.")
	flags.BoolVar(&o.probe, "probe", true, "Ask the DNS servers and the pod; --probe=false only computes.")
	flags.StringVar(&o.debug, "debug-container", "", "Where the pod's image has no shell, add an ephemeral container of this image to the pod, which looks the name up and ends. It cannot be removed from the pod again.")
	flags.DurationVar(&o.patience, "probe-timeout", 5*time.Second, "How long one live question may take.")
	o.completions(env, cmd)
	return cmd
}

func libcWords() []string {
	words := []string{string(dns.Auto)}
	for _, l := range dns.Libcs() {
		words = append(words, string(l))
	}
	return append(words, string(dns.All))
}

func typeWords() string {
	var words []string
	for _, t := range dns.Types() {
		words = append(words, string(t))
	}
	return strings.Join(words, ", ")
}

// complete reads the arguments and checks what excludes each other.
func (o *options) complete(args []string) error {
	if o.PrintRBAC || o.Explain != "" {
		return nil
	}
	switch {
	case len(args) == 0:
		return fmt.Errorf("which name? give one as a program would write it, such as redis or redis.shop")
	case len(args) > 1:
		return fmt.Errorf("one name at a time: %q and %q were given", args[0], args[1])
	case args[0] == "":
		return fmt.Errorf("the name is empty")
	case !slices.Contains(formats, o.output):
		return fmt.Errorf("-o %s is none of %s", o.output, strings.Join(formats, ", "))
	case !slices.Contains(libcWords(), o.libc):
		return fmt.Errorf("--libc %s is none of %s", o.libc, strings.Join(libcWords(), ", "))
	case o.watch && len(o.Snapshot) > 0:
		return fmt.Errorf("-w follows a cluster; a snapshot does not change")
	case o.watch && o.output != "text" && o.output != "wide":
		return fmt.Errorf("-w draws the answer again and again; use it with -o text or wide")
	case o.debug != "" && (o.watch || !o.probe || len(o.Snapshot) > 0 || o.from == ""):
		return fmt.Errorf("--debug-container adds a container to a pod that runs, once: give the pod with --from, and leave out -w, --snapshot and --probe=false")
	case o.patience <= 0:
		return fmt.Errorf("--probe-timeout must be positive")
	}
	o.ask = dns.Ask{Name: args[0], Libc: dns.Libc(o.libc), Container: o.container}
	for _, t := range o.types {
		known := dns.Type(strings.ToUpper(strings.TrimSpace(t)))
		if !slices.Contains(dns.Types(), known) {
			return fmt.Errorf("--type %s is none of %s", t, typeWords())
		}
		if !slices.Contains(o.ask.Types, known) {
			o.ask.Types = append(o.ask.Types, known)
		}
	}
	var err error
	o.ask.From, err = clientNamed(o.from)
	return err
}

// clientNamed takes "pod/x", "x", "deploy/y" and, of another namespace, "ns/pod/x".
func clientNamed(arg string) (object.Ref, error) {
	if arg == "" {
		return object.Ref{}, nil
	}
	parts := strings.Split(arg, "/")
	if len(parts) > 3 || slices.Contains(parts, "") {
		return object.Ref{}, fmt.Errorf("--from %q names no pod; write pod/NAME, deploy/NAME or NAMESPACE/pod/NAME", arg)
	}
	ref := object.Ref{Version: "v1", Kind: "Pod", Name: parts[len(parts)-1]}
	if len(parts) > 1 {
		kind, err := source.Resolve(scheme.Kinds(), parts[len(parts)-2])
		if err != nil || !slices.Contains(clients, kind.Kind) {
			return object.Ref{}, fmt.Errorf("--from %q: %q has no pods that could ask; give one of pod, %s", arg, parts[len(parts)-2], strings.ToLower(strings.Join(clients[1:], ", ")))
		}
		ref.Group, ref.Version, ref.Kind = kind.Group, kind.Version, kind.Kind
	}
	if len(parts) == 3 {
		ref.Namespace = parts[0]
	}
	return ref, nil
}

// clients are the kinds that have pods.
var clients = []string{"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "ReplicationController"}
