package cause

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// Waiting is what one pod waits for, in words; "" where it waits for nothing.
func Waiting(v *index.View, w *workload.Workload, p workload.Pod) string {
	if v == nil || w == nil || p.Pod == nil {
		return ""
	}
	x := wait{v, w, p}
	switch {
	case p.DeletionTimestamp != nil:
		return x.terminating()
	case p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed:
		return x.ended()
	case p.Ready():
		return x.minReady()
	case p.Spec.NodeName == "":
		return x.unscheduled()
	}
	for _, c := range x.containers() {
		if words := x.container(c); words != "" {
			return words
		}
	}
	return x.gates()
}

// wait is one pod under Waiting's eyes.
type wait struct {
	v *index.View
	w *workload.Workload
	p workload.Pod
}

// part is one container in the order in which the kubelet starts them.
type part struct {
	spec    corev1.Container
	path    string
	init    bool // ends before the next one starts
	sidecar bool
	status  *corev1.ContainerStatus
}

func (x wait) containers() []part {
	var parts []part
	for _, c := range x.p.Spec.InitContainers {
		sidecar := c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		parts = append(parts, part{c, "spec.initContainers{" + c.Name + "}", !sidecar, sidecar, statusOf(x.p.Pod, c.Name)})
	}
	for _, c := range x.p.Spec.Containers {
		parts = append(parts, part{c, "spec.containers{" + c.Name + "}", false, false, statusOf(x.p.Pod, c.Name)})
	}
	return parts
}

func (x wait) since(t time.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return max(0, x.v.Now.Sub(t))
}

// terminating: deletionTimestamp is the moment when the grace ends.
func (x wait) terminating() string {
	grace := time.Duration(0)
	if g := x.p.DeletionGracePeriodSeconds; g != nil {
		grace = time.Duration(max(0, *g)) * time.Second
	}
	passed := x.v.Now.Sub(x.p.DeletionTimestamp.Time) + grace
	words := fmt.Sprintf("terminating, %s of %s grace", seconds(passed), seconds(grace))
	if passed > grace {
		words = fmt.Sprintf("terminating, %s past its %s grace", seconds(passed-grace), seconds(grace))
	}
	switch running, hook := x.stillRunning(); {
	case len(x.p.Finalizers) > 0 && !running:
		return words + fmt.Sprintf(", held by finalizer %q", x.p.Finalizers[0])
	case hook && passed <= grace:
		return words + ", preStop"
	}
	return words
}

// stillRunning says whether a container runs, and whether such a one has a preStop hook.
func (x wait) stillRunning() (running, hook bool) {
	for _, c := range x.containers() {
		if c.status != nil && c.status.State.Running != nil {
			running = true
			hook = hook || c.spec.Lifecycle != nil && c.spec.Lifecycle.PreStop != nil
		}
	}
	return running, hook
}

func (x wait) ended() string {
	return fmt.Sprintf("ended (%s), another takes its place", clip(cmp.Or(x.p.Status.Reason, string(x.p.Status.Phase)), 30))
}

func (x wait) minReady() string {
	if x.p.AvailableAt(x.v.Now, x.w.MinReady) {
		return ""
	}
	return fmt.Sprintf("minReadySeconds, %s of %s", seconds(x.since(readyAt(x.p))), seconds(x.w.MinReady))
}

func (x wait) unscheduled() string {
	if len(x.p.Spec.SchedulingGates) > 0 {
		return fmt.Sprintf("scheduling gate %s", clip(x.p.Spec.SchedulingGates[0].Name, 60))
	}
	if ps := health.PodProblems(x.v, x.p.Pod); len(ps) > 0 {
		return "not scheduled: " + clip(ps[0].Message, 100)
	}
	return "the scheduler"
}

// container is what this container waits for, or what waits for it.
func (x wait) container(c part) string {
	st := c.status
	switch {
	case st == nil || st.State == (corev1.ContainerState{}):
		return x.beforeStart(c)
	case st.State.Waiting != nil:
		return x.held(c, st.State.Waiting)
	case st.State.Terminated != nil:
		if c.init && st.State.Terminated.ExitCode == 0 {
			return "" // it has done its duty
		}
		return fmt.Sprintf("%s to start again after exit %d", name(c), st.State.Terminated.ExitCode)
	case c.init:
		return fmt.Sprintf("init container %s, running for %s", c.spec.Name, seconds(x.since(st.State.Running.StartedAt.Time)))
	case st.Started != nil && !*st.Started:
		return x.probed(c, "startup probe", c.spec.StartupProbe, 0)
	case st.Ready || c.sidecar && c.spec.ReadinessProbe == nil:
		return ""
	case c.spec.ReadinessProbe != nil:
		after := time.Duration(0)
		if c.spec.StartupProbe != nil {
			after = health.ProbeBudget(c.spec.StartupProbe)
		}
		return x.probed(c, "readiness probe", c.spec.ReadinessProbe, after)
	}
	return "the kubelet to report " + name(c) + " ready"
}

func name(c part) string {
	switch {
	case c.init:
		return "init container " + c.spec.Name
	case c.sidecar:
		return "sidecar " + c.spec.Name
	}
	return "container " + c.spec.Name
}

// probed says how much of the time that a probe's spec grants is over.
func (x wait) probed(c part, what string, probe *corev1.Probe, after time.Duration) string {
	if len(x.p.Spec.Containers) > 1 || c.sidecar {
		what += " of " + c.spec.Name
	}
	passed := x.since(c.status.State.Running.StartedAt.Time)
	if probe == nil {
		return fmt.Sprintf("%s, %s", what, seconds(passed))
	}
	budget := after + health.ProbeBudget(probe)
	if passed > budget {
		return fmt.Sprintf("%s, failing: %s, where ~%s are granted", what, seconds(passed), seconds(budget))
	}
	return fmt.Sprintf("%s, %s of ~%s", what, seconds(passed), seconds(budget))
}

// held is a container that the kubelet cannot start, or not yet.
func (x wait) held(c part, w *corev1.ContainerStateWaiting) string {
	switch w.Reason {
	case "", "ContainerCreating", "PodInitializing":
		return x.beforeStart(c)
	case "CrashLoopBackOff":
		words := fmt.Sprintf("%s to start again", name(c))
		if t := c.status.LastTerminationState.Terminated; t != nil {
			words += fmt.Sprintf(": it ended with exit %d %s ago", t.ExitCode, seconds(x.since(t.FinishedAt.Time)))
		}
		return words + fmt.Sprintf(", restarted %s", times(c.status.RestartCount))
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed":
		return fmt.Sprintf("image %s (%s)", clip(c.spec.Image, 80), w.Reason)
	}
	for _, problem := range health.PodProblems(x.v, x.p.Pod) {
		if problem.Container == c.spec.Name && !problem.Missing.IsZero() {
			return fmt.Sprintf("%s, which does not exist", problem.Missing)
		}
	}
	return fmt.Sprintf("%s to start (%s)", name(c), clip(w.Reason, 40))
}

func times(n int32) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// beforeStart is what a bound pod does before this container runs: volumes,
// sandbox, image. Only events tell of the pull.
func (x wait) beforeStart(c part) string {
	e := lastEvent(x.v, x.p.Pod, func(e *corev1.Event) bool {
		return e.InvolvedObject.FieldPath == c.path && slices.Contains([]string{"Pulling", "Pulled", "Created", "Started"}, e.Reason)
	})
	switch {
	case e != nil && e.Reason == "Pulling":
		words := "scheduled, pulling image " + clip(c.spec.Image, 80)
		if passed := x.since(index.EventTime(e)); passed >= 5*time.Second {
			words += ", " + seconds(passed)
		}
		return words
	case e != nil && e.Reason == "Started" && c.spec.Lifecycle != nil && c.spec.Lifecycle.PostStart != nil: // it counts as running once the hook is over
		return fmt.Sprintf("the postStart hook of %s, %s", name(c), seconds(x.since(index.EventTime(e))))
	case e != nil:
		return "scheduled, starting " + name(c)
	}
	if ps := health.PodProblems(x.v, x.p.Pod); len(ps) > 0 {
		if !ps[0].Missing.IsZero() {
			return fmt.Sprintf("scheduled, %s does not exist", ps[0].Missing)
		}
		return "scheduled, " + clip(ps[0].Message, 100)
	}
	if ready := condition(x.p.Pod, corev1.PodReadyToStartContainers); ready != nil && ready.Status != corev1.ConditionTrue {
		return "scheduled, its volumes and network"
	}
	return "scheduled, starting " + name(c)
}

// gates: all containers are ready, and something outside has yet to approve.
func (x wait) gates() string {
	var gates []string
	for _, g := range x.p.Spec.ReadinessGates {
		if c := condition(x.p.Pod, g.ConditionType); c == nil || c.Status != corev1.ConditionTrue {
			gates = append(gates, string(g.ConditionType))
		}
	}
	if len(gates) == 0 {
		return "the kubelet to report the pod ready"
	}
	return "readiness gate " + clip(strings.Join(gates, ", "), 80)
}
