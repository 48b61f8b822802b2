package collect

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

func TestManySelectionsBecomeOneRead(t *testing.T) {
	event := schema.GroupKind{Kind: "Event"}
	pods := func(n int) (qs []source.Query) {
		for i := range n {
			qs = append(qs, source.Query{Kind: podKind, Namespace: "shop", Labels: fmt.Sprintf("app=%d", i)})
		}
		return qs
	}
	events := func(n int) (qs []source.Query) {
		for i := range n {
			qs = append(qs, source.Query{Kind: event, Namespace: "shop", Fields: fmt.Sprintf("involvedObject.uid=%d", i)})
		}
		return qs
	}
	other := []source.Query{{Kind: podKind, Namespace: "shop", Name: "web"}, {Kind: podKind, Namespace: "bank", Labels: "app=1"}}
	for name, tc := range map[string]struct{ in, want []source.Query }{
		"few stay as they are":         {append(pods(255), other...), append(pods(255), other...)},
		"many of one kind":             {append(pods(256), other...), append([]source.Query{{Kind: podKind, Namespace: "shop"}}, other...)},
		"events, which cost the most":  {events(8), []source.Query{{Kind: event, Namespace: "shop"}}},
		"few events":                   {events(7), events(7)},
		"names are asked one by one":   {other[:1], other[:1]},
		"nothing is nothing":           {nil, nil},
		"metadata is a read by itself": {metadata(pods(256)), []source.Query{{Kind: podKind, Namespace: "shop", Metadata: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, widened(tc.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func metadata(qs []source.Query) []source.Query {
	for i := range qs {
		qs[i].Metadata = true
	}
	return qs
}
