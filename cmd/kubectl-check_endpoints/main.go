// Command kubectl-check_endpoints is the kubectl plugin check-endpoints.
package main

import (
	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/plugins/checkendpoints"
)

func main() { cli.Main(checkendpoints.Command) }
