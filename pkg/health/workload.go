package health

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

func apps(kind string, o metav1.Object) object.Ref {
	return object.Ref{Group: "apps", Version: "v1", Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName()}
}

// crew is how the pods of an owner are: how many cannot recover by themselves.
type crew struct{ failing, starting int }

func crewOf(v *index.View, owners ...metav1.Object) crew {
	var c crew
	for _, owner := range owners {
		for _, pod := range podsOf(v, owner) {
			if pod.DeletionTimestamp != nil {
				continue
			}
			switch podLevel(v, pod) {
			case Broken, Warning:
				c.failing++
			case Progressing, Unknown:
				c.starting++
			}
		}
	}
	return c
}

// lackingLevel is the level of an owner that has fewer ready pods than it
// should. Pods that merely start are no failure.
func (c crew) lackingLevel(ready int32) Level {
	switch {
	case c.failing == 0:
		return Progressing
	case ready == 0:
		return Broken
	}
	return Warning
}

func count(have, want int32) string { return fmt.Sprintf("%d/%d", have, want) }

func replicasOf(n *int32) int32 {
	if n == nil {
		return 1 // SetDefaults_Deployment and its like
	}
	return *n
}

// ofDeployment follows kubectl's own reading of a rollout (kubectl
// pkg/polymorphichelpers, DeploymentStatusViewer).
func ofDeployment(v *index.View, d *appsv1.Deployment) State {
	ref, st, want := apps("Deployment", d), d.Status, replicasOf(d.Spec.Replicas)
	s := State{Ready: count(st.ReadyReplicas, want), Problems: lag(v, ref, d, st.ObservedGeneration)}
	s.Problems = append(s.Problems, deploymentFailures(v, ref, d)...)
	progressing, stuck := deploymentCondition(d, appsv1.DeploymentProgressing)
	deadline := progressing != nil && progressing.Reason == "ProgressDeadlineExceeded" && !lagging(d, st.ObservedGeneration)
	rolling := st.UpdatedReplicas < want || st.Replicas > st.UpdatedReplicas || lagging(d, st.ObservedGeneration)
	c := crewOf(v, deploymentSets(v, d)...)
	switch {
	case deadline:
		s.Status = "rollout stuck " + count(st.UpdatedReplicas, want)
		s.Problems = append(s.Problems, Problem{
			Name: "progress-deadline", Severity: finding.Error, Terminal: true,
			Message:  fmt.Sprintf("the rollout made no progress for %d s, its progressDeadlineSeconds", deref(d.Spec.ProgressDeadlineSeconds, 600)),
			Evidence: []finding.Evidence{fact(ref, stuck+".reason", progressing.Reason), fact(ref, stuck+".message", progressing.Message)},
			Fix:      []finding.Fix{run("see the state of its pods and why they are not ready", d.Namespace, "describe", ref.Arg()), run("or go back to the previous revision", d.Namespace, "rollout", "undo", ref.Arg())},
		})
		s.Level = Broken
	case d.Spec.Paused:
		s.Status, s.Level = "paused", Warning
		s.Problems = append(s.Problems, Problem{
			Name: "paused", Severity: finding.Warning,
			Message:  "the rollout is paused: no change of the template is rolled out until it is resumed",
			Evidence: []finding.Evidence{fact(ref, "spec.paused", "true")},
			Fix:      []finding.Fix{run("resume it", d.Namespace, "rollout", "resume", ref.Arg())},
		})
	case want == 0 && st.Replicas == 0:
		s.Status, s.Level = "scaled to 0", OK
	case rolling && want == 0:
		s.Status, s.Level = "scaling to 0", Progressing
	case rolling:
		s.Status, s.Level = "rolling out "+count(min(st.UpdatedReplicas, st.ReadyReplicas, want), want), c.lackingLevel(st.AvailableReplicas)
	case st.AvailableReplicas < want:
		s.Status, s.Level = fmt.Sprintf("%d of %d available", st.AvailableReplicas, want), c.lackingLevel(st.AvailableReplicas)
		if st.ReadyReplicas >= want && d.Spec.MinReadySeconds > 0 { // minready-wait is no failure
			s.Status, s.Level = "waiting minReadySeconds", Progressing
		}
	default:
		s.Status, s.Level = "available", OK
	}
	s.Level = levelOf(s.Problems, s.Level)
	return s
}

func deref(n *int32, otherwise int32) int32 {
	if n == nil {
		return otherwise
	}
	return *n
}

func deploymentCondition(d *appsv1.Deployment, t appsv1.DeploymentConditionType) (*appsv1.DeploymentCondition, string) {
	for i := range d.Status.Conditions {
		if d.Status.Conditions[i].Type == t {
			return &d.Status.Conditions[i], fmt.Sprintf("status.conditions[%d]", i)
		}
	}
	return nil, ""
}

func deploymentSets(v *index.View, d *appsv1.Deployment) []metav1.Object {
	if d.UID == "" {
		return nil
	}
	var sets []metav1.Object
	for it := range v.Owned(d.UID) {
		if rs, ok := it.Object.(*appsv1.ReplicaSet); ok {
			sets = append(sets, rs)
		}
	}
	return sets
}

// deploymentFailures are what keeps pods, or the ReplicaSet itself, from being
// created (pkg/controller/deployment, getNewReplicaSet).
func deploymentFailures(v *index.View, ref object.Ref, d *appsv1.Deployment) []Problem {
	if c, field := deploymentCondition(d, appsv1.DeploymentProgressing); c != nil && c.Reason == "ReplicaSetCreateError" {
		return []Problem{{
			Name: "rs-create-error", Severity: finding.Error, Terminal: true,
			Message:  "the ReplicaSet of the new revision cannot be created: " + clip(c.Message, 200),
			Evidence: []finding.Evidence{fact(ref, field+".message", c.Message)},
			Fix:      []finding.Fix{manual("correct what the API server's message names in the Deployment's template")},
		}}
	}
	c, field := deploymentCondition(d, appsv1.DeploymentReplicaFailure)
	lacking := d.Status.Replicas < replicasOf(d.Spec.Replicas) || d.Status.UpdatedReplicas < replicasOf(d.Spec.Replicas)
	if c == nil || c.Status != corev1.ConditionTrue || !lacking {
		return nil
	}
	return []Problem{creation(v, replicaFailure(ref, c.Message, field, c.LastTransitionTime), ref)}
}

// ofReplicaSet: whether it is the current revision's is its Deployment's word.
func ofReplicaSet(v *index.View, rs *appsv1.ReplicaSet) State {
	ref, st, want := apps("ReplicaSet", rs), rs.Status, replicasOf(rs.Spec.Replicas)
	s := State{Ready: count(st.ReadyReplicas, want)}
	old := false
	if d, ok := ownerOf[*appsv1.Deployment](v, rs); ok {
		old = newestSet(v, d) != rs.UID
		s.Detail = "current revision"
		if old {
			s.Detail = "old revision"
		}
		if n := rs.Annotations["deployment.kubernetes.io/revision"]; n != "" {
			s.Detail += " " + clip(n, 12)
		}
	}
	if st.Replicas < want {
		s.Problems = setFailures(v, ref, rs)
	}
	s.Level, s.Status = replicaState(crewOf(v, rs), want, st.Replicas, st.ReadyReplicas)
	if old && want > 0 && s.Level == OK {
		s.Status = "old, still serving"
	}
	s.Level = levelOf(s.Problems, s.Level)
	return s
}

func replicaState(c crew, want, have, ready int32) (Level, string) {
	switch {
	case want == 0 && have == 0:
		return OK, "scaled to 0"
	case want == 0:
		return Progressing, "scaling to 0"
	case ready >= want && have > want:
		return Progressing, fmt.Sprintf("scaling down %d → %d", have, want)
	case ready >= want:
		return OK, "ready"
	}
	return c.lackingLevel(ready), fmt.Sprintf("%d of %d ready", ready, want)
}

// newestSet is the UID of the ReplicaSet of the highest revision: the
// controller gives that number to the current one, also after an undo.
func newestSet(v *index.View, d *appsv1.Deployment) types.UID {
	var newest *appsv1.ReplicaSet
	for _, o := range deploymentSets(v, d) {
		rs := o.(*appsv1.ReplicaSet)
		if newest == nil || revision(rs) > revision(newest) {
			newest = rs
		}
	}
	if newest == nil {
		return ""
	}
	return newest.UID
}

func setFailures(v *index.View, ref object.Ref, rs *appsv1.ReplicaSet) []Problem {
	for i, c := range rs.Status.Conditions {
		if c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue && c.Reason == "FailedCreate" {
			return []Problem{creation(v, replicaFailure(ref, c.Message, fmt.Sprintf("status.conditions[%d]", i), c.LastTransitionTime), ref)}
		}
	}
	return eventFailures(v, ref, rs)
}

func eventFailures(v *index.View, ref object.Ref, o metav1.Object) []Problem {
	if r, ok := refused(v, o); ok {
		return []Problem{creation(v, r, ref)}
	}
	return nil
}

func ofReplicationController(v *index.View, rc *corev1.ReplicationController) State {
	ref, st, want := core("ReplicationController", rc.Namespace, rc.Name), rc.Status, replicasOf(rc.Spec.Replicas)
	s := State{Ready: count(st.ReadyReplicas, want)}
	if st.Replicas < want {
		for i, c := range st.Conditions {
			if c.Type == corev1.ReplicationControllerReplicaFailure && c.Status == corev1.ConditionTrue {
				s.Problems = []Problem{creation(v, replicaFailure(ref, c.Message, fmt.Sprintf("status.conditions[%d]", i), c.LastTransitionTime), ref)}
			}
		}
		if len(s.Problems) == 0 {
			s.Problems = eventFailures(v, ref, rc)
		}
	}
	s.Level, s.Status = replicaState(crewOf(v, rc), want, st.Replicas, st.ReadyReplicas)
	s.Level = levelOf(s.Problems, s.Level)
	return s
}

// ofStatefulSet: a partition leaves the lower ordinals on the old revision on
// purpose, and OnDelete leaves all of them (kubectl, StatefulSetStatusViewer).
func ofStatefulSet(v *index.View, sts *appsv1.StatefulSet) State {
	ref, st, want := apps("StatefulSet", sts), sts.Status, replicasOf(sts.Spec.Replicas)
	s := State{Ready: count(st.ReadyReplicas, want), Problems: lag(v, ref, sts, st.ObservedGeneration)}
	if st.Replicas < want {
		s.Problems = append(s.Problems, eventFailures(v, ref, sts)...)
	}
	goal := want
	if r := sts.Spec.UpdateStrategy.RollingUpdate; r != nil && r.Partition != nil {
		goal = max(0, want-max(0, *r.Partition))
	}
	onDelete := sts.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType
	stale := st.UpdateRevision != "" && st.UpdateRevision != st.CurrentRevision && st.UpdatedReplicas < goal
	c := crewOf(v, sts)
	switch {
	case want > 0 && stale && !onDelete || lagging(sts, st.ObservedGeneration):
		s.Status, s.Level = "rolling out "+count(st.UpdatedReplicas, goal), Progressing
		if st.ReadyReplicas < want {
			s.Level = c.lackingLevel(st.ReadyReplicas)
		}
	default:
		s.Level, s.Status = replicaState(c, want, st.Replicas, st.ReadyReplicas)
		if s.Level == OK && stale && onDelete {
			s.Status = fmt.Sprintf("ready, %d to be deleted", goal-st.UpdatedReplicas) // each is replaced when somebody deletes it
		} else if s.Level == OK && st.AvailableReplicas < want && sts.Spec.MinReadySeconds > 0 {
			s.Status, s.Level = "waiting minReadySeconds", Progressing
		}
	}
	s.Level = levelOf(s.Problems, s.Level)
	return s
}

func ofDaemonSet(v *index.View, ds *appsv1.DaemonSet) State {
	ref, st := apps("DaemonSet", ds), ds.Status
	want := st.DesiredNumberScheduled
	s := State{Ready: count(st.NumberReady, want), Problems: lag(v, ref, ds, st.ObservedGeneration)}
	if st.CurrentNumberScheduled < want {
		s.Problems = append(s.Problems, eventFailures(v, ref, ds)...)
	}
	onDelete := ds.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType
	c := crewOf(v, ds)
	switch {
	case lagging(ds, st.ObservedGeneration):
		s.Status, s.Level = "rolling out", Progressing
	case want == 0:
		s.Status, s.Level = "no node selected", OK
	case st.UpdatedNumberScheduled < want && !onDelete:
		s.Status, s.Level = "rolling out "+count(st.UpdatedNumberScheduled, want), Progressing
		if st.NumberAvailable < want {
			s.Level = c.lackingLevel(st.NumberAvailable)
		}
	case st.NumberReady < want:
		s.Status, s.Level = fmt.Sprintf("%d of %d ready", st.NumberReady, want), c.lackingLevel(st.NumberReady)
	case st.NumberAvailable < want && ds.Spec.MinReadySeconds > 0:
		s.Status, s.Level = "waiting minReadySeconds", Progressing
	default:
		s.Status, s.Level = "ready", OK
	}
	s.Level = levelOf(s.Problems, s.Level)
	return s
}
