// Command dns is CoreDNS with its standard plugins, for the test cluster.
package main

import (
	_ "github.com/coredns/coredns/core/plugin" // the standard plugins
	"github.com/coredns/coredns/coremain"
)

func main() {
	coremain.Run()
}
