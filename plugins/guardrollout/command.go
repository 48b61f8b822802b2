// Package guardrollout wires the plugin kubectl guard-rollout: flags become
// options, options a run.
package guardrollout

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// formats are the values of -o.
var formats = []string{"text", "wide", "json", "yaml", "ndjson", "junit", "html"}

// onFailure are the values of --on-failure.
var onFailure = []string{"report", "pause", "rollback"}

// options are what the user chose.
type options struct {
	cli.Shared
	files       []string
	selector    string
	output      string
	annotations string

	preflight  bool
	headroom   bool
	await      bool
	timeout    time.Duration
	stableFor  time.Duration
	terminated bool
	keepGoing  bool

	onFailure  string
	toRevision int64
	deletePod  bool
	yes        bool

	probes    []string
	probeURLs []string
	probeRate float64
	patience  time.Duration

	record string
	replay string
	speed  string
	pace   float64 // how many seconds of a recording pass in one; 0 is without waiting

	targets   []object.Ref                 // their namespace is known only when the run begins
	manifests map[object.Ref]source.Object // of -f, by key
	along     []object.Ref                 // all objects of -f
}

// Command is "kubectl guard-rollout".
func Command(env *cli.Env) *cobra.Command {
	return command(env, func(ctx context.Context, o options) error { return run(ctx, env, o) })
}

// command takes what it runs, so that flags are tested without a cluster.
func command(env *cli.Env, run func(context.Context, options) error) *cobra.Command {
	o := options{Shared: cli.Shared{FailOn: cli.FailOnError, Trim: newTrimmer().trim}}
	cmd := env.New(&cobra.Command{
		Use:   "guard-rollout (TYPE/NAME ... | -l SELECTOR | -f FILE | --replay FILE)",
		Short: "Watch a rollout: what stops it, whether service is kept, and the way back",
		Long: `Watch rollouts of Deployments, StatefulSets and DaemonSets, safely.

Before: what stands against rolling this object, or this manifest (--preflight).
During: old and new revision side by side, what each pod waits for, and why a
pod fails, as soon as that is certain; a rollout that cannot finish ends the
watch at once. All the time the endpoints of every Service that selects the pods
are counted, event by event: the proof that nobody lost service, or the moment
at which somebody did. After: the way back, and with --on-failure it is gone.

Nothing is changed unless --on-failure or a key says so; every write is tried as
a dry run first and gives up when somebody else has changed the object.

The exit code is 0 when the rollout is complete and service was kept, 2 when it
cannot finish, 3 when too little could be seen, 4 after --timeout, 5 when it was
superseded or deleted, 6 when it finished but service was lost, 7 when it was
rolled back, 8 when the rollback failed, 130 when interrupted.`,
		Example: strings.TrimRight(fmt.Sprintf(`  # Change something, then watch it to its end
  kubectl set image deploy/web app=web:v2 && %[1]s deploy/web

  # Watch from before the first moment: start this, then deploy
  %[1]s deploy/web --await

  # Is it safe to roll? Of the live object, or of what is about to be applied
  %[1]s deploy/web --preflight
  %[1]s -f web.yaml --preflight

  # In a pipeline: everything of one app, back on failure, notes for the review
  %[1]s -l app=shop --on-failure=rollback --yes --annotations github

  # Also ask, ten times a second, all the time
  %[1]s deploy/web --probe svc/web:80/healthz
  %[1]s deploy/web --probe-url https://shop.example.org/healthz

  # Keep every event, and see it again
  %[1]s deploy/web --record roll.ndjson
  %[1]s deploy/web --replay roll.ndjson --speed 10x
`, env.Display), "\n"),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.complete(env, args); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	})
	o.addFlags(cmd)
	o.completions(env, cmd)
	return cmd
}

func (o *options) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	o.AddFlags(flags)
	flags.StringArrayVarP(&o.files, "filename", "f", nil, "Watch the workloads of this manifest; with --preflight, judge the manifest itself after a server-side dry run.")
	flags.StringVarP(&o.selector, "selector", "l", "", "Watch the workloads whose labels match this selector, such as app=web,tier!=cache.")
	flags.StringVarP(&o.output, "output", "o", "text", "Output format: "+strings.Join(formats, ", ")+". ndjson streams events and ends with the whole document.")
	flags.StringVar(&o.annotations, "annotations", "", "Also print findings as annotations of a review: github.")
	flags.BoolVar(&o.preflight, "preflight", false, "Only say what stands against rolling it, and end.")
	flags.BoolVar(&o.headroom, "headroom", false, "With --preflight, also estimate the room on the nodes; reads the pods of the whole cluster.")
	flags.BoolVar(&o.await, "await", false, "When nothing rolls, wait for the next rollout to begin instead of ending.")
	flags.DurationVar(&o.timeout, "timeout", 30*time.Minute, "How long to watch in all; 0 is without end.")
	flags.DurationVar(&o.stableFor, "stable-for", 10*time.Second, "How long it must stay available before it counts as done.")
	flags.BoolVar(&o.terminated, "wait-terminated", false, "Also wait until the old pods are gone.")
	flags.BoolVar(&o.keepGoing, "keep-going", false, "With several targets, do not end at the first one that cannot finish.")
	flags.StringVar(&o.onFailure, "on-failure", "report", "What to do with a rollout that cannot finish: "+strings.Join(onFailure, ", ")+".")
	flags.Int64Var(&o.toRevision, "to-revision", 0, "The revision to go back to; without it, the last one that was seen fully available.")
	flags.BoolVar(&o.deletePod, "delete-trapped-pod", false, "With --on-failure=rollback, delete the pod of a StatefulSet that keeps a rollback from going on.")
	flags.BoolVar(&o.yes, "yes", false, "Do not ask before a rollback.")
	flags.StringArrayVar(&o.probes, "probe", nil, "Also send requests through the API server to svc/NAME:PORT[/PATH] all the time, and count those that fail.")
	flags.StringArrayVar(&o.probeURLs, "probe-url", nil, "Also send requests to this URL all the time, and count those that fail.")
	flags.Float64Var(&o.probeRate, "probe-rate", 10, "Requests a second of each probe.")
	flags.DurationVar(&o.patience, "probe-timeout", 5*time.Second, "How long one request of a probe may take.")
	flags.StringVar(&o.record, "record", "", "Keep everything that happens in this file, with Secrets and token-like values removed.")
	flags.StringVar(&o.replay, "replay", "", "Show a recording again instead of watching a cluster.")
	flags.StringVar(&o.speed, "speed", "", "How fast to replay: 1x, 10x, or max, without waiting; max where the output is no terminal.")
}

// complete reads the arguments and checks what excludes each other.
func (o *options) complete(env *cli.Env, args []string) error {
	if o.PrintRBAC || o.Explain != "" {
		return nil
	}
	offline := len(o.Snapshot) > 0 || o.replay != ""
	switch {
	case !slices.Contains(formats, o.output):
		return fmt.Errorf("-o %s is none of %s", o.output, strings.Join(formats, ", "))
	case !slices.Contains(onFailure, o.onFailure):
		return fmt.Errorf("--on-failure=%s is none of %s", o.onFailure, strings.Join(onFailure, ", "))
	case o.annotations != "" && o.annotations != "github":
		return fmt.Errorf("--annotations=%s is not known; github is", o.annotations)
	case o.annotations != "" && o.output != "text" && o.output != "wide":
		return fmt.Errorf("--annotations stand in a log; use them with -o text or wide")
	case len(o.Snapshot) > 0 && o.replay != "":
		return fmt.Errorf("--snapshot is one moment and --replay many; give one of them")
	case offline && (o.record != "" || len(o.probes)+len(o.probeURLs) > 0 || o.onFailure != "report" || o.await):
		return fmt.Errorf("--record, --probe, --await and --on-failure need a cluster; leave them out with --snapshot and --replay")
	case o.replay != "" && o.preflight:
		return fmt.Errorf("--preflight looks at one moment; use it with a cluster or with --snapshot")
	case o.onFailure != "rollback" && (o.toRevision != 0 || o.deletePod):
		return fmt.Errorf("--to-revision and --delete-trapped-pod say how to go back; use them with --on-failure=rollback")
	case o.onFailure == "rollback" && !o.yes && !env.Streams.Interactive():
		return fmt.Errorf("--on-failure=rollback asks before it changes anything, and nobody can be asked here; give --yes")
	case o.timeout < 0, o.stableFor < 0, o.toRevision < 0:
		return fmt.Errorf("--timeout, --stable-for and --to-revision must not be negative")
	case o.patience <= 0, o.probeRate <= 0, o.probeRate > 1000:
		return fmt.Errorf("--probe-timeout must be positive, --probe-rate between 0 and 1000 a second")
	case len(o.files) > 0 && (len(args) > 0 || o.selector != ""):
		return fmt.Errorf("-f names the workloads itself; leave the arguments and -l out")
	case len(args) > 0 && o.selector != "":
		return fmt.Errorf("a name and a selector exclude each other: give TYPE/NAME or -l SELECTOR")
	case len(args) == 0 && len(o.files) == 0 && o.selector == "" && !offline:
		return fmt.Errorf("which rollout? give TYPE/NAME such as deploy/web, -l SELECTOR or -f FILE")
	}
	if err := o.readSpeed(env); err != nil {
		return err
	}
	return o.readTargets(args)
}

func (o *options) readSpeed(env *cli.Env) error {
	switch o.speed {
	case "":
		if env.Streams.InPlace() {
			o.pace = 1
		}
	case "max":
	default:
		n, err := strconv.ParseFloat(strings.TrimSuffix(o.speed, "x"), 64)
		if err != nil || n <= 0 || n > 1e6 {
			return fmt.Errorf("--speed %q is no speed; write 1x, 10x or max", o.speed)
		}
		o.pace = n
	}
	if o.speed != "" && o.replay == "" {
		return fmt.Errorf("--speed is for --replay")
	}
	return nil
}

// readTargets takes "deploy/web", "deploy web api" and several of the first.
func (o *options) readTargets(args []string) error {
	if len(args) > 1 && !strings.Contains(args[0], "/") {
		for i := range args[1:] {
			if strings.Contains(args[i+1], "/") {
				return fmt.Errorf("%q and %q: write TYPE/NAME for each, or one TYPE and its NAMEs", args[0], args[i+1])
			}
			args[i+1] = args[0] + "/" + args[i+1]
		}
		args = args[1:]
	}
	for _, arg := range args {
		kind, name, _ := strings.Cut(arg, "/")
		if name == "" || strings.Contains(name, "/") {
			return fmt.Errorf("%q names no workload; write TYPE/NAME, such as deploy/web", arg)
		}
		k, err := source.Resolve(scheme.Kinds(), kind)
		if err != nil {
			return err
		}
		if k.Group != "apps" || !slices.Contains(workload.Kinds, k.Kind) {
			return fmt.Errorf("%s is not rolled out; give a Deployment, StatefulSet or DaemonSet", arg)
		}
		ref := object.Ref{Group: k.Group, Version: k.Version, Kind: k.Kind, Name: name}
		if !slices.Contains(o.targets, ref) {
			o.targets = append(o.targets, ref)
		}
	}
	return nil
}
