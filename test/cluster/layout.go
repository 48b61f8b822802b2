package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Module is the path of this Go module; its folder holds the sources of the
// programs that Up builds.
const Module = "github.com/leadsman-dev/leadsman/test/cluster"

// Version is the version of Kubernetes that runs.
const Version = "v1.36.3"

// The addresses of the cluster. The machine's end of the bridge is hostIP; the
// control plane, the registry and the resolver of the outside listen on it
// alone, so that nothing of the cluster is reached from another machine.
const (
	bridge      = "leadsman0"
	hostIP      = "172.30.77.1"
	subnetBits  = 24
	serviceCIDR = "10.96.0.0/12"
	podCIDR     = "10.244.0.0/16"
	apiService  = "10.96.0.1"
	dnsService  = "10.96.0.10"
	domain      = "cluster.local"
	apiURL      = "https://" + hostIP + ":6443"
	etcdURL     = "http://" + hostIP + ":2379"
	registryAt  = hostIP + ":5000"
)

// Node is one of the cluster's two nodes.
type Node struct {
	Name    string // lab-n1
	Zone    string // zone-1, its label topology.kubernetes.io/zone
	IP      string
	PodCIDR string
	veth    string // the machine's end of its network cable
}

// Nodes are the nodes of the cluster, in order.
func Nodes() []Node {
	return []Node{
		{Name: "lab-n1", Zone: "zone-1", IP: "172.30.77.11", PodCIDR: "10.244.1.0/24", veth: "leadsman1"},
		{Name: "lab-n2", Zone: "zone-2", IP: "172.30.77.12", PodCIDR: "10.244.2.0/24", veth: "leadsman2"},
	}
}

// Dir is the state folder of the cluster: LEADSMAN_CLUSTER_DIR, or a folder of
// the user's cache.
func Dir() (string, error) {
	dir := os.Getenv("LEADSMAN_CLUSTER_DIR")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("find the state folder: %w; set LEADSMAN_CLUSTER_DIR", err)
		}
		dir = filepath.Join(cache, "leadsman", "cluster")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the state folder: %w", err)
	}
	// A node covers these with its own, and would not see the state below.
	for _, covered := range []string{"/run/", "/var/run/", "/var/lib/", "/var/log/"} {
		if strings.HasPrefix(dir+"/", covered) {
			return "", fmt.Errorf("state folder %s: nodes have a %s of their own; set LEADSMAN_CLUSTER_DIR to a folder elsewhere", dir, covered)
		}
	}
	return dir, nil
}

// folder gives the paths below a state folder.
type folder string

func (f folder) join(parts ...string) string {
	return filepath.Join(append([]string{string(f)}, parts...)...)
}

func (f folder) kubeconfig() string             { return f.join("kubeconfig") }
func (f folder) kubeconfigOf(who string) string { return f.join("kubeconfigs", who) }
func (f folder) pki(file string) string         { return f.join("pki", file) }
func (f folder) log(component string) string {
	return f.join("logs", strings.ReplaceAll(component, "/", "-")+".log")
}
func (f folder) node(n Node, parts ...string) string {
	return f.join(append([]string{"nodes", n.Name}, parts...)...)
}
func (f folder) images() string { return f.join("images") }
