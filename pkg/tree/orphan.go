package tree

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
)

// orphans finds what nothing would make again, and what was adopted or let go
// by relabelling.
func orphans() Analyzer {
	return Analyzer{Name: "orphans", Docs: orphanDocs, Run: func(p *Pass) {
		for _, it := range p.Shown {
			switch it.Object.(type) {
			case *corev1.Pod:
				p.orphanPod(it)
			case *appsv1.ReplicaSet:
				p.orphanReplicaSet(it)
			}
		}
	}}
}

func (p *Pass) orphanPod(it index.Item) {
	hash := it.Object.GetLabels()[appsv1.DefaultDeploymentUniqueLabelKey]
	controller, owned := index.Controller(it.Object)
	switch {
	case !owned && len(it.Object.GetOwnerReferences()) == 0:
		message := "a bare pod: nothing recreates it when it or its node goes"
		if hash != "" {
			message = fmt.Sprintf("carries the label pod-template-hash=%s of a ReplicaSet, but has no owner: nothing recreates it", hash)
		}
		p.report(finding.Finding{
			Code: "tree/orphan", Severity: finding.Info, Object: it.Ref, Message: message,
			Evidence: []finding.Evidence{evidence(it.Ref, "metadata.ownerReferences", "none")},
			Fix:      []finding.Fix{{Description: "run it from a Deployment, StatefulSet, DaemonSet or Job if it is to stay"}},
		})
	case owned && hash != "" && controller.Kind == "ReplicaSet":
		owner, ok := p.View.ByUID(controller.UID)
		if !ok || owner.Object.GetLabels()[appsv1.DefaultDeploymentUniqueLabelKey] == hash {
			return
		}
		p.report(finding.Finding{
			Code: "tree/orphan", Severity: finding.Info, Object: it.Ref,
			Message: fmt.Sprintf("was adopted by %s: its pod-template-hash says that another ReplicaSet made it", owner.Ref),
			Evidence: []finding.Evidence{
				evidence(it.Ref, "metadata.labels.pod-template-hash", hash),
				evidence(owner.Ref, "metadata.labels.pod-template-hash", owner.Object.GetLabels()[appsv1.DefaultDeploymentUniqueLabelKey]),
			},
		})
	}
}

// orphanReplicaSet looks for a Deployment that should own it: one beside it
// whose selector it carries.
func (p *Pass) orphanReplicaSet(it index.Item) {
	if len(it.Object.GetOwnerReferences()) > 0 || it.Object.GetLabels()[appsv1.DefaultDeploymentUniqueLabelKey] == "" {
		return
	}
	for _, d := range p.selections(it.Ref.Namespace).all {
		if d.Ref.Kind == "Deployment" && d.selector.Matches(labels.Set(it.Object.GetLabels())) {
			return // it is about to be adopted
		}
	}
	p.report(finding.Finding{
		Code: "tree/orphan", Severity: finding.Info, Object: it.Ref,
		Message:  "was made by a Deployment that no longer owns it: it keeps its pods, but nothing rolls it",
		Evidence: []finding.Evidence{evidence(it.Ref, "metadata.labels.pod-template-hash", it.Object.GetLabels()[appsv1.DefaultDeploymentUniqueLabelKey])},
		Fix:      []finding.Fix{{Description: "create the Deployment again to adopt it, or remove it", Command: finding.Kubectl(it.Ref.Namespace, "delete", "replicaset", it.Ref.Name)}},
	})
}

var orphanDocs = []finding.Doc{{
	Code: "tree/orphan", Severity: finding.Info, Title: "Nothing manages it",
	Means: "A bare Pod is not recreated when it is deleted or its node fails. A ReplicaSet or Pod that a Deployment made and that lost its owner, or was adopted by another, is no longer rolled with it.",
	Told:  "No ownerReference; or a pod-template-hash that is not its ReplicaSet's. Static (mirror) pods are owned by their Node.",
	Fix:   "Run it from a workload, or remove it.", Source: "pkg/controller/controller_ref_manager.go",
}}
