// Command bench measures the plugins on a real API server against the raw
// limit in the same run: the bare LIST that no answer can do without. It
// prints medians of whole processes; it judges nothing.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

type options struct {
	kubeconfig string
	bin        string
	pods       int // of the cluster; a tenth is measured too
	huge       int // and then a cluster of this size, or 0
	runs       int
	keep       bool
	loaded     bool // the load is there already
	doc        string
	only       string // one part, whose rows take the place of those in doc
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "cluster to measure on")
	flags.StringVar(&o.bin, "bin", "bin", "folder of the built plugins")
	flags.IntVar(&o.pods, "pods", 10000, "pods of the cluster; a tenth of them is measured first")
	flags.IntVar(&o.huge, "huge", 0, "and then a cluster of this many pods, such as 100000")
	flags.IntVar(&o.runs, "runs", 5, "counted runs of each command, after one that is not")
	flags.BoolVar(&o.keep, "keep", false, "leave the namespaces for another run")
	flags.BoolVar(&o.loaded, "loaded", false, "the load is there already: an earlier run was told to -keep it; for -only")
	flags.StringVar(&o.doc, "doc", "", "also write the table to this file")
	flags.StringVar(&o.only, "only", "", "measure this part alone, and keep the other rows of -doc: small, large, rollouts, workloads, broken, huge")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.loaded && o.only == "" {
		return fmt.Errorf("-loaded is for one part: name it with -only")
	}
	if o.kubeconfig == "" {
		return fmt.Errorf("no cluster: set KUBECONFIG, or bring one up with: make cluster-up")
	}
	return o.measure(ctx, out)
}
