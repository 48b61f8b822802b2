// Command kubectl-guard_rollout is the kubectl plugin guard-rollout.
package main

import (
	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/plugins/guardrollout"
)

func main() { cli.Main(guardrollout.Command) }
