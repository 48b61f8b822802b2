// Command kubectl-trace_dns is the kubectl plugin trace-dns.
package main

import (
	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/plugins/tracedns"
)

func main() { cli.Main(tracedns.Command) }
