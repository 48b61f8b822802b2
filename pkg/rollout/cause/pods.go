package cause

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// symptom is one problem of one pod.
type symptom struct {
	pod     workload.Pod
	problem health.Problem
	class   Class
}

// alike is what pods that fail in the same way share.
type alike struct {
	name, container string
	missing         object.Ref
}

// newPods tells one cause for each way in which pods of the new revision fail,
// however many of them do.
func (j *judgement) newPods() {
	groups := map[alike][]symptom{}
	var order []alike
	for _, p := range j.fresh() {
		for _, problem := range health.PodProblems(j.v, p.Pod) {
			k := alike{problem.Name, problem.Container, problem.Missing.Key()}
			if groups[k] == nil {
				order = append(order, k)
			}
			groups[k] = append(groups[k], j.temper(p, j.quoted(p, problem)))
		}
	}
	for _, k := range order {
		j.add(j.told(groups[k]))
	}
}

// fresh are the pods of the new revision whose failures are the rollout's:
// those that stay, and not on a node on which a DaemonSet cannot be complete.
func (j *judgement) fresh() []workload.Pod {
	var pods []workload.Pod
	for _, p := range j.w.Pods {
		if p.New && p.DeletionTimestamp == nil && !slices.Contains(j.down, seatOf(p.Pod)) {
			pods = append(pods, p)
		}
	}
	return pods
}

// told makes one cause of pods that fail alike. The one that proves most speaks
// for all.
func (j *judgement) told(group []symptom) Cause {
	group = j.certainTogether(group)
	speaker := slices.MinFunc(group, func(a, b symptom) int {
		return cmp.Or(
			first(a.problem.Terminal, b.problem.Terminal),
			cmp.Compare(a.problem.Severity.Rank(), b.problem.Severity.Rank()),
			cmp.Compare(len(b.problem.Evidence), len(a.problem.Evidence)),
			cmp.Compare(a.pod.Name, b.pod.Name),
		)
	})
	c := fromProblem(speaker.problem, podRef(speaker.pod.Pod))
	c.Class = speaker.class
	for _, s := range group {
		c.Pods = append(c.Pods, podRef(s.pod.Pod))
		k := key{pod: s.pod.UID, code: c.Code, container: s.problem.Container}
		at := j.m.stamp(k, s.problem.Terminal, j.v.Now, j.evidenceAt(s.pod, s.problem))
		if s.problem.Terminal == c.Terminal && (c.Since.IsZero() || at.Before(c.Since)) {
			c.Since = at
		}
	}
	if live := len(j.fresh()); len(group) > 1 {
		c.Message += fmt.Sprintf(" (%d of %d new pods)", len(group), max(live, len(group)))
	}
	if c.Class == OfRevision && j.oldFailAlike(speaker.problem) {
		c.Class = Undetermined
		c.Message += "; pods of the old revision fail alike, so it may not be due to the new one"
	}
	return c
}

// oldFailAlike: what befalls old pods too is not the new template's doing.
func (j *judgement) oldFailAlike(p health.Problem) bool {
	return slices.ContainsFunc(j.w.Pods, func(old workload.Pod) bool {
		if ofImage[p.Name] && j.w.Template != nil && imageOf(&old.Spec, p.Container) != imageOf(&j.w.Template.Spec, p.Container) {
			return false // each has an image of its own that fails
		}
		return !old.New && old.Live() && slices.ContainsFunc(health.PodProblems(j.v, old.Pod), func(q health.Problem) bool {
			return q.Name == p.Name && q.Container == p.Container && q.Missing.Key() == p.Missing.Key()
		})
	})
}

// ofImage are the problems that are due to the very image that is named.
var ofImage = map[string]bool{"image-invalid": true, "image-not-found": true, "image-never-pull": true, "image-signature": true}

func imageOf(spec *corev1.PodSpec, container string) string {
	for _, list := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for _, c := range list {
			if c.Name == container {
				return c.Image
			}
		}
	}
	return ""
}

// quoted keeps the last words of a container from when they were first read:
// the log of a previous run vanishes with its container.
func (j *judgement) quoted(p workload.Pod, problem health.Problem) health.Problem {
	k := key{pod: p.UID, code: problem.Name, container: problem.Container}
	isLog := func(e finding.Evidence) bool { return strings.HasPrefix(e.Field, "log of container ") }
	if i := slices.IndexFunc(problem.Evidence, isLog); i >= 0 {
		j.m.words[k] = problem.Evidence[i : i+1 : i+1]
		return problem
	}
	if kept := j.m.words[k]; kept != nil {
		problem.Evidence = append(slices.Clone(problem.Evidence), kept...)
		lines := strings.Split(kept[0].Value, "\n")
		problem.Message += fmt.Sprintf("; its log ended with %q", clip(lines[len(lines)-1], 160))
	}
	return problem
}

// oldPods: a rollout may be the way out of a bad revision, so what old pods
// suffer from never fails it.
func (j *judgement) oldPods() {
	var failing []workload.Pod
	var worst *health.Problem
	for _, p := range j.w.Pods {
		if p.New || !p.Live() || j.w.Current == nil || p.UID == j.trapped && p.UID != "" || slices.Contains(j.down, seatOf(p.Pod)) {
			continue
		}
		ps := health.PodProblems(j.v, p.Pod)
		if len(ps) == 0 {
			continue
		}
		failing = append(failing, p)
		if worst == nil || ps[0].Severity.Rank() < worst.Severity.Rank() {
			worst = &ps[0]
		}
	}
	if worst == nil {
		return
	}
	c := j.info("old-revision-failing", fmt.Sprintf("%s of the old revision %s, which does not fail this rollout: %s", counted(len(failing), "pod"), verb(len(failing), "is unwell", "are unwell"), worst.Message), Normal, worst.Evidence...)
	c.Pods = refsOf(failing)
	j.add(c)
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// clip keeps a sentence readable; evidence keeps the whole text.
func clip(text string, runes int) string {
	text = strings.Join(strings.Fields(text), " ")
	r := []rune(text)
	if len(r) <= runes {
		return text
	}
	return strings.TrimSpace(string(r[:runes-1])) + "…"
}

// statusOf is a container's status, whichever kind of container it is.
func statusOf(pod *corev1.Pod, container string) *corev1.ContainerStatus {
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range list {
			if list[i].Name == container {
				return &list[i]
			}
		}
	}
	return nil
}

func condition(pod *corev1.Pod, t corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == t {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}
