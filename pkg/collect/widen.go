package collect

import (
	"math"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// many is from how many selections among the objects of a kind and namespace on
// all of them are read instead. For each selection the server goes over all
// objects, which takes it a few hundredths of the time that sending them takes;
// events, which it does not cache, it fetches from etcd and decodes each time
// (k8s.io/kubernetes pkg/registry/core/event), which takes a fifth of it.
func many(kind schema.GroupKind) int {
	if kind.Kind == "Event" {
		return 8
	}
	return 256
}

// widened puts one read of all in the place of many selections.
func widened(qs []source.Query) []source.Query {
	all := func(q source.Query) (source.Query, bool) {
		selection := q.Name == "" && (q.Labels != "" || q.Fields != "")
		q.Labels, q.Fields = "", ""
		return q, selection
	}
	selections := map[source.Query]int{}
	for _, q := range qs {
		if wide, ok := all(q); ok {
			selections[wide]++
		}
	}
	var out []source.Query
	for _, q := range qs {
		wide, ok := all(q)
		switch {
		case !ok || selections[wide] < many(q.Kind):
			out = append(out, q)
		case selections[wide] < math.MaxInt: // the first of them
			selections[wide] = math.MaxInt
			out = append(out, wide)
		}
	}
	return out
}
