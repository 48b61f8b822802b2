// Package cluster starts a real two-node Kubernetes cluster on a bare Linux
// machine, and gives tests the levers to break and mend it.
//
// The control plane runs on the machine itself, each node in pid, network and
// mount namespaces of its own that end with their first process. The README
// beside this file tells how to use it and where it differs from production.
package cluster
