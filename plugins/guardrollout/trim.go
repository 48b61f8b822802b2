package guardrollout

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// trim drops who wrote which field of what comes in thousands. Of a workload
// it is kept: it says who superseded a rollout.
func trim(o source.Object) {
	switch o.(type) {
	case *corev1.Pod, *corev1.Event, *corev1.Node, *discoveryv1.EndpointSlice:
		o.SetManagedFields(nil)
	}
}
