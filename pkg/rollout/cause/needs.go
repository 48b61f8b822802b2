package cause

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Pods of one revision mostly fail alike: a few of them tell the story.
const (
	witnesses    = 3
	logLines     = 20
	fewNodes     = 8  // more than these are read as one list
	fewObjects   = 16 // ConfigMaps, Secrets and claims that one template names
	patientFor   = 10 * time.Second
	eventsOfKind = "Event"
)

// Needs are the reads that the judgement wants beside the workload, its
// revisions and its pods. Queries are followed by watches, so there are few:
// one namespace-wide list of events tells of all pods there will be.
func Needs(v *index.View, w *workload.Workload) ([]source.Query, []source.LogQuery) {
	if v == nil || w == nil || w.Object == nil {
		return nil, nil
	}
	ns := w.Ref.Namespace
	qs := []source.Query{{Kind: schema.GroupKind{Kind: eventsOfKind}, Namespace: ns}}
	for _, kind := range workload.Kinds {
		qs = append(qs, source.Query{Kind: schema.GroupKind{Group: "apps", Kind: kind}, Namespace: ns})
	}
	qs = append(qs, creationNeeds(v, w)...)
	qs = append(qs, nodeNeeds(v, w)...)
	var logs []source.LogQuery
	referenced, seen := false, 0
	for _, p := range w.Pods {
		if !p.Live() || seen == witnesses {
			continue
		}
		ps := health.PodProblems(v, p.Pod)
		if len(ps) == 0 || !p.New && !trapped(w, p) {
			continue
		}
		seen++
		logs = append(logs, lastLogs(p)...)
		for _, problem := range ps {
			switch problem.Name {
			case "config-object-missing", "config-key-missing", "mount-object-missing", "mount-failed":
				referenced = true
			case "image-auth":
				for _, s := range p.Spec.ImagePullSecrets {
					qs = append(qs, byName(object.Ref{Version: "v1", Kind: "Secret", Namespace: ns, Name: s.Name}, true))
				}
			case "pvc-pending", "pv-zone", "rwo-deadlock":
				qs = append(qs, claimNeeds(v, p)...)
			}
			if r := problem.Missing; !r.IsZero() {
				qs = append(qs, byName(r, r.Kind != "ConfigMap"))
			}
			qs = append(qs, problem.Ask...)
		}
	}
	if referenced {
		for _, r := range references(w.Template, ns) {
			qs = append(qs, byName(r, r.Kind != "ConfigMap"))
		}
	}
	slices.SortFunc(qs, source.Query.Compare)
	return slices.Compact(qs), logs
}

func byName(r object.Ref, metadata bool) source.Query {
	return source.Query{Kind: r.GroupKind(), Namespace: r.Namespace, Name: r.Name, Metadata: metadata}
}

// trapped says whether an old pod may be what an ordered StatefulSet waits for.
func trapped(w *workload.Workload, p workload.Pod) bool {
	set, ok := w.Object.(*appsv1.StatefulSet)
	if !ok || w.Strategy.Parallel {
		return false
	}
	q, _, found := firstUnready(w, set)
	return found && q.UID == p.UID
}

// creationNeeds reads what refusals name: only a look tells whether it is
// really missing, or really full.
func creationNeeds(v *index.View, w *workload.Workload) []source.Query {
	var qs []source.Query
	for _, p := range stateOf(v, makerOf(w)).Problems {
		if p.Name == "quota" {
			qs = append(qs, source.Query{Kind: quotaKind, Namespace: w.Ref.Namespace})
		}
		if r := p.Missing; !r.IsZero() {
			qs = append(qs, byName(r, true))
		}
	}
	return qs
}

// nodeNeeds asks for the nodes of pods that have not become ready in a moment,
// and for all of them where the scheduler finds none.
func nodeNeeds(v *index.View, w *workload.Workload) []source.Query {
	names := map[string]bool{}
	for _, p := range w.Pods {
		switch c := condition(p.Pod, corev1.PodScheduled); {
		case p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed:
		case p.Spec.NodeName == "" && p.New && p.DeletionTimestamp == nil && c != nil && c.Status == corev1.ConditionFalse:
			return []source.Query{{Kind: nodeKind}}
		case p.Spec.NodeName != "" && !p.Ready() && v.Now.Sub(p.CreationTimestamp.Time) > patientFor:
			names[p.Spec.NodeName] = true
		}
	}
	if len(names) > fewNodes {
		return []source.Query{{Kind: nodeKind}}
	}
	var qs []source.Query
	for name := range names { // Needs puts them in order
		qs = append(qs, source.Query{Kind: nodeKind, Name: name})
	}
	return qs
}

func claimNeeds(v *index.View, p workload.Pod) []source.Query {
	var qs []source.Query
	for _, ref := range claimsOf(p.Pod) {
		if len(qs) >= fewObjects {
			break
		}
		qs = append(qs, byName(ref, false))
		it, _ := v.Get(ref)
		if claim, ok := it.Object.(*corev1.PersistentVolumeClaim); ok && claim.Spec.StorageClassName != nil && *claim.Spec.StorageClassName != "" {
			qs = append(qs, source.Query{Kind: schema.GroupKind{Group: "storage.k8s.io", Kind: "StorageClass"}, Name: *claim.Spec.StorageClassName})
		}
	}
	return qs
}

// references are the ConfigMaps and Secrets that a template names and cannot do
// without.
func references(t *corev1.PodTemplateSpec, namespace string) []object.Ref {
	if t == nil {
		return nil
	}
	var refs []object.Ref
	add := func(kind, name string, optional *bool) {
		r := object.Ref{Version: "v1", Kind: kind, Namespace: namespace, Name: name}
		if name != "" && (optional == nil || !*optional) && len(refs) < fewObjects && !slices.Contains(refs, r) {
			refs = append(refs, r)
		}
	}
	for _, c := range slices.Concat(t.Spec.InitContainers, t.Spec.Containers) {
		for _, from := range c.EnvFrom {
			if s := from.ConfigMapRef; s != nil {
				add("ConfigMap", s.Name, s.Optional)
			}
			if s := from.SecretRef; s != nil {
				add("Secret", s.Name, s.Optional)
			}
		}
		for _, e := range c.Env {
			if e.ValueFrom == nil {
				continue
			}
			if s := e.ValueFrom.ConfigMapKeyRef; s != nil {
				add("ConfigMap", s.Name, s.Optional)
			}
			if s := e.ValueFrom.SecretKeyRef; s != nil {
				add("Secret", s.Name, s.Optional)
			}
		}
	}
	for _, vol := range t.Spec.Volumes {
		if s := vol.ConfigMap; s != nil {
			add("ConfigMap", s.Name, s.Optional)
		}
		if s := vol.Secret; s != nil {
			add("Secret", s.SecretName, s.Optional)
		}
		if s := vol.PersistentVolumeClaim; s != nil {
			add("PersistentVolumeClaim", s.ClaimName, nil)
		}
	}
	return refs
}

// lastLogs asks for the last words of containers that ended badly: while the
// next run waits or runs they are the previous one's.
func lastLogs(p workload.Pod) []source.LogQuery {
	var qs []source.LogQuery
	for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		q := source.LogQuery{Namespace: p.Namespace, Pod: p.Name, UID: string(p.UID), Container: s.Name, Lines: logLines}
		switch {
		case s.State.Terminated != nil && s.State.Terminated.ExitCode != 0:
			qs = append(qs, q)
		case s.LastTerminationState.Terminated != nil && (!s.Ready || s.LastTerminationState.Terminated.ExitCode != 0):
			q.Previous = true
			qs = append(qs, q)
		}
	}
	return qs
}
