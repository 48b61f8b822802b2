package relation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"

	"github.com/leadsman-dev/leadsman/pkg/index"
)

// say fills in a row's sentence. {@word} asks for something that no single
// field says.
func (t *Table) say(sentence string, element value, it index.Item) string {
	if before, rest, ok := strings.Cut(sentence, "{@"); ok {
		word, after, _ := strings.Cut(rest, "}")
		return t.walk.fill(before+t.word(word, element, it)+after, element)
	}
	return t.walk.fill(sentence, element)
}

func (t *Table) word(word string, element value, it index.Item) string {
	switch word {
	case "mounts":
		return t.mounts(element, it)
	case "selector":
		if s, ok := it.Object.(*corev1.Service); ok {
			return pairs(s.Spec.Selector)
		}
	case "replicas":
		if h, ok := it.Object.(*autoscalingv2.HorizontalPodAutoscaler); ok {
			return fmt.Sprintf("%d–%d replicas", orOne(h.Spec.MinReplicas), h.Spec.MaxReplicas)
		}
		return "scales it"
	case "budget":
		return budget(it)
	case "grantees":
		return t.grantees(it)
	case "event":
		if e, ok := it.Object.(*corev1.Event); ok {
			return e.Reason + ": " + e.Message
		}
	}
	return ""
}

// mounts says where the containers of the pod see a volume.
func (t *Table) mounts(volume value, it index.Item) string {
	name := t.walk.first(volume, "name")
	spec := PodSpecPath(it.Ref.GroupKind())
	var at []string
	for _, list := range []string{".containers[].volumeMounts[]", ".initContainers[].volumeMounts[]"} {
		for _, m := range t.walk.find(rootOf(it.Object), spec+list) {
			if path := t.walk.first(m, "mountPath"); t.walk.first(m, "name") == name && !contains(at, path) {
				at = append(at, path)
			}
		}
	}
	if len(at) == 0 {
		return "volume " + name + ", mounted nowhere"
	}
	return "mounted at " + strings.Join(at, ", ")
}

// pairs writes labels in the order in which people read them: sorted.
func pairs(set map[string]string) string {
	return strings.Join(sortedPairs(set), ",")
}

func orOne(p *int32) int32 {
	if p == nil {
		return 1
	}
	return *p
}

func budget(it index.Item) string {
	p, ok := it.Object.(*policyv1.PodDisruptionBudget)
	switch {
	case !ok:
		return "limits its disruptions"
	case p.Spec.MinAvailable != nil:
		return "at least " + p.Spec.MinAvailable.String() + " available"
	case p.Spec.MaxUnavailable != nil:
		return "at most " + p.Spec.MaxUnavailable.String() + " unavailable"
	}
	return "allows no disruption"
}

func (t *Table) grantees(it index.Item) string {
	var from []string
	for _, f := range t.walk.find(rootOf(it.Object), "spec.from[]") {
		from = append(from, t.walk.first(f, "kind")+" in "+t.walk.first(f, "namespace"))
	}
	return strings.Join(from, ", ")
}

func sortedPairs(set map[string]string) []string {
	out := make([]string, 0, len(set))
	for k, v := range set {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return out
}

func itoa(i int) string { return strconv.Itoa(i) }
