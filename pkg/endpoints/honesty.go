package endpoints

import (
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// honesty says what could not be seen before anything is said of it.
func honesty() Analyzer {
	return Analyzer{Name: "honesty", Docs: []finding.Doc{
		page("cannot-see", finding.Warning, "Not enough could be seen for a verdict",
			"Slices or pods could not be listed: what was not seen is unknown, never missing.",
			"The list of the Service's EndpointSlices, or of its pods, was refused, failed, or is not in the snapshot.",
			"Get the right to list them (--print-rbac prints the role), or take a snapshot that holds them.", "k8s.io/kubernetes pkg/proxy: traffic follows the EndpointSlices, and those follow the pods"),
	}, Each: func(c *subject) {
		if c.unseen != "" && !isExternal(c.svc) {
			way := manual("get the right to list them; --print-rbac prints the role that is needed")
			if strings.Contains(c.unseen, string(source.NotRecorded)) {
				way = manual("take a snapshot of what this command reads: run it on the cluster with --save-snapshot")
			}
			c.say("cannot-see", finding.Warning, "it cannot be judged: "+c.unseen, []finding.Evidence{fact(c.ref, "EndpointSlices and pods", c.unseen)},
				way)
		}
	}}
}
