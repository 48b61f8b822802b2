package endpoints

import (
	"cmp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/leadsman-dev/leadsman/pkg/report"
)

// entry is one row of the comparison: what a slice lists, what the pod says,
// or both.
type entry struct {
	row      *report.Endpoint
	port     int // index into the Service's ports; -1 for a headless Service without any
	slice    *discoveryv1.EndpointSlice
	endpoint *discoveryv1.Endpoint
	pod      *corev1.Pod
	drift    string // the name of the difference, such as "ip-mismatch"
	twice    bool   // listed before, in another slice
}

// usable says that traffic may be sent to it (kube-proxy: ready).
func (e *entry) usable() bool {
	return e.row.Ready && e.slice != nil && (e.row.State == report.EndpointMatched || e.row.State == report.EndpointManual ||
		e.row.State == report.EndpointForeign || e.row.State == report.EndpointUnseen)
}

// row begins a row of the document.
func (m *matcher) row(pi int, c conditions) *report.Endpoint {
	r := report.Endpoint{Ready: c.ready, Serving: c.serving, Terminating: c.terminating}
	if pi >= 0 {
		sp := &m.svc.Spec.Ports[pi]
		r.ServicePort, r.Protocol = portTitle(sp), string(cmp.Or(sp.Protocol, corev1.ProtocolTCP))
	}
	m.rows = append(m.rows, r)
	return &m.rows[len(m.rows)-1]
}

// portTitle is the name of a Service port, or its number where it has none.
func portTitle(sp *corev1.ServicePort) string {
	if sp.Name != "" {
		return sp.Name
	}
	return strconv.Itoa(int(sp.Port))
}

// setPod names a row's pod. The rows of one pod, a port each, share its name.
func (m *matcher) setPod(e *entry, pod *corev1.Pod) {
	if m.of != pod {
		m.refs, m.of = append(m.refs, podRef(pod)), pod
	}
	e.pod, e.row.Pod = pod, &m.refs[len(m.refs)-1]
	if e.row.PodIP == "" && len(pod.Status.PodIPs) > 0 {
		e.row.PodIP = pod.Status.PodIPs[0].IP
	}
}

// anyRow says whether a row is so.
func (c *subject) anyRow(is func(*entry) bool) bool {
	for i := range c.entries {
		if is(&c.entries[i]) {
			return true
		}
	}
	return false
}

// byPort sorts rows by port, then worst first, then by pod and address. An
// interface sorts them in place, without a sorting function of their own.
type byPort []entry

func (r byPort) Len() int      { return len(r) }
func (r byPort) Swap(i, j int) { r[i], r[j] = r[j], r[i] }

func (r byPort) Less(i, j int) bool {
	a, b := &r[i], &r[j]
	return cmp.Or(cmp.Compare(a.port, b.port), cmp.Compare(stateRank(a), stateRank(b)),
		strings.Compare(podName(a), podName(b)), strings.Compare(a.row.Address, b.row.Address), strings.Compare(a.row.Slice, b.row.Slice)) < 0
}

func stateRank(e *entry) int {
	switch {
	case e.row.State != report.EndpointMatched && e.row.State != report.EndpointManual:
		return 0
	case !e.row.Ready:
		return 1
	}
	return 2
}

func podName(e *entry) string {
	if e.row.Pod == nil {
		return ""
	}
	return e.row.Pod.Name
}

// inOrder are the rows in the order of the entries, in which most were made.
func (c *subject) inOrder() []report.Endpoint {
	if len(c.entries) == 0 {
		return nil
	}
	for i := range c.entries {
		if c.entries[i].row != &c.rows[i] {
			sorted := make([]report.Endpoint, len(c.entries))
			for j := range c.entries {
				sorted[j] = *c.entries[j].row
			}
			return sorted
		}
	}
	return c.rows
}
