package rollout

import (
	"slices"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// What may not be read and what the server does not answer are two things, and
// what the judgement does not need is neither.
func TestWhatCouldNotBeSeenIsSaidOnce(t *testing.T) {
	for name, c := range map[string]struct {
		gap  source.Gap
		want []string
	}{
		"events are forbidden":             {source.Gap{Resource: "events", Kind: kindEvent, Reason: source.Forbidden}, []string{"rollout/rbac"}},
		"the server throttles slices":      {source.Gap{Resource: "endpointslices.discovery.k8s.io", Kind: kindSlice, Reason: source.ServerError, Detail: "429"}, []string{"rollout/throttled"}},
		"pods time out":                    {source.Gap{Resource: "pods", Kind: kindPod, Reason: source.TimedOut}, []string{"rollout/throttled"}},
		"a kind that is not served":        {source.Gap{Resource: "events", Kind: kindEvent, Reason: source.NotServed}, nil},
		"a kind that nothing depends upon": {source.Gap{Resource: "leases", Reason: source.Forbidden}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Unix(1000, 0)
			store := source.NewStore(now)
			store.SetKinds(nil, []source.Gap{c.gap})
			w := New(now, []object.Ref{{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web"}}, Options{})
			var got []string
			for _, f := range w.Observe(index.New(store.Contents())).Findings {
				got = append(got, f.Code)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
