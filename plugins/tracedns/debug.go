package tracedns

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/dns"
	"github.com/leadsman-dev/leadsman/pkg/probe"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// pull is how long an image may take to come, beside the patience of any question.
const pull = time.Minute

// debug adds the container that was asked for to a client that cannot answer
// for itself, and says so before it does.
func (a *asker) debug(ctx context.Context, plan dns.Plan, o *options, seen dns.Observations) dns.Observations {
	d := dns.Debugger{Image: o.debug}
	seen.Debugger = &d
	switch {
	case plan.Client.Name == "":
		d.Err = "no running pod was found to add it to"
		return seen
	case seen.ResolvConf != nil && seen.ResolvConf.Err == "":
		d.Needless = true
		return seen
	}
	announce(a.warn, plan, o.debug)
	ctx, cancel := context.WithTimeout(ctx, a.patience+pull)
	defer cancel()
	in := probe.Container{Namespace: plan.Client.Namespace, Pod: plan.Client.Name, Container: plan.Container}
	said, result := a.prober.DebugContainer(ctx, in, plan.UID, o.debug, o.ask.Name)
	d.Container = said.Container
	if result.Outcome != probe.Answered {
		d.Err = inWords(result)
		return seen
	}
	seen.ResolvConf, seen.Hosts = textOf(said.Resolver.Conf), textOf(said.Resolver.Hosts)
	if addresses(o.ask.Types) && !strings.HasPrefix(o.ask.Name, "-") {
		seen.Getent, seen.Nslookup = textOf(said.Getent), textOf(said.Nslookup)
	}
	return seen
}

func announce(w io.Writer, plan dns.Plan, image string) {
	fmt.Fprintf(w, "Adding an ephemeral container (%s) to pod %s/%s: it prints resolv.conf and hosts, looks the name up, and ends. It cannot be removed from the pod again.\n",
		term.Escape(image), term.Escape(plan.Client.Namespace), term.Escape(plan.Client.Name))
}
