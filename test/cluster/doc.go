// Package cluster starts a real two-node Kubernetes cluster on a bare Linux
// machine and gives tests the levers to break and mend it.
package cluster
