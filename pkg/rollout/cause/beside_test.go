package cause

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Where old pods keep the new one off every node and none may go first, that is
// said, and how to let one go.
func TestOldPodsThatKeepTheNewOneOffTheNodes(t *testing.T) {
	port := func(n int32) podOption {
		return func(p *corev1.Pod) {
			p.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 8080, HostPort: n}}
		}
	}
	unavailable := func(n int32) func(*appsv1.Deployment) {
		return func(d *appsv1.Deployment) {
			d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: new(intstr.FromInt32(1)), MaxUnavailable: new(intstr.FromInt32(n))}}
		}
	}
	waiting := unscheduled(nodesAvailable+"2 node(s) didn't have free ports for the requested pod ports.", time.Minute)
	for name, c := range map[string]struct {
		old         int32
		unavailable int32
		said        bool
	}{
		"they have the port":                   {18080, 0, true},
		"they have another, so a stranger has": {18081, 0, false},
		"one of them may go first":             {18080, 1, false},
	} {
		s := of(deployment(unavailable(c.unavailable)), replicaSet(1, 2), replicaSet(2, 1), pod("web-1-a", 1, port(c.old)), pod("web-1-b", 1, port(c.old)), pod("web-2-x", 2, port(18080), waiting))
		found := find(s.judge(t), "unsched-hostport")
		if found == nil {
			t.Fatalf("%s: it is not found", name)
		}
		if said := strings.Contains(found.Message, "maxUnavailable 0") && strings.Contains(found.Fix[0].Command, `"maxUnavailable":1`); said != c.said {
			t.Errorf("%s: %s %v", name, found.Message, found.Fix)
		}
	}
}
