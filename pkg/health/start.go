package health

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
)

// calm is how long a container must run before an earlier crash is history: the
// kubelet then forgets its back-off (pkg/kubelet, MaxCrashLoopBackOff doubled).
const calm = 10 * time.Minute

// death is the end of a container that is still news.
type death struct {
	*corev1.ContainerStateTerminated
	field string
	times int32 // how often the container has ended
	again bool  // it ended the time before as well, and soon after its start
	gone  bool  // it will not be started again
}

// lastDeath is how the container ended last, unless it has been running calmly since.
func (p *patient) lastDeath(u unit) (death, bool) {
	st := u.status
	d := death{times: st.RestartCount}
	switch {
	case st.State.Terminated != nil:
		d.ContainerStateTerminated, d.field = st.State.Terminated, u.field()+".state.terminated"
		d.times++
		d.gone = p.pod.Status.Phase == corev1.PodFailed
	case st.LastTerminationState.Terminated != nil:
		d.ContainerStateTerminated, d.field = st.LastTerminationState.Terminated, u.field()+".lastState.terminated"
		if r := st.State.Running; r != nil {
			if since(p.v, r.StartedAt.Time) > calm || u.part == InitContainer {
				return d, false
			}
		} else {
			d.times++
		}
	default:
		return d, false
	}
	long := !d.StartedAt.IsZero() && d.FinishedAt.Sub(d.StartedAt.Time) > calm
	d.again = st.RestartCount >= 2 && !long
	return d, true
}

// died tells why a container ends. The order is that of causes: an OOM kill
// outranks the crash loop it causes, a failed probe the exit code of the kill.
func (p *patient) died(u unit) (Problem, bool) {
	d, ok := p.lastDeath(u)
	if !ok || d.nodeRestarted() {
		return Problem{}, false
	}
	switch {
	case d.Reason == "OOMKilled":
		return p.oom(u, d), true
	case d.Reason == "ContainerCannotRun" || d.Reason == "StartError":
		return p.cannotRun(u, d.Message, d.field+".message"), true
	}
	if e := p.killed(u, d); e != nil {
		return p.probeKill(u, d, e), true
	}
	if e := p.about(u, reasonIs("FailedPostStartHook")); e != nil && !index.EventTime(e).Before(d.StartedAt.Add(-time.Minute)) {
		return p.postStart(u, e.Message, "message"), true
	}
	if d.ExitCode == 0 {
		return p.exitZero(u, d)
	}
	return p.crash(u, d), true
}

// nodeRestarted: the container went with its node, which says nothing about the
// program. The kubelet, or containerd (unknownExitCode), then knows no more.
func (d death) nodeRestarted() bool {
	return d.Reason == "ContainerStatusUnknown" || d.Reason == "Unknown" && d.ExitCode == 255
}

func (p *patient) deathFacts(u unit, d death) []finding.Evidence {
	facts := []finding.Evidence{
		p.fact(d.field+".exitCode", fmt.Sprint(d.ExitCode)),
		p.fact(u.field()+".restartCount", fmt.Sprint(u.status.RestartCount)),
	}
	if d.Reason != "" {
		facts = append([]finding.Evidence{p.fact(d.field+".reason", d.Reason)}, facts...)
	}
	return facts
}

// oom names the limit that killed the container. Without a limit of its own
// the pod's, or the node's memory, was exhausted.
func (p *patient) oom(u unit, d death) Problem {
	facts := p.deathFacts(u, d)
	message := fmt.Sprintf("container %q was killed (exit %d) because it used more memory than there was: it has no limit of its own, so its pod's or its node's was exhausted", u.spec.Name, d.ExitCode)
	limit, limited := u.spec.Resources.Limits[corev1.ResourceMemory]
	if limited {
		message = fmt.Sprintf("container %q was killed (exit %d) for using more memory than its limit of %s", u.spec.Name, d.ExitCode, limit.String())
		facts = append(facts, p.fact(u.specField()+".resources.limits.memory", limit.String()))
	}
	problem := p.problem("oom", u, message, facts...).certain(d.times >= 2 || d.gone)
	top, known := topOwner(p.v, p.pod, p.ref)
	if bigger, ok := doubled(limit); limited && ok && known && editable(top) {
		problem.Fix = []finding.Fix{run("double the memory limit, if the program really needs that much", p.pod.Namespace,
			"set", "resources", top.Arg(), "-c", u.spec.Name, "--limits=memory="+bigger)}
		return problem
	}
	problem.Fix = []finding.Fix{manual(fmt.Sprintf("give container %q of %s more memory (resources.limits.memory), or make the program use less", u.spec.Name, top))}
	return problem
}

func doubled(q resource.Quantity) (string, bool) {
	n := q.Value()
	if n <= 0 || n > 1<<60 {
		return "", false
	}
	return resource.NewQuantity(2*n, q.Format).String(), true
}

// crash quotes the last words of a container that ends with an error.
func (p *patient) crash(u unit, d death) Problem {
	name := map[ContainerType]string{InitContainer: "init-crash", SidecarContainer: "sidecar-crash"}[u.part]
	if name == "" {
		name = "crash-app"
	}
	message := fmt.Sprintf("%s %q exits with code %d", u.part, u.spec.Name, d.ExitCode)
	switch {
	case u.status.RestartCount == 1 && u.status.State.Running != nil:
		message = fmt.Sprintf("%s %q exited with code %d and was started again", u.part, u.spec.Name, d.ExitCode)
	case u.status.RestartCount > 0:
		message += " again and again"
	}
	if d.gone {
		message = fmt.Sprintf("%s %q exited with code %d and is not started again", u.part, u.spec.Name, d.ExitCode)
	}
	facts := p.deathFacts(u, d)
	if d.Message != "" {
		facts = append(facts, p.fact(d.field+".message", d.Message))
	}
	words, field := p.lastWords(u)
	fix := []finding.Fix{p.logFix(u, d)}
	if len(words) > 0 {
		facts = append(facts, p.fact(field, strings.Join(words, "\n")))
		telling := tellingLine(words)
		message += fmt.Sprintf("; its log ends with %q", clip(telling, 160))
		if hint := missingHint(telling); hint != "" {
			fix = append([]finding.Fix{manual(hint)}, fix...)
		}
	}
	problem := p.problem(name, u, message, facts...).certain(d.again || d.gone || p.allSiblingsCrash(u))
	problem.Fix = fix
	return problem
}

// logFix prints the log of the container that ended, which is the previous one
// as soon as another has been started.
func (p *patient) logFix(u unit, d death) finding.Fix {
	args := []string{"logs", p.pod.Name, "-c", u.spec.Name}
	// While the next one waits, the log without --previous is the dead one's.
	if u.status.State.Running != nil && u.status.RestartCount > 0 {
		args = append(args, "--previous")
	}
	return run("read what the program said before it ended", p.pod.Namespace, args...)
}

// allSiblingsCrash: one pod that crashed once may be bad luck, all of them are
// not. One that runs again may have found what it lacked the first time, such
// as a database that starts beside it.
func (p *patient) allSiblingsCrash(u unit) bool {
	owner, ok := index.Controller(p.pod)
	if !ok || owner.UID == "" {
		return false
	}
	siblings := 0
	for it := range p.v.Owned(owner.UID) {
		pod, ok := it.Object.(*corev1.Pod)
		if !ok || pod.DeletionTimestamp != nil {
			continue
		}
		siblings++
		crashed := false
		for _, other := range unitsOf(pod) {
			if other.status != nil && other.spec.Name == u.spec.Name && other.status.RestartCount >= 1 && other.status.State.Running == nil {
				d, ok := examine(p.v, pod).lastDeath(other)
				crashed = ok && d.ExitCode != 0 && !d.nodeRestarted()
			}
		}
		if !crashed {
			return false
		}
	}
	return siblings >= 2
}

// mayBeKilled: a program that ends well on SIGTERM leaves code 0 when a probe
// kills it, and the event that says so can be late.
func (p *patient) mayBeKilled(u unit) bool {
	return u.spec.LivenessProbe != nil || u.spec.StartupProbe != nil
}

// exitZero is a program that ends where it should serve. An init container
// that ends well has done its duty, and so has one under OnFailure or Never.
func (p *patient) exitZero(u unit, d death) (Problem, bool) {
	always := p.pod.Spec.RestartPolicy == "" || p.pod.Spec.RestartPolicy == corev1.RestartPolicyAlways
	if u.part == InitContainer || u.part == AppContainer && !always || u.status.RestartCount < 1 {
		return Problem{}, false
	}
	name := "crash-exit0"
	if u.part == SidecarContainer {
		name = "sidecar-crash"
	}
	problem := p.problem(name, u, fmt.Sprintf("%s %q ends by itself with code 0, so it is started again and again: it runs nothing that stays", u.part, u.spec.Name),
		p.deathFacts(u, d)...).certain(d.again && !p.mayBeKilled(u))
	problem.Fix = []finding.Fix{manual(fmt.Sprintf("give container %q a command that keeps running in the foreground, or make this a Job", u.spec.Name)), p.logFix(u, d)}
	return problem, true
}

// programAbsent is runc's word for a command that is not in the image: the
// program stands between exec: and stat.
var programAbsent = regexp.MustCompile(`exec: ("[^"]*"): stat .*no such file or directory`)

// withoutPlumbing leaves out the layers through which a runtime's error came.
func withoutPlumbing(words string) string {
	if _, after, ok := strings.Cut(words, "unable to start container process: "); ok {
		return after
	}
	return words
}

// cannotRun is a container that the runtime could not start at all.
func (p *patient) cannotRun(u unit, words, field string) Problem {
	message := fmt.Sprintf("the container runtime cannot start container %q", u.spec.Name)
	fix := "correct what the message names; exit code 128 without one points to the node's container runtime"
	certain := u.status.RestartCount >= 2 || since(p.v, p.pulling(u)) > time.Minute
	switch {
	case strings.Contains(words, "runAsNonRoot") || strings.Contains(words, "breaks non-root policy"):
		message = fmt.Sprintf("container %q may not start: it must not run as root, and its image %s, or its runAsUser, does", u.spec.Name, u.spec.Image)
		fix = "set securityContext.runAsUser to a number other than 0, or use an image that runs as such a user"
		certain = true // pkg/kubelet/kuberuntime, verifyRunAsNonRoot
	case strings.Contains(words, "cannot load seccomp profile"):
		message = fmt.Sprintf("container %q cannot start: node %s does not have the seccomp profile that it asks for", u.spec.Name, p.pod.Spec.NodeName)
		fix = "bring the profile to the nodes (below the kubelet's seccomp folder), or correct securityContext.seccompProfile"
		certain = since(p.v, p.pulling(u)) > 20*time.Second
	case strings.Contains(words, "executable file not found"):
		message = fmt.Sprintf("the command of container %q does not exist in its image %s", u.spec.Name, u.spec.Image)
		fix = "correct command or args, or use an image that holds that program"
	case strings.Contains(words, "permission denied"):
		message = fmt.Sprintf("the command of container %q may not be executed", u.spec.Name)
		fix = "make the file executable in the image, or correct command or securityContext"
	case programAbsent.MatchString(words):
		message = fmt.Sprintf("container %q cannot start: its command %s does not exist in image %s", u.spec.Name, programAbsent.FindStringSubmatch(words)[1], u.spec.Image)
		fix = "correct command or args, or use an image that holds that program"
	case strings.Contains(words, "no such file or directory"):
		message = fmt.Sprintf("container %q cannot start, because a file that it needs does not exist in its image", u.spec.Name)
		fix = "correct command, workingDir or the interpreter that the script names"
	}
	if words != "" && !programAbsent.MatchString(words) {
		message += fmt.Sprintf(" (%s)", clip(withoutPlumbing(words), 160))
	}
	problem := p.problem("run-error", u, message, p.fact(field, words)).certain(certain)
	problem.Fix = []finding.Fix{manual(fix)}
	return problem
}

// failed judges a pod that has ended for good.
func (p *patient) failed() []Problem {
	if p.retriedWell() {
		return nil
	}
	if ps := p.pushedOut(); len(ps) > 0 {
		return ps
	}
	var ps []Problem
	for _, u := range p.units {
		if u.status == nil || u.part == EphemeralContainer {
			continue
		}
		if problem, ok := p.died(u); ok && u.status.State.Terminated != nil {
			ps = append(ps, p.tempered(problem))
		}
	}
	return ps
}

// tempered: while its Job may still try again, the end of one pod is no verdict.
func (p *patient) tempered(problem Problem) Problem {
	job, ok := ownerOf[*batchv1.Job](p.v, p.pod)
	if ok && jobCondition(job, batchv1.JobFailed) == nil && jobCondition(job, batchv1.JobFailureTarget) == nil {
		return problem.certain(false)
	}
	return problem
}

func (p *patient) retriedWell() bool {
	job, ok := ownerOf[*batchv1.Job](p.v, p.pod)
	return ok && jobCondition(job, batchv1.JobComplete) != nil
}
