package endpoints

import (
	"slices"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// causes are the findings from the deepest cause to what is a cause only where
// nothing else is.
var causes = []string{
	"cannot-see", "controller-stalled", "service-deleted",
	"scaled-to-zero", "only-completed-pods", "label-on-workload-only", "rollout-label-drift", "pinned-revision",
	"label-case", "label-typo", "label-key-alias", "label-partial", "wrong-namespace", "selector-no-match", "selectorless-empty",
	"stale-after-selector-removed", "stale-mirror", "manual-ip-foreign", "slice-unlabelled", "slice-label-typo", "endpoints-not-mirrored", "slice-port-name",
	"named-port-protocol", "named-port-init", "named-port-typo", "named-port-missing", "ports-swapped", "ip-family-mismatch",
	"node-missing", "node-notready", "readiness-gate", "probe-port-wrong", "sidecar-not-ready", "no-pod-ip", "none-ready",
	"uid-mismatch", "targetref-gone", "ip-mismatch", "terminal-pod-ip", "slice-stale", "duplicate-ip",
	"nothing-listening", "listens-loopback", "path-fails", "netpol-uses-service-port", "netpol-denies", "netpol-source", "netpol-admits-nobody",
	"externalname-loop", "externalname-dead", "ingress-service-missing", "ingress-port-missing", "ingress-class-missing",
	"route-backend-missing", "route-port-missing", "route-no-referencegrant", "route-not-attached", "route-weight-zero", "statefulset-service-missing", "lb-pending", "selector-overlap",
}

var depths = func() map[string]int {
	m := map[string]int{}
	for i, name := range causes {
		m[code(name)] = i
	}
	return m
}()

func depth(f finding.Finding) int {
	if i, ok := depths[f.Code]; ok {
		return i
	}
	return len(causes)
}

// follows says which findings merely follow from another about the same
// Service, if that one was made.
var follows = map[string][]string{
	"named-port-partial": {"selector-overlap"},
	"partial-ready":      {"selector-overlap", "no-pod-ip"},
	"no-pod-ip":          {"node-notready"},
	"terminating-only":   {"none-ready", "readiness-gate", "probe-port-wrong", "node-notready", "sidecar-not-ready", "no-pod-ip"},
	"endpoints-diverge":  {"slice-stale", "targetref-gone", "uid-mismatch", "ip-mismatch", "node-missing", "stale-mirror"},
	"slice-stale":        {"node-missing", "uid-mismatch", "targetref-gone", "ip-mismatch", "duplicate-ip"},
	"etp-local-gap":      {"partial-ready", "none-ready"},
	"itp-local-gap":      {"partial-ready"},
	"netpol-denies":      {"netpol-uses-service-port"},
	"port-undeclared":    {"nothing-listening", "listens-loopback"},
	"probe-port-wrong":   {"nothing-listening"},
	"none-ready":         {"nothing-listening"},
}

// link ties consequences to their causes within one Service.
func (c *subject) link() {
	for i := range c.found {
		f := &c.found[i]
		if f.CausedBy != nil {
			continue
		}
		for _, name := range follows[f.Code[len("endpoints/"):]] {
			j := slices.IndexFunc(c.found, func(o finding.Finding) bool { return o.Code == code(name) && o.Severity.Rank() <= f.Severity.Rank() })
			if j >= 0 {
				f.CausedBy = &finding.Cause{Code: c.found[j].Code, Object: c.found[j].Object}
				break
			}
		}
	}
}
