// Command cluster starts, checks and ends the test cluster.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/leadsman-dev/leadsman/test/cluster"
)

const usage = "usage: cluster up | status | down"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	if len(args) != 1 {
		return errors.New(usage)
	}
	switch args[0] {
	case "up":
		return up(ctx, out, progress)
	case "status":
		return status(ctx, out)
	case "down":
		return cluster.Down(ctx)
	}
	return errors.New(usage)
}

// up prints what to set in a shell; what happens meanwhile goes to progress.
func up(ctx context.Context, out, progress io.Writer) error {
	start := time.Now()
	say := func(format string, args ...any) {
		fmt.Fprintf(progress, "%5.1fs  %s\n", time.Since(start).Seconds(), fmt.Sprintf(format, args...))
	}
	c, err := cluster.Up(ctx, say)
	if err != nil {
		return err
	}
	say("up")
	fmt.Fprintf(out, "export KUBECONFIG=%s\n", c.Kubeconfig)
	fmt.Fprintf(out, "alias kubectl=%s\n", c.KubectlPath)
	return nil
}

func status(ctx context.Context, out io.Writer) error {
	c, err := cluster.Current()
	if err != nil {
		return err
	}
	all, err := c.Status(ctx)
	if err != nil {
		return err
	}
	down := 0
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range all {
		if s.Err != nil {
			down++
			fmt.Fprintf(w, "%s\tdown\t%v\n", s.Name, s.Err)
			continue
		}
		fmt.Fprintf(w, "%s\tok\t%s\n", s.Name, s.Detail)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if down > 0 {
		return fmt.Errorf("%d of %d components are down; mend them with: go run ./cmd/cluster up", down, len(all))
	}
	return nil
}
