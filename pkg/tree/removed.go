package tree

import (
	"fmt"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// removedAPI finds objects of a dump or manifest in an API version that
// servers no longer have.
func removedAPI() Analyzer {
	return Analyzer{Name: "removed-api", Docs: removedDocs, Run: func(p *Pass) {
		for _, it := range p.Shown {
			gvk := it.Object.GetObjectKind().GroupVersionKind()
			p.checkVersion(it.Ref, gvk.GroupVersion().String(), gvk.Kind)
		}
		for _, w := range p.Written {
			for _, it := range p.Shown {
				if it.Ref.Kind == w.Kind && it.Ref.Namespace == w.Namespace && it.Ref.Name == w.Name {
					p.checkVersion(it.Ref, w.APIVersion(), w.Kind)
				}
			}
		}
	}}
}

func (p *Pass) checkVersion(r object.Ref, written, kind string) {
	since, removed := removedIn[written+" "+kind]
	if !removed {
		return
	}
	now := r.Group + "/v1"
	if kind, ok := p.View.Served(r.GroupKind()); ok {
		now = kind.GVK().GroupVersion().String()
	}
	p.report(finding.Finding{
		Code: "tree/removed-api", Severity: finding.Error, Object: r,
		Message:  fmt.Sprintf("is written in %s, which servers since %s refuse; it is %s now", written, since, now),
		Evidence: []finding.Evidence{evidence(r, "apiVersion", written)},
		Fix:      []finding.Fix{{Description: fmt.Sprintf("write apiVersion: %s (a workload needs spec.selector there), then try it with: kubectl apply --dry-run=server -f FILE", now)}},
	})
}

// Refused says, of objects that a manifest names and that do not exist, which
// could not even be created; nil where none is.
func Refused(written []object.Ref) error {
	for _, w := range written {
		if since, removed := removedIn[w.APIVersion()+" "+w.Kind]; removed {
			return fmt.Errorf("%s is written in %s, which servers since %s refuse; see --explain tree/removed-api", w, w.APIVersion(), since)
		}
	}
	return nil
}

// removedIn is the release in which an API version of a kind was removed
// (Kubernetes' deprecated API migration guide).
var removedIn = map[string]string{
	"extensions/v1beta1 Deployment": "1.16", "extensions/v1beta1 DaemonSet": "1.16", "extensions/v1beta1 ReplicaSet": "1.16",
	"extensions/v1beta1 NetworkPolicy": "1.16", "extensions/v1beta1 Ingress": "1.22", "extensions/v1beta1 PodSecurityPolicy": "1.16",
	"apps/v1beta1 Deployment": "1.16", "apps/v1beta1 StatefulSet": "1.16",
	"apps/v1beta2 Deployment": "1.16", "apps/v1beta2 StatefulSet": "1.16", "apps/v1beta2 DaemonSet": "1.16", "apps/v1beta2 ReplicaSet": "1.16",
	"networking.k8s.io/v1beta1 Ingress": "1.22", "networking.k8s.io/v1beta1 IngressClass": "1.22",
	"batch/v1beta1 CronJob": "1.25", "discovery.k8s.io/v1beta1 EndpointSlice": "1.25", "policy/v1beta1 PodDisruptionBudget": "1.25",
	"policy/v1beta1 PodSecurityPolicy": "1.25", "node.k8s.io/v1beta1 RuntimeClass": "1.25",
	"autoscaling/v2beta1 HorizontalPodAutoscaler": "1.25", "autoscaling/v2beta2 HorizontalPodAutoscaler": "1.26",
	"rbac.authorization.k8s.io/v1beta1 Role": "1.22", "rbac.authorization.k8s.io/v1beta1 RoleBinding": "1.22",
	"rbac.authorization.k8s.io/v1beta1 ClusterRole": "1.22", "rbac.authorization.k8s.io/v1beta1 ClusterRoleBinding": "1.22",
	"apiextensions.k8s.io/v1beta1 CustomResourceDefinition": "1.22", "apiregistration.k8s.io/v1beta1 APIService": "1.22",
	"admissionregistration.k8s.io/v1beta1 ValidatingWebhookConfiguration": "1.22", "admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration": "1.22",
	"storage.k8s.io/v1beta1 StorageClass": "1.22", "storage.k8s.io/v1beta1 CSIDriver": "1.22", "storage.k8s.io/v1beta1 CSINode": "1.22",
	"storage.k8s.io/v1beta1 VolumeAttachment": "1.22", "scheduling.k8s.io/v1beta1 PriorityClass": "1.22", "coordination.k8s.io/v1beta1 Lease": "1.22",
	"flowcontrol.apiserver.k8s.io/v1beta1 FlowSchema": "1.26", "flowcontrol.apiserver.k8s.io/v1beta2 FlowSchema": "1.29", "flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema": "1.32",
}

var removedDocs = []finding.Doc{{
	Code: "tree/removed-api", Severity: finding.Error, Title: "Written in an API version that is gone",
	Means: "The manifest or dump uses an API version that newer servers refuse, so it cannot be applied there.",
	Told:  "apiVersion and kind stand in Kubernetes' list of removed APIs.",
	Fix:   "Write the current version.", Source: "Kubernetes documentation, Deprecated API Migration Guide",
}}
