// Package netpol says what NetworkPolicies do to one connection, with three
// answers: allowed, denied, and unknown where the API's definition leaves the
// matter to the network plugin or where something could not be seen.
package netpol

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// Value is the answer in one word.
type Value string

// The values.
const (
	Allowed Value = "allowed"
	Denied  Value = "denied"
	Unknown Value = "unknown"
)

// Port is the port of the server pod that is dialled: the targetPort of a
// Service, not its port. A Name is resolved in the server pod.
type Port struct {
	Number   int32
	Name     string
	Protocol corev1.Protocol // "" is TCP
}

func (p Port) String() string {
	if p.Number == 0 && p.Name != "" {
		return fmt.Sprintf("%s %q", p.protocol(), p.Name)
	}
	return fmt.Sprintf("%s %d", p.protocol(), p.Number)
}

func (p Port) protocol() corev1.Protocol {
	if p.Protocol == "" {
		return corev1.ProtocolTCP
	}
	return p.Protocol
}

// Question is one connection. Without Client and ClientIP the client is
// anybody: the answer is Denied only if nobody at all may connect, and Allowed
// only if everybody may.
type Question struct {
	Client   *corev1.Pod
	ClientIP string // a client that is no pod of this cluster
	Server   *corev1.Pod
	ServerIP string // a server that is no pod of this cluster: only the client's policies are asked
	Port     Port
}

// far is the address at the other end, where that is no pod.
func (q Question) far() string { return cmp.Or(q.ClientIP, q.ServerIP) }

// Doubt says what makes an answer Unknown.
type Doubt string

// The doubts.
const (
	Certain     Doubt = ""
	HostNetwork Doubt = "host network"   // plugins differ on pods that use the node's network
	NamedPort   Doubt = "named port"     // the name in the rule resolves to no port of the server
	OwnKinds    Doubt = "other policies" // policies of the network plugin itself, which may overrule
	IPBlock     Doubt = "ipBlock"        // plugins differ on whether it covers pod addresses
	Namespace   Doubt = "namespace"      // the client's namespace labels were not seen
	NotSeen     Doubt = "not seen"       // the policies could not be listed
	AnySource   Doubt = "depends on who" // some clients may, others may not
	Malformed   Doubt = "malformed"      // a rule that the API would not accept
)

// Direction is the side on which a policy decided.
type Direction string

// The directions.
const (
	Ingress Direction = "ingress" // at the server
	Egress  Direction = "egress"  // at the client
)

// Answer says what becomes of the connection, and by which rule.
type Answer struct {
	Value     Value
	Doubt     Doubt
	Direction Direction
	Policy    object.Ref   // the policy that decided; zero where none selects the pod
	Rule      string       // its field, such as "spec.ingress[0].from[1]"
	Stands    string       // what stands there, in words
	Why       string       // one plain sentence
	Selecting []object.Ref // all policies that isolate the pod in this direction
	// PortAdmitted says of a Denied answer that some rule admits the port, only
	// not from this client.
	PortAdmitted bool
	// Otherwise is what NetworkPolicies alone say where Doubt is OwnKinds.
	Otherwise Value
}

// Decide answers one question. For many, make Policies once.
func Decide(v *index.View, q Question) Answer { return New(v).Decide(q) }

// Decide answers one question. Both sides must agree: the server's policies
// for ingress and, where the client is a pod, the client's for egress
// (networking/v1, NetworkPolicySpec).
func (p *Policies) Decide(q Question) Answer {
	if q.Server == nil && q.ServerIP != "" && q.Client != nil {
		return p.side(Egress, q)
	}
	if q.Server == nil {
		return Answer{Value: Unknown, Doubt: NotSeen, Direction: Ingress, Why: "the server pod was not seen"}
	}
	q.Port = resolve(q.Port, q.Server)
	if q.Client != nil && q.Client.UID == q.Server.UID && q.Client.Name == q.Server.Name && q.Client.Namespace == q.Server.Namespace {
		return Answer{Value: Allowed, Direction: Ingress, Why: "a pod cannot be cut off from itself"}
	}
	in := p.side(Ingress, q)
	if q.Client == nil {
		return in
	}
	out := p.side(Egress, q)
	switch {
	case in.Value == Denied:
		return in
	case out.Value == Denied || out.Value == Unknown && in.Value == Allowed:
		return out
	}
	return in
}

// LetsOut answers for the client's own side alone: where both sides refuse,
// Decide tells of the server's.
func (p *Policies) LetsOut(q Question) Answer {
	if q.Client == nil || q.Server == nil {
		return Answer{Value: Unknown, Doubt: NotSeen, Direction: Egress, Why: "the client pod was not seen"}
	}
	q.Port = resolve(q.Port, q.Server)
	return p.side(Egress, q)
}

// side judges one direction: at the server, or at the client.
func (p *Policies) side(d Direction, q Question) Answer {
	self, other := q.Server, q.Client
	if d == Egress {
		self, other = q.Client, q.Server
	}
	if gap := p.unseen(self.Namespace); gap != "" {
		return Answer{Value: Unknown, Doubt: NotSeen, Direction: d, Why: gap}
	}
	a := p.judge(d, self, other, q)
	if doubt := p.ownKinds(self.Namespace); doubt != "" && a.Value != Unknown {
		a.Otherwise, a.Value, a.Doubt = a.Value, Unknown, OwnKinds
		a.Why += "; " + doubt
	}
	return a
}

func (p *Policies) judge(d Direction, self, other *corev1.Pod, q Question) Answer {
	selecting := p.isolating(d, self)
	a := Answer{Direction: d}
	for _, pol := range selecting {
		a.Selecting = append(a.Selecting, pol.ref)
	}
	if len(selecting) == 0 {
		a.Value, a.Why = Allowed, fmt.Sprintf("no NetworkPolicy restricts the %s of pod %s", d, self.Name)
		return a
	}
	if self.Spec.HostNetwork {
		a.Value, a.Doubt, a.Policy = Unknown, HostNetwork, selecting[0].ref
		a.Why = fmt.Sprintf("pod %s uses its node's network, where plugins differ on whether %s applies", self.Name, selecting[0].ref)
		return a
	}
	return p.weigh(a, d, selecting, other, q)
}

// weigh goes through the rules of all selecting policies: one that admits is
// enough, one that may admit leaves the answer open.
func (p *Policies) weigh(a Answer, d Direction, selecting []policy, other *corev1.Pod, q Question) Answer {
	var open *Answer
	nearest := Answer{Policy: selecting[0].ref, Rule: "spec." + string(d), Stands: rulesWord(len(selecting[0].rules(d)))}
	portAdmitted := false
	for _, pol := range selecting {
		for i, r := range pol.rules(d) {
			field := fmt.Sprintf("spec.%s[%d]", d, i)
			port := r.admitsPort(q)
			peer := p.admitsPeer(pol, r, d, other, q)
			switch both := and(port.match, peer.match); {
			case both.value == yes:
				a.Value, a.Policy, a.Rule = Allowed, pol.ref, field+peer.field
				a.Why = fmt.Sprintf("%s admits %s %s", pol.ref, q.Port, peerWord(d, other, q))
				return a
			case both.value == maybe && open == nil:
				open = &Answer{Doubt: both.doubt, Policy: pol.ref, Rule: field + peer.field, Stands: r.peersText(), Why: fmt.Sprintf("%s may admit %s: %s", pol.ref, q.Port, both.why)}
				if both.doubt == NamedPort || both.doubt == Malformed {
					open.Rule, open.Stands = field+port.field, r.portsText()
				}
			case port.match.value == yes && !portAdmitted:
				portAdmitted = true
				nearest = Answer{Policy: pol.ref, Rule: field + map[Direction]string{Ingress: ".from", Egress: ".to"}[d], Stands: r.peersText()}
			case peer.match.value == yes && !portAdmitted && !strings.Contains(nearest.Rule, "["):
				nearest = Answer{Policy: pol.ref, Rule: field + ".ports", Stands: r.portsText()}
			}
		}
	}
	if open != nil {
		a.Value, a.Doubt, a.Policy, a.Rule, a.Stands, a.Why = Unknown, open.Doubt, open.Policy, open.Rule, open.Stands, open.Why
		return a
	}
	a.Value, a.Policy, a.Rule, a.Stands, a.PortAdmitted = Denied, nearest.Policy, nearest.Rule, nearest.Stands, portAdmitted
	a.Why = fmt.Sprintf("%s, and no rule admits %s %s", selectWord(a.Selecting, d), q.Port, peerWord(d, other, q))
	return a
}

func rulesWord(n int) string {
	switch n {
	case 0:
		return "no rule"
	case 1:
		return "1 rule"
	}
	return fmt.Sprintf("%d rules", n)
}

func selectWord(refs []object.Ref, d Direction) string {
	verb := map[Direction]string{Ingress: "selects the pod", Egress: "selects the client"}[d]
	if len(refs) == 1 {
		return refs[0].String() + " " + verb
	}
	return fmt.Sprintf("%s and %d more %s", refs[0], len(refs)-1, strings.Replace(verb, "selects", "select", 1))
}

func peerWord(d Direction, other *corev1.Pod, q Question) string {
	switch {
	case other != nil && d == Egress:
		return "to pod " + other.Namespace + "/" + other.Name
	case other != nil:
		return "from pod " + other.Namespace + "/" + other.Name
	case q.ClientIP != "":
		return "from " + q.ClientIP
	case d == Egress && q.ServerIP != "":
		return "to " + q.ServerIP
	}
	return "from anybody"
}

// resolve looks a port's name up in the server pod, restartable init
// containers included.
func resolve(p Port, server *corev1.Pod) Port {
	if p.Number == 0 && p.Name != "" {
		p.Number, _ = namedPort(server, p.Name, p.protocol())
	}
	return p
}

func namedPort(pod *corev1.Pod, name string, protocol corev1.Protocol) (int32, bool) {
	serving := slices.Clone(pod.Spec.Containers)
	for _, c := range pod.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			serving = append(serving, c)
		}
	}
	for _, c := range serving {
		for _, port := range c.Ports {
			if port.Name == name && (Port{Protocol: port.Protocol}).protocol() == protocol {
				return port.ContainerPort, true
			}
		}
	}
	return 0, false
}
