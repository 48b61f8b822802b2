package preflight

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// broken: how things stand before the roll.
func (s *subject) broken() {
	if s.live == nil {
		return
	}
	s.failing()
	if s.live.Paused && s.w.Paused {
		s.say("already-broken", finding.Warning, "the rollout is paused: no change of the template is rolled out until it is resumed",
			[]finding.Evidence{s.fact("spec.paused", "true")}, s.run("resume it", "rollout", "resume", s.ref.Arg()))
	}
	if s.replaces() && !s.live.Done() && !s.live.OnDelete() && !s.live.Paused && s.live.Current != nil && s.live.Previous() != nil {
		s.say("already-broken", finding.Warning, "another rollout is still under way: this one takes its place before it is complete",
			[]finding.Evidence{s.fact("status.updatedReplicas", fmt.Sprintf("%d of %d", s.updated(), s.live.Goal))}, s.run("wait for it first", "rollout", "status", s.ref.Arg()))
	}
	if limit, ok := historyLimit(s.w.Object); ok && limit == 0 {
		s.say("already-broken", finding.Warning, "there is no way back once the roll is complete: revisionHistoryLimit is 0, so no earlier revision is kept",
			[]finding.Evidence{s.fact("spec.revisionHistoryLimit", "0")}, s.patch("keep some", `{"spec":{"revisionHistoryLimit":10}}`))
	}
}

func (s *subject) updated() int {
	n := 0
	for _, p := range s.live.Pods {
		if p.New && p.Live() {
			n++
		}
	}
	return n
}

func historyLimit(o any) (int32, bool) {
	var limit *int32
	switch o := o.(type) {
	case *appsv1.Deployment:
		limit = o.Spec.RevisionHistoryLimit
	case *appsv1.StatefulSet:
		limit = o.Spec.RevisionHistoryLimit
	case *appsv1.DaemonSet:
		limit = o.Spec.RevisionHistoryLimit
	}
	if limit == nil {
		return 0, false
	}
	return *limit, true
}

// failing tells the worst of what fails now: the current revision first, then
// what it replaces.
func (s *subject) failing() {
	if p, problem, ok := s.ailing(true); ok {
		s.currentFails(p, problem)
		return
	}
	for _, problem := range health.Of(s.v, index.Item{Ref: s.live.Ref, Object: s.live.Object}).Problems {
		if problem.Severity != finding.Error || problem.Name == "paused" {
			continue
		}
		severity := finding.Warning
		message := "the rollout under way is in trouble: " + problem.Message
		switch {
		case problem.Terminal && !s.replaces():
			severity, message = finding.Error, "the rollout under way has failed: "+problem.Message
		case problem.Terminal:
			message = "the rollout that this one replaces has failed: " + problem.Message
		}
		s.say("already-broken", severity, message, problem.Evidence, problem.Fix...)
		return
	}
	if p, problem, ok := s.ailing(false); ok {
		s.say("already-broken", finding.Warning, fmt.Sprintf("old pod %q is unwell already: %s; it counts as unavailable while the roll goes on", p.Name, problem.Message), problem.Evidence, problem.Fix...)
	}
}

// ailing is a pod of the current revision, or of an older one, that has an
// error: one that cannot recover before one that may.
func (s *subject) ailing(current bool) (workload.Pod, health.Problem, bool) {
	var worst workload.Pod
	var what health.Problem
	found := false
	for _, p := range s.live.Pods {
		if p.New != current || !p.Live() {
			continue
		}
		for _, problem := range health.PodProblems(s.v, p.Pod) {
			if problem.Severity == finding.Error && (!found || problem.Terminal && !what.Terminal) {
				worst, what, found = p, problem, true
			}
		}
	}
	return worst, what, found
}

// currentFails: a new template takes a failing one's place, except that a
// StatefulSet in order waits for its failing pod before it replaces it
// (Kubernetes documentation, StatefulSets, forced rollback).
func (s *subject) currentFails(p workload.Pod, problem health.Problem) {
	evidence := append([]finding.Evidence{fact(coreRef("Pod", p.Namespace, p.Name), "metadata.ownerReferences", s.ref.String())}, problem.Evidence...)
	cause := fmt.Sprintf("pod %q of the current revision fails: %s", p.Name, problem.Message)
	trapped := s.is("StatefulSet") && !s.w.Strategy.Parallel && s.rolls()
	switch {
	case s.replaces() && trapped && problem.Terminal && problem.Node == "":
		s.say("already-broken", finding.Error, cause+"; the StatefulSet waits for it to be ready before it replaces it, so the new template does not reach it",
			evidence, s.run("delete it once the new template is applied: it then comes back with that one", "delete", "pod", p.Name))
	case s.replaces() || !problem.Terminal || problem.Node != "":
		s.say("already-broken", finding.Warning, cause, evidence, problem.Fix...)
	default:
		s.say("already-broken", finding.Error, "the rollout under way cannot finish: "+cause, evidence, problem.Fix...)
	}
}

// nothing: what is there to roll?
func (s *subject) nothing() {
	if s.live == nil {
		return
	}
	restart := s.run("to replace the pods nevertheless", "rollout", "restart", s.ref.Arg())
	switch {
	case s.w.Replicas == 0:
		field := "spec.replicas"
		if s.is("DaemonSet") {
			field = "status.desiredNumberScheduled"
		}
		s.say("nothing-to-roll", finding.Info, "nothing is rolled: it has no pods, and is to have none", []finding.Evidence{s.fact(field, "0")})
	case s.w.OnDelete() && (s.replaces() || s.stale() != nil):
		evidence := []finding.Evidence{s.fact("spec.updateStrategy.type", "OnDelete")}
		message := "nothing is rolled by itself: strategy OnDelete replaces a pod only when somebody deletes it"
		if p := s.stale(); p != nil {
			s.say("nothing-to-roll", finding.Info, message, evidence, s.run("replace one", "delete", "pod", p.Name))
			return
		}
		s.say("nothing-to-roll", finding.Info, message, evidence)
	case s.replaces() && s.is("StatefulSet") && s.w.Goal == 0:
		s.say("nothing-to-roll", finding.Info, fmt.Sprintf("nothing is rolled: the partition (%d) keeps all %s on the old revision", s.w.Strategy.Partition, plural(s.w.Replicas, "pod")),
			[]finding.Evidence{s.fact("spec.updateStrategy.rollingUpdate.partition", itoa(s.w.Strategy.Partition)), s.fact("spec.replicas", itoa(s.w.Replicas))},
			s.patch("lower the partition to let it begin", fmt.Sprintf(`{"spec":{"updateStrategy":{"rollingUpdate":{"partition":%d}}}}`, max(0, s.w.Replicas-1))))
	case s.replaces() || !s.live.Done():
	case s.opts.Next != nil:
		message := "nothing is rolled: the manifest's pod template is the one that runs"
		if changes := Changes(s.live, s.opts); len(changes) > 0 {
			message += " (" + joined(changes) + ")"
		}
		s.say("nothing-to-roll", finding.Info, message, []finding.Evidence{s.fact("spec.template", "as it is")}, restart)
	default:
		s.say("nothing-to-roll", finding.Info, "nothing is left to roll: the newest pod template is rolled out already", []finding.Evidence{s.fact("status.observedGeneration", itoa(s.live.Observed))}, restart)
	}
}

// stale is a live pod of an older revision.
func (s *subject) stale() *workload.Pod {
	i := slices.IndexFunc(s.w.Pods, func(p workload.Pod) bool { return !p.New && p.Live() })
	if i < 0 {
		return nil
	}
	return &s.w.Pods[i]
}
