// Command labhost holds the two programs of the test cluster that Kubernetes
// does not bring along: the first process of a node, and the registry.
package main

import (
	"fmt"
	"net/http"
	"os"

	"github.com/leadsman-dev/leadsman/test/cluster/registry"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "labhost:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "node":
		return runNode(args[1], args[2])
	case len(args) == 3 && args[0] == "registry":
		handler, err := registry.Handler(args[2])
		if err != nil {
			return err
		}
		return http.ListenAndServe(args[1], handler)
	}
	return fmt.Errorf("usage: labhost node HOSTNAME FOLDER | labhost registry ADDRESS LAYOUT")
}
