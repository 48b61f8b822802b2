package health

import (
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/redact"
)

// killed is the event with which the kubelet ended this life of the container
// for a failed probe (pkg/kubelet/kuberuntime, computePodActions).
func (p *patient) killed(u unit, d death) *corev1.Event {
	e := p.about(u, func(e *corev1.Event) bool {
		return e.Reason == "Killing" && (strings.Contains(e.Message, "failed liveness probe") || strings.Contains(e.Message, "failed startup probe"))
	})
	if e == nil {
		return nil
	}
	earlier := !d.StartedAt.IsZero() && index.EventTime(e).Before(d.StartedAt.Time)
	if earlier && !(d.again && index.EventCount(e) >= 2 && stopped(d.ExitCode)) {
		return nil
	}
	return e
}

// stopped are the exit codes of a program that was told to stop. Of a container
// that was killed so again and again, the events of later lives may be missing:
// a client sends few about one object (client-go tools/record, EventCorrelator).
func stopped(code int32) bool { return code == 0 || code == 137 || code == 143 }

func (p *patient) probeKill(u unit, d death, e *corev1.Event) Problem {
	name, kind, probe := "liveness-kill", "liveness", u.spec.LivenessProbe
	if strings.Contains(e.Message, "failed startup probe") {
		name, kind, probe = "startup-kill", "startup", u.spec.StartupProbe
	}
	facts := append([]finding.Evidence{eventFact(e)}, p.deathFacts(u, d)...)
	message := fmt.Sprintf("container %q is killed again and again because its %s probe fails", u.spec.Name, kind)
	if words := p.unhealthy(u, kind); words != nil {
		facts = append(facts, eventFact(words))
		message += fmt.Sprintf(" (%s)", clip(words.Message, 160))
	}
	fixes := []finding.Fix{manual(fmt.Sprintf("make the program answer the %s probe (%s), or correct the probe's port, path, timeoutSeconds or failureThreshold", kind, probeWords(probe)))}
	if name == "liveness-kill" && u.spec.StartupProbe == nil {
		fixes = append(fixes, manual("if the program only needs longer to start, give it a startupProbe"))
	}
	problem := p.problem(name, u, message, facts...).certain(d.times >= 2 || index.EventCount(e) >= 2)
	problem.Fix = append(fixes, p.logFix(u, d))
	return problem
}

// unhealthy is the newest event of the kubelet that quotes a probe's failure.
func (p *patient) unhealthy(u unit, kind string) *corev1.Event {
	return p.about(u, func(e *corev1.Event) bool {
		return e.Reason == "Unhealthy" && len(e.Message) > len(kind) && strings.EqualFold(e.Message[:len(kind)], kind)
	})
}

func probeWords(probe *corev1.Probe) string {
	switch {
	case probe == nil:
		return "see the container's spec"
	case probe.HTTPGet != nil:
		return fmt.Sprintf("HTTP GET %s on port %s", probe.HTTPGet.Path, probe.HTTPGet.Port.String())
	case probe.TCPSocket != nil:
		return fmt.Sprintf("TCP connection to port %s", probe.TCPSocket.Port.String())
	case probe.GRPC != nil:
		return fmt.Sprintf("gRPC health check on port %d", probe.GRPC.Port)
	case probe.Exec != nil:
		return "command " + clip(strings.Join(redact.Args(probe.Exec.Command), " "), 80)
	}
	return "see the container's spec"
}

// unready judges a container that runs and is not ready. Healthy containers
// emit Unhealthy events while they start, so an event proves nothing before the
// probe has had the time that its own spec grants.
func (p *patient) unready(u unit) []Problem {
	started := u.status.State.Running.StartedAt.Time
	if u.part == InitContainer {
		return p.slowInit(u, started)
	}
	if u.status.Ready || u.spec.ReadinessProbe == nil || started.IsZero() {
		return nil
	}
	if u.status.Started != nil && !*u.status.Started {
		return nil // the startup probe has not spoken yet
	}
	due := started.Add(startupBudget(u.spec.StartupProbe) + ProbeBudget(u.spec.ReadinessProbe))
	if p.v.Now.Before(due) {
		return nil
	}
	facts, late := []finding.Evidence{p.fact(u.field()+".ready", "false")}, false
	message := fmt.Sprintf("container %q runs, but its readiness probe fails (%s)", u.spec.Name, probeWords(u.spec.ReadinessProbe))
	if e := p.unhealthy(u, "readiness"); e != nil {
		facts = append(facts, eventFact(e))
		said := strings.TrimPrefix(strings.TrimPrefix(e.Message, "Readiness probe errored and resulted in unknown state: "), "Readiness probe failed:")
		if said = withoutPlumbing(strings.TrimSpace(said)); said != "" { // a command may print nothing
			late = strings.Contains(said, "timed out after") || strings.Contains(said, "context deadline exceeded")
			message = fmt.Sprintf("container %q runs, but its readiness probe (%s) fails: %s", u.spec.Name, probeWords(u.spec.ReadinessProbe), clip(said, 160))
		}
	}
	unready := started
	if c, field := p.condition(corev1.ContainersReady); c != nil {
		facts = append(facts, p.fact(field+".message", c.Message))
		unready = latest(started, c.LastTransitionTime.Time)
	}
	problem := p.problem("readiness-failing", u, message, facts...).lasting(since(p.v, unready) > p.deadline())
	advice := fmt.Sprintf("make the program answer the readiness probe (%s), or correct the probe", probeWords(u.spec.ReadinessProbe))
	if late {
		seconds := max(1, u.spec.ReadinessProbe.TimeoutSeconds) // pkg/apis/core/v1, SetDefaults_Probe
		advice = fmt.Sprintf("make the program answer the readiness probe (%s) within its timeoutSeconds (%d), or raise them", probeWords(u.spec.ReadinessProbe), seconds)
	}
	problem.Fix = []finding.Fix{
		manual(advice),
		run("read what the program says", p.pod.Namespace, "logs", p.pod.Name, "-c", u.spec.Name),
	}
	return []Problem{problem}
}

// startupBudget is the longest that a startup probe waits; defaults as in
// pkg/apis/core/v1, SetDefaults_Probe.
func startupBudget(probe *corev1.Probe) time.Duration {
	if probe == nil {
		return 0
	}
	return ProbeBudget(probe)
}

// ProbeBudget is the time that a probe's spec grants before it has failed.
func ProbeBudget(probe *corev1.Probe) time.Duration {
	period, threshold := probe.PeriodSeconds, probe.FailureThreshold
	if period <= 0 {
		period = 10
	}
	if threshold <= 0 {
		threshold = 3
	}
	return time.Duration(max(probe.InitialDelaySeconds, 0))*time.Second + time.Duration(period)*time.Duration(threshold)*time.Second
}

// deadline is the Deployment's progressDeadlineSeconds, or its default.
func (p *patient) deadline() time.Duration {
	if rs, ok := ownerOf[*appsv1.ReplicaSet](p.v, p.pod); ok {
		if d, ok := ownerOf[*appsv1.Deployment](p.v, rs); ok && d.Spec.ProgressDeadlineSeconds != nil {
			return time.Duration(*d.Spec.ProgressDeadlineSeconds) * time.Second
		}
	}
	return 600 * time.Second
}

// slowInit: nothing else of the pod starts before its init containers end.
func (p *patient) slowInit(u unit, started time.Time) []Problem {
	if since(p.v, started) <= 5*time.Minute {
		return nil
	}
	problem := p.problem("init-slow", u, fmt.Sprintf("init container %q has been running for %s, and the pod waits for it to end", u.spec.Name, roughly(since(p.v, started))),
		p.fact(u.field()+".state.running.startedAt", started.UTC().Format(time.RFC3339)))
	if lines := tail(p.currentLog(u), 3); len(lines) > 0 {
		problem.Evidence = append(problem.Evidence, p.fact("log of container "+u.spec.Name, strings.Join(lines, "\n")))
	}
	problem.Fix = []finding.Fix{run("read what it waits for", p.pod.Namespace, "logs", p.pod.Name, "-c", u.spec.Name)}
	return []Problem{problem}
}

func (p *patient) currentLog(u unit) string {
	text, _ := p.v.Log(p.pod.UID, u.spec.Name, false)
	return text
}

// postStart: the kubelet kills a container whose hook fails, and hides the
// hook's words from events lest secrets leak (kuberuntime, startContainer).
func (p *patient) postStart(u unit, words, field string) Problem {
	evidence := p.fact(field, words)
	if e := p.about(u, reasonIs("FailedPostStartHook")); e != nil && field == "message" {
		evidence = eventFact(e)
	}
	problem := p.problem("poststart-hook", u, fmt.Sprintf("container %q is killed because its postStart hook fails", u.spec.Name), evidence).certain(u.status.RestartCount >= 1)
	problem.Fix = []finding.Fix{manual(fmt.Sprintf("correct or remove lifecycle.postStart of container %q", u.spec.Name))}
	return problem
}

// readinessGates: the containers are ready, but something outside has not
// approved of the pod (pkg/kubelet/status, GeneratePodReadyCondition).
func (p *patient) readinessGates() []Problem {
	containers, _ := p.condition(corev1.ContainersReady)
	if containers == nil || containers.Status != corev1.ConditionTrue || podReady(p.pod) {
		return nil
	}
	waited := since(p.v, containers.LastTransitionTime.Time)
	if waited < 30*time.Second {
		return nil
	}
	var ps []Problem
	for i, gate := range p.pod.Spec.ReadinessGates {
		c, field := p.condition(gate.ConditionType)
		facts := []finding.Evidence{p.fact(fmt.Sprintf("spec.readinessGates[%d].conditionType", i), string(gate.ConditionType))}
		switch {
		case c == nil:
			facts = append(facts, p.fact("status.conditions", fmt.Sprintf("no condition %s", gate.ConditionType)))
		case c.Status == corev1.ConditionTrue:
			continue
		default:
			facts = append(facts, p.fact(field+".status", string(c.Status)))
			if c.Message != "" {
				facts = append(facts, p.fact(field+".message", c.Message))
			}
		}
		problem := p.whole("readiness-gate", fmt.Sprintf("all containers are ready, but the readiness gate %q is not passed", gate.ConditionType), facts...).lasting(waited > 5*time.Minute)
		problem.Fix = []finding.Fix{manual(fmt.Sprintf("look at the controller that sets the pod condition %q, often a load-balancer controller", gate.ConditionType))}
		ps = append(ps, problem)
	}
	return ps
}

// roughly is a duration for a sentence.
func roughly(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
