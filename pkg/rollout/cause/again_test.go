package cause

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// endedAgo is a pod that lived for some seconds and ended so long ago.
func endedAgo(lived, since time.Duration, reason, message string) podOption {
	return func(p *corev1.Pod) {
		p.CreationTimestamp = ago(since + lived)
		p.Status = corev1.PodStatus{Phase: corev1.PodFailed, StartTime: new(ago(since + lived)), Reason: reason, Message: message,
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: ago(since)}}}
	}
}

func TestPodsThatEndOneAfterTheOtherFailTheRollout(t *testing.T) {
	const (
		sysctl  = `Pod was rejected: forbidden sysctl: "net.core.somaxconn" not allowlisted`
		full    = "Pod was rejected: Node didn't have enough resource: memory, requested: 9, used: 1, capacity: 2"
		tooMuch = "Pod ephemeral local storage usage exceeds the total limit of containers 5Mi. "
		low     = "The node was low on resource: ephemeral-storage."
		instead = "Pod was rejected: Allocate failed due to no healthy devices"
	)
	named := func(d *appsv1.Deployment) { d.Spec.Template.Spec.NodeName = "node-1" }
	for name, c := range map[string]struct {
		reason, message string
		pods            int
		apart           time.Duration // between the end of one and the next one's creation
		change          func(*appsv1.Deployment)
		certain         bool
	}{
		"what the kubelet never admits":                         {reason: "SysctlForbidden", message: sysctl, pods: 3, apart: time.Second, certain: true},
		"two of them":                                           {reason: "SysctlForbidden", message: sysctl, pods: 2, apart: time.Second},
		"three at once":                                         {reason: "SysctlForbidden", message: sysctl, pods: 3, apart: -4 * time.Second},
		"more than its own limit":                               {reason: "Evicted", message: tooMuch, pods: 3, apart: time.Second, certain: true},
		"a node that is short of something":                     {reason: "Evicted", message: low, pods: 5, apart: time.Second},
		"a node without devices":                                {reason: "UnexpectedAdmissionError", message: instead, pods: 5, apart: time.Second},
		"a node that is full, as the scheduler will see":        {reason: "OutOfmemory", message: full, pods: 5, apart: time.Second},
		"a node that is full, where the template names the one": {reason: "OutOfmemory", message: full, pods: 3, apart: time.Second, change: named, certain: true},
	} {
		t.Run(name, func(t *testing.T) {
			change := c.change
			if change == nil {
				change = func(*appsv1.Deployment) {}
			}
			set := replicaSet(2, 2, func(rs *appsv1.ReplicaSet) {
				d := deployment(change)
				rs.Spec.Template.Spec.NodeName = d.Spec.Template.Spec.NodeName
			})
			objects := []source.Object{deployment(change), replicaSet(1, 2), set, pod("web-1-a", 1), pod("web-1-b", 1)}
			for i := range c.pods {
				objects = append(objects, pod(fmt.Sprintf("web-2-%d", i), 2, endedAgo(4*time.Second, time.Duration(i)*(4*time.Second+c.apart), c.reason, c.message)))
			}
			found := find(of(objects...).judge(t), "evicted")
			if found == nil || found.Terminal != c.certain || c.certain && (found.Class != OfRevision || !strings.Contains(found.Message, "ended alike")) {
				t.Errorf("certain = %v is wanted: %+v", c.certain, found)
			}
		})
	}
}

func TestAnAdmittedPodTakesTheCertaintyFromARefusal(t *testing.T) {
	objects := []source.Object{deployment(), replicaSet(1, 2), replicaSet(2, 2), pod("web-1-a", 1), pod("web-2-ready", 2)}
	for i := range 4 {
		objects = append(objects, pod(fmt.Sprintf("web-2-%d", i), 2, endedAgo(0, time.Duration(i)*5*time.Second, "SysctlForbidden", "Pod was rejected: forbidden sysctl")))
	}
	if found := find(of(objects...).judge(t), "evicted"); found == nil || found.Terminal {
		t.Errorf("another node admits the pods: %+v", found)
	}
}

func TestAProgramThatIsNotStartedAgainIsCertainByItsSuccessors(t *testing.T) {
	crashed := func(since time.Duration) podOption {
		return func(p *corev1.Pod) {
			endedAgo(2*time.Second, since, "", "")(p)
			p.Spec.RestartPolicy = corev1.RestartPolicyNever
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 1, StartedAt: ago(since + 2*time.Second), FinishedAt: ago(since)}}}}
		}
	}
	all := []source.Object{deployment(), replicaSet(1, 2), replicaSet(2, 1), pod("web-1-a", 1), pod("web-2-a", 2, crashed(20*time.Second)), pod("web-2-b", 2, crashed(10*time.Second)), pod("web-2-c", 2, crashed(time.Second))}
	for n, certain := range map[int]bool{len(all) - 1: false, len(all): true} {
		if found := find(of(all[:n]...).judge(t), "crash-app"); found == nil || found.Terminal != certain {
			t.Errorf("%d objects: certain = %v is wanted: %+v", n, certain, found)
		}
	}
}

func TestADaemonSetThatSurgesOverItsOwnHostPortIsTold(t *testing.T) {
	port := func(p *corev1.Pod) { p.Spec.Containers[0].Ports = []corev1.ContainerPort{{HostPort: 18080}} }
	d := daemonSet(1)
	d.Spec.UpdateStrategy = appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxSurge: new(intstr.FromInt32(1)), MaxUnavailable: new(intstr.FromInt32(0))}}
	waiting := unscheduled(nodesAvailable+"1 node(s) didn't have free ports for the requested pod ports.", time.Minute)
	found := find(everywhere(d, agent("agent-a", 1, port), agent("agent-b", 2, port, waiting)).judge(t), "unsched-hostport")
	if found == nil || !strings.Contains(found.Message, "maxUnavailable 0") || !strings.Contains(found.Fix[0].Command, `{"spec":{"updateStrategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":1}}}}`) {
		t.Errorf("%+v", found)
	}
}
