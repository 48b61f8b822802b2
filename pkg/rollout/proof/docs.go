package proof

import "github.com/leadsman-dev/leadsman/pkg/finding"

// Docs are the pages of this package's codes.
func Docs() []finding.Doc {
	const proxy = "kubernetes pkg/proxy, categorizeEndpoints; k8s.io/endpointslice, podToEndpoint"
	return []finding.Doc{{
		Code: Broken, Severity: finding.Error,
		Title:  "A Service was served by fewer endpoints than promised",
		Means:  "While the rollout went on, a Service that selects the workload's pods had fewer serving endpoints than the strategy keeps: requests may have failed, even where the rollout itself succeeded.",
		Told:   "The endpoints that serve and do not terminate, counted by pod over all EndpointSlices of the Service after every single event, fell below the floor: replicas − maxUnavailable, recomputed when the workload is scaled. Where the strategy promises nothing (Recreate, or one replica that is replaced in its place) the floor is one endpoint. A workload that has not reached its floor yet cannot fall below it, endpoints of the old revision count like those of the new one, and what falls because the workload was scaled down is no loss.",
		Fix:    "Where the strategy promises nothing, let it start a new pod before an old one ends. Else find out why pods stopped being ready: a failing probe, a crash, a node.",
		Source: proxy,
	}, {
		Code: codeGaps, Severity: finding.Warning,
		Title:  "A Service kept its endpoints, but was not watched all the time",
		Means:  "No event shows fewer endpoints than promised; for some seconds, though, the watch was lost, and when things changed in that time is not known.",
		Told:   "The watch of the EndpointSlices was away for a second or longer, or anything changed while it was. The short gaps that come from the server's ending every watch after some minutes are counted, but do not by themselves change the verdict.",
		Fix:    "Watch from nearer to the API server, or send live requests meanwhile.",
		Source: "kubernetes apiserver pkg/endpoints/handlers, ListResource (minRequestTimeout)",
	}, {
		Code: codeNotProvable, Severity: finding.Info,
		Title:  "The availability of the workload cannot be proven",
		Means:  "Nothing that could be watched tells whether clients were served: there is no Service, it has no endpoints of its own, readiness means nothing, or you may not see it.",
		Told:   "No Service selects the pods, it is of type ExternalName, has no selector or selects one pod by name, no endpoint ever served, no container has a readiness probe, or Services or EndpointSlices cannot be listed and watched. A loss that was seen is told all the same.",
		Fix:    "Give the pods a readiness probe and a Service, ask for list and watch of services and endpointslices.discovery.k8s.io, or send live requests.",
		Source: "kubernetes discovery/v1, EndpointConditions",
	}, {
		Code: codeProbe, Severity: finding.Error,
		Title:  "Live requests failed while the rollout went on",
		Means:  "A client that sent requests at a steady rate was refused, cut off, kept waiting or answered with a server error.",
		Told:   "A request ended without an answer, not in time, or with a status of 500 or above. Statuses below 500 are answers. Requests that the API server itself did not pass on (no permission, too many requests) say nothing about the Service and are counted apart.",
		Fix:    "Give the pods a preStop sleep and time to end, a readiness probe that passes only when they can answer, and compare with the Service's availability: where that held, requests were lost on connections to pods that ended.",
		Source: "kubernetes pkg/registry/core/service, ProxyREST",
	}}
}
