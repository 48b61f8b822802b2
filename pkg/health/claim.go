package health

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// claimPending cites what holds the claim up. A claim that waits for its first
// consumer is not named: that is its normal state.
func (p *patient) claimPending(problem Problem) Problem {
	for i, vol := range p.pod.Spec.Volumes {
		name := index.ClaimOf(p.pod, vol)
		if name == "" {
			continue
		}
		it, ok := p.v.Get(core("PersistentVolumeClaim", p.pod.Namespace, name))
		claim, typed := it.Object.(*corev1.PersistentVolumeClaim)
		if !ok || !typed || claim.Status.Phase != corev1.ClaimPending {
			continue
		}
		for _, cause := range ofClaim(p.v, claim).Problems {
			problem.Message = fmt.Sprintf("claim %q of the pod is not bound: %s", name, cause.Message)
			problem.Evidence = append(problem.Evidence, p.fact(fmt.Sprintf("spec.volumes[%d]", i), name))
			problem.Evidence = append(problem.Evidence, cause.Evidence...)
			problem.Fix = cause.Fix
			return problem
		}
	}
	problem.Fix = []finding.Fix{run("see which claim is pending, and why", p.pod.Namespace, "describe", "pvc")}
	return problem
}

// sharedClaim names the pod that holds a claim which one pod alone may use.
func (p *patient) sharedClaim(problem Problem) Problem {
	mine := map[string]bool{}
	for _, vol := range p.pod.Spec.Volumes {
		if name := index.ClaimOf(p.pod, vol); name != "" {
			mine[name] = true
		}
	}
	for _, other := range index.Typed[*corev1.Pod](p.v, gk("", "Pod"), p.pod.Namespace) {
		if other.UID == p.pod.UID || other.Spec.NodeName == "" || podFinished(other) {
			continue
		}
		for i, vol := range other.Spec.Volumes {
			if name := index.ClaimOf(other, vol); mine[name] {
				return p.heldBy(problem, other, fact(podRef(other), fmt.Sprintf("spec.volumes[%d].persistentVolumeClaim.claimName", i), name), name)
			}
		}
	}
	problem.Terminal = false
	problem.Fix = []finding.Fix{manual("end the pod that uses the claim; a Deployment with such a volume needs strategy Recreate")}
	return problem
}

var usedBy = regexp.MustCompile(`used by pod\(s\) ([a-z0-9.-]+)`)

// multiAttach: the volume is attached to another node. It comes loose by itself
// unless the pod that holds it is one that the rollout waits to replace.
func (p *patient) multiAttach(e *corev1.Event) Problem {
	problem := p.whole("rwo-deadlock", "the pod's volume is still attached to another node, and only one node at a time may use it", eventFact(e)).lasting(since(p.v, p.began()) > 6*time.Minute)
	problem.Fix = []finding.Fix{manual("wait until the volume is detached (up to 6 minutes after its node died), or end the pod that holds it; a Deployment with such a volume needs strategy Recreate")}
	m := usedBy.FindStringSubmatch(e.Message)
	if m == nil {
		return problem
	}
	it, ok := p.v.Get(core("Pod", p.pod.Namespace, strings.TrimRight(m[1], ".")))
	holder, typed := it.Object.(*corev1.Pod)
	if !ok || !typed {
		return problem
	}
	return p.heldBy(problem, holder, fact(it.Ref, "spec.nodeName", holder.Spec.NodeName), "")
}

// heldBy: a holder that is being deleted lets go soon. One of the same
// Deployment never does under RollingUpdate, which keeps it until this pod is ready.
func (p *patient) heldBy(problem Problem, holder *corev1.Pod, evidence finding.Evidence, claim string) Problem {
	problem.Evidence = append(problem.Evidence, evidence)
	what := "volume"
	if claim != "" {
		what = fmt.Sprintf("claim %q", claim)
	}
	mine, _ := topOwner(p.v, p.pod, p.ref)
	theirs, _ := topOwner(p.v, holder, podRef(holder))
	problem.Message = fmt.Sprintf("the pod's %s is held by pod %q", what, holder.Name)
	if holder.DeletionTimestamp != nil {
		problem.Message += ", which is being deleted"
		return problem.certain(false)
	}
	if alike(p.pod, holder) {
		return sharedByEquals(problem, p.pod.Namespace, mine, claim)
	}
	if mine.Key() != theirs.Key() || mine.Kind != "Deployment" || !p.rolling(mine) {
		problem.Terminal = false
		return problem
	}
	problem.Message += ", which the rollout keeps until this pod is ready: neither can go on"
	problem.Fix = []finding.Fix{run("let the old pod go before the new one starts", p.pod.Namespace, "patch", mine.Arg(), "--type=merge", "-p", `{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}`)}
	return problem.certain(true)
}

// alike says that one ReplicaSet made both: neither makes room for the other.
func alike(a, b *corev1.Pod) bool {
	of, ok := index.Controller(a)
	with, also := index.Controller(b)
	return ok && also && of.Kind == "ReplicaSet" && of.UID == with.UID
}

// sharedByEquals: more replicas than one ask for what one pod, or the pods of
// one node, may use.
func sharedByEquals(problem Problem, namespace string, owner object.Ref, claim string) Problem {
	problem.Message += ", another replica of the same revision: "
	if claim != "" {
		problem.Message += "one pod alone may use it (ReadWriteOncePod), so more than one replica never runs"
	} else {
		problem.Message += "only the pods of one node may use it at a time"
	}
	problem.Fix = []finding.Fix{
		run("run one replica", namespace, "scale", owner.Arg(), "--replicas=1"),
		manual("or give each replica a claim of its own (a StatefulSet with volumeClaimTemplates), or use a claim that all may mount (accessModes: ReadWriteMany)"),
	}
	return problem.certain(claim != "")
}

func (p *patient) rolling(deployment object.Ref) bool {
	it, ok := p.v.Get(deployment)
	d, typed := it.Object.(*appsv1.Deployment)
	return ok && typed && d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType
}
