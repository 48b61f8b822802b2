package health

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	resourcev1 "k8s.io/api/resource/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Of says how an object is. An object that is being deleted is Terminating,
// whatever else its status says.
func Of(v *index.View, it index.Item) State {
	if it.Object == nil {
		return State{Level: Unknown, Status: "not read"}
	}
	if it.Object.GetDeletionTimestamp() != nil {
		return terminating(v, it)
	}
	if source.MetadataOnly(it.Object) {
		return State{Level: None}
	}
	s := judge(v, it)
	sortProblems(s.Problems)
	return s
}

func judge(v *index.View, it index.Item) State {
	switch o := it.Object.(type) {
	case *corev1.Pod:
		return ofPod(v, o)
	case *appsv1.Deployment:
		return ofDeployment(v, o)
	case *appsv1.ReplicaSet:
		return ofReplicaSet(v, o)
	case *corev1.ReplicationController:
		return ofReplicationController(v, o)
	case *appsv1.StatefulSet:
		return ofStatefulSet(v, o)
	case *appsv1.DaemonSet:
		return ofDaemonSet(v, o)
	case *batchv1.Job:
		return ofJob(v, o)
	case *batchv1.CronJob:
		return ofCronJob(v, o)
	case *corev1.Service:
		return ofService(v, o)
	case *discoveryv1.EndpointSlice:
		return ofEndpointSlice(o)
	case *networkingv1.Ingress:
		return ofIngress(v, o)
	case *corev1.Node:
		return ofNode(v, o)
	case *coordinationv1.Lease:
		return ofLease(v, o)
	case *corev1.Namespace:
		return ofNamespace(o)
	case *corev1.PersistentVolumeClaim:
		return ofClaim(v, o)
	case *corev1.PersistentVolume:
		return ofVolume(o)
	case *storagev1.VolumeAttachment:
		return ofAttachment(o)
	case *autoscalingv2.HorizontalPodAutoscaler:
		return ofAutoscaler(o)
	case *policyv1.PodDisruptionBudget:
		return ofBudget(o)
	case *corev1.ResourceQuota:
		return ofQuota(o)
	case *resourcev1.ResourceClaim:
		return ofResourceClaim(o)
	case *unstructured.Unstructured:
		return ofCustom(v, it.Ref, o)
	}
	return State{Level: None}
}

// sortProblems puts the worst first and keeps the kubelet's order among equals.
func sortProblems(ps []Problem) {
	slices.SortStableFunc(ps, func(a, b Problem) int { return rank(a) - rank(b) })
}

// rank: a dead node outranks the symptoms of its pods, what cannot heal
// outranks what can.
func rank(p Problem) int {
	r := 2 * p.Severity.Rank()
	if !p.Terminal {
		r++
	}
	if p.Name == nodeNotReady {
		r = -1
	}
	return r
}

// levelOf is the level that the worst problem implies, at least the given one.
func levelOf(ps []Problem, otherwise Level) Level {
	level := otherwise
	for _, p := range ps {
		switch p.Severity {
		case finding.Error:
			return Broken
		case finding.Warning:
			level = Warning
		}
	}
	return level
}
