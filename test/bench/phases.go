package main

import (
	"fmt"
	"path/filepath"
)

// phase is a load and what is measured on it.
type phase struct {
	name         string // by which -only finds it
	load, unload string // what the limit program is told
	keep         string // what the limit program does meanwhile
	grows        bool   // into the next phase's load: it is not taken away before
	pods         int
	commands     []command
}

// phases come one after the other: what is measured over the whole cluster must
// not find the load of another.
func (o options) phases(limit string) []phase {
	phases := []phase{
		{name: "small", load: "load-endpoints", unload: "unload-endpoints", keep: "keep-endpoints", grows: true, pods: o.pods / 10, commands: o.cluster(limit, o.pods/10)},
		{name: "large", load: "load-endpoints", unload: "unload-endpoints", keep: "keep-endpoints", pods: o.pods, commands: o.cluster(limit, o.pods)},
		{name: "rollouts", load: "load-rollouts", unload: "unload-endpoints", keep: "keep-rollouts", pods: o.pods / 2, commands: o.rollouts(limit, o.pods/2)},
		{name: "workloads", load: "load", unload: "unload", pods: o.pods, commands: o.commands(limit)},
		{name: "broken", load: "load-broken", unload: "unload", pods: o.pods / 5, commands: o.broken(limit, o.pods/5)},
	}
	if o.huge > 0 {
		phases = append(phases, phase{name: "huge", load: "load-endpoints", unload: "unload-endpoints", keep: "keep-endpoints", pods: o.huge, commands: o.cluster(limit, o.huge)})
	}
	return phases
}

// cluster are the rows that every size of a whole cluster has: ten pods a
// Service, as the load makes them.
func (o options) cluster(limit string, pods int) []command {
	plugin := func(name string, args ...string) []string {
		return append([]string{filepath.Join(o.bin, "kubectl-"+name), "--kubeconfig", o.kubeconfig, "--fail-on", "never"}, args...)
	}
	const place = "bench-endpoints-00"
	size := fmt.Sprintf(" (%d pods, %d Services)", pods, pods/10)
	return []command{
		{title: "raw: protobuf LISTs of Services, EndpointSlices and pods of all namespaces" + size, argv: []string{limit, o.kubeconfig, "endpoints", "all"}},
		{title: "check-endpoints -A" + size, argv: plugin("check_endpoints", "-A"), counted: true},
		{title: "check-endpoints web-1" + size, argv: plugin("check_endpoints", "-n", place, "web-1"), counted: true},
		{title: "explain-tree deploy/web-1" + size, argv: plugin("explain_tree", "-n", place, "deploy/web-1"), counted: true},
		{title: "guard-rollout deploy/web-1 --preflight" + size, argv: plugin("guard_rollout", "-n", place, "deploy/web-1", "--preflight"), counted: true},
		{title: "trace-dns web-1 --from pod/client" + size, argv: plugin("trace_dns", "-n", place, "web-1", "--from", "pod/client"), counted: true},
	}
}

// broken are the rows of a namespace in which nothing works: each of so many
// Deployments and Services is a finding, and most have a cause in another.
func (o options) broken(limit string, deployments int) []command {
	const place = "bench-broken"
	size := fmt.Sprintf(" (%d Deployments with a Service each, none of which works)", deployments)
	plugin := func(name string, args ...string) []string {
		return append([]string{filepath.Join(o.bin, "kubectl-"+name), "--kubeconfig", o.kubeconfig, "--fail-on", "never", "-n", place}, args...)
	}
	return []command{
		{title: "raw: metadata-only LISTs of every listable kind" + size, argv: []string{limit, o.kubeconfig, "everything", place}},
		{title: "explain-tree of the namespace" + size, argv: plugin("explain_tree", "namespace/"+place), counted: true},
		{title: "explain-tree deployments -l" + size, argv: plugin("explain_tree", "deployments", "-l", "leadsman.dev/bench-endpoints=broken"), counted: true},
		{title: "check-endpoints" + size, argv: plugin("check_endpoints"), counted: true},
	}
}
