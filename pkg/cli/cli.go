// Package cli is what every plugin shares: its name from argv[0], kubectl's
// flags, clients that are made only when asked for, completion, and the one
// place where errors become exit codes.
package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/klog/v2"

	"github.com/leadsman-dev/leadsman/pkg/cli/shells"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Env is what a command runs in. Tests make their own.
type Env struct {
	Streams term.Streams
	Config  *genericclioptions.ConfigFlags
	Display string // how usage calls the command: "kubectl explain-tree"
	Now     func() time.Time
	Version string
}

// Plugin builds the command of one plugin.
type Plugin func(*Env) *cobra.Command

// Main runs a plugin as the process: arguments, streams, signals, exit code.
func Main(plugin Plugin) {
	ctx, stop := signal.NotifyContext(context.Background(), ending()...)
	// Who reads stdout may go away, as head does. The write then fails like any
	// other, so that what is being recorded and drawn is ended in order.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	code := Run(ctx, plugin, os.Args, term.System())
	stop()
	os.Exit(code)
}

// ending are the signals that ask the process to end. SIGHUP comes when the
// terminal closes. One that is ignored stays so, for who started the process
// wants it to live on: nohup, or a script for what it runs behind itself.
func ending() []os.Signal {
	return slices.DeleteFunc([]os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}, signal.Ignored)
}

// Run runs a plugin with the given arguments, argv[0] included, and returns
// its exit code.
func Run(ctx context.Context, plugin Plugin, argv []string, streams term.Streams) int {
	called := CalledAs(argv[0])
	env := &Env{
		Streams: streams,
		Config:  genericclioptions.NewConfigFlags(true).WithDeprecatedPasswordFlag().WithDiscoveryQPS(-1).WithDiscoveryBurst(-1),
		Display: called.Display,
		Now:     time.Now,
		Version: version(),
	}
	args := argv[1:]
	if len(args) == 2 && args[0] == "completion" && !called.Completes {
		if _, known := shells.Names()[args[1]]; known {
			return Code(shells.Script(streams.Out, called.Program, args[1]))
		}
	}
	if called.Completes {
		args = append([]string{cobra.ShellCompRequestCmd}, args...)
		env.Streams.Err = io.Discard // a completion that fails is silent
	}
	logTo(env.Streams.Err)
	cmd := plugin(env)
	cmd.SetArgs(args)
	cmd.SetIn(streams.In)
	cmd.SetOut(streams.Out)
	cmd.SetErr(env.Streams.Err)
	err := cmd.ExecuteContext(ctx)
	if err != nil {
		say(env.Streams.Err, err)
	}
	return Code(err)
}

// New is a root command with what all plugins have in common.
func (e *Env) New(cmd *cobra.Command) *cobra.Command {
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.Version = e.Version
	cmd.DisableAutoGenTag = true
	cmd.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: e.Display}
	cmd.CompletionOptions.DisableDefaultCmd = true // see shells.Script
	e.Config.AddFlags(cmd.PersistentFlags())
	addVerbosity(cmd.PersistentFlags())
	return cmd
}

// verbosity is kubectl's -v. Setting it sets klog's level; klog's other flags,
// and its log files, stay out of the binary.
type verbosity struct{ klog.Level }

// Type is how help calls the value.
func (*verbosity) Type() string { return "level" }

func addVerbosity(flags *pflag.FlagSet) {
	flags.VarP(&verbosity{}, "v", "v", "Number for the log level verbosity: from 6 on, each request is logged.")
}

// release is set by the release build.
var release string

func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "development"
}
