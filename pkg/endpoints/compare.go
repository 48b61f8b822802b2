package endpoints

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

type identity struct {
	port int
	ip   string
	uid  types.UID
}

const (
	controllerName = "endpointslice-controller.k8s.io"
	mirrorName     = "endpointslicemirroring-controller.k8s.io"
)

func managedBy(s *discoveryv1.EndpointSlice) string { return s.Labels[discoveryv1.LabelManagedBy] }

// compare lays the slices beside the pods.
func (c *subject) compare() {
	if isExternal(c.svc) {
		return
	}
	var wanted []expectation
	if c.selects() {
		wanted = expectedEndpoints(c.svc, c.pods)
	}
	m := matcher{subject: c, wanted: wanted, met: make([]bool, len(wanted))}
	rows := 0
	for _, s := range c.slices {
		rows += len(s.Endpoints) * max(1, len(c.svc.Spec.Ports))
	}
	c.entries = make([]entry, 0, max(rows, len(wanted)))
	c.rows = make([]report.Endpoint, 0, cap(c.entries))
	m.refs = make([]object.Ref, 0, max(rows, len(wanted))/max(1, len(c.svc.Spec.Ports)))
	for _, s := range c.slices {
		if s.AddressType != discoveryv1.AddressTypeFQDN {
			m.slice(s)
		}
		if c.otherFamily(s) {
			m.ignored(s)
		}
	}
	for i := range wanted {
		if !m.met[i] {
			c.entries = append(c.entries, m.absent(&wanted[i]))
		}
	}
	sort.Stable(byPort(c.entries))
}

type matcher struct {
	*subject
	wanted []expectation
	at     map[identity]int // made when there are more than a few
	met    []bool
	refs   []object.Ref // of the pods of the rows, made at once
	of     *corev1.Pod  // the pod of the last of them
}

// few are so many that looking at each is quicker than an index of them.
const few = 16

// expected finds the expectation that an endpoint meets.
func (m *matcher) expected(id identity) (int, bool) {
	if len(m.wanted) <= few {
		for i := len(m.wanted) - 1; i >= 0; i-- {
			if e := &m.wanted[i]; e.port == id.port && e.ip == id.ip && e.pod.UID == id.uid {
				return i, true
			}
		}
		return 0, false
	}
	if m.at == nil {
		m.at = make(map[identity]int, len(m.wanted))
		for i := range m.wanted {
			e := &m.wanted[i]
			m.at[identity{e.port, e.ip, e.pod.UID}] = i
		}
	}
	i, ok := m.at[id]
	return i, ok
}

func (m *matcher) slice(s *discoveryv1.EndpointSlice) {
	ports := m.portsOf(s)
	for i := range s.Endpoints {
		e := &s.Endpoints[i]
		if len(e.Addresses) == 0 {
			continue
		}
		if len(m.svc.Spec.Ports) == 0 {
			m.listed(s, e, -1, nil)
		}
		for pi := range m.svc.Spec.Ports {
			m.listed(s, e, pi, ports[pi])
		}
	}
}

// ignored are the rows of a slice that no proxy looks at.
func (m *matcher) ignored(s *discoveryv1.EndpointSlice) {
	for i := range m.entries {
		if e := &m.entries[i]; e.slice == s {
			e.row.State, e.row.Why, e.drift = report.EndpointStale, "the Service has no address of this family", ""
		}
	}
}

// portsOf finds the Service's ports in a slice, by name and protocol: that is
// how kube-proxy joins the two.
func (m *matcher) portsOf(s *discoveryv1.EndpointSlice) []*int32 {
	found := make([]*int32, len(m.svc.Spec.Ports))
	for i := range m.svc.Spec.Ports {
		sp := &m.svc.Spec.Ports[i]
		for j := range s.Ports {
			p := &s.Ports[j]
			name, protocol := "", corev1.ProtocolTCP
			if p.Name != nil {
				name = *p.Name
			}
			if p.Protocol != nil {
				protocol = *p.Protocol
			}
			if name == sp.Name && protocol == cmp.Or(sp.Protocol, corev1.ProtocolTCP) && p.Port != nil && found[i] == nil {
				found[i] = p.Port
			}
		}
	}
	return found
}

// listed is one endpoint of a slice, on one Service port. number is nil where
// the slice does not have the port.
func (m *matcher) listed(s *discoveryv1.EndpointSlice, e *discoveryv1.Endpoint, pi int, number *int32) {
	ip, _ := canonical(e.Addresses[0])
	uid := types.UID("")
	if e.TargetRef != nil {
		uid = e.TargetRef.UID
	}
	i, expected := m.expected(identity{pi, ip, uid})
	if number == nil && pi >= 0 && (!expected || m.wanted[i].resolved) && len(s.Ports) > 0 {
		return // a slice of other ports, such as remain while a port is renamed
	}
	en := entry{port: pi, slice: s, endpoint: e, row: m.row(pi, conditionsOf(e))}
	en.row.Address, en.row.Slice = e.Addresses[0], s.Name
	if number != nil {
		en.row.Port = *number
	}
	if e.NodeName != nil {
		en.row.Node = *e.NodeName
	}
	if e.Zone != nil {
		en.row.Zone = *e.Zone
	}
	switch {
	case expected:
		en.twice = m.met[i]
		m.met[i] = true
		m.hold(&en, &m.wanted[i], number)
	case managedBy(s) == controllerName || e.TargetRef != nil && e.TargetRef.Kind == "Pod":
		m.stray(&en, ip)
	default:
		m.byHand(&en, ip)
	}
	if number == nil && pi >= 0 && en.row.State != report.EndpointStale {
		en.row.State = report.EndpointNoPort
		en.row.Why = cmp.Or(en.row.Why, "listed without this port")
	}
	m.entries = append(m.entries, en)
}

// hold compares an endpoint with the pod that it should be.
func (m *matcher) hold(en *entry, want *expectation, number *int32) {
	m.setPod(en, want.pod)
	en.row.PodIP = want.ip
	en.row.State = report.EndpointMatched
	have := conditionsOf(en.endpoint)
	switch {
	case !want.resolved && number == nil:
		en.row.State, en.row.Why = report.EndpointNoPort, fmt.Sprintf("the pod declares no port %q", m.svc.Spec.Ports[want.port].TargetPort.StrVal)
	case want.port >= 0 && (number != nil) != want.resolved, number != nil && *number != want.number:
		en.row.State, en.drift, en.row.Why = report.EndpointStale, "slice-stale", "the slice has another port than the Service and the pod lead to"
		if want.resolved {
			en.row.Why = fmt.Sprintf("the slice has port %s, the Service and the pod lead to %d", portWord(number), want.number)
		}
	case have != want.conditions:
		en.drift, en.row.Why = "slice-stale", fmt.Sprintf("the slice says %s, the pod %s", have, want.conditions)
	case !want.serving:
		en.row.Why = "the pod is not ready"
	case want.terminating:
		en.row.Why = "the pod is shutting down"
	}
}

func portWord(n *int32) string {
	if n == nil {
		return "none"
	}
	return strconv.Itoa(int(*n))
}

func (c conditions) String() string {
	words := []string{"not ready"}
	if c.ready {
		words[0] = "ready"
	}
	if c.serving != c.ready {
		words = append(words, map[bool]string{true: "serving", false: "not serving"}[c.serving])
	}
	if c.terminating {
		words = append(words, "terminating")
	}
	return strings.Join(words, ", ")
}

// stray is an endpoint that names a pod, or that the controller wrote, and
// that should not be there as it is.
func (m *matcher) stray(en *entry, ip string) {
	en.row.State = report.EndpointStale
	ref := en.endpoint.TargetRef
	if ref == nil || ref.Kind != "Pod" {
		en.drift, en.row.Why = "slice-stale", "the slice names no pod for it"
		return
	}
	pod := m.target(ref)
	if pod == nil {
		m.gone(en, ref)
		return
	}
	m.setPod(en, pod)
	have := conditionsOf(en.endpoint)
	switch {
	case ref.UID != "" && pod.UID != ref.UID:
		en.drift, en.row.Why = "uid-mismatch", "a pod of that name was created anew"
	case ended(pod):
		if !have.ready && !have.serving { // a mere change of phase wakes no slice controller
			en.row.State, en.row.Why = report.EndpointMatched, "the pod has ended; it gets no traffic"
			return
		}
		en.drift, en.row.Why = "terminal-pod-ip", "the pod has ended ("+string(pod.Status.Phase)+")"
	case len(pod.Status.PodIPs) > 0 && !hasIP(pod, ip):
		en.drift, en.row.Why = "ip-mismatch", "the pod has "+podIPs(pod)
	case !m.selects() || managedBy(en.slice) != controllerName:
		en.row.State = report.EndpointManual
	case !carries(pod.Labels, m.svc.Spec.Selector):
		en.drift, en.row.Why = "slice-stale", "the selector does not choose this pod"
	default:
		en.drift, en.row.Why = "slice-stale", "the Service should not list it"
	}
}

func (m *matcher) target(ref *corev1.ObjectReference) *corev1.Pod {
	if it, ok := m.v.ByUID(ref.UID); ok && ref.UID != "" {
		if pod, ok := it.Object.(*corev1.Pod); ok {
			return pod
		}
	}
	it, ok := m.v.Get(targetOf(ref, m.svc.Namespace))
	if !ok {
		return nil
	}
	pod, _ := it.Object.(*corev1.Pod)
	return pod
}

func targetOf(ref *corev1.ObjectReference, namespace string) object.Ref {
	return object.Ref{Version: "v1", Kind: "Pod", Namespace: cmp.Or(ref.Namespace, namespace), Name: ref.Name}
}

func (m *matcher) gone(en *entry, ref *corev1.ObjectReference) {
	r := targetOf(ref, m.svc.Namespace)
	en.row.Pod = &r
	if presence, _ := m.v.Presence(r); presence == index.Missing {
		en.drift, en.row.Why = "targetref-gone", "the pod does not exist"
		return
	}
	en.row.State, en.row.Why = report.EndpointUnseen, "the pod was not seen"
}

// byHand is an endpoint that a person or another controller wrote.
func (m *matcher) byHand(en *entry, ip string) {
	en.row.State = report.EndpointManual
	for _, pod := range m.v.WithIP(ip) {
		if ended(pod) || pod.Spec.HostNetwork {
			continue
		}
		m.setPod(en, pod)
		if !m.akin(pod) {
			en.row.State, en.row.Why = report.EndpointForeign, "the address belongs to a pod that has nothing to do with the Service"
		}
	}
}

// absent is a pod that no slice lists.
func (m *matcher) absent(e *expectation) entry {
	en := entry{port: e.port, row: m.row(e.port, e.conditions)}
	m.setPod(&en, e.pod)
	en.row.PodIP, en.row.Port, en.row.Node = e.ip, e.number, e.pod.Spec.NodeName
	en.row.State, en.row.Why = report.EndpointMissing, "no slice lists the pod"
	switch {
	case !m.sliceSeen():
		en.row.State, en.row.Why = report.EndpointUnseen, "the slices were not seen"
	case !e.resolved:
		en.row.State, en.row.Why = report.EndpointNoPort, fmt.Sprintf("the pod declares no port %q", m.svc.Spec.Ports[e.port].TargetPort.StrVal)
	default:
		en.drift = "slice-stale"
	}
	return en
}

func (c *subject) sliceSeen() bool {
	return len(c.slices) > 0 || c.listed(sliceKind, c.svc.Namespace, discoveryv1.LabelServiceName+"="+c.svc.Name)
}

func hasIP(pod *corev1.Pod, ip string) bool {
	return slices.ContainsFunc(pod.Status.PodIPs, func(p corev1.PodIP) bool {
		a, _ := canonical(p.IP)
		return a == ip
	})
}

func podIPs(pod *corev1.Pod) string {
	var ips []string
	for _, p := range pod.Status.PodIPs {
		ips = append(ips, p.IP)
	}
	return strings.Join(ips, ", ")
}
