package tree

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/relation"
)

// place is where an object stands among what its owner owns.
type place struct {
	it       index.Item
	kind     int
	revision int64
	level    int
	stem     string // of its name, before the number at its end
	ordinal  int    // that number
}

// ordered puts what an object owns into the order in which it is read: the
// newest revision first, then what is broken, then by name, with the numbers
// of a StatefulSet's pods in their own order.
func (b *builder) ordered(owned []index.Item) []index.Item {
	places := make([]place, 0, len(owned))
	for _, it := range owned {
		p := place{it: it, kind: kindRank(it.Ref), revision: revisionOf(it), level: rank(b.state(it).Level)}
		p.stem, p.ordinal = ordinal(it.Ref.Name)
		places = append(places, p)
	}
	slices.SortStableFunc(places, func(x, y place) int {
		return cmp.Or(
			cmp.Compare(x.kind, y.kind),
			-cmp.Compare(x.revision, y.revision),
			cmp.Compare(x.level, y.level),
			-cmpTimes(x.it, y.it),
			compareNames(x, y),
		)
	})
	sorted := make([]index.Item, 0, len(places))
	for _, p := range places {
		sorted = append(sorted, p.it)
	}
	return sorted
}

func cmpTimes(x, y index.Item) int {
	if x.Ref.Kind != "Job" || y.Ref.Kind != "Job" {
		return 0
	}
	return x.Object.GetCreationTimestamp().Compare(y.Object.GetCreationTimestamp().Time)
}

func compareNames(x, y place) int {
	if x.stem == y.stem && x.ordinal != y.ordinal {
		return cmp.Compare(x.ordinal, y.ordinal)
	}
	return object.Compare(x.it.Ref, y.it.Ref)
}

func ordinal(name string) (string, int) {
	i := strings.LastIndex(name, "-")
	n, err := strconv.Atoi(name[i+1:])
	if err != nil {
		return name, 0
	}
	return name[:i+1], n
}

// outermostFirst puts what leads traffic in before the workloads behind it, and
// those before what they need, so that each is drawn where it belongs rather
// than at the first mention of its name.
func outermostFirst(edges []relation.Edge) []relation.Edge {
	sorted := slices.Clone(edges)
	slices.SortStableFunc(sorted, func(x, y relation.Edge) int {
		return cmp.Compare(layer(x), layer(y))
	})
	return sorted
}

func layer(e relation.Edge) int {
	switch {
	case e.Row.Side != relation.Down:
		return 0
	case e.To.Kind == "Gateway" || e.To.Kind == "Ingress":
		return 1
	case strings.HasSuffix(e.To.Kind, "Route"):
		return 2
	case e.To.Kind == "Service":
		return 3
	case relation.PodSpecPath(e.To.GroupKind()) != "":
		return 4
	}
	return 5
}

// kindRank puts what runs before what records.
func kindRank(r object.Ref) int {
	switch r.Kind {
	case "ControllerRevision":
		return 2
	case "EndpointSlice":
		return 1
	}
	return 0
}

// rank puts the worst first.
func rank(l health.Level) int {
	switch l {
	case health.Broken:
		return 0
	case health.Warning:
		return 1
	case health.Progressing:
		return 2
	case health.Unknown:
		return 3
	}
	return 4
}

// whyOwned is what the row of an owned object says of itself.
func (b *builder) whyOwned(it index.Item) string {
	switch o := it.Object.(type) {
	case *appsv1.ReplicaSet:
		return b.replicaSetWhy(o)
	case *appsv1.ControllerRevision:
		return b.controllerRevisionWhy(o)
	case *appsv1.Deployment:
		if r := o.Annotations[revisionAnnotation]; r != "" {
			return "revision " + r
		}
	case *corev1.Pod:
		return o.Spec.NodeName
	}
	return ""
}
