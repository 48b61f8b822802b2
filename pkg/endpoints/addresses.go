package endpoints

import (
	"fmt"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// addresses finds pods that cannot be endpoints, or not alone.
func addresses() Analyzer {
	return Analyzer{Name: "addresses", Docs: addressDocs(), Each: func(c *subject) {
		if !c.selects() || len(c.living) == 0 {
			return
		}
		c.noAddress()
		c.wrongFamily()
		c.sharedAddress()
		c.noNode()
	}}
}

// startsWithin is how long a pod may take to get an address before that is
// more than a start.
const startsWithin = 2 * time.Minute

func (c *subject) noAddress() {
	var without []*corev1.Pod
	for _, p := range c.living {
		if len(p.Status.PodIPs) == 0 && p.Status.PodIP == "" && p.DeletionTimestamp == nil {
			without = append(without, p)
		}
	}
	if len(without) == 0 {
		return
	}
	whose, _ := c.whose(without)
	s := finding.Error
	if len(without) < len(c.living) {
		s = finding.Warning
	}
	worst := c.worst(without)
	reason, evidence, stuck := c.reason(worst)
	if c.starting(worst, stuck) {
		s = finding.Info
	}
	message := fmt.Sprintf("%s %s no address yet: %s", whose, verb(len(without), "has", "have"), reason)
	c.say("no-pod-ip", s, message, append([]finding.Evidence{fact(podRef(worst), "status.podIPs", "none"), fact(podRef(worst), "status.phase", string(worst.Status.Phase))}, evidence...),
		c.podFix(worst))
}

// reason is a pod's own: what ails it, in words, and whether it will not pass.
func (c *subject) reason(pod *corev1.Pod) (words string, evidence []finding.Evidence, stuck bool) {
	state := health.Of(c.v, index.Item{Ref: podRef(pod), Object: pod})
	if len(state.Problems) > 0 {
		p := state.Problems[0]
		return strings.TrimSuffix(p.Message, "."), p.Evidence, p.Severity == finding.Error || state.Level == health.Broken
	}
	if words, evidence := c.waitsFor(pod); words != "" {
		return words, evidence, false
	}
	if state.Status == "" {
		return "it is " + string(pod.Status.Phase), nil, false
	}
	return "it is " + state.Status, nil, false
}

// podFix is the way out that the pod's own failure has, or where to look.
func (c *subject) podFix(pod *corev1.Pod) finding.Fix {
	if ps := health.PodProblems(c.v, pod); len(ps) > 0 && len(ps[0].Fix) > 0 {
		return ps[0].Fix[0]
	}
	return command("see why", pod.Namespace, "describe", "pod", pod.Name)
}

func (c *subject) wrongFamily() {
	lacking := map[corev1.IPFamily]*corev1.Pod{}
	served := false
	for _, p := range c.living {
		if len(p.Status.PodIPs) == 0 {
			continue
		}
		for _, f := range c.svc.Spec.IPFamilies {
			if hasFamily(p, f) {
				served = true
			} else if lacking[f] == nil {
				lacking[f] = p
			}
		}
	}
	for i, f := range c.svc.Spec.IPFamilies {
		p := lacking[f]
		if p == nil || anyFamily(c.living, f) {
			continue
		}
		s := finding.Error
		if served {
			s = finding.Warning
		}
		c.say("ip-family-mismatch", s, fmt.Sprintf("it wants %s, but its pods have only %s", f, podIPs(p)),
			[]finding.Evidence{fact(c.ref, fmt.Sprintf("spec.ipFamilies[%d]", i), string(f)), fact(podRef(p), "status.podIPs", podIPs(p))},
			manual("create the Service anew with the family that the pods have (ipFamilies is immutable but for a second one), or give the pod network %s", f))
		return
	}
}

func anyFamily(pods []*corev1.Pod, f corev1.IPFamily) bool {
	return slices.ContainsFunc(pods, func(p *corev1.Pod) bool { return hasFamily(p, f) })
}

func hasFamily(p *corev1.Pod, f corev1.IPFamily) bool {
	return slices.ContainsFunc(p.Status.PodIPs, func(ip corev1.PodIP) bool {
		_, is6 := canonical(ip.IP)
		return is6 == (f == corev1.IPv6Protocol)
	})
}

// sharedAddress: two pods on one address, of which neither uses its node's.
func (c *subject) sharedAddress() {
	if len(c.clashes()) == 0 {
		return
	}
	for _, p := range c.living {
		if p.Spec.HostNetwork || p.DeletionTimestamp != nil {
			continue
		}
		for _, ip := range p.Status.PodIPs {
			if other := c.rival(p, ip.IP); other != nil {
				c.say("duplicate-ip", finding.Error, fmt.Sprintf("pod %s and pod %s report the same address %s", p.Name, other.Namespace+"/"+other.Name, ip.IP),
					[]finding.Evidence{fact(podRef(p), "status.podIP", ip.IP), fact(podRef(other), "status.podIP", ip.IP)},
					command("delete one of them, so that it gets an address anew", p.Namespace, "delete", "pod", p.Name))
				return
			}
		}
	}
}

func (c *subject) rival(p *corev1.Pod, ip string) *corev1.Pod {
	for _, o := range c.clashes()[ip] {
		if o.UID != p.UID {
			return o
		}
	}
	return nil
}

// clashing are the pods that have an address in common, and should not: by
// address, of which there is hardly ever one.
func (w *world) clashing() map[string][]*corev1.Pod {
	found := map[string][]*corev1.Pod{}
	for ip, pods := range w.v.Sharing() {
		for _, p := range pods {
			if !p.Spec.HostNetwork && p.DeletionTimestamp == nil && !ended(p) {
				found[ip] = append(found[ip], p)
			}
		}
		if len(found[ip]) < 2 {
			delete(found, ip)
		}
	}
	return found
}

func (c *subject) noNode() {
	for _, p := range c.living {
		if p.Spec.NodeName == "" || !c.nodeless(p) {
			continue
		}
		evidence := []finding.Evidence{fact(podRef(p), "spec.nodeName", p.Spec.NodeName)}
		if e := c.nodeEvent(p.Spec.NodeName); e != nil {
			evidence = append(evidence, finding.Evidence{Object: c.ref, Field: "event " + e.Reason, Value: e.Message})
		}
		c.say("node-missing", finding.Error, fmt.Sprintf("pod %s is left out of the slices, because its node %s does not exist", p.Name, p.Spec.NodeName),
			evidence, command("delete the pod, so that it is started elsewhere", p.Namespace, "delete", "pod", p.Name))
		return
	}
}

// nodeEvent is the controller's own word that it skipped the pods of a node.
func (c *subject) nodeEvent(node string) *corev1.Event {
	for _, e := range slices.Backward(c.v.Events(c.svc.UID)) {
		if e.Reason == "FailedToUpdateEndpointSlices" && strings.Contains(e.Message, "Node "+node+" Not Found") && c.age(index.EventTime(e)) < time.Hour {
			if _, back := c.node(node); !back {
				return e
			}
		}
	}
	return nil
}

// leaseExpired: nobody has held the Lease for as long again as it lasts.
func leaseExpired(now time.Time, o source.Object) bool {
	l, ok := o.(*coordinationv1.Lease)
	if !ok || l.Spec.RenewTime == nil || l.Spec.LeaseDurationSeconds == nil {
		return false
	}
	return now.Sub(l.Spec.RenewTime.Time) > 2*time.Duration(*l.Spec.LeaseDurationSeconds)*time.Second
}

// leaseFacts are who holds a Lease, and since when it was not renewed.
func leaseFacts(w *world, r object.Ref, o source.Object) []finding.Evidence {
	l, ok := o.(*coordinationv1.Lease)
	if !ok {
		return nil
	}
	var out []finding.Evidence
	if l.Spec.HolderIdentity != nil {
		out = append(out, fact(r, "spec.holderIdentity", *l.Spec.HolderIdentity))
	}
	if l.Spec.RenewTime != nil {
		out = append(out, fact(r, "spec.renewTime", l.Spec.RenewTime.UTC().Format(time.RFC3339)))
	}
	return out
}
