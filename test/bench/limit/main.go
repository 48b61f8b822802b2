// Command limit makes the load that the benchmark measures on, and reads it
// with nothing but the client: the raw limit. It is a program of its own
// because a process inherits the peak memory of the one that starts it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "limit:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("usage: limit KUBECONFIG load|load-broken|unload|load-endpoints|keep-endpoints|unload-endpoints|load-rollouts|keep-rollouts|roll PODS, or limit KUBECONFIG nothing|pods|everything|endpoints NAMESPACE")
	}
	kubeconfig, what := args[0], args[1]
	switch what {
	case "nothing", "pods", "everything", "endpoints":
		return rawRead(ctx, kubeconfig, what, args[2])
	case "load", "load-broken", "unload", "load-endpoints", "keep-endpoints", "unload-endpoints", "load-rollouts", "keep-rollouts", "roll":
	default:
		return fmt.Errorf("%q is no work of this program", what)
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = -1, -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	switch what {
	case "unload":
		return unload(ctx, client)
	case "keep-endpoints":
		return keepNodes(ctx, client)
	case "unload-endpoints":
		return unloadEndpoints(ctx, client)
	case "keep-rollouts":
		return keepRollouts(ctx, client)
	case "roll":
		return roll(ctx, client)
	}
	pods, err := strconv.Atoi(args[2])
	if err != nil {
		return fmt.Errorf("%q is no number of pods", args[2])
	}
	switch what {
	case "load-broken":
		return loadBroken(ctx, client, pods)
	case "load-endpoints":
		return loadEndpoints(ctx, client, pods)
	case "load-rollouts":
		return loadRollouts(ctx, client, pods)
	}
	return load(ctx, client, pods)
}
