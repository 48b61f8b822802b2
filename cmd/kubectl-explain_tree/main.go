// Command kubectl-explain_tree is the kubectl plugin explain-tree.
package main

import (
	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/plugins/explaintree"
)

func main() { cli.Main(explaintree.Command) }
