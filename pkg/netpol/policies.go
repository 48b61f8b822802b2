package netpol

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Kind is the kind that the answers rest on.
func Kind() schema.GroupKind {
	return schema.GroupKind{Group: networkingv1.GroupName, Kind: "NetworkPolicy"}
}

// PluginKinds are kinds by which network plugins overrule or extend
// NetworkPolicy. Where one is in use, the answer is Unknown.
func PluginKinds() []schema.GroupKind {
	return []schema.GroupKind{
		{Group: "cilium.io", Kind: "CiliumNetworkPolicy"},
		{Group: "cilium.io", Kind: "CiliumClusterwideNetworkPolicy"},
		{Group: "policy.networking.k8s.io", Kind: "AdminNetworkPolicy"},
		{Group: "policy.networking.k8s.io", Kind: "BaselineAdminNetworkPolicy"},
		{Group: "policy.networking.k8s.io", Kind: "ClusterNetworkPolicy"},
		{Group: "crd.projectcalico.org", Kind: "NetworkPolicy"},
		{Group: "crd.projectcalico.org", Kind: "GlobalNetworkPolicy"},
		{Group: "projectcalico.org", Kind: "NetworkPolicy"},
		{Group: "projectcalico.org", Kind: "GlobalNetworkPolicy"},
		{Group: "crd.antrea.io", Kind: "NetworkPolicy"},
		{Group: "crd.antrea.io", Kind: "ClusterNetworkPolicy"},
	}
}

// Policies are the policies of a view, ready to answer many questions. They
// may be asked concurrently.
type Policies struct {
	v           *index.View
	byNamespace map[string]*standing
	own         map[string]string // namespace ("" is all) → which plugin kind is in use
	served      []schema.GroupKind
}

// standing are the policies of one namespace, in order.
type standing struct {
	all   []policy
	broad []int                 // positions of those that demand no label pair of a pod
	about map[index.Label][]int // and of the others, by the pair
}

type policy struct {
	*networkingv1.NetworkPolicy
	ref      object.Ref
	selector labels.Selector // matches no pod where it cannot be read
}

// New reads the policies of a view.
func New(v *index.View) *Policies {
	p := &Policies{v: v, byNamespace: map[string]*standing{}, own: map[string]string{}}
	for _, it := range v.List(Kind(), "") {
		if o, ok := it.Object.(*networkingv1.NetworkPolicy); ok {
			p.add(o, it.Ref)
		}
	}
	for _, gk := range PluginKinds() {
		if _, ok := v.Served(gk); ok {
			p.served = append(p.served, gk)
		}
		for _, it := range v.List(gk, "") {
			if p.own[it.Ref.Namespace] == "" {
				p.own[it.Ref.Namespace] = it.Ref.String()
			}
		}
	}
	return p
}

func (p *Policies) add(o *networkingv1.NetworkPolicy, ref object.Ref) {
	s := p.byNamespace[o.Namespace]
	if s == nil {
		s = &standing{about: map[index.Label][]int{}}
		p.byNamespace[o.Namespace] = s
	}
	selector, err := metav1.LabelSelectorAsSelector(&o.Spec.PodSelector)
	if err != nil {
		selector = labels.Nothing()
	}
	if key, value, ok := index.Required(selector); ok {
		pair := index.Label{Key: key, Value: value}
		s.about[pair] = append(s.about[pair], len(s.all))
	} else {
		s.broad = append(s.broad, len(s.all))
	}
	s.all = append(s.all, policy{o, ref, selector})
}

// isolating are the policies that isolate a pod in a direction, in order.
func (p *Policies) isolating(d Direction, pod *corev1.Pod) []policy {
	s := p.byNamespace[pod.Namespace]
	if s == nil {
		return nil
	}
	at := slices.Clone(s.broad)
	for key, value := range pod.Labels {
		at = append(at, s.about[index.Label{Key: key, Value: value}]...)
	}
	slices.Sort(at)
	var selecting []policy
	for _, i := range at {
		if pol := s.all[i]; pol.isolates(d) && pol.selector.Matches(labels.Set(pod.Labels)) {
			selecting = append(selecting, pol)
		}
	}
	return selecting
}

// Any says whether a NetworkPolicy stands in the namespace.
func (p *Policies) Any(namespace string) bool { return p.byNamespace[namespace] != nil }

// In are the NetworkPolicies of a namespace, in order.
func (p *Policies) In(namespace string) []*networkingv1.NetworkPolicy {
	if !p.Any(namespace) {
		return nil
	}
	var out []*networkingv1.NetworkPolicy
	for _, pol := range p.byNamespace[namespace].all {
		out = append(out, pol.NetworkPolicy)
	}
	return out
}

// unseen says why the policies of a namespace are not known, if they are not:
// an unseen policy may admit what the seen ones refuse, and the reverse.
func (p *Policies) unseen(namespace string) string {
	if p.listed(Kind(), namespace) {
		return ""
	}
	for _, g := range p.v.Gaps {
		if g.Kind == Kind() && (g.Namespace == namespace || g.Namespace == "") {
			return fmt.Sprintf("the NetworkPolicies of namespace %s could not be seen (%s)", namespace, g.Reason)
		}
	}
	return fmt.Sprintf("the NetworkPolicies of namespace %s were not read", namespace)
}

func (p *Policies) listed(gk schema.GroupKind, namespace string) bool {
	for _, metadata := range []bool{false, true} {
		if p.v.Answered(source.Query{Kind: gk, Namespace: namespace, Metadata: metadata}) || p.v.Answered(source.Query{Kind: gk, Metadata: metadata}) {
			return true
		}
	}
	return false
}

// ownKinds says which policies of the network plugin may overrule the answer.
func (p *Policies) ownKinds(namespace string) string {
	for _, ns := range []string{namespace, ""} {
		if name := p.own[ns]; name != "" {
			return fmt.Sprintf("but the network plugin has policies of its own (%s), which are not judged here", name)
		}
	}
	for _, gk := range p.served {
		if !p.listed(gk, namespace) {
			return fmt.Sprintf("but the network plugin may have policies of its own (%s.%s), which were not seen", gk.Kind, gk.Group)
		}
	}
	return ""
}

// Selects says whether a policy is about a pod of its namespace.
func Selects(p *networkingv1.NetworkPolicy, pod *corev1.Pod) bool {
	selector, err := metav1.LabelSelectorAsSelector(&p.Spec.PodSelector)
	return err == nil && p.Namespace == pod.Namespace && selector.Matches(labels.Set(pod.Labels))
}

// isolates applies the default of policyTypes: Ingress always, Egress where
// there are egress rules (networking/v1, NetworkPolicySpec.PolicyTypes).
func (p policy) isolates(d Direction) bool {
	if len(p.Spec.PolicyTypes) == 0 {
		return d == Ingress || len(p.Spec.Egress) > 0
	}
	for _, t := range p.Spec.PolicyTypes {
		if d == Ingress && t == networkingv1.PolicyTypeIngress || d == Egress && t == networkingv1.PolicyTypeEgress {
			return true
		}
	}
	return false
}
