package cause

import (
	"regexp"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// creations are the names under which a pod's creation is refused.
var creations = []string{
	"quota", "limitrange", "webhook-denied", "webhook-unreachable", "podsecurity", "sa-missing", "priorityclass-missing", "rs-create-error",
}

// creation tells why pods of the new revision are not there. A Deployment's
// ReplicaFailure may be an old ReplicaSet's, so the new one is asked;
// StatefulSets and DaemonSets say it in events alone.
func (j *judgement) creation() {
	owner := makerOf(j.w)
	for _, p := range stateOf(j.v, owner).Problems {
		if !slices.Contains(creations, p.Name) || j.w.Current == nil && p.Name != "rs-create-error" {
			continue
		}
		c := fromProblem(p, owner.Ref)
		at := j.refusedAt(owner)
		grace := j.temperRefusal(&c, p, at)
		if c.Terminal && j.outdated(owner) {
			c.Terminal, c.Severity = false, finding.Warning
		}
		if c.Terminal && !at.IsZero() {
			at = at.Add(grace)
		}
		c.Since = j.m.stamp(key{code: c.Code, about: owner.Ref.Key()}, c.Terminal, j.v.Now, at)
		j.add(c)
	}
}

// makerOf is the object whose controller makes the new pods.
func makerOf(w *workload.Workload) index.Item {
	if _, ok := w.Object.(*appsv1.Deployment); ok && w.Current != nil {
		return w.Current.Object
	}
	return index.Item{Ref: w.Ref, Object: w.Object}
}

// stateOf judges all pods of an owner, so it is kept: what to read and what to
// say both depend on it.
func stateOf(v *index.View, owner index.Item) health.State {
	return index.Memo(v, ownerState{owner.Ref}, func() health.State { return health.Of(v, owner) })
}

type ownerState struct{ of object.Ref }

// refusedAt is since when creation is refused.
func (j *judgement) refusedAt(owner index.Item) time.Time {
	switch o := owner.Object.(type) {
	case *appsv1.ReplicaSet:
		for _, c := range o.Status.Conditions {
			if c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue {
				return c.LastTransitionTime.Time
			}
		}
	case *appsv1.Deployment:
		if c, _ := progressing(o); c != nil {
			return c.LastUpdateTime.Time
		}
	}
	e := lastEvent(j.v, owner.Object, func(e *corev1.Event) bool { return e.Reason == "FailedCreate" })
	if e != nil && !e.FirstTimestamp.IsZero() {
		return e.FirstTimestamp.Time
	}
	return eventAt(e)
}

// outdated says that pods came or went since an event told of a refusal: it
// may be one from before, when more pods were asked for. Events carry whole
// seconds and another's clock. A condition is taken away by success.
func (j *judgement) outdated(owner index.Item) bool {
	if set, ok := owner.Object.(*appsv1.ReplicaSet); ok && slices.ContainsFunc(set.Status.Conditions, func(c appsv1.ReplicaSetCondition) bool { return c.Type == appsv1.ReplicaSetReplicaFailure }) {
		return false
	}
	e := lastEvent(j.v, owner.Object, func(e *corev1.Event) bool { return e.Reason == "FailedCreate" })
	return e != nil && j.m.pace.moved.Sub(index.EventTime(e)) > 5*time.Second && j.m.standstill(j.v.Now) < full/2
}

// Objects that are applied together do not come into being together.
const applied = 5 * time.Second

// full is how long a quota must have stood in the way, with nothing of the
// rollout moving: the quota's own count lags behind the pods that go.
const full = 30 * time.Second

// temperRefusal returns how long a refusal must last before it is certain.
func (j *judgement) temperRefusal(c *Cause, p health.Problem, at time.Time) (grace time.Duration) {
	text := ""
	if len(p.Evidence) > 0 {
		text = p.Evidence[0].Value
	}
	set := func(certain bool) {
		c.Terminal, c.Severity = certain, map[bool]finding.Severity{true: finding.Error, false: finding.Warning}[certain]
	}
	refused := j.v.Now.Sub(at)
	switch {
	case !p.Missing.IsZero():
		grace = applied
		presence, _ := j.v.Presence(p.Missing)
		set(p.Terminal && refused >= applied && (presence == index.Missing || refused >= 30*time.Second))
	case p.Name == "quota":
		grace = full
		if !p.Terminal { // else it demands what the template lacks, whatever room there is
			set(refused >= full && j.m.standstill(j.v.Now) >= full && !j.moving("") && !quotaHasRoom(j.v, j.w.Ref.Namespace, text))
		} else {
			c.Class, grace = OfRevision, 0
		}
	case p.Name == "rs-create-error":
		switch {
		case passing.MatchString(text):
			set(false)
			c.Class = Passing
		case strings.Contains(text, " is invalid: "):
			set(true)
		}
		if !c.Terminal {
			c.Class = Passing
		}
	}
	return grace
}

// passing are refusals that say nothing about what was to be created.
var passing = regexp.MustCompile(`(?i)failed calling webhook|exceeded quota|etcdserver|timed? ?out|deadline exceeded|connection refused|too many requests|try again|being terminated|object is being deleted|unable to create new content`)

var (
	whichQuota = regexp.MustCompile(`exceeded quota: ([^,:\s]+), requested: (.*?), used: `)
	quotaKind  = schema.GroupKind{Kind: "ResourceQuota"}
)

// quotaHasRoom says that the quota, as it is now, would let in what was asked:
// the controller has merely not tried again.
func quotaHasRoom(v *index.View, namespace, refusal string) bool {
	m := whichQuota.FindStringSubmatch(refusal)
	if m == nil {
		return false
	}
	for _, q := range index.Typed[*corev1.ResourceQuota](v, quotaKind, namespace) {
		if q.Name != m[1] {
			continue
		}
		for pair := range strings.SplitSeq(m[2], ",") {
			name, amount, _ := strings.Cut(pair, "=")
			asked, err := resource.ParseQuantity(amount)
			if err != nil {
				return false
			}
			hard, limited := q.Status.Hard[corev1.ResourceName(name)]
			asked.Add(q.Status.Used[corev1.ResourceName(name)])
			if limited && asked.Cmp(hard) > 0 {
				return false
			}
		}
		return true
	}
	return false
}
