package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// temper weighs a problem of one pod by what a rollout adds: a controller
// replaces pods that ended, old pods make room as they go, nodes come back.
func (j *judgement) temper(p workload.Pod, problem health.Problem) symptom {
	s := symptom{p, problem, classOf(problem.Name)}
	switch name := problem.Name; {
	case p.Status.Phase == corev1.PodFailed:
		s.problem = suspect(problem) // its controller makes another
		if p.Status.Reason != "" {
			s.class = OfNode
		}
		if name == "evicted" && health.OfTemplate(p.Pod, j.w.Template) {
			s.class = OfRevision
		}
	case problem.Node != "":
		s.class, s.problem = OfNode, suspect(problem)
	case strings.HasPrefix(name, "unsched-") || name == "pv-zone":
		s = j.unscheduled(s)
	case name == "pvc-pending":
		s = j.claimPending(s)
	case name == "rwo-deadlock":
		if problem.Terminal && j.mayScaleDown() {
			s.problem = suspect(problem)
		}
	case name == "readiness-failing" || name == "readiness-gate":
		if s.problem.Terminal = problem.Severity == finding.Error || j.overdue(); problem.Severity != finding.Error {
			s.problem.Evidence = append(slices.Clone(s.problem.Evidence), j.overdueFacts()...)
		}
		if s.problem.Terminal {
			s.problem.Severity = finding.Error
		}
	case problem.Template, name == "sandbox" && problem.Node == "":
		s.class = OfRevision
	case name == "config-key-missing":
		if problem.Terminal && !j.keyLookedFor(problem) && j.v.Now.Sub(started(p.Pod)) < 30*time.Second {
			s.problem = suspect(problem)
		}
	}
	if s.problem.Terminal && recovered(j.v, p.Pod, problem) {
		s.problem = suspect(s.problem)
	}
	return s
}

// suspect is a problem that nothing need be done about yet.
func suspect(p health.Problem) health.Problem {
	p.Severity, p.Terminal = finding.Warning, false
	return p
}

// certainTogether: one new pod that crashed may be bad luck, all of them are
// not, once all are down again after a restart: what runs may have found what it
// lacked the first time, such as a database that starts beside it. And what fails on one node alone may be that node's fault.
func (j *judgement) certainTogether(group []symptom) []symptom {
	fresh := j.fresh()
	switch name := group[0].problem.Name; {
	case (name == "crash-app" || name == "init-crash") && len(group) >= 2 && len(group) == len(fresh):
		for _, s := range group {
			st := statusOf(s.pod.Pod, s.problem.Container)
			if st == nil || st.RestartCount < 1 || st.State.Running != nil || s.pod.Status.Phase == corev1.PodFailed || recovered(j.v, s.pod.Pod, s.problem) {
				return j.certainAgain(group)
			}
		}
		for i := range group {
			group[i].problem.Severity, group[i].problem.Terminal = finding.Error, true
		}
	case name == "run-error" && j.onOneNodeAlone(group, fresh):
		for i := range group {
			group[i].class, group[i].problem = OfNode, suspect(group[i].problem)
		}
	}
	return j.certainAgain(group)
}

// onOneNodeAlone says that all who fail are on one node, while new pods on
// others are ready: exit code 128 is then more likely the node's fault.
func (j *judgement) onOneNodeAlone(group []symptom, fresh []workload.Pod) bool {
	node := group[0].pod.Spec.NodeName
	for _, s := range group {
		if s.pod.Spec.NodeName != node {
			return false
		}
	}
	elsewhere := false
	for _, p := range fresh {
		elsewhere = elsewhere || p.Ready() && p.Spec.NodeName != node
	}
	return elsewhere
}

// crashes are the problems of a container that ends.
var crashes = map[string]bool{
	"crash-app": true, "crash-exit0": true, "oom": true, "sidecar-crash": true, "run-error": true,
	"liveness-kill": true, "startup-kill": true, "poststart-hook": true,
}

// recovered says that a container which ended before has now been ready for
// longer than the run that ended, by a margin. To be ready for a moment is no
// recovery: an OOM just after the port opens passes readiness, too.
func recovered(v *index.View, pod *corev1.Pod, problem health.Problem) bool {
	st := statusOf(pod, problem.Container)
	if !crashes[problem.Name] || st == nil || !st.Ready || st.State.Running == nil || st.LastTerminationState.Terminated == nil {
		return false
	}
	died := st.LastTerminationState.Terminated
	lived := 30 * time.Second
	if !died.StartedAt.IsZero() {
		lived = max(0, died.FinishedAt.Sub(died.StartedAt.Time))
	}
	return v.Now.Sub(st.State.Running.StartedAt.Time) > 2*lived+10*time.Second
}

// unscheduled: the scheduler's refusal stands only while nothing moves: old
// pods that go make room, and so does a node that comes back.
func (j *judgement) unscheduled(s symptom) symptom {
	switch s.problem.Name {
	case "unsched-taint", "unsched-affinity":
		s.class = OfNode
		if j.schedulingChanged() {
			s.class = OfRevision
		}
	}
	switch {
	case !s.problem.Terminal:
	case j.nodesMayReturn(s.pod.Pod, s.problem.Name == "unsched-taint"):
		s.class, s.problem = OfNode, suspect(s.problem)
	case j.moving(s.pod.UID):
		s.problem = suspect(s.problem)
	default:
		s.problem = j.besideItself(s.pod.Pod, s.problem)
		if s.problem.Name == "unsched-resources" {
			s.problem = j.roomTaken(s.problem)
		}
	}
	return s
}

// besideItself names the old pods where they are what keeps the new one off the
// nodes, and none of them goes before that one is ready.
func (j *judgement) besideItself(pod *corev1.Pod, problem health.Problem) health.Problem {
	if j.w.Ref.Kind == "StatefulSet" || j.w.Strategy.Type != string(appsv1.RollingUpdateDeploymentStrategyType) || j.w.Strategy.MaxUnavailable > 0 ||
		!slices.ContainsFunc(j.remaining(), func(old workload.Pod) bool { return keepsOff(old.Pod, pod, problem.Name) }) {
		return problem
	}
	problem.Message += "; the old pods of this rollout do, and none of them goes before a new one is ready (maxUnavailable 0)"
	strategy := "strategy"
	if j.w.Ref.Kind == "DaemonSet" {
		strategy = "updateStrategy"
	}
	problem.Evidence = append(slices.Clone(problem.Evidence), j.fact("spec."+strategy+".rollingUpdate.maxUnavailable", "0"))
	problem.Fix = append([]finding.Fix{run("let an old pod go first", j.w.Ref.Namespace, "patch", j.w.Ref.Arg(), "--type=merge", "-p",
		fmt.Sprintf(`{"spec":{%q:{"rollingUpdate":{"maxSurge":0,"maxUnavailable":1}}}}`, strategy))}, problem.Fix...)
	return problem
}

// keepsOff says that an old pod and a new one cannot be on one node.
func keepsOff(old, pod *corev1.Pod, name string) bool {
	switch name {
	case "unsched-hostport":
		return slices.ContainsFunc(hostPorts(pod), func(port int32) bool { return slices.Contains(hostPorts(old), port) })
	case "unsched-affinity":
		if pod.Spec.Affinity == nil || pod.Spec.Affinity.PodAntiAffinity == nil {
			return false
		}
		return slices.ContainsFunc(pod.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution, func(term corev1.PodAffinityTerm) bool {
			selector, err := metav1.LabelSelectorAsSelector(term.LabelSelector)
			return err == nil && term.LabelSelector != nil && len(term.MatchLabelKeys) == 0 && selector.Matches(labels.Set(old.Labels))
		})
	}
	return false
}

func hostPorts(pod *corev1.Pod) []int32 {
	var ports []int32
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports {
			if p.HostPort > 0 {
				ports = append(ports, p.HostPort)
			}
		}
	}
	return ports
}

// away is for how long a node that went counts as one that comes back.
const away = 10 * time.Minute

// nodesMayReturn: a node that the scheduler passed over since it is cordoned or
// not ready takes the pod once it is back, if it is large enough. Where it is
// only one reason among others, it must have gone not long ago.
func (j *judgement) nodesMayReturn(pod *corev1.Pod, alone bool) bool {
	c := condition(pod, corev1.PodScheduled)
	if c == nil || !strings.Contains(c.Message, "taint") && !strings.Contains(c.Message, "unschedulable") {
		return false
	}
	seen := false
	for _, n := range nodes(j.v) {
		seen = true
		if inTrouble(n) && couldHold(n, pod) && (alone || j.v.Now.Sub(wentAt(n)) < away) {
			return true
		}
	}
	return !seen && alone && strings.Contains(c.Message, "unschedulable")
}

// wentAt is when a node went out of service, as far as it is recorded.
func wentAt(n *corev1.Node) time.Time {
	var at time.Time
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue && c.LastTransitionTime.After(at) {
			at = c.LastTransitionTime.Time
		}
	}
	for _, t := range n.Spec.Taints {
		if t.TimeAdded != nil && strings.HasPrefix(t.Key, "node.kubernetes.io/") && t.TimeAdded.After(at) {
			at = t.TimeAdded.Time
		}
	}
	return at
}

// couldHold compares requests with what the node has when it is empty. A node
// that never said what it has is none.
func couldHold(n *corev1.Node, pod *corev1.Pod) bool {
	for _, r := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		room, known := n.Status.Allocatable[r]
		if !known {
			return false
		}
		asked := room.DeepCopy()
		asked.Set(0)
		for _, c := range pod.Spec.Containers {
			if q, ok := c.Resources.Requests[r]; ok {
				asked.Add(q)
			}
		}
		if asked.Cmp(room) > 0 {
			return false
		}
	}
	return true
}

// claimPending is certain only where the claim's own state says so: a volume
// may take longer to be made than the scheduler takes to complain.
func (j *judgement) claimPending(s symptom) symptom {
	terminal := false
	for _, ref := range claimsOf(s.pod.Pod) {
		it, ok := j.v.Get(ref)
		if !ok {
			continue
		}
		for _, p := range health.Of(j.v, it).Problems {
			terminal = terminal || p.Terminal
		}
	}
	if s.problem.Terminal && !terminal {
		s.problem.Terminal = false
		s.class = Passing
		if j.v.Now.Sub(s.pod.CreationTimestamp.Time) < 2*time.Minute {
			s.problem = suspect(s.problem)
		}
	}
	return s
}

func claimsOf(pod *corev1.Pod) []object.Ref {
	var refs []object.Ref
	for _, vol := range pod.Spec.Volumes {
		if name := index.ClaimOf(pod, vol); name != "" {
			refs = append(refs, object.Ref{Version: "v1", Kind: "PersistentVolumeClaim", Namespace: pod.Namespace, Name: name})
		}
	}
	return refs
}

// keyLookedFor says whether the object that lacks a key was read. Of a Secret
// no more than its metadata ever is, so the kubelet's word is all there is.
func (j *judgement) keyLookedFor(p health.Problem) bool {
	if strings.Contains(p.Message, "Secret ") {
		return true
	}
	for _, ref := range references(j.w.Template, j.w.Ref.Namespace) {
		if ref.Kind == "ConfigMap" && strings.Contains(p.Message, "\""+ref.Name+"\"") {
			presence, _ := j.v.Presence(ref)
			return presence != index.Unknown
		}
	}
	return false
}

// started is when the kubelet first saw the pod.
func started(pod *corev1.Pod) time.Time {
	if pod.Status.StartTime != nil {
		return pod.Status.StartTime.Time
	}
	return pod.CreationTimestamp.Time
}
