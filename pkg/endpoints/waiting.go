package endpoints

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// waitsFor says what a pod that has not failed is waiting for, before that has
// lasted so long that it is a failure.
func (c *subject) waitsFor(pod *corev1.Pod) (words string, evidence []finding.Evidence) {
	for i := range pod.Status.InitContainerStatuses {
		s := &pod.Status.InitContainerStatuses[i]
		spec := specOf(pod.Spec.InitContainers, s.Name)
		if run := s.State.Running; run != nil && spec != nil && !restartable(spec) {
			words = fmt.Sprintf("its init container %q has to end first, and has been running for %s", s.Name, since(c.age(run.StartedAt.Time)))
			return words, []finding.Evidence{fact(podRef(pod), fmt.Sprintf("status.initContainerStatuses[%d].state.running.startedAt", i), run.StartedAt.UTC().Format(time.RFC3339))}
		}
	}
	for i := range pod.Status.ContainerStatuses {
		s := &pod.Status.ContainerStatuses[i]
		spec := specOf(pod.Spec.Containers, s.Name)
		if spec == nil || s.Ready || s.State.Running == nil {
			continue
		}
		probe, field := "readiness", "ready"
		switch {
		case s.Started != nil && !*s.Started && spec.StartupProbe != nil:
			probe, field = "startup", "started"
		case spec.ReadinessProbe == nil:
			continue
		}
		words = fmt.Sprintf("the %s probe of its container %q has not passed yet", probe, s.Name)
		evidence = []finding.Evidence{fact(podRef(pod), fmt.Sprintf("status.containerStatuses[%d].%s", i, field), "false")}
		if e := c.failedProbe(pod, spec.Name, probe); e != nil {
			_, said, _ := strings.Cut(e.Message, ": ")
			words += " (" + strings.TrimSpace(said) + ")"
			evidence = append(evidence, finding.Evidence{Object: podRef(pod), Field: "event " + e.Reason, Value: e.Message})
		}
		return words, evidence
	}
	return "", nil
}

func since(d time.Duration) string { return duration.HumanDuration(d) }

func specOf(containers []corev1.Container, name string) *corev1.Container {
	if i := slices.IndexFunc(containers, func(k corev1.Container) bool { return k.Name == name }); i >= 0 {
		return &containers[i]
	}
	return nil
}

// failedProbe is the kubelet's newest word on a probe that failed.
func (c *subject) failedProbe(pod *corev1.Pod, container, probe string) *corev1.Event {
	for _, e := range slices.Backward(c.v.Events(pod.UID)) {
		if e.Reason == "Unhealthy" && strings.HasSuffix(e.InvolvedObject.FieldPath, "{"+container+"}") && strings.HasPrefix(strings.ToLower(e.Message), probe+" probe failed: ") {
			return e
		}
	}
	return nil
}
