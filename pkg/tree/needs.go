package tree

import (
	"cmp"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// A workload's pods mostly fail alike: the events and logs of a few of them
// tell the story, and five hundred requests tell no more.
const (
	witnesses    = 3  // unwell pods of one owner that are asked further
	allWitnesses = 24 // unwell objects in all
	logLines     = 20
)

// Needs are the reads that the judgement wants beside the relations: what the
// analyzers declare, and the events, logs and nodes of what is unwell.
func Needs(g *relation.Graph, roots []object.Ref) ([]source.Query, []source.LogQuery) {
	var qs []source.Query
	for _, a := range Analyzers() {
		if a.Needs != nil {
			qs = append(qs, a.Needs(g, roots)...)
		}
	}
	var logs []source.LogQuery
	for _, it := range unwell(g, roots) {
		qs = append(qs, missingOf(g.View, it)...)
		pod, isPod := it.Object.(*corev1.Pod)
		if isPod {
			logs = append(logs, crashLogs(pod)...)
			if pod.Spec.NodeName != "" {
				qs = append(qs, source.Query{Kind: schema.GroupKind{Kind: "Node"}, Name: pod.Spec.NodeName})
			}
		}
		if why := unscheduledBecause(pod); strings.Contains(why, "taint") || health.OfDevices(why) {
			qs = append(qs, source.Query{Kind: schema.GroupKind{Kind: "Node"}})
		} else if strings.Contains(why, health.NotProvisioned) {
			qs = append(qs, eventsOfClaims(g.View, pod)...)
		}
		switch uid := it.Object.GetUID(); {
		case uid == "":
		case isPod && pod.Spec.NodeName == "" && !autoscaled(g.View):
			qs = append(qs, autoscaler)
		case isPod && !eventsTellMore(g.View.Now, pod):
		default:
			qs = append(qs, eventsOf(it))
		}
	}
	slices.SortFunc(qs, source.Query.Compare)
	return slices.Compact(qs), logs
}

// unscheduledBecause is what the scheduler says of a pod. It counts the nodes
// with taints, or without a device, and does not name them: they are read then.
func unscheduledBecause(pod *corev1.Pod) string {
	if pod == nil || pod.Spec.NodeName != "" {
		return ""
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return c.Message
		}
	}
	return ""
}

// eventsOfClaims say why no volume was made for a claim that itself looks as if it
// waited for its first consumer.
func eventsOfClaims(v *index.View, pod *corev1.Pod) []source.Query {
	var qs []source.Query
	for _, volume := range pod.Spec.Volumes {
		if it, ok := v.Get(object.Ref{Kind: "PersistentVolumeClaim", Namespace: pod.Namespace, Name: index.ClaimOf(pod, volume)}); ok {
			qs = append(qs, eventsOf(it))
		}
	}
	return qs
}

func eventsOf(it index.Item) source.Query {
	return source.Query{Kind: schema.GroupKind{Kind: "Event"}, Namespace: it.Ref.Namespace, Fields: "involvedObject.uid=" + string(it.Object.GetUID())}
}

// autoscaler is where the cluster autoscaler reports itself. Only where one runs
// does an event of a pod that is not scheduled say more than its condition
// does; and to select events by object the server reads all of a namespace's.
var autoscaler = source.Query{Kind: schema.GroupKind{Kind: "ConfigMap"}, Namespace: "kube-system", Name: "cluster-autoscaler-status", Metadata: true}

func autoscaled(v *index.View) bool {
	_, karpenter := v.Served(schema.GroupKind{Group: "karpenter.sh", Kind: "NodePool"})
	_, found := v.Get(object.Ref{Kind: "ConfigMap", Namespace: autoscaler.Namespace, Name: autoscaler.Name})
	return karpenter || found
}

// patience is how long a container may be in creation before one asks why.
const patience = 5 * time.Second

// eventsTellMore says whether a pod's events hold what its status does not:
// which probe killed it, what a mount waits for, how a readiness probe fails.
func eventsTellMore(now time.Time, pod *corev1.Pod) bool {
	if pod.Spec.NodeName == "" {
		return true
	}
	probed := map[string]bool{}
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		probed[c.Name] = c.LivenessProbe != nil || c.StartupProbe != nil || c.ReadinessProbe != nil || c.Lifecycle != nil
	}
	statuses := slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
	for _, s := range statuses {
		waiting := s.State.Waiting
		switch {
		case waiting != nil && (waiting.Reason == "ContainerCreating" || waiting.Reason == "PodInitializing"):
			if now.Sub(pod.CreationTimestamp.Time) > patience {
				return true
			}
		case waiting != nil && waiting.Reason != "CrashLoopBackOff":
			continue // the reason comes with a message
		case probed[s.Name]:
			return true
		}
	}
	return len(statuses) == 0
}

// missingOf reads what an object says that it waits for: only a look tells
// whether it is really missing.
func missingOf(v *index.View, it index.Item) []source.Query {
	var qs []source.Query
	for _, problem := range health.Of(v, it).Problems {
		if r := problem.Missing; !r.IsZero() {
			qs = append(qs, source.Query{Kind: r.GroupKind(), Namespace: r.Namespace, Name: r.Name, Metadata: true})
		}
		qs = append(qs, problem.Ask...)
	}
	return qs
}

// unwell are the objects of the answer that are not well, worst first, a few
// of each owner.
func unwell(g *relation.Graph, roots []object.Ref) []index.Item {
	b := newBuilder(g, roots, Options{})
	b.outline = true
	b.forest(roots)
	shown := b.shown()
	slices.SortStableFunc(shown, func(x, y index.Item) int {
		return cmp.Compare(rank(b.state(x).Level), rank(b.state(y).Level))
	})
	perOwner := map[object.Ref]int{}
	var out []index.Item
	for _, it := range shown {
		if !asksFurther(b.state(it), it) || len(out) == allWitnesses {
			continue
		}
		owner := it.Ref.Key()
		if owners := g.Owners(it.Ref); len(owners) > 0 {
			owner = owners[0].Ref.Key()
		}
		if perOwner[owner]++; perOwner[owner] <= witnesses {
			out = append(out, it)
		}
	}
	return out
}

// asksFurther says whether events may explain an object's state. A Deployment
// and its ReplicaSets say all in their conditions, and a Service is as its pods are.
func asksFurther(s health.State, it index.Item) bool {
	switch {
	case it.Ref.Kind == "Deployment" || it.Ref.Kind == "ReplicaSet" || it.Ref.Kind == "Service":
		return false
	case lacksPods(it):
		return true
	}
	return (s.Level == health.Broken || s.Level == health.Warning || s.Level == health.Progressing) && !source.MetadataOnly(it.Object)
}

// lacksPods says that a workload has fewer pods than it wants: StatefulSets and
// DaemonSets say why only in events.
func lacksPods(it index.Item) bool {
	switch o := it.Object.(type) {
	case *appsv1.StatefulSet:
		return o.Spec.Replicas != nil && o.Status.Replicas < *o.Spec.Replicas
	case *appsv1.DaemonSet:
		return o.Status.CurrentNumberScheduled < o.Status.DesiredNumberScheduled
	}
	return false
}

// crashLogs asks for the last words of the containers that ended badly: of the
// previous run where there was one, of this one where it has just ended.
func crashLogs(pod *corev1.Pod) []source.LogQuery {
	var qs []source.LogQuery
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		q := source.LogQuery{Namespace: pod.Namespace, Pod: pod.Name, UID: string(pod.UID), Container: s.Name, Lines: logLines}
		switch {
		case s.State.Terminated != nil && s.State.Terminated.ExitCode != 0:
			qs = append(qs, q)
		case s.LastTerminationState.Terminated != nil && s.RestartCount > 0 && (!s.Ready || s.LastTerminationState.Terminated.ExitCode != 0):
			q.Previous = s.State.Running != nil // while the next one waits, the current log is the dead one's
			qs = append(qs, q)
		}
	}
	return qs
}
