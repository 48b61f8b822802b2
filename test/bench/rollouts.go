package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

// rollouts is the row of guard-rollout: one screen that follows fifty
// Deployments for a minute and a half while all of them roll; the controller
// manager's own limit of requests makes the roll take longer. script(1) gives it
// a terminal.
func (o options) rollouts(limit string, pods int) []command {
	watch := []string{filepath.Join(o.bin, "kubectl-guard_rollout"), "--kubeconfig", o.kubeconfig, "-n", "bench-rollouts",
		"-l", "leadsman.dev/bench=rollout", "--await", "--stable-for", "1s", "--timeout", "90s", ";", "true"} // exit code 4: the controllers need longer
	return []command{{
		title:  fmt.Sprintf("guard-rollout of 50 Deployments on one screen for 90 s while their %d pods are replaced", pods),
		argv:   []string{"script", "-qec", strings.Join(watch, " "), "/dev/null"},
		beside: []string{limit, o.kubeconfig, "roll", "0"},
		once:   true,
	}}
}
