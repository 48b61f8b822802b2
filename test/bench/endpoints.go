package main

import (
	"fmt"
	"path/filepath"
)

// phase is a load and what is measured on it.
type phase struct {
	load, unload string // what the limit program is told
	keep         string // what the limit program does meanwhile
	grows        bool   // into the next phase's load: it is not taken away before
	pods         int
	commands     []command
}

// phases come one after the other: what is measured over the whole cluster must
// not find the load of another.
func (o options) phases(limit string) []phase {
	return []phase{
		{load: "load-endpoints", unload: "unload-endpoints", keep: "keep-endpoints", grows: true, pods: o.pods / 10, commands: o.endpoints(limit, o.pods/10)},
		{load: "load-endpoints", unload: "unload-endpoints", keep: "keep-endpoints", pods: o.pods, commands: o.endpoints(limit, o.pods)},
		{load: "load-rollouts", unload: "unload-endpoints", keep: "keep-rollouts", pods: o.pods / 2, commands: o.rollouts(limit, o.pods/2)},
		{load: "load", unload: "unload", pods: o.pods, commands: o.commands(limit)},
	}
}

// endpoints are the rows of check-endpoints: ten pods a Service, as the load
// makes them.
func (o options) endpoints(limit string, pods int) []command {
	check := func(args ...string) []string {
		return append([]string{filepath.Join(o.bin, "kubectl-check_endpoints"), "--kubeconfig", o.kubeconfig, "--fail-on", "never"}, args...)
	}
	size := fmt.Sprintf(" (%d pods, %d Services)", pods, pods/10)
	return []command{
		{title: "raw: protobuf LISTs of Services, EndpointSlices and pods of all namespaces" + size, argv: []string{limit, o.kubeconfig, "endpoints", "all"}},
		{title: "check-endpoints -A" + size, argv: check("-A")},
		{title: "check-endpoints of one Service" + size, argv: check("-n", "bench-endpoints-00", "web-1")},
	}
}
