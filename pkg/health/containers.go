package health

import (
	"cmp"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/index"
)

// Containers are the containers of a pod in the order in which the kubelet
// starts them: init containers and sidecars as they are listed, then those of
// the application, then ephemeral ones.
func Containers(v *index.View, pod *corev1.Pod) []Container {
	if v == nil || pod == nil {
		return nil
	}
	p := examine(v, pod)
	problems := map[string]Problem{}
	if pod.DeletionTimestamp == nil {
		for _, problem := range PodProblems(v, pod) {
			if _, ok := problems[problem.Container]; !ok {
				problems[problem.Container] = problem
			}
		}
	}
	list := make([]Container, 0, len(p.units))
	for _, u := range p.units {
		c := Container{Name: u.spec.Name, Type: u.part, Image: u.spec.Image, Level: Progressing, Status: "not started yet"}
		if u.status != nil {
			c.Ready, c.Restarts = u.status.Ready, u.status.RestartCount
			c.Level, c.Status = p.calmState(u)
		} else if pod.Spec.NodeName == "" && !podFinished(pod) {
			c.Level, c.Status = Progressing, "not scheduled"
		}
		if problem, ok := problems[u.spec.Name]; ok && u.spec.Name != "" {
			c.Level = levelOf([]Problem{problem}, c.Level)
			c.Status = cmp.Or(p.problemWord(u, problem), c.Status)
		}
		list = append(list, c)
	}
	return list
}

// calmState is how a container is when nothing is known to be wrong with it.
func (p *patient) calmState(u unit) (Level, string) {
	st := u.status.State
	switch {
	case st.Terminated != nil && st.Terminated.ExitCode == 0:
		return OK, "completed"
	case st.Terminated != nil:
		return Warning, exitWord(st.Terminated.ExitCode, u.status.RestartCount)
	case st.Running != nil && u.part == InitContainer:
		return Progressing, "running"
	case st.Running != nil && u.part == EphemeralContainer, st.Running != nil && u.status.Ready:
		return OK, "running"
	case st.Running != nil && u.status.Started != nil && !*u.status.Started:
		return Progressing, "starting"
	case st.Running != nil:
		return Progressing, "not ready"
	case st.Waiting != nil && st.Waiting.Reason == "PodInitializing":
		return Progressing, "waiting for init"
	case st.Waiting != nil:
		return Progressing, clip(cmp.Or(st.Waiting.Reason, "waiting"), 30)
	}
	return Unknown, "no state"
}

func exitWord(code, restarts int32) string {
	if restarts > 0 {
		return fmt.Sprintf("exit %d, restarted %d×", code, restarts)
	}
	return fmt.Sprintf("exit %d", code)
}

var problemWords = map[string]string{
	"image-invalid": "invalid image name", "image-not-found": "image not found", "image-auth": "image pull denied",
	"image-rate-limit": "image rate limit", "image-registry-down": "registry unreachable", "image-never-pull": "image not on node",
	"image-signature": "image signature rejected", "image-pull": "image cannot be pulled",
	"config-object-missing": "config missing", "config-key-missing": "config key missing", "run-error": "cannot be started",
	"liveness-kill": "liveness probe fails", "startup-kill": "startup probe fails", "poststart-hook": "postStart hook fails",
	"readiness-failing": "not ready", "init-slow": "running for long",
}

func (p *patient) problemWord(u unit, problem Problem) string {
	if word, ok := problemWords[problem.Name]; ok {
		return word
	}
	if u.status == nil {
		return ""
	}
	d, ok := p.lastDeath(u)
	switch {
	case !ok:
		return ""
	case problem.Name == "oom":
		if limit, limited := u.spec.Resources.Limits[corev1.ResourceMemory]; limited {
			return fmt.Sprintf("OOMKilled (limit %s)", limit.String())
		}
		return "OOMKilled (no limit)"
	}
	return exitWord(d.ExitCode, u.status.RestartCount)
}
