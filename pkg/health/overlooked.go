package health

import (
	"fmt"
	"regexp"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// onNoNode: a pod whose spec names its node passes by the scheduler. Where there
// is no such node, nobody runs it.
func (p *patient) onNoNode() []Problem {
	node := core("Node", "", p.pod.Spec.NodeName)
	presence, _ := p.v.Presence(node)
	if presence != index.Missing || p.pod.Status.StartTime != nil {
		return nil
	}
	problem := p.whole("unsched-affinity", fmt.Sprintf("the pod names node %q, which does not exist", node.Name), p.fact("spec.nodeName", node.Name)).certain(since(p.v, p.pod.CreationTimestamp.Time) >= 15*time.Second)
	problem.Missing = node
	problem.Fix = []finding.Fix{manual("correct nodeName in the pod template, or use a nodeSelector instead: the scheduler then finds a node"), run("see the nodes", "", "get", "nodes")}
	return []Problem{problem}
}

// overlooked: a scheduler that looked at a pod and found no node says so in the
// condition PodScheduled. The one of the cluster itself may be busy; another,
// which is not heard of for a minute, does not run.
func (p *patient) overlooked() []Problem {
	if len(p.pod.Spec.ResourceClaims) > 0 { // they are made before the scheduler looks
		return p.noClaimTemplate()
	}
	name := p.pod.Spec.SchedulerName
	waited := since(p.v, p.pod.CreationTimestamp.Time)
	if waited < 15*time.Second || lastEvent(p.v, p.pod, func(*corev1.Event) bool { return true }) != nil {
		return nil
	}
	problem := p.whole("unsched-scheduler", fmt.Sprintf("no scheduler has looked at the pod: %q, which it asks for, does not seem to run", name), p.fact("spec.schedulerName", name))
	if name == "" || name == corev1.DefaultSchedulerName {
		problem.Message = "the scheduler has not looked at the pod: it is down or overloaded"
		problem.Fix = []finding.Fix{run("see whether the scheduler holds its lease", "kube-system", "get", "lease", "kube-scheduler", "-o", "yaml")}
		return []Problem{problem.lasting(waited >= time.Minute)}
	}
	problem.Fix = []finding.Fix{manual(fmt.Sprintf("start the scheduler %q, or remove schedulerName from the pod template: the cluster's own then places the pods", name))}
	return []Problem{problem.certain(waited >= time.Minute)}
}

var claimTemplate = regexp.MustCompile(`resourceclaimtemplates?\S* "([^"]+)" not found`)

// noClaimTemplate: the scheduler does not look at a pod whose device claims are
// not made yet (pkg/controller/resourceclaim, syncPod).
func (p *patient) noClaimTemplate() []Problem {
	e := lastEvent(p.v, p.pod, reasonIs("FailedResourceClaimCreation"))
	if e == nil {
		return nil
	}
	m := claimTemplate.FindStringSubmatch(e.Message)
	if m == nil {
		return nil
	}
	ref := object.New("resource.k8s.io/v1", "ResourceClaimTemplate", p.pod.Namespace, m[1])
	problem := p.whole("mount-object-missing", fmt.Sprintf("the pod cannot be scheduled: %s %q, by which it claims a device, does not exist", ref.Kind, ref.Name), eventFact(e))
	if problem, ok := p.confirmed(problem, ref); ok {
		return []Problem{problem}
	}
	return nil
}
