package preflight

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// claim is a PersistentVolumeClaim that all pods of the workload share.
type claim struct {
	name, field string
	ref         object.Ref
	object      *corev1.PersistentVolumeClaim
}

// claims are those that were seen.
func (s *subject) claims() []claim {
	var out []claim
	for i, vol := range s.spec.Volumes {
		if vol.PersistentVolumeClaim == nil || s.made(vol.Name) {
			continue
		}
		c := claim{name: vol.PersistentVolumeClaim.ClaimName, field: fmt.Sprintf("spec.template.spec.volumes[%d].persistentVolumeClaim.claimName", i)}
		c.ref = coreRef("PersistentVolumeClaim", s.ref.Namespace, c.name)
		if it, ok := s.v.Get(c.ref); ok {
			if c.object, ok = it.Object.(*corev1.PersistentVolumeClaim); ok {
				out = append(out, c)
			}
		}
	}
	return out
}

// once says that the volume is for one node, or one pod, at a time.
func (c claim) once() bool {
	modes := c.object.Spec.AccessModes
	return len(modes) > 0 && !slices.ContainsFunc(modes, func(m corev1.PersistentVolumeAccessMode) bool {
		return m == corev1.ReadWriteMany || m == corev1.ReadOnlyMany
	})
}

func (c claim) onePod() bool {
	return slices.Contains(c.object.Spec.AccessModes, corev1.ReadWriteOncePod)
}

func (c claim) modes() string {
	var words []string
	for _, m := range c.object.Spec.AccessModes {
		words = append(words, string(m))
	}
	return joined(words)
}

func (c claim) usedBy(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Spec.Volumes, func(v corev1.Volume) bool {
		return v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == c.name
	})
}

func (s *subject) recreate() finding.Fix {
	return s.patch("let the old pod go before the new one starts", `{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}`)
}

// onePodVolume: the scheduler refuses a second pod with a ReadWriteOncePod
// claim (pkg/scheduler/framework/plugins/volumerestrictions), and the first
// stays until the second is ready.
func (s *subject) onePodVolume() {
	if !s.is("Deployment") {
		return
	}
	for _, c := range s.claims() {
		for _, p := range s.old() {
			if c.onePod() && c.usedBy(p.Pod) {
				s.say("no-room-to-surge", finding.Error,
					fmt.Sprintf("the roll cannot begin: one pod alone may use claim %q, and pod %q keeps it until the new pod is ready", c.name, p.Name),
					s.surgeFacts(s.fact(c.field, c.name), fact(c.ref, "spec.accessModes", c.modes()), fact(coreRef("Pod", p.Namespace, p.Name), "spec.volumes", c.name)), s.recreate())
				return
			}
		}
	}
}

// sharedVolume: a volume of one node at a time, and a new pod that the
// scheduler may put on another one while an old pod still holds it.
func (s *subject) sharedVolume() {
	if !s.is("Deployment") || !s.rolls() || s.w.Floor() == 0 || s.besideItself() {
		return
	}
	nodesSeen := s.seen(core("Node"))
	if nodesSeen && len(s.candidates()) < 2 {
		return
	}
	for _, c := range s.claims() {
		if !c.once() || c.onePod() || c.object.Spec.VolumeName == "" {
			continue
		}
		on := map[string]bool{}
		for _, p := range s.w.Pods {
			if p.Live() && p.Ready() && c.usedBy(p.Pod) {
				on[p.Spec.NodeName] = true
			}
		}
		if len(on) > 1 {
			continue // several nodes use it: its driver does not mind
		}
		pv := object.Ref{Version: "v1", Kind: "PersistentVolume", Name: c.object.Spec.VolumeName}
		it, known := s.v.Get(pv)
		volume, typed := it.Object.(*corev1.PersistentVolume)
		evidence := []finding.Evidence{s.fact("spec.strategy.type", "RollingUpdate"), s.fact(c.field, c.name), fact(c.ref, "spec.accessModes", c.modes())}
		message := fmt.Sprintf("one node at a time may use claim %q, and a new pod may be put on another node while an old one keeps it there: neither can then go on", c.name)
		switch {
		case !known || !typed || !nodesSeen || s.podsHidden():
			s.say("rwo-rolling-update", finding.Info, message+"; whether volume, nodes and pods allow that could not be seen", evidence, s.recreate())
		case s.reachable(volume) > 1:
			s.say("rwo-rolling-update", finding.Warning, message, append(evidence, s.fact("spec.replicas", itoa(s.w.Replicas))), s.recreate(),
				manual("or use a StatefulSet, whose pods have a volume each and are replaced one after another"))
		}
	}
}

// reachable counts the nodes for new pods from which the volume can be used.
func (s *subject) reachable(pv *corev1.PersistentVolume) int {
	if pv.Spec.HostPath != nil && pv.Spec.NodeAffinity == nil {
		return 0 // every node has one of its own: nothing is attached
	}
	n := 0
	for _, node := range s.candidates() {
		if a := pv.Spec.NodeAffinity; a == nil || a.Required == nil || slices.ContainsFunc(a.Required.NodeSelectorTerms, func(t corev1.NodeSelectorTerm) bool { return termMatches(t, node) }) {
			n++
		}
	}
	return n
}

// besideItself says that required affinity puts all pods on one node.
func (s *subject) besideItself() bool {
	if s.spec.Affinity == nil || s.spec.Affinity.PodAffinity == nil {
		return false
	}
	return slices.ContainsFunc(s.spec.Affinity.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution, func(t corev1.PodAffinityTerm) bool {
		sel, err := metav1.LabelSelectorAsSelector(t.LabelSelector)
		return err == nil && t.TopologyKey == corev1.LabelHostname && !ofRevision(t) && sel.Matches(labels.Set(s.w.Template.Labels))
	})
}
