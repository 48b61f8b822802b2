package health

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// patient is one pod under examination.
type patient struct {
	v     *index.View
	pod   *corev1.Pod
	ref   object.Ref
	units []unit // its containers in the order in which the kubelet starts them
}

// unit is one container: what was asked for, and what became of it.
type unit struct {
	spec   *corev1.Container
	part   ContainerType
	at     int // place among the specs of its part
	status *corev1.ContainerStatus
	told   int // place among the statuses
}

// specField is "spec.containers[0]".
func (u unit) specField() string { return fmt.Sprintf("spec.%s[%d]", u.list("containers"), u.at) }

// path is the fieldPath of the kubelet's events: "spec.containers{app}".
func (u unit) path() string { return fmt.Sprintf("spec.%s{%s}", u.list("containers"), u.spec.Name) }

// field is "status.containerStatuses[0]".
func (u unit) field() string {
	return fmt.Sprintf("status.%s[%d]", u.list("containerStatuses"), u.told)
}

func (u unit) list(ofApp string) string {
	switch u.part {
	case InitContainer, SidecarContainer:
		return "initC" + ofApp[1:]
	case EphemeralContainer:
		return "ephemeralC" + ofApp[1:]
	}
	return ofApp
}

// PodProblems is what is wrong with a pod, worst first. A problem that is only
// suspected is a warning; one that is certain is an error, and Terminal if the
// pod cannot recover without a change.
func PodProblems(v *index.View, pod *corev1.Pod) []Problem {
	if v == nil || pod == nil {
		return nil
	}
	return index.Memo(v, podProblems{pod}, func() []Problem {
		ps := examine(v, pod).problems()
		sortProblems(ps)
		return ps
	})
}

// podProblems is the key under which a view keeps the problems of a pod: its
// owners and its containers ask for them too.
type podProblems struct{ pod *corev1.Pod }

func examine(v *index.View, pod *corev1.Pod) *patient {
	return &patient{v: v, pod: pod, ref: podRef(pod), units: unitsOf(pod)}
}

func (p *patient) problems() []Problem {
	switch {
	case p.pod.DeletionTimestamp != nil:
		return p.stuckTerminating()
	case p.pod.Status.Phase == corev1.PodSucceeded:
		return nil
	case p.pod.Status.Phase == corev1.PodFailed:
		return p.failed()
	}
	ps := p.onDeadNode()
	if len(ps) > 0 {
		return ps // what the dead node's kubelet last said is not news
	}
	ps = append(ps, p.scheduling()...)
	for _, u := range p.units {
		ps = append(ps, p.container(u)...)
	}
	if len(ps) == 0 {
		ps = append(ps, p.beforeStart()...)
	}
	return append(ps, p.readinessGates()...)
}

// container judges one container by the state it is in.
func (p *patient) container(u unit) []Problem {
	if u.status == nil || u.part == EphemeralContainer {
		return nil
	}
	if w := u.status.State.Waiting; w != nil {
		if problem, ok := p.waiting(u, w); ok {
			return []Problem{problem}
		}
	}
	if problem, ok := p.died(u); ok {
		return []Problem{problem}
	}
	if u.status.State.Running != nil {
		return p.unready(u)
	}
	return nil
}

// waiting judges the reasons for which the kubelet cannot start a container.
func (p *patient) waiting(u unit, w *corev1.ContainerStateWaiting) (Problem, bool) {
	switch w.Reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
		"RegistryUnavailable", "SignatureValidationFailed":
		return p.image(u, w), true
	case "CreateContainerConfigError":
		return p.config(u, w)
	case "CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError":
		return p.cannotRun(u, w.Message, u.field()+".state.waiting.message"), true
	case "PostStartHookError":
		return p.postStart(u, w.Message, u.field()+".state.waiting.message"), true
	}
	return Problem{}, false
}

// unitsOf pairs specs with statuses by name; a status without a spec is left out.
func unitsOf(pod *corev1.Pod) []unit {
	spec, status := &pod.Spec, &pod.Status
	units := make([]unit, 0, len(spec.InitContainers)+len(spec.Containers)+len(spec.EphemeralContainers))
	add := func(c *corev1.Container, part ContainerType, at int, statuses []corev1.ContainerStatus) {
		u := unit{spec: c, part: part, at: at}
		for i := range statuses {
			if statuses[i].Name == c.Name {
				u.status, u.told = &statuses[i], i
				break
			}
		}
		units = append(units, u)
	}
	for i := range spec.InitContainers {
		c, part := &spec.InitContainers[i], InitContainer
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			part = SidecarContainer
		}
		add(c, part, i, status.InitContainerStatuses)
	}
	for i := range spec.Containers {
		add(&spec.Containers[i], AppContainer, i, status.ContainerStatuses)
	}
	for i := range spec.EphemeralContainers {
		c := corev1.Container(spec.EphemeralContainers[i].EphemeralContainerCommon)
		add(&c, EphemeralContainer, i, status.EphemeralContainerStatuses)
	}
	return units
}

// about is the newest event of the container that satisfies want.
func (p *patient) about(u unit, want func(*corev1.Event) bool) *corev1.Event {
	return lastEvent(p.v, p.pod, func(e *corev1.Event) bool { return p.isAbout(u, e) && want(e) })
}

// isAbout says whether an event of the pod is about this container. Events
// without a fieldPath are taken where they name it.
func (p *patient) isAbout(u unit, e *corev1.Event) bool {
	path := e.InvolvedObject.FieldPath
	return path == u.path() || path == "" && (len(p.units) == 1 || strings.Contains(e.Message+" ", "ontainer "+u.spec.Name+" "))
}

func (p *patient) problem(name string, u unit, message string, facts ...finding.Evidence) Problem {
	return Problem{Name: name, Severity: finding.Warning, Container: u.spec.Name, Message: message, Evidence: facts}
}

func (p *patient) whole(name, message string, facts ...finding.Evidence) Problem {
	return Problem{Name: name, Severity: finding.Warning, Message: message, Evidence: facts}
}

func (p *patient) fact(field, value string) finding.Evidence { return fact(p.ref, field, value) }

// condition is a pod condition and the path at which it stands.
func (p *patient) condition(t corev1.PodConditionType) (*corev1.PodCondition, string) {
	for i := range p.pod.Status.Conditions {
		if c := &p.pod.Status.Conditions[i]; c.Type == t {
			return c, fmt.Sprintf("status.conditions[%d]", i)
		}
	}
	return nil, ""
}

func podReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

func podFinished(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// began is when the kubelet first saw the pod.
func (p *patient) began() time.Time {
	if p.pod.Status.StartTime != nil {
		return p.pod.Status.StartTime.Time
	}
	return p.pod.CreationTimestamp.Time
}

func ofPod(v *index.View, pod *corev1.Pod) State {
	p := examine(v, pod)
	s := State{Ready: p.readyCount(), Detail: podDetail(pod), Problems: PodProblems(v, pod), Level: podLevel(v, pod)}
	s.Status = p.word(s.Problems)
	if pod.Status.Phase == corev1.PodSucceeded {
		s.Ready = ""
	}
	return s
}

// podLevel is all that the owners of thousands of pods ask of each.
func podLevel(v *index.View, pod *corev1.Pod) Level {
	calm := Progressing
	switch {
	case pod.Status.Phase == corev1.PodSucceeded:
		calm = OK
	case pod.Status.Phase == corev1.PodFailed:
		calm = examine(v, pod).endedLevel()
	case pod.Status.Phase == corev1.PodUnknown || pod.Status.Phase == "":
		calm = Unknown
	case podReady(pod):
		calm = OK
	}
	return levelOf(PodProblems(v, pod), calm)
}

// endedLevel: a pod that failed on the way is history once its Job succeeded,
// and any controller replaces it; nobody replaces a bare one.
func (p *patient) endedLevel() Level {
	_, managed := index.Controller(p.pod)
	switch {
	case p.retriedWell():
		return OK
	case managed:
		return Warning
	}
	return Broken
}

func (p *patient) readyCount() string {
	ready, all := 0, 0
	for _, u := range p.units {
		if u.part == AppContainer || u.part == SidecarContainer {
			all++
			if u.status != nil && u.status.Ready {
				ready++
			}
		}
	}
	if all == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", ready, all)
}

func podDetail(pod *corev1.Pod) string {
	var parts []string
	if pod.Status.PodIP != "" {
		parts = append(parts, pod.Status.PodIP)
	}
	if pod.Spec.NodeName != "" {
		parts = append(parts, "on "+pod.Spec.NodeName)
	}
	return strings.Join(parts, " ")
}

// word is the STATUS that kubectl prints (kubernetes pkg/printers/internalversion,
// printPod), except that an OOM kill is not hidden behind the back-off after it.
func (p *patient) word(ps []Problem) string {
	if len(ps) > 0 {
		switch ps[0].Name {
		case "oom":
			return "OOMKilled"
		case nodeNotReady:
			return "node not ready"
		}
	}
	switch {
	case p.pod.Status.Phase == corev1.PodSucceeded:
		return "Completed"
	case p.pod.Status.Reason != "":
		return clip(p.pod.Status.Reason, 30)
	}
	if w := p.initWord(); w != "" {
		return w
	}
	if c, _ := p.condition(corev1.PodScheduled); c != nil && c.Status != corev1.ConditionTrue && c.Reason == corev1.PodReasonSchedulingGated {
		return "SchedulingGated"
	}
	for _, u := range slices.Backward(p.units) {
		if u.part == AppContainer && u.status != nil {
			if w := stateWord(u.status.State); w != "" {
				return clip(w, 30)
			}
		}
	}
	if p.pod.Status.Phase == corev1.PodRunning && !podReady(p.pod) {
		return "not ready"
	}
	return clip(cmp.Or(string(p.pod.Status.Phase), "no status"), 30)
}

func (p *patient) initWord() string {
	for i, u := range p.units {
		if u.part != InitContainer && u.part != SidecarContainer || u.status == nil {
			continue
		}
		st := u.status.State
		done := u.part == InitContainer && st.Terminated != nil && st.Terminated.ExitCode == 0 ||
			u.part == SidecarContainer && u.status.Started != nil && *u.status.Started
		if done {
			continue
		}
		if w := stateWord(st); w != "" && w != "PodInitializing" {
			return clip("Init:"+w, 30)
		}
		return fmt.Sprintf("Init:%d/%d", i, len(p.pod.Spec.InitContainers))
	}
	return ""
}

func stateWord(st corev1.ContainerState) string {
	switch {
	case st.Waiting != nil:
		return st.Waiting.Reason
	case st.Terminated != nil && st.Terminated.Reason != "":
		return st.Terminated.Reason
	case st.Terminated != nil && st.Terminated.Signal != 0:
		return fmt.Sprintf("Signal:%d", st.Terminated.Signal)
	case st.Terminated != nil:
		return fmt.Sprintf("ExitCode:%d", st.Terminated.ExitCode)
	}
	return ""
}
