package endpoints

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// electionKey marks Endpoints in which a leader is elected (client-go
// tools/leaderelection/resourcelock, LeaderElectionRecordAnnotationKey).
const electionKey = "control-plane.alpha.kubernetes.io/leader"

// mislabelled: a slice of the namespace names a Service that does not exist,
// and whose name is close to this one's.
func (c *subject) mislabelled() bool {
	for _, it := range c.v.List(sliceKind, c.svc.Namespace) {
		s, ok := it.Object.(*discoveryv1.EndpointSlice)
		if !ok || len(s.Endpoints) == 0 || managedBy(s) == controllerName {
			continue
		}
		name := s.Labels[discoveryv1.LabelServiceName]
		if !misspelt(name, c.svc.Name) && !strings.EqualFold(name, c.svc.Name) {
			continue
		}
		if presence, _ := c.v.Presence(object.Ref{Version: "v1", Kind: "Service", Namespace: s.Namespace, Name: name}); presence != index.Missing {
			continue
		}
		c.accuse(sliceRef(s), "slice-label-typo", finding.Error, fmt.Sprintf("it names Service/%s, which does not exist; Service/%s has no endpoints", name, c.svc.Name),
			[]finding.Evidence{fact(sliceRef(s), "metadata.labels."+discoveryv1.LabelServiceName, name), fact(c.ref, "spec.selector", "none")},
			command("attach it to the Service", s.Namespace, "label", "--overwrite", "endpointslice", s.Name, discoveryv1.LabelServiceName+"="+c.svc.Name))
		return true
	}
	return false
}

// misnamed: Endpoints are mirrored for the Service of their very name
// (k8s.io/kubernetes pkg/controller/endpointslicemirroring, syncEndpoints).
func (c *subject) misnamed() bool {
	for _, it := range c.v.List(endpointsKind, c.svc.Namespace) {
		e, ok := it.Object.(*corev1.Endpoints) //lint:ignore SA1019 the legacy object is what has another name
		if !ok || len(e.Subsets) == 0 || !misspelt(e.Name, c.svc.Name) {
			continue
		}
		if presence, _ := c.v.Presence(object.Ref{Version: "v1", Kind: "Service", Namespace: e.Namespace, Name: e.Name}); presence != index.Missing {
			continue
		}
		c.accuse(it.Ref, "endpoints-not-mirrored", finding.Error, fmt.Sprintf("no Service has its name; Service/%s, which has no endpoints, has a name close to it, and takes Endpoints of its own name only", c.svc.Name),
			[]finding.Evidence{fact(it.Ref, "metadata.name", e.Name), fact(c.ref, "EndpointSlices", "none")},
			manual("write them anew under the name %s: the name of an object cannot be changed", c.svc.Name))
		return true
	}
	return false
}

// notMirrored: somebody wrote Endpoints, and asked for no slice of them. kube-proxy
// reads slices only (k8s.io/kubernetes pkg/controller/endpointslicemirroring,
// skipMirror).
func (c *subject) notMirrored() bool {
	r := object.Ref{Version: "v1", Kind: "Endpoints", Namespace: c.svc.Namespace, Name: c.svc.Name}
	it, ok := c.v.Get(r)
	if !ok {
		return false
	}
	e, ok := it.Object.(*corev1.Endpoints) //lint:ignore SA1019 the legacy object is what is not mirrored
	if !ok || len(e.Subsets) == 0 {
		return false
	}
	field, value, fix := "metadata.labels."+discoveryv1.LabelSkipMirror, e.Labels[discoveryv1.LabelSkipMirror],
		command("let them be mirrored", r.Namespace, "label", "endpoints", r.Name, discoveryv1.LabelSkipMirror+"-")
	if _, elects := e.Annotations[electionKey]; elects && value != "true" {
		field, value = "metadata.annotations."+electionKey, "set"
		fix = manual("write an EndpointSlice with the label kubernetes.io/service-name=%s; Endpoints that hold an election are never mirrored", c.svc.Name)
	} else if value != "true" {
		return false
	}
	c.accuse(r, "endpoints-not-mirrored", finding.Error, fmt.Sprintf("it has the addresses of Service/%s, and is marked as not to be mirrored into slices, which alone kube-proxy reads", c.svc.Name),
		[]finding.Evidence{fact(r, field, value), fact(c.ref, "EndpointSlices", "none")}, fix)
	return true
}
