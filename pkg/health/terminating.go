package health

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
)

// overdue is how long after the end of its grace an object may still be there.
// deletionTimestamp already includes the grace period (apiserver
// pkg/registry/rest, BeforeDelete).
const overdue = 60 * time.Second

// keepers are the controllers that take the well-known finalizers away.
var keepers = map[string]string{
	"kubernetes.io/pvc-protection":                "the PVC protection controller, once no pod uses the claim",
	"kubernetes.io/pv-protection":                 "the PV protection controller, once the claim is gone",
	"foregroundDeletion":                          "the garbage collector, once all dependents are gone",
	"orphan":                                      "the garbage collector, once the dependents have been orphaned",
	"service.kubernetes.io/load-balancer-cleanup": "the service controller of the cloud provider, once the load balancer is gone",
	"batch.kubernetes.io/job-tracking":            "the Job controller, once it has counted the pod",
	"customresourcecleanup.apiextensions.k8s.io":  "the API server, once all objects of the kind are gone",
	"kubernetes":                                  "the namespace controller, once the namespace is empty",
	"resource.kubernetes.io/delete-protection":    "the resource claim controller, once no pod uses the claim",
	"snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection": "the snapshot controller, once nothing is restored from the snapshot",
	"snapshot.storage.kubernetes.io/pvc-as-source-protection":            "the snapshot controller, once the snapshot has been taken",
	"kubernetes.io/vac-protection":                                       "the VAC protection controller, once no claim uses the class",
	"resources-finalizer.argocd.argoproj.io":                             "the Argo CD application controller, once the application's objects are gone",
	"finalizers.fluxcd.io":                                               "the Flux controller of this kind",
	"networking.gke.io/ingress-finalizer-V2":                             "the GKE ingress controller",
	"ingress.k8s.aws/resources":                                          "the AWS load balancer controller",
	"service.k8s.aws/resources":                                          "the AWS load balancer controller",
	"elbv2.k8s.aws/resources":                                            "the AWS load balancer controller",
	"snapshot.storage.kubernetes.io/volumesnapshot-bound-protection":     "the snapshot controller",
}

func keeper(finalizer string) string {
	if who, ok := keepers[finalizer]; ok {
		return who
	}
	if driver, ok := strings.CutPrefix(finalizer, "external-attacher/"); ok {
		return "the external-attacher of CSI driver " + driver + ", once the volume is detached"
	}
	if driver, ok := strings.CutPrefix(finalizer, "external-provisioner."); ok {
		return "the external-provisioner of a CSI driver (" + driver + ")"
	}
	if prefix, _, ok := strings.Cut(finalizer, "/"); ok {
		return "the controller that owns the prefix " + prefix
	}
	return "the controller that set it"
}

// terminating is the state of any object that is being deleted.
func terminating(v *index.View, it index.Item) State {
	s := State{Level: Progressing, Status: "Terminating", Detail: finalizerWords(it)}
	if pod, ok := it.Object.(*corev1.Pod); ok {
		s.Ready = examine(v, pod).readyCount()
		s.Problems = PodProblems(v, pod)
	} else if since(v, it.Object.GetDeletionTimestamp().Time) > overdue {
		s.Problems = []Problem{stuck(v, it, "stuck-terminating")}
	}
	s.Level = levelOf(s.Problems, s.Level)
	return s
}

func (p *patient) stuckTerminating() []Problem {
	if since(p.v, p.pod.DeletionTimestamp.Time) <= overdue {
		return nil
	}
	problem := stuck(p.v, index.Item{Ref: p.ref, Object: p.pod}, "terminating-stuck")
	if len(p.pod.Finalizers) > 0 || p.pod.Spec.NodeName == "" {
		return []Problem{problem}
	}
	problem.Node = p.pod.Spec.NodeName
	problem.Message = fmt.Sprintf("the pod should have ended %s ago, and the kubelet of node %q has not confirmed it", roughly(since(p.v, p.pod.DeletionTimestamp.Time)), p.pod.Spec.NodeName)
	problem.Evidence = append(problem.Evidence, p.fact("spec.nodeName", p.pod.Spec.NodeName))
	if it, ok := p.v.Get(core("Node", "", p.pod.Spec.NodeName)); ok {
		if n, ok := it.Object.(*corev1.Node); ok {
			if c, field := nodeCondition(n, corev1.NodeReady); c != nil && c.Status != corev1.ConditionTrue {
				problem.Message = fmt.Sprintf("the pod should have ended %s ago, but its node %q is not ready to confirm it", roughly(since(p.v, p.pod.DeletionTimestamp.Time)), n.Name)
				problem.Evidence = append(problem.Evidence, fact(it.Ref, field+".status", string(c.Status)))
			}
		}
	}
	problem.Fix = []finding.Fix{manual(fmt.Sprintf("bring node %s back. Delete the pod with --force only if you know that the machine is off: a program that still runs would then run twice", p.pod.Spec.NodeName))}
	return []Problem{problem}
}

// finalizersOf are what must be taken away before the object goes; a
// Namespace keeps its own in spec.
func finalizersOf(it index.Item) (names []string, fields []string) {
	for i, f := range it.Object.GetFinalizers() {
		names, fields = append(names, f), append(fields, fmt.Sprintf("metadata.finalizers[%d]", i))
	}
	if ns, ok := it.Object.(*corev1.Namespace); ok {
		for i, f := range ns.Spec.Finalizers {
			names, fields = append(names, string(f)), append(fields, fmt.Sprintf("spec.finalizers[%d]", i))
		}
	}
	return names, fields
}

func finalizerWords(it index.Item) string {
	names, _ := finalizersOf(it)
	if len(names) == 0 {
		return ""
	}
	return "finalizers: " + strings.Join(names, ", ")
}

func stuck(v *index.View, it index.Item, name string) Problem {
	at := it.Object.GetDeletionTimestamp().Time
	p := Problem{
		Name: name, Severity: finding.Warning,
		Message:  fmt.Sprintf("deletion should have ended %s ago", roughly(since(v, at))),
		Evidence: []finding.Evidence{fact(it.Ref, "metadata.deletionTimestamp", at.UTC().Format(time.RFC3339))},
	}
	names, fields := finalizersOf(it)
	for i, f := range names {
		p.Evidence = append(p.Evidence, fact(it.Ref, fields[i], f))
		if i < 3 {
			p.Message += fmt.Sprintf("; finalizer %q is taken away by %s", f, keeper(f))
		}
	}
	if ns, ok := it.Object.(*corev1.Namespace); ok {
		p = remains(p, it, ns)
	}
	users := usersOf(v, it)
	switch {
	case len(users) > 0:
		p.Message = fmt.Sprintf("it was deleted %s ago, and goes as soon as %s no longer uses it", roughly(since(v, at)), nameUsers(users))
		p.Fix = append(p.Fix, manual("a deletion cannot be taken back: copy what is still needed while the pod runs, then let the workload use another claim; its next pod would find none"))
	case len(names) == 0:
		p.Message += ", and nothing is seen that holds it"
	default:
		p.Fix = append(p.Fix, manual("find out why that controller does not do its work (is it installed? what does its log say?); take the finalizer away by hand only if the controller is gone for good, since its clean-up is then never done"))
	}
	return p
}

// usersOf are the pods that keep a claim, which nobody else holds, from going
// (pkg/controller/volume/pvcprotection: all that are not finished).
func usersOf(v *index.View, it index.Item) []string {
	claim, ok := it.Object.(*corev1.PersistentVolumeClaim)
	if !ok || !slices.Equal(claim.Finalizers, []string{"kubernetes.io/pvc-protection"}) {
		return nil
	}
	var users []string
	for _, pod := range index.Typed[*corev1.Pod](v, podKind, claim.Namespace) {
		if pod.Spec.NodeName == "" || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue
		}
		if slices.ContainsFunc(pod.Spec.Volumes, func(vol corev1.Volume) bool {
			return vol.PersistentVolumeClaim != nil && vol.PersistentVolumeClaim.ClaimName == claim.Name
		}) {
			users = append(users, pod.Name)
		}
	}
	return users
}

func nameUsers(pods []string) string {
	if len(pods) > 1 {
		return fmt.Sprintf("pod %q, and %d others,", pods[0], len(pods)-1)
	}
	return fmt.Sprintf("pod %q", pods[0])
}

// remains cites what the namespace controller says is left.
func remains(p Problem, it index.Item, ns *corev1.Namespace) Problem {
	told := []corev1.NamespaceConditionType{
		corev1.NamespaceDeletionDiscoveryFailure, corev1.NamespaceDeletionGVParsingFailure, corev1.NamespaceDeletionContentFailure,
		corev1.NamespaceFinalizersRemaining, corev1.NamespaceContentRemaining,
	}
	for _, t := range told {
		i := slices.IndexFunc(ns.Status.Conditions, func(c corev1.NamespaceCondition) bool { return c.Type == t && c.Status == corev1.ConditionTrue })
		if i < 0 {
			continue
		}
		c := ns.Status.Conditions[i]
		p.Evidence = append(p.Evidence, fact(it.Ref, fmt.Sprintf("status.conditions[%d].message", i), c.Message))
		if len(p.Fix) == 0 {
			p.Message += ": " + clip(c.Message, 200)
			p.Fix = append(p.Fix, manual("mend what the condition names first: "+string(t)))
		}
	}
	return p
}
