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

// ordered puts what an object owns into the order in which it is read: the
// newest revision first, then what is broken, then by name, with the numbers
// of a StatefulSet's pods in their own order.
func (b *builder) ordered(owner index.Item, owned []index.Item) []index.Item {
	sorted := slices.Clone(owned)
	slices.SortStableFunc(sorted, func(x, y index.Item) int {
		return cmp.Or(
			cmp.Compare(kindRank(x.Ref), kindRank(y.Ref)),
			-cmp.Compare(revisionOf(x), revisionOf(y)),
			cmp.Compare(rank(b.state(x).Level), rank(b.state(y).Level)),
			-cmpTimes(x, y),
			compareNames(x.Ref, y.Ref),
		)
	})
	return sorted
}

func cmpTimes(x, y index.Item) int {
	if x.Ref.Kind != "Job" || y.Ref.Kind != "Job" {
		return 0
	}
	return x.Object.GetCreationTimestamp().Compare(y.Object.GetCreationTimestamp().Time)
}

func compareNames(x, y object.Ref) int {
	stemX, ordinalX := ordinal(x.Name)
	stemY, ordinalY := ordinal(y.Name)
	if stemX == stemY {
		if c := cmp.Compare(ordinalX, ordinalY); c != 0 {
			return c
		}
	}
	return object.Compare(x, y)
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
