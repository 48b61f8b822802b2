package guardrollout

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/leadsman-dev/leadsman/pkg/probe"
	"github.com/leadsman-dev/leadsman/pkg/rollout/proof"
)

// probe sends the live requests that were asked for, until ctx ends. Each
// answer enters the watch as something that happened.
func (g *guard) probe(ctx context.Context) error {
	prober := probe.New(g.env.Config.ToRESTConfig)
	var wg sync.WaitGroup
	failed := make(chan error, len(g.o.probes)+len(g.o.probeURLs))
	for _, target := range slices.Concat(g.o.probes, g.o.probeURLs) {
		load := probe.Load{Target: target, Namespace: g.o.targets[0].Namespace, Rate: g.o.probeRate, Timeout: g.o.patience}
		wg.Go(func() {
			err := prober.Load(ctx, load, func(s probe.Sample) {
				g.cache.Tell(proof.Sample{Target: s.Target, At: s.At, Latency: s.Latency, Outcome: s.Outcome, Words: s.Words}.Note())
			})
			if err != nil && ctx.Err() == nil {
				failed <- fmt.Errorf("--probe %s: %w", target, err)
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}
