package preflight

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// mostNodes is up to how many nodes their room is estimated: for it the pods of
// all namespaces are read.
const mostNodes = 200

// nodeRoom estimates whether any node has room for the next new pod, after
// labels and taints. The scheduler knows more: it is never certain.
func (s *subject) nodeRoom() {
	everyPod := s.v.Answered(source.Query{Kind: core("Pod")})
	if !s.opts.Headroom || !everyPod || !s.seen(core("Node")) || s.w.Replicas == 0 || s.w.OnDelete() {
		return
	}
	nodes := s.candidates()
	if len(nodes) == 0 {
		return
	}
	spec := s.newPod()
	want := podRequests(spec)
	want[corev1.ResourcePods] = resource.MustParse("1")
	waits := s.surges()
	if waits && s.begun() {
		return
	}
	var lacking []string
	var evidence []finding.Evidence
	for _, n := range nodes {
		free := s.free(n)
		if !waits {
			s.freed(free, n)
		}
		name, lacks := lack(free, want)
		if !lacks {
			if !s.is("DaemonSet") {
				return
			}
			continue
		}
		lacking = append(lacking, n.Name)
		if have := free[name]; len(evidence) < 5 {
			evidence = append(evidence, fact(coreRef("Node", "", n.Name), "status.allocatable."+string(name), fmt.Sprintf("%s left of %s", clamp(have), quantity(n.Status.Allocatable, name))))
		}
	}
	if len(lacking) == 0 {
		return
	}
	asks := s.fact("spec.template", "a new pod asks for "+amounts(want))
	message := fmt.Sprintf("no node seems to have room for a new pod (%s)", amounts(want))
	if s.is("DaemonSet") {
		message = fmt.Sprintf("%s seems to have no room for its new pod (%s): %s", plural(len(lacking), "node"), amounts(want), joined(lacking[:min(5, len(lacking))]))
	} else if waits {
		message += ", and no old pod goes before it is ready (maxUnavailable is 0)"
	}
	severity := finding.Warning
	if s.growth() {
		severity = finding.Info
		message += "; an autoscaler may add a node"
	}
	fixes := []finding.Fix{manual("lower resources.requests of the pod template, or free or add nodes")}
	if waits && (s.is("Deployment") || s.is("DaemonSet")) {
		fixes = append(fixes, s.takeOneFirst())
	}
	s.say("node-headroom", severity, message, append([]finding.Evidence{asks}, evidence...), fixes...)
}

// free is what a node can give that no pod on it has asked for.
func (s *subject) free(n *corev1.Node) corev1.ResourceList {
	free := n.Status.Allocatable.DeepCopy()
	for _, p := range s.v.OnNode(n.Name) {
		if p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			take(free, &p.Spec, -1)
		}
	}
	return free
}

// freed adds what goes before the next new pod comes.
func (s *subject) freed(free corev1.ResourceList, n *corev1.Node) {
	left := s.w.Strategy.MaxUnavailable
	if s.w.Strategy.Type == "Recreate" || s.is("DaemonSet") {
		left = len(s.w.Pods)
	}
	for _, p := range s.old() {
		if p.Spec.NodeName == n.Name && left > 0 {
			left--
			take(free, &p.Spec, 1)
		}
	}
}

func take(free corev1.ResourceList, spec *corev1.PodSpec, sign int) {
	by := podRequests(spec)
	by[corev1.ResourcePods] = resource.MustParse("1")
	l := ledger{free: free}
	l.change(by, sign)
}

func lack(free, want corev1.ResourceList) (corev1.ResourceName, bool) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		have, need := free[name], want[name]
		if need.Sign() > 0 && have.Cmp(need) < 0 {
			return name, true
		}
	}
	return "", false
}

func quantity(list corev1.ResourceList, name corev1.ResourceName) string {
	q := list[name]
	return q.String()
}

func amounts(list corev1.ResourceList) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(list)) {
		if name != corev1.ResourcePods {
			words = append(words, string(name)+" "+quantity(list, name))
		}
	}
	if len(words) == 0 {
		return "nothing asked for"
	}
	return joined(words)
}

func (s *subject) nodeCount() int { return len(index.Typed[*corev1.Node](s.v, core("Node"), "")) }
