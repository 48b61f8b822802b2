package endpoints

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCategorize has the shape of kube-proxy's own table (pkg/proxy/topology_test.go).
func TestCategorize(t *testing.T) {
	ready := func(name, node string, zones ...string) Target {
		return Target{Name: name, Node: node, Zones: zones, Ready: true, Serving: true}
	}
	leaving := func(name, node string) Target {
		return Target{Name: name, Node: node, Serving: true, Terminating: true}
	}
	down := Target{Name: "down", Node: "n1"}
	for name, c := range map[string]struct {
		targets []Target
		traffic Traffic
		want    Choice
	}{
		"no endpoints": {nil, Traffic{Node: "n1"}, Choice{Cluster: []string{}}},
		"policy Cluster takes all that are ready":    {[]Target{ready("a", "n1"), ready("b", "n2"), down}, Traffic{Node: "n1"}, Choice{Cluster: []string{"a", "b"}}},
		"hints choose the zone":                      {[]Target{ready("a", "n1", "z1"), ready("b", "n2", "z2")}, Traffic{Node: "n1", Zone: "z1"}, Choice{Cluster: []string{"a"}}},
		"one endpoint without a hint disables them":  {[]Target{ready("a", "n1", "z1"), ready("b", "n2")}, Traffic{Node: "n1", Zone: "z1"}, Choice{Cluster: []string{"a", "b"}, HintsIgnored: "a ready endpoint has no hint"}},
		"an unready endpoint needs no hint":          {[]Target{ready("a", "n1", "z1"), down}, Traffic{Node: "n1", Zone: "z1"}, Choice{Cluster: []string{"a"}}},
		"a node without a zone ignores hints":        {[]Target{ready("a", "n1", "z1")}, Traffic{Node: "n1"}, Choice{Cluster: []string{"a"}, HintsIgnored: "the node has no zone"}},
		"no endpoint is for this zone":               {[]Target{ready("a", "n1", "z1")}, Traffic{Node: "n3", Zone: "z3"}, Choice{Cluster: []string{"a"}, HintsIgnored: "no endpoint is for zone z3"}},
		"an endpoint may be for several zones":       {[]Target{ready("a", "n1", "z1", "z2"), ready("b", "n2", "z2")}, Traffic{Node: "n2", Zone: "z2"}, Choice{Cluster: []string{"a", "b"}}},
		"a hint for the node goes before the zone's": {[]Target{{Name: "a", Node: "n1", Ready: true, Zones: []string{"z1"}, Nodes: []string{"n1"}}, {Name: "b", Node: "n2", Ready: true, Zones: []string{"z1"}, Nodes: []string{"n2"}}}, Traffic{Node: "n1", Zone: "z1"}, Choice{Cluster: []string{"a"}}},
		"internal Local keeps to the node":           {[]Target{ready("a", "n1"), ready("b", "n2")}, Traffic{Node: "n1", InternalLocal: true}, Choice{Local: []string{"a"}}},
		"internal Local ignores hints":               {[]Target{ready("a", "n1", "z2"), ready("b", "n2", "z1")}, Traffic{Node: "n1", Zone: "z1", InternalLocal: true}, Choice{Local: []string{"a"}}},
		"internal Local without one here":            {[]Target{ready("b", "n2")}, Traffic{Node: "n1", InternalLocal: true}, Choice{Local: []string{}}},
		"external Local uses both lists":             {[]Target{ready("a", "n1"), ready("b", "n2")}, Traffic{Node: "n1", External: true, ExternalLocal: true}, Choice{Cluster: []string{"a", "b"}, Local: []string{"a"}}},
		"both Local need no cluster-wide list":       {[]Target{ready("a", "n1"), ready("b", "n2")}, Traffic{Node: "n1", External: true, InternalLocal: true, ExternalLocal: true}, Choice{Local: []string{"a"}}},
		"internal Local, external Cluster":           {[]Target{ready("a", "n1"), ready("b", "n2")}, Traffic{Node: "n1", External: true, InternalLocal: true}, Choice{Cluster: []string{"a", "b"}, Local: []string{"a"}}},
		"external Local matters only from outside":   {[]Target{ready("a", "n1"), ready("b", "n2")}, Traffic{Node: "n1", ExternalLocal: true}, Choice{Cluster: []string{"a", "b"}}},
		"none ready: those that leave and serve":     {[]Target{leaving("a", "n1"), leaving("b", "n2"), down}, Traffic{Node: "n1"}, Choice{Cluster: []string{"a", "b"}}},
		"one ready: those that leave get nothing":    {[]Target{leaving("a", "n1"), ready("b", "n2")}, Traffic{Node: "n1"}, Choice{Cluster: []string{"b"}}},
		"the fall-back is made for each list":        {[]Target{leaving("a", "n1"), ready("b", "n2")}, Traffic{Node: "n1", External: true, ExternalLocal: true}, Choice{Cluster: []string{"b"}, Local: []string{"a"}}},
		"terminating and not serving is nothing":     {[]Target{{Name: "a", Node: "n1", Terminating: true}}, Traffic{Node: "n1"}, Choice{Cluster: []string{}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Categorize(c.targets, c.traffic)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestCombine is the table of what several probes prove together.
func TestCombine(t *testing.T) {
	sockets := func(ls ...Listener) Observation {
		return Observation{Probe: Listeners, Outcome: Listed, Number: 8080, Listens: ls}
	}
	for name, c := range map[string]struct {
		seen []Observation
		want state
	}{
		"forward answers, proxy is refused: localhost only":         {[]Observation{{Probe: Forward, Outcome: Answered}, {Probe: Proxy, Outcome: Refused}}, loopback},
		"forward is refused, proxy answers: the pod's address only": {[]Observation{{Probe: Forward, Outcome: Refused}, {Probe: Proxy, Outcome: Answered}}, podIPOnly},
		"both are refused: nothing listens":                         {[]Observation{{Probe: Forward, Outcome: Refused}, {Probe: Proxy, Outcome: Refused}}, silent},
		"forward answers, proxy times out: undecided":               {[]Observation{{Probe: Forward, Outcome: Answered}, {Probe: Proxy, Outcome: TimedOut}}, undecided},
		"both answer": {[]Observation{{Probe: Forward, Outcome: Answered}, {Probe: Proxy, Outcome: AnsweredTLS}}, serves},
		"forward alone is refused: it may be bound to the pod": {[]Observation{{Probe: Forward, Outcome: Refused}, {Probe: Proxy, Outcome: NotAllowed}}, undecided},
		"UDP is never proved absent":                           {[]Observation{{Probe: Forward, Outcome: Refused, Protocol: "UDP"}, {Probe: Proxy, Outcome: Refused, Protocol: "UDP"}}, undecided},
		"sockets decide: all addresses":                        {[]Observation{sockets(Listener{"0.0.0.0", 8080})}, serves},
		"sockets decide: localhost":                            {[]Observation{sockets(Listener{"127.0.0.1", 8080}, Listener{"::1", 8080}), {Probe: Proxy, Outcome: Answered}}, loopback},
		"sockets decide: the pod's address beside localhost":   {[]Observation{sockets(Listener{"10.244.1.3", 8080}, Listener{"127.0.0.1", 8080})}, podIPOnly},
		"sockets decide: another port":                         {[]Observation{sockets(Listener{"0.0.0.0", 80})}, silent},
		"nothing was seen":                                     {nil, undecided},
	} {
		t.Run(name, func(t *testing.T) {
			if got := combine(c.seen); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}
