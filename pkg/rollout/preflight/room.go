package preflight

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// surges says that a new pod must stand beside all the old ones before any of
// those goes: the roll cannot make room for itself.
func (s *subject) surges() bool {
	return s.rolls() && s.w.Strategy.Surge > 0 && s.w.Strategy.MaxUnavailable == 0 && s.w.Replicas > 0 && len(s.old()) > 0
}

// begun says that a new pod has found its place already, or that an old one
// more than is wanted will make room.
func (s *subject) begun() bool {
	old := s.old()
	return len(old) > s.w.Replicas || slices.ContainsFunc(old, func(p workload.Pod) bool { return !p.New }) &&
		slices.ContainsFunc(s.w.Pods, func(p workload.Pod) bool { return p.New && p.Live() && p.Spec.NodeName != "" })
}

// old are the live pods that the roll replaces. Of a spec that is rolled out
// already, they are all: the next roll replaces them.
func (s *subject) old() []workload.Pod {
	all := !slices.ContainsFunc(s.w.Pods, func(p workload.Pod) bool { return !p.New && p.Live() })
	var out []workload.Pod
	for _, p := range s.w.Pods {
		if p.Live() && (all || !p.New) {
			out = append(out, p)
		}
	}
	return out
}

// obstacle is what keeps a new pod off a node on which another one is.
type obstacle struct {
	words    string
	field    string
	value    string
	conflict func(p *corev1.Pod) bool
	key      string // topology: pods count for all nodes of their domain
}

// roomToSurge: with maxUnavailable 0 a new pod needs a node on which none of
// the old ones stands in its way.
func (s *subject) roomToSurge() {
	if !s.surges() || s.begun() {
		return
	}
	s.onePodVolume()
	obstacles := s.obstacles()
	if len(obstacles) == 0 {
		return
	}
	if s.is("DaemonSet") {
		s.noRoomBeside(obstacles)
		return
	}
	if !s.seen(core("Node")) {
		o := obstacles[0]
		s.say("no-room-to-surge", finding.Info, fmt.Sprintf("the roll needs a node without %s for one more pod; the nodes could not be seen", o.words), s.surgeFacts(s.fact(o.field, o.value)))
		return
	}
	nodes := s.candidates()
	if len(nodes) == 0 {
		return // nothing could run at all: that is another matter
	}
	var culprit *obstacle
	var evidence []finding.Evidence
	for _, n := range nodes {
		o, p := s.standsInTheWay(obstacles, n)
		if o == nil {
			return
		}
		if culprit == nil {
			culprit = o
		}
		if len(evidence) < 5 {
			evidence = append(evidence, fact(coreRef("Pod", p.Namespace, p.Name), "spec.nodeName", p.Spec.NodeName))
		}
	}
	message := fmt.Sprintf("the roll cannot begin: maxUnavailable is 0, so a new pod must start before an old one goes, and %s", s.everyNode(nodes, culprit))
	severity := finding.Error
	if s.growth() {
		severity = finding.Warning
		message += "; it goes on only if a node is added"
	}
	s.say("no-room-to-surge", severity, message, append(s.surgeFacts(s.fact(culprit.field, culprit.value)), evidence...), s.takeOneFirst())
}

func (s *subject) everyNode(nodes []*corev1.Node, o *obstacle) string {
	if len(nodes) == 1 {
		return fmt.Sprintf("the only node that it may use (%s) has %s", nodes[0].Name, o.words)
	}
	return fmt.Sprintf("all %d nodes that it may use have %s", len(nodes), o.words)
}

// strategyField is where the numbers of the strategy are written.
func (s *subject) strategyField() string {
	if s.is("Deployment") {
		return "spec.strategy.rollingUpdate"
	}
	return "spec.updateStrategy.rollingUpdate"
}

func (s *subject) surgeFacts(more ...finding.Evidence) []finding.Evidence {
	return append([]finding.Evidence{s.maxUnavailable()}, more...)
}

// maxUnavailable is what is written there, and what the controller makes of it.
func (s *subject) maxUnavailable() finding.Evidence {
	var written *intstr.IntOrString
	switch o := s.w.Object.(type) {
	case *appsv1.Deployment:
		if r := o.Spec.Strategy.RollingUpdate; r != nil {
			written = r.MaxUnavailable
		}
	case *appsv1.DaemonSet:
		if r := o.Spec.UpdateStrategy.RollingUpdate; r != nil {
			written = r.MaxUnavailable
		}
	}
	value := "not set"
	if written != nil {
		value = written.String()
	}
	if resolved := itoa(s.w.Strategy.MaxUnavailable); value != resolved {
		value += fmt.Sprintf(" (%s of %s)", resolved, plural(s.w.Replicas, "pod"))
	}
	return s.fact(s.strategyField()+".maxUnavailable", value)
}

func (s *subject) takeOneFirst() finding.Fix {
	field := "strategy"
	if s.is("DaemonSet") {
		field = "updateStrategy"
	}
	return s.patch("take one old pod away first", fmt.Sprintf(`{"spec":{%q:{"rollingUpdate":{"maxSurge":0,"maxUnavailable":1}}}}`, field))
}

// noRoomBeside: a DaemonSet's new pod stands on the node of the old one.
func (s *subject) noRoomBeside(obstacles []obstacle) {
	for _, o := range obstacles {
		for _, p := range s.old() {
			if o.conflict(p.Pod) {
				s.say("no-room-to-surge", finding.Error,
					fmt.Sprintf("the roll cannot begin: with maxSurge the new pod starts beside the old one on its node, which has %s", o.words),
					append(s.surgeFacts(s.fact(o.field, o.value)), fact(coreRef("Pod", p.Namespace, p.Name), "spec.nodeName", p.Spec.NodeName)), s.takeOneFirst())
				return
			}
		}
	}
}

func (s *subject) standsInTheWay(obstacles []obstacle, n *corev1.Node) (*obstacle, *corev1.Pod) {
	for i := range obstacles {
		o := &obstacles[i]
		for _, at := range o.domain(s.nodes(), n) {
			for _, p := range s.v.OnNode(at) {
				if p.DeletionTimestamp == nil && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed && o.conflict(p) {
					return o, p
				}
			}
		}
	}
	return nil, nil
}

func (s *subject) nodes() []*corev1.Node { return index.Typed[*corev1.Node](s.v, core("Node"), "") }

// domain are the nodes whose pods count for n. A node without the topology's
// label is in no domain, and nothing keeps a pod off it.
func (o *obstacle) domain(all []*corev1.Node, n *corev1.Node) []string {
	if o.key == "" || o.key == corev1.LabelHostname && n.Labels[o.key] == n.Name {
		return []string{n.Name}
	}
	value, ok := n.Labels[o.key]
	if !ok {
		return nil
	}
	var names []string
	for _, other := range all {
		if other.Labels[o.key] == value {
			names = append(names, other.Name)
		}
	}
	return names
}

// obstacles are what the template's host ports, and the required anti-affinity
// of new and old pods, make of the pods that run.
func (s *subject) obstacles() []obstacle {
	var out []obstacle
	for _, mine := range hostPorts(s.spec) {
		out = append(out, obstacle{
			words: fmt.Sprintf("host port %s taken by a pod", mine), field: mine.field, value: itoa(mine.port),
			conflict: func(p *corev1.Pod) bool { return slices.ContainsFunc(hostPorts(&p.Spec), mine.conflicts) },
		})
	}
	own := s.w.Template.Labels
	for i, term := range antiAffinity(s.spec) {
		if ofRevision(term) {
			continue
		}
		out = append(out, obstacle{
			words: fmt.Sprintf("a pod that the new one must keep away from (%s)", term.TopologyKey), key: term.TopologyKey,
			field: fmt.Sprintf("spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[%d]", i), value: metav1.FormatLabelSelector(term.LabelSelector),
			conflict: func(p *corev1.Pod) bool {
				return s.reaches(term, p.Namespace, s.ref.Namespace) && matches(term, p.Labels)
			},
		})
	}
	// What runs keeps away from the new pod, too.
	keys := map[string]bool{}
	for _, p := range s.old() {
		for _, term := range antiAffinity(&p.Spec) {
			if keys[term.TopologyKey] || len(term.MatchLabelKeys) > 0 || !matches(term, own) {
				continue
			}
			keys[term.TopologyKey] = true
			out = append(out, obstacle{
				words: fmt.Sprintf("a pod that keeps away from the new one (%s)", term.TopologyKey), key: term.TopologyKey,
				field: "spec.template.metadata.labels", value: labels.Set(own).String(),
				conflict: func(other *corev1.Pod) bool {
					return slices.ContainsFunc(antiAffinity(&other.Spec), func(t corev1.PodAffinityTerm) bool {
						return t.TopologyKey == term.TopologyKey && len(t.MatchLabelKeys) == 0 && s.reaches(t, s.ref.Namespace, other.Namespace) && matches(t, own)
					})
				},
			})
		}
	}
	return out
}

func antiAffinity(spec *corev1.PodSpec) []corev1.PodAffinityTerm {
	if spec.Affinity == nil || spec.Affinity.PodAntiAffinity == nil {
		return nil
	}
	return spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution
}

// ofRevision says that a term keeps apart only pods of one revision: then old
// ones are not in the way of new ones.
func ofRevision(t corev1.PodAffinityTerm) bool {
	return slices.Contains(t.MatchLabelKeys, "pod-template-hash") || slices.Contains(t.MatchLabelKeys, "controller-revision-hash")
}

func matches(t corev1.PodAffinityTerm, set map[string]string) bool {
	sel, err := metav1.LabelSelectorAsSelector(t.LabelSelector)
	return err == nil && sel.Matches(labels.Set(set))
}

// reaches says whether a term of a pod in one namespace looks at pods of
// another. Namespaces that a selector chooses are not known here.
func (s *subject) reaches(t corev1.PodAffinityTerm, namespace, own string) bool {
	if len(t.Namespaces) == 0 && t.NamespaceSelector == nil {
		return namespace == own
	}
	return slices.Contains(t.Namespaces, namespace) || t.NamespaceSelector != nil && len(t.NamespaceSelector.MatchLabels)+len(t.NamespaceSelector.MatchExpressions) == 0
}
