package endpoints

import (
	"slices"
)

// Target is what kube-proxy knows of one endpoint.
type Target struct {
	Name        string
	Node        string
	Zones       []string // hints.forZones
	Nodes       []string // hints.forNodes
	Ready       bool
	Serving     bool
	Terminating bool
}

// Traffic is a Service's policy and the place of the proxy that carries it out.
type Traffic struct {
	Node, Zone    string
	InternalLocal bool // internalTrafficPolicy: Local
	ExternalLocal bool // externalTrafficPolicy: Local
	External      bool // it has an address from outside: NodePort, LoadBalancer, externalIPs
}

// Choice is what a proxy sends traffic to: the endpoints of the whole cluster,
// those on its node, and all that are reachable at all.
type Choice struct {
	Cluster, Local []string // nil where no policy uses the list
	HintsIgnored   string   // why hints are not followed, where there are some
}

// Categorize follows kube-proxy (pkg/proxy/topology.go, CategorizeEndpoints):
// the cluster-wide list is used by any policy Cluster and honours hints, the
// local list by any policy Local; each falls back to serving endpoints that
// terminate where none is ready.
func Categorize(targets []Target, t Traffic) Choice {
	var choice Choice
	useCluster := !t.InternalLocal || t.External && !t.ExternalLocal
	if useCluster {
		ready, ignored := hinted(targets, t)
		choice.HintsIgnored = ignored
		choice.Cluster = names(ready)
		if len(ready) == 0 {
			choice.Cluster = names(fallback(targets))
		}
	}
	if !t.InternalLocal && !(t.External && t.ExternalLocal) {
		return choice
	}
	local := keep(targets, func(e Target) bool { return e.Node == t.Node && t.Node != "" })
	ready := keep(local, func(e Target) bool { return e.Ready })
	if len(ready) == 0 {
		ready = fallback(local)
	}
	choice.Local = names(ready)
	return choice
}

func fallback(targets []Target) []Target {
	return keep(targets, func(e Target) bool { return e.Serving && e.Terminating })
}

// hinted are the ready endpoints that the hints leave for this node. Hints are
// followed only where every ready endpoint has one and one is for this place
// (pkg/proxy/topology.go, topologyModeFromHints); a hint for nodes goes before
// one for zones.
func hinted(targets []Target, t Traffic) (chosen []Target, ignored string) {
	ready := keep(targets, func(e Target) bool { return e.Ready })
	anyHint, allNodes, allZones, forNode, forZone := false, true, true, false, false
	for _, e := range ready {
		anyHint = anyHint || len(e.Nodes)+len(e.Zones) > 0
		allNodes = allNodes && len(e.Nodes) > 0
		allZones = allZones && len(e.Zones) > 0
		forNode = forNode || slices.Contains(e.Nodes, t.Node)
		forZone = forZone || slices.Contains(e.Zones, t.Zone)
	}
	switch {
	case !anyHint:
		return ready, ""
	case allNodes && forNode && t.Node != "":
		return keep(ready, func(e Target) bool { return slices.Contains(e.Nodes, t.Node) }), ""
	case allZones && t.Zone == "":
		return ready, "the node has no zone"
	case allZones && forZone:
		return keep(ready, func(e Target) bool { return slices.Contains(e.Zones, t.Zone) }), ""
	case allZones:
		return ready, "no endpoint is for zone " + t.Zone
	}
	return ready, "a ready endpoint has no hint"
}

func keep(targets []Target, want func(Target) bool) []Target {
	var out []Target
	for _, e := range targets {
		if want(e) {
			out = append(out, e)
		}
	}
	return out
}

func names(targets []Target) []string {
	out := []string{}
	for _, e := range targets {
		out = append(out, e.Name)
	}
	return out
}
