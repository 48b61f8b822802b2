package endpoints

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// setSelector replaces the whole selector, so every pair is named.
func (c *subject) setSelector(description string, pairs map[string]string) finding.Fix {
	return finding.Fix{Description: description, Command: finding.Kubectl(c.svc.Namespace, "set", "selector", "service/"+c.svc.Name, joinPairs(pairs))}
}

// labelTemplate gives the pods of a workload a label. It can be done to what
// has a template that may be changed.
func labelTemplate(description string, r object.Ref, pairs ...pair) finding.Fix {
	labels := map[string]string{}
	for _, p := range pairs {
		labels[p.key] = p.value
	}
	if !slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, r.Kind) || r.Group != "apps" {
		return finding.Fix{Description: description}
	}
	patch := map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{"labels": labels}}}}
	return finding.Fix{Description: description, Command: finding.Kubectl(r.Namespace, "patch", strings.ToLower(r.Kind), r.Name, "--type=merge", "-p", finding.JSON(patch))}
}

// setTargetPort changes where one Service port leads.
func (c *subject) setTargetPort(description string, port int, target any) finding.Fix {
	return c.patchService(description, map[string]any{"op": "replace", "path": fmt.Sprintf("/spec/ports/%d/targetPort", port), "value": target})
}

func (c *subject) patchService(description string, operations ...map[string]any) finding.Fix {
	return finding.Fix{Description: description, Command: finding.Kubectl(c.svc.Namespace, "patch", "service", c.svc.Name, "--type=json", "-p", finding.JSON(operations))}
}

// deleteSlice deletes a slice, or lets one go that is deleted already and held:
// kube-proxy uses it for as long as it is there.
func deleteSlice(description string, s *discoveryv1.EndpointSlice) finding.Fix {
	if held(s) {
		return command("it is deleted already, but a finalizer holds it ("+strings.Join(s.Finalizers, ", ")+"): let it go", s.Namespace,
			"patch", "endpointslice", s.Name, "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)
	}
	return command(description, s.Namespace, "delete", "endpointslice", s.Name)
}

// deleteWritten deletes what somebody wrote: a slice, or the Endpoints object of
// which it is but the mirror, and would be written anew.
func deleteWritten(description string, s *discoveryv1.EndpointSlice) finding.Fix {
	if managedBy(s) == mirrorName && !held(s) {
		return command(description+" (the slice mirrors the Endpoints object)", s.Namespace, "delete", "endpoints", s.Labels[discoveryv1.LabelServiceName])
	}
	return deleteSlice(description, s)
}

// patchWritten adds to what somebody wrote, likewise: path is that of the slice,
// and of a subset of the Endpoints object.
func patchWritten(description string, s *discoveryv1.EndpointSlice, path string, value any) finding.Fix {
	kind, name := "endpointslice", s.Name
	if managedBy(s) == mirrorName {
		kind, name, path = "endpoints", s.Labels[discoveryv1.LabelServiceName], "/subsets/0"+path
		description += " (the slice mirrors the Endpoints object)"
	}
	return command(description, s.Namespace, "patch", kind, name, "--type=json", "-p", finding.JSON([]map[string]any{{"op": "add", "path": path, "value": value}}))
}

func held(s *discoveryv1.EndpointSlice) bool {
	return s.DeletionTimestamp != nil && len(s.Finalizers) > 0
}

// resync touches the Service: any change of it makes the controller compare
// again (k8s.io/kubernetes pkg/controller/endpointslice, onServiceUpdate).
func (c *subject) resync() finding.Fix {
	value := "1"
	if c.svc.Annotations["resync"] == value {
		value = "2"
	}
	return finding.Fix{Description: "make the controller look again", Command: finding.Kubectl(c.svc.Namespace, "annotate", "--overwrite", "service", c.svc.Name, "resync="+value)}
}

// manual is a way out in which a person must decide.
//
//go:noinline
func manual(format string, args ...any) finding.Fix {
	return finding.Fix{Description: fmt.Sprintf(format, args...)}
}

//go:noinline
func command(description, namespace string, args ...string) finding.Fix {
	return finding.Fix{Description: description, Command: finding.Kubectl(namespace, args...)}
}

// selectorText is a selector as people write it.
func selectorText(svc *corev1.Service) string { return joinPairs(svc.Spec.Selector) }
