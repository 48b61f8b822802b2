package tree

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
)

// oldTemplate finds pods that still run what their owner's template no longer
// says, where nothing will ever replace them: a ReplicaSet without a
// Deployment, and sets that update on delete.
func oldTemplate() Analyzer {
	return Analyzer{Name: "old-template", Docs: oldTemplateDocs, Run: func(p *Pass) {
		for _, it := range p.Shown {
			if template := unrolled(it); template != nil {
				p.checkTemplate(it, template)
			}
		}
	}}
}

// unrolled is the template of an owner that replaces no running pod.
func unrolled(it index.Item) *corev1.PodTemplateSpec {
	switch o := it.Object.(type) {
	case *appsv1.ReplicaSet:
		if _, owned := index.Controller(o); !owned {
			return &o.Spec.Template
		}
	case *corev1.ReplicationController:
		return o.Spec.Template
	case *appsv1.StatefulSet:
		if o.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType {
			return &o.Spec.Template
		}
	case *appsv1.DaemonSet:
		if o.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType {
			return &o.Spec.Template
		}
	}
	return nil
}

func (p *Pass) checkTemplate(it index.Item, template *corev1.PodTemplateSpec) {
	var old []string
	f := finding.Finding{Code: "tree/old-template", Severity: finding.Warning, Object: it.Ref}
	for _, child := range p.Graph.Owned(it.Ref) {
		pod, ok := child.Object.(*corev1.Pod)
		if !ok || pod.DeletionTimestamp != nil {
			continue
		}
		for _, c := range template.Spec.Containers {
			i := slices.IndexFunc(pod.Spec.Containers, func(run corev1.Container) bool { return run.Name == c.Name })
			if i < 0 || pod.Spec.Containers[i].Image == c.Image {
				continue
			}
			old = append(old, pod.Name)
			if len(old) == 1 {
				f.Message = fmt.Sprintf("still run %s, where the template says %s now: %s replaces no running pod", pod.Spec.Containers[i].Image, c.Image, kindWords(it))
				f.Evidence = []finding.Evidence{
					evidence(child.Ref, fmt.Sprintf("spec.containers[%d].image", i), pod.Spec.Containers[i].Image),
					evidence(it.Ref, "spec.template.spec.containers[].image", c.Image),
				}
			}
			break
		}
	}
	if len(old) == 0 {
		return
	}
	f.Message = fmt.Sprintf("%d %s %s", len(old), plural(len(old), "pod", "pods"), strings.Replace(f.Message, "still run", plural(len(old), "still runs", "still run"), 1))
	f.Fix = []finding.Fix{{Description: "delete them one after the other; new ones come up from the template", Command: finding.Kubectl(it.Ref.Namespace, "delete", "pod", old[0])}}
	p.report(f)
}

func kindWords(it index.Item) string {
	if it.Ref.Kind == "StatefulSet" || it.Ref.Kind == "DaemonSet" {
		return "a " + it.Ref.Kind + " that updates on delete"
	}
	return "a " + it.Ref.Kind
}

var oldTemplateDocs = []finding.Doc{{
	Code: "tree/old-template", Severity: finding.Warning, Title: "Pods run what the template no longer says",
	Means: "The template was changed, but nothing rolls it out: a ReplicaSet without a Deployment, and a StatefulSet or DaemonSet with update strategy OnDelete, only use it for pods that they make anew.",
	Told:  "A pod's image differs from the template's of its owner, and the owner replaces no running pod. A Deployment's rollout is told by its revisions instead.",
	Fix:   "Delete the pods one after the other, or use a Deployment.", Source: "pkg/controller/replicaset; pkg/controller/daemon/update.go",
}}
