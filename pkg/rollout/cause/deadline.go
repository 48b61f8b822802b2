package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// unhurried is the deadline where the workload has none of its own
// (pkg/apis/apps/v1, SetDefaults_Deployment).
const unhurried = 600 * time.Second

// lag is a controller that does not act on the newest spec.
func (j *judgement) lag() {
	for _, p := range health.Of(j.v, index.Item{Ref: j.w.Ref, Object: j.w.Object}).Problems {
		if p.Name != "observed-lag" {
			continue
		}
		// Without managedFields nothing records when the spec was written.
		seen := j.v.Now.Sub(j.m.lag.since)
		if len(j.w.Object.GetManagedFields()) == 0 && j.w.Generation > 1 && seen <= 30*time.Second {
			continue
		}
		c := fromProblem(p, j.w.Ref)
		c.Class = Passing
		j.add(c)
	}
}

// deadlines are verdicts on time alone: the Deployment's own, and that of a
// clock which flapping does not turn back. Both follow from something else.
func (j *judgement) deadlines() {
	j.m.root = j.root()
	d, _ := j.w.Object.(*appsv1.Deployment)
	if d != nil && j.exceeded() {
		c, field := progressing(d)
		if j.counts(d, c) {
			cause := j.timeout("progress-deadline", fmt.Sprintf("the rollout made no progress for %s, its progressDeadlineSeconds", seconds(j.deadline())),
				j.fact(field+".reason", c.Reason), j.fact(field+".message", c.Message))
			cause.Since = j.m.stamp(key{code: cause.Code, about: j.w.Ref.Key()}, true, j.v.Now, c.LastUpdateTime.Time)
			j.add(cause)
			return
		}
		if j.ofCurrent(c) {
			return // of this rollout, or of one to the same ReplicaSet: a moment tells
		}
		if slices.ContainsFunc(j.v.Gaps, func(g source.Gap) bool { return g.Kind.Kind == "ReplicaSet" }) {
			return // whose deadline it is cannot be told
		}
		j.add(j.info("stale-deadline", "the Deployment still shows the deadline of an earlier rollout, which does not count for this one", Normal,
			j.fact(field+".reason", c.Reason), j.fact(field+".lastUpdateTime", c.LastUpdateTime.UTC().Format(time.RFC3339))))
	}
	if j.neverFires() {
		p := j.m.pace
		cause := j.timeout("deadline-never-fires", fmt.Sprintf("for %s no more than %d of %d new pods were available at once: they become ready and fail again, which turns back every other clock", seconds(j.v.Now.Sub(p.bestAt)), p.best, j.w.Goal),
			j.flapping()...)
		cause.Since = j.m.stamp(key{code: cause.Code, about: j.w.Ref.Key()}, true, j.v.Now, p.bestAt.Add(j.deadline()+j.w.MinReady))
		j.add(cause)
	}
}

func progressing(d *appsv1.Deployment) (*appsv1.DeploymentCondition, string) {
	for i := range d.Status.Conditions {
		if c := &d.Status.Conditions[i]; c.Type == appsv1.DeploymentProgressing {
			return c, fmt.Sprintf("status.conditions[%d]", i)
		}
	}
	return nil, ""
}

// exceeded says that the Deployment shows its verdict on the observed spec.
func (j *judgement) exceeded() bool {
	d, ok := j.w.Object.(*appsv1.Deployment)
	if !ok || j.w.Observed < j.w.Generation {
		return false
	}
	c, _ := progressing(d)
	return c != nil && c.Reason == "ProgressDeadlineExceeded"
}

// settle is for how long a verdict may outlive the rollout that it was passed on.
const settle = 2 * time.Second

// counts says whether the verdict is on this rollout. An undo to a ReplicaSet
// that exists leaves the old one standing until the first progress (about
// 0.2 s): it names another ReplicaSet, or is older than the rollout. One that
// stays, and names the current one, is of a rollout that had failed before
// anybody watched.
func (j *judgement) counts(d *appsv1.Deployment, c *appsv1.DeploymentCondition) bool {
	current := j.ofCurrent(c)
	if !current && strings.HasPrefix(c.Message, "ReplicaSet ") {
		return false
	}
	// Conditions carry whole seconds.
	if !c.LastUpdateTime.Time.Before(j.m.start.Truncate(time.Second)) {
		return true
	}
	if !current {
		return false
	}
	k := fmt.Sprintf("%d/%s", d.Generation, j.w.Current.Object.Ref.Name)
	if j.m.stale[k].IsZero() {
		j.m.stale[k] = j.v.Now
	}
	return j.v.Now.Sub(j.m.stale[k]) >= settle
}

// ofCurrent says that the condition names the ReplicaSet that is rolled out.
func (j *judgement) ofCurrent(c *appsv1.DeploymentCondition) bool {
	return j.w.Current != nil && strings.Contains(c.Message, `"`+j.w.Current.Object.Ref.Name+`"`)
}

// overdue says that the time for this rollout is over, by either clock.
func (j *judgement) overdue() bool {
	if d, ok := j.w.Object.(*appsv1.Deployment); ok && j.exceeded() {
		if c, _ := progressing(d); j.counts(d, c) {
			return true
		}
	}
	return j.neverFires()
}

// overdueFacts are the Deployment's own verdict, where it has passed one.
func (j *judgement) overdueFacts() []finding.Evidence {
	d, ok := j.w.Object.(*appsv1.Deployment)
	if !ok || !j.exceeded() {
		return nil
	}
	c, field := progressing(d)
	return []finding.Evidence{j.fact(field+".reason", c.Reason)}
}

// neverFires: the clock of this program. Without flapping a Deployment's own
// verdict comes first, and a StatefulSet may simply take long.
func (j *judgement) neverFires() bool {
	p := j.m.pace
	if j.w.Paused || j.w.OnDelete() || j.w.Current == nil || p.best+len(j.down) >= j.w.Goal || j.w.Ref.Kind == "Deployment" && j.w.Deadline == 0 {
		return false
	}
	flapped := p.falls > 0 || p.restarts > p.restartsAt
	return flapped && j.v.Now.Sub(p.bestAt) >= j.deadline()+j.w.MinReady
}

// flapping are the new pods that are not available, and what was restarted.
func (j *judgement) flapping() []finding.Evidence {
	facts := []finding.Evidence{j.fact("status.observedGeneration", fmt.Sprint(j.w.Observed))}
	for _, p := range j.fresh() {
		if c := condition(p.Pod, corev1.PodReady); c != nil {
			facts = append(facts, finding.Evidence{Object: podRef(p.Pod), Field: readyField(p) + ".lastTransitionTime", Value: c.LastTransitionTime.UTC().Format(time.RFC3339)})
		}
		for i, s := range p.Status.ContainerStatuses {
			if s.RestartCount > 0 {
				facts = append(facts, finding.Evidence{Object: podRef(p.Pod), Field: fmt.Sprintf("status.containerStatuses[%d].restartCount", i), Value: fmt.Sprint(s.RestartCount)})
			}
		}
		if len(facts) > 8 {
			break
		}
	}
	return facts
}

func (j *judgement) deadline() time.Duration {
	if j.w.Deadline > 0 {
		return j.w.Deadline
	}
	return unhurried
}

// timeout is a terminal verdict on time, with the deepest other cause as its
// reason and of the same class: to go back does not help a node.
func (j *judgement) timeout(name, message string, evidence ...finding.Evidence) Cause {
	root := j.root()
	if root == nil {
		message += j.waitedFor()
	}
	c := j.info(name, message, Undetermined, evidence...)
	c.Severity, c.Terminal = finding.Error, true
	c.Fix = []finding.Fix{
		run("see the state of its pods and why they are not ready", j.w.Ref.Namespace, "describe", j.w.Ref.Arg()),
		run("or go back to the previous revision", j.w.Ref.Namespace, "rollout", "undo", j.w.Ref.Arg()),
	}
	if root == nil {
		return c
	}
	c.CausedBy = &finding.Cause{Code: root.Code, Object: root.Object}
	c.Class, c.Pods = root.Class, root.Pods
	return c
}

// OnTimeAlone says that a code is a verdict on time, whatever it is due to.
func OnTimeAlone(code string) bool {
	return code == domain+"progress-deadline" || code == domain+"deadline-never-fires"
}

// waitedFor names the first new pod that is not there yet, and for what it
// waits: without a cause that is all there is to go by.
func (j *judgement) waitedFor() string {
	for _, p := range j.fresh() {
		if words := Waiting(j.v, j.w, p); words != "" {
			return fmt.Sprintf("; pod %q waits: %s", p.Name, words)
		}
	}
	return ""
}

// root is the deepest cause that is to be done something about, or the last
// that was seen: pods that flap are well for a moment.
func (j *judgement) root() *Cause {
	roots := slices.DeleteFunc(slices.Clone(j.causes), func(r Cause) bool { return r.Severity == finding.Info || r.CausedBy != nil })
	if len(roots) > 0 {
		return new(slices.MinFunc(roots, compare))
	}
	return j.m.root
}
