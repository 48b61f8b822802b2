package cause

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func exceededAt(d time.Duration, set string) func(*appsv1.Deployment) {
	return func(dep *appsv1.Deployment) {
		dep.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded", Message: `ReplicaSet "` + set + `" has timed out progressing.`, LastUpdateTime: ago(d)}}
	}
}

func stateFaults() []fault {
	with := func(options ...func(*appsv1.Deployment)) scene {
		s := rolling(pod("web-2-x", 2))
		s.objects[0] = deployment(options...)
		return s
	}
	written := func(d time.Duration) func(*appsv1.Deployment) {
		return func(dep *appsv1.Deployment) {
			dep.Generation = 3
			dep.ManagedFields = []metav1.ManagedFieldsEntry{{Time: new(ago(d))}}
		}
	}
	paused := func(d *appsv1.Deployment) { d.Spec.Paused = true }
	minReady := func(d *appsv1.Deployment) { d.Spec.MinReadySeconds = 60 }
	recreate := func(d *appsv1.Deployment) { d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType }
	blocked := of(deployment(recreate), replicaSet(1, 0), pod("web-1-a", 1, leaving(-20*time.Second)))
	other := deployment(func(d *appsv1.Deployment) { d.Name, d.UID = "web-canary", "deploy-canary" })
	apart := deployment(func(d *appsv1.Deployment) {
		d.Name, d.UID = "api", "deploy-api"
		d.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "api"}}
		d.Spec.Template.Labels = map[string]string{"app": "api"}
	})
	complete := of(deployment(paused), replicaSet(1, 0), replicaSet(2, 2), pod("web-2-a", 2), pod("web-2-b", 2))
	return []fault{
		{"progress-deadline", true, Undetermined, "no progress for 10 min", with(exceededAt(time.Minute, "web-2")), "its verdict is older than the rollout", with(exceededAt(20*time.Minute, "web-1"))},
		{"stale-deadline", false, Normal, "earlier rollout", with(exceededAt(20*time.Minute, "web-1")), "it was written since", with(exceededAt(time.Minute, "web-2"))},
		{"observed-lag", false, Passing, "generation 3, seen 2", with(written(time.Minute)), "the spec was written just now", with(written(5 * time.Second))},
		{"paused", false, Held, "resumed", with(paused), "all pods are of the new revision", complete},
		{"minready-wait", false, Normal, "minReadySeconds (60 s)", with(minReady), "none is asked for", with()},
		{"recreate-blocked", false, Normal, "once 1 old pod is gone", blocked, "new pods are there", of(deployment(recreate), replicaSet(1, 0), replicaSet(2, 2), pod("web-2-x", 2), pod("web-1-a", 1, leaving(-20*time.Second)))},
		{"old-revision-failing", false, Normal, "1 pod of the old revision is unwell", of(deployment(), replicaSet(1, 2), replicaSet(2, 1), pod("web-1-a", 1, ended("Error", 1, 9)), pod("web-2-x", 2)), "a new pod is", rolling(pod("web-2-x", 2, ended("Error", 1, 9)))},
		{"selector-overlap", false, Held, "Deployment/web-canary", with().with(other), "the other selects its own", with().with(apart)},
	}
}

func kindFaults() []fault {
	partition := func(n int32) func(*appsv1.StatefulSet) {
		return func(s *appsv1.StatefulSet) {
			s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: new(n)}
		}
	}
	onDelete := func(s *appsv1.StatefulSet) { s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType }
	bad := []podOption{waits("ImagePullBackOff", backOff+": not found")}
	half := []*corev1.Pod{dbPod("db-0", 1), dbPod("db-1", 2)}
	down := agent("agent-b", 1, onNode("node-b"), unready)
	nodeA, nodeB := nodeNamed("node-1", corev1.ConditionTrue), nodeNamed("node-b", corev1.ConditionUnknown)
	return []fault{
		{"sts-partition", false, Held, "done at 1 of 2", ordered(statefulSet(partition(1)), half...), "there is none", ordered(statefulSet(), half...)},
		{"ondelete", false, Held, "1 old pod is replaced only when", ordered(statefulSet(onDelete), half...), "pods are replaced in turn", ordered(statefulSet(), half...)},
		{"sts-trap", true, Trapped, `pod "db-1" of the old revision is in the way`, ordered(statefulSet(), dbPod("db-0", 1), dbPod("db-1", 1, bad...)), "it is a new pod that fails", ordered(statefulSet(), dbPod("db-0", 1), dbPod("db-1", 2, bad...))},
		{"ds-node-down", false, OfNode, "node-b (not ready)", everywhere(daemonSet(2), agent("agent-a", 2), down).with(nodeA, nodeB), "its node is well", everywhere(daemonSet(2), agent("agent-a", 2), down).with(nodeA, nodeNamed("node-b", corev1.ConditionTrue))},
		{"ds-zero-desired", false, Held, "no node is selected", everywhere(daemonSet(0)), "one is", everywhere(daemonSet(1), agent("agent-a", 2))},
	}
}
