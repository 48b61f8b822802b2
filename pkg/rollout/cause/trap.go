package cause

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// trap finds the pod of an old revision that an ordered StatefulSet waits for.
// Pods are looked at from the lowest ordinal on, and the first that is not
// ready ends the look before any is replaced (pkg/controller/statefulset,
// processReplica under OrderedReady): a pod that never gets ready by itself is
// never replaced.
func (j *judgement) trap() {
	set, ok := j.w.Object.(*appsv1.StatefulSet)
	if !ok || j.w.Current == nil || j.w.OnDelete() || j.w.Strategy.Parallel {
		return
	}
	p, ordinal, ok := firstUnready(j.w, set)
	if !ok || p.New || p.DeletionTimestamp != nil || j.updated() >= j.w.Goal {
		return
	}
	ps := health.PodProblems(j.v, p.Pod)
	if ordinal < j.w.Strategy.Partition {
		j.below(p, ps)
		return
	}
	why, stuck := "it is not ready", false
	var facts []finding.Evidence
	if len(ps) > 0 {
		why, facts = ps[0].Message, ps[0].Evidence
		stuck = stuckForGood(j, p, ps)
	}
	c := Cause{Class: Trapped, Pods: refsOf([]workload.Pod{p}), Finding: finding.Finding{
		Code: domain + "sts-trap", Severity: finding.Warning, Object: podRef(p.Pod),
		Message:  fmt.Sprintf("the rollout waits for pod %q of the old revision to become ready before it replaces any: %s", p.Name, why),
		Evidence: append([]finding.Evidence{{Object: podRef(p.Pod), Field: "metadata.labels.controller-revision-hash", Value: p.Hash}, j.fact("status.updateRevision", set.Status.UpdateRevision), j.fact("spec.podManagementPolicy", "OrderedReady")}, facts...),
		Fix:      []finding.Fix{run("delete that pod: it is made anew in the new revision, and the rollout goes on by itself", p.Namespace, "delete", "pod", p.Name)},
	}}
	if stuck {
		c.Terminal, c.Severity = true, finding.Error
		c.Message = fmt.Sprintf("pod %q of the old revision is in the way, and the StatefulSet never replaces a pod before those below it are ready; only its deletion helps: %s", p.Name, why)
		at := j.evidenceAt(p, ps[0])
		if at.Before(j.m.start) {
			at = j.m.start // before that nothing waited for the pod
		}
		c.Since = j.m.stamp(key{pod: p.UID, code: c.Code}, true, j.v.Now, at)
	}
	j.trapped = p.UID
	j.add(c)
}

// stuckForGood says that the pod does not get ready by itself: it fails for
// certain, or its readiness probe has had all the time that its spec grants.
// What its node is to blame for passes.
func stuckForGood(j *judgement, p workload.Pod, ps []health.Problem) bool {
	return slices.ContainsFunc(ps, func(q health.Problem) bool {
		return q.Node == "" && !recovered(j.v, p.Pod, q) && (q.Terminal || q.Name == "readiness-failing")
	})
}

// below: a pod below the partition stays on the old revision, so its deletion
// brings back the same.
func (j *judgement) below(p workload.Pod, ps []health.Problem) {
	if len(ps) == 0 {
		return
	}
	c := j.info("old-revision-failing", fmt.Sprintf("the rollout waits for pod %q, which stays on the old revision (partition %d): %s", p.Name, j.w.Strategy.Partition, ps[0].Message), Trapped, ps[0].Evidence...)
	c.Severity, c.Pods, c.Fix = finding.Warning, refsOf([]workload.Pod{p}), ps[0].Fix
	j.trapped = p.UID
	j.add(c)
}

// firstUnready is the pod of the lowest ordinal that is not ready.
func firstUnready(w *workload.Workload, set *appsv1.StatefulSet) (workload.Pod, int, bool) {
	start := 0
	if set.Spec.Ordinals != nil {
		start = int(set.Spec.Ordinals.Start)
	}
	type numbered struct {
		workload.Pod
		n int
	}
	var pods []numbered
	for _, p := range w.Pods {
		if n, ok := ordinalOf(p.Name, set.Name); ok && n >= start && n < start+w.Replicas {
			pods = append(pods, numbered{p, n})
		}
	}
	slices.SortFunc(pods, func(a, b numbered) int { return cmp.Compare(a.n, b.n) })
	for _, p := range pods {
		if !p.Ready() {
			return p.Pod, p.n - start, true
		}
	}
	return workload.Pod{}, 0, false
}

func ordinalOf(pod, set string) (int, bool) {
	suffix, ok := strings.CutPrefix(pod, set+"-")
	n, err := strconv.Atoi(suffix)
	return n, ok && err == nil && n >= 0
}

// updated are the pods of the new revision.
func (j *judgement) updated() int {
	n := 0
	for _, p := range j.w.Pods {
		if p.New && p.Live() {
			n++
		}
	}
	return n
}
