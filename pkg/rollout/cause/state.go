package cause

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// heldOnPurpose: what the spec itself keeps from being rolled out.
func (j *judgement) heldOnPurpose() {
	w := j.w
	left := j.remaining()
	switch {
	case w.Paused && (len(left) > 0 || j.updated() < w.Replicas):
		c := j.info("paused", "the rollout is paused: nothing more is rolled out until it is resumed", Held, j.fact("spec.paused", "true"))
		c.Severity = finding.Warning
		c.Fix = []finding.Fix{run("resume it", w.Ref.Namespace, "rollout", "resume", w.Ref.Arg())}
		j.add(c)
	case w.Ref.Kind == "DaemonSet" && w.Replicas == 0 && w.Observed >= w.Generation:
		j.add(j.info("ds-zero-desired", "no node is selected, so there is nothing to roll out", Held, j.fact("status.desiredNumberScheduled", "0")))
	case w.OnDelete() && len(left) > 0:
		c := j.info("ondelete", fmt.Sprintf("the update strategy is OnDelete: %s %s replaced only when somebody deletes %s", counted(len(left), "old pod"), verb(len(left), "is", "are"), verb(len(left), "it", "them")), Held, j.fact("spec.updateStrategy.type", "OnDelete"))
		c.Pods = refsOf(left)
		c.Fix = []finding.Fix{run("replace the first of them, then see that it becomes ready before the next", w.Ref.Namespace, "delete", "pod", left[0].Name)}
		j.add(c)
	case w.Strategy.Partition > 0 && len(left) > 0 && w.Goal < w.Replicas:
		message := fmt.Sprintf("the partition %d keeps %s on the old revision: the rollout is done at %d of %d", w.Strategy.Partition, counted(w.Replicas-w.Goal, "pod"), w.Goal, w.Replicas)
		if w.Goal == 0 {
			message = fmt.Sprintf("the partition %d keeps all %d pods on the old revision: nothing is rolled out", w.Strategy.Partition, w.Replicas)
		}
		c := j.info("sts-partition", message, Held, j.fact("spec.updateStrategy.rollingUpdate.partition", fmt.Sprint(w.Strategy.Partition)))
		c.Fix = []finding.Fix{run("roll the rest out as well", w.Ref.Namespace, "patch", w.Ref.Arg(), "--type=merge", "-p", `{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}`)}
		j.add(c)
	}
}

// remaining are the live pods of older revisions.
func (j *judgement) remaining() []workload.Pod {
	var left []workload.Pod
	for _, p := range j.w.Pods {
		if !p.New && p.Live() {
			left = append(left, p)
		}
	}
	return left
}

// leaving tells of pods that do not go, and of a Recreate that waits for them.
func (j *judgement) leaving() {
	var stuck, going []workload.Pod
	var problem health.Problem
	for _, p := range j.w.Pods {
		switch {
		case p.DeletionTimestamp != nil:
			if ps := health.PodProblems(j.v, p.Pod); len(ps) > 0 {
				if len(stuck) == 0 {
					problem = ps[0]
				}
				stuck = append(stuck, p)
			}
			if !p.New {
				going = append(going, p)
			}
		case !p.New && p.Live():
			going = append(going, p)
		}
	}
	if len(stuck) > 0 {
		c := fromProblem(suspect(problem), podRef(stuck[0].Pod))
		c.Class, c.Pods = OfNode, refsOf(stuck)
		if len(stuck[0].Finalizers) > 0 {
			c.Class = Passing
		}
		if len(stuck) > 1 {
			c.Message += fmt.Sprintf(" (%d pods)", len(stuck))
		}
		c.Since = j.m.stamp(key{pod: stuck[0].UID, code: c.Code}, false, j.v.Now, stuck[0].DeletionTimestamp.Add(time.Minute))
		j.add(c)
	}
	if j.w.Strategy.Type != string(appsv1.RecreateDeploymentStrategyType) || len(going) == 0 || j.updated() > 0 || j.w.Replicas == 0 || j.w.Paused {
		return
	}
	c := j.info("recreate-blocked", fmt.Sprintf("strategy Recreate: the new pods are made once %s %s gone; nobody serves meanwhile", counted(len(going), "old pod"), verb(len(going), "is", "are")), Normal, j.fact("spec.strategy.type", "Recreate"))
	c.Pods = refsOf(going)
	if len(stuck) > 0 {
		c.Severity, c.Class = finding.Warning, OfNode
		c.CausedBy = &finding.Cause{Code: domain + problem.Name, Object: podRef(stuck[0].Pod)}
		c.Fix = problem.Fix
	}
	j.add(c)
}

// minReady: to be ready and not yet available is no failure.
func (j *judgement) minReady() {
	var waiting []workload.Pod
	for _, p := range j.w.Pods {
		if p.New && p.Live() && p.Ready() && !p.AvailableAt(j.v.Now, j.w.MinReady) {
			waiting = append(waiting, p)
		}
	}
	if len(waiting) == 0 {
		return
	}
	youngest := slices.MaxFunc(waiting, func(a, b workload.Pod) int {
		return cmp.Or(readyAt(a).Compare(readyAt(b)), cmp.Compare(b.Name, a.Name))
	})
	c := j.info("minready-wait", fmt.Sprintf("%s %s ready and %s minReadySeconds (%s) to count as available", counted(len(waiting), "new pod"), verb(len(waiting), "is", "are"), verb(len(waiting), "waits for", "wait for"), seconds(j.w.MinReady)), Normal,
		j.fact("spec.minReadySeconds", fmt.Sprint(int(j.w.MinReady.Seconds()))),
		finding.Evidence{Object: podRef(youngest.Pod), Field: readyField(youngest) + ".lastTransitionTime", Value: readyAt(youngest).UTC().Format(time.RFC3339)})
	c.Pods, c.Since = refsOf(waiting), readyAt(youngest)
	j.add(c)
}

func readyField(p workload.Pod) string {
	i := slices.IndexFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.PodReady })
	return fmt.Sprintf("status.conditions[%d]", i)
}

func readyAt(p workload.Pod) time.Time {
	if c := condition(p.Pod, corev1.PodReady); c != nil {
		return c.LastTransitionTime.Time
	}
	return time.Time{}
}

// collision: the hash of the template is another's, and the controller takes
// the next. A count from before is history.
func (j *judgement) collision() {
	var count *int32
	switch o := j.w.Object.(type) {
	case *appsv1.Deployment:
		count = o.Status.CollisionCount
	case *appsv1.StatefulSet:
		count = o.Status.CollisionCount
	case *appsv1.DaemonSet:
		count = o.Status.CollisionCount
	}
	now := int32(0)
	if count != nil {
		now = *count
	}
	if j.m.clash == nil {
		j.m.clash = &collisions{now}
	}
	if now > j.m.clash.count {
		j.add(j.info("hash-collision", "the hash of the new template was taken by another revision; the controller has chosen the next one by itself", Normal, j.fact("status.collisionCount", fmt.Sprint(now))))
	}
}
