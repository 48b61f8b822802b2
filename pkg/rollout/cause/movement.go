package cause

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/health"
)

// moving says whether the rollout still goes on beside the pod (or, with "",
// beside the pods that cannot be created): old pods are ending, other new pods
// are on their way, or the controller may take old pods away. Each of them
// makes room.
func (j *judgement) moving(beside types.UID) bool {
	for _, p := range j.w.Pods {
		switch {
		case p.DeletionTimestamp != nil:
			if len(health.PodProblems(j.v, p.Pod)) == 0 { // not stuck
				return true
			}
		case p.New && p.UID != beside && p.Live() && !p.AvailableAt(j.v.Now, j.w.MinReady):
			if len(health.PodProblems(j.v, p.Pod)) == 0 {
				return true
			}
		}
	}
	return j.mayScaleDown()
}

// mayScaleDown says whether a Deployment may take old pods away at once, as its
// controller counts (pkg/controller/deployment, reconcileOldReplicaSets).
func (j *judgement) mayScaleDown() bool {
	if j.w.Current == nil || j.w.Paused {
		return false
	}
	set, ok := j.w.Current.Object.Object.(*appsv1.ReplicaSet)
	if !ok {
		return false
	}
	asked := int32(1)
	if set.Spec.Replicas != nil {
		asked = *set.Spec.Replicas
	}
	old := 0
	for _, p := range j.w.Pods {
		if !p.New && p.Live() {
			old++
		}
	}
	if j.w.Strategy.Type == string(appsv1.RecreateDeploymentStrategyType) {
		return old > 0
	}
	return old > 0 && old+int(asked)-j.w.Floor()-int(asked-set.Status.AvailableReplicas) > 0
}

// schedulingChanged says whether the new revision asks something else of nodes
// than the one before it.
func (j *judgement) schedulingChanged() bool {
	before := j.w.Previous()
	if before == nil || before.Template == nil || j.w.Template == nil {
		return true // there was none that could be placed
	}
	a, b := &before.Template.Spec, &j.w.Template.Spec
	return !equality.Semantic.DeepEqual(placing(a), placing(b))
}

// placing is what a pod asks of a node apart from room.
func placing(s *corev1.PodSpec) corev1.PodSpec {
	return corev1.PodSpec{
		NodeSelector: s.NodeSelector, Affinity: s.Affinity, Tolerations: s.Tolerations, NodeName: s.NodeName,
		TopologySpreadConstraints: s.TopologySpreadConstraints, SchedulerName: s.SchedulerName, RuntimeClassName: s.RuntimeClassName,
	}
}
