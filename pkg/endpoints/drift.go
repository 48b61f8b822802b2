package endpoints

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// drift names each difference between what the slices list and what the pods
// call for. A difference that a change of this minute explains is no drift.
func drift() Analyzer {
	return Analyzer{Name: "drift", Docs: driftDocs(), Each: func(c *subject) {
		if isExternal(c.svc) {
			return
		}
		c.twice()
		if c.settling || c.unseen != "" && len(c.slices) == 0 {
			return
		}
		if !c.anyRow(func(e *entry) bool { return e.drift != "" }) {
			return
		}
		for _, name := range []string{"ip-mismatch", "uid-mismatch", "terminal-pod-ip", "targetref-gone", "slice-stale"} {
			c.drifting(name)
		}
	}}
}

func (c *subject) drifting(name string) {
	var first *entry
	pods := map[[2]string]bool{}
	for i := range c.entries {
		e := &c.entries[i]
		if e.drift != name || name == "slice-stale" && c.explained(e) {
			continue
		}
		if first == nil {
			first = e
		}
		pods[[2]string{e.row.Address, podName(e)}] = true
	}
	if first == nil {
		return
	}
	evidence := c.driftEvidence(first)
	fixes := []finding.Fix{c.resync()}
	switch s := first.slice; {
	case s != nil && managedBy(s) == controllerName && !held(s):
		fixes = append(fixes, deleteSlice("if it stays so, delete the slice; the controller writes it anew", s))
	case s != nil:
		fixes = []finding.Fix{deleteSlice("delete the slice, or correct it: the EndpointSlice controller does not look after it", s)}
	}
	c.say(name, finding.Error, driftSentence(name, first, len(pods)), evidence, fixes...)
}

// explained: a pod whose node is not known is left out on purpose.
func (c *subject) explained(e *entry) bool {
	return e.row.State == report.EndpointMissing && (c.unseen != "" || c.nodeless(e.pod))
}

func (c *subject) driftEvidence(e *entry) []finding.Evidence {
	var out []finding.Evidence
	if e.slice != nil {
		out = append(out, fact(sliceRef(e.slice), "endpoints[].addresses", e.row.Address))
		if t := e.endpoint.TargetRef; t != nil && t.UID != "" {
			out = append(out, fact(sliceRef(e.slice), "endpoints[].targetRef.uid", string(t.UID)))
		}
	} else {
		out = append(out, fact(c.ref, "EndpointSlices", "none lists it"))
	}
	if e.pod != nil {
		out = append(out, fact(podRef(e.pod), "metadata.uid", string(e.pod.UID)), fact(podRef(e.pod), "status.podIPs", podIPs(e.pod)), fact(podRef(e.pod), "status.phase", string(e.pod.Status.Phase)))
	}
	return out
}

func driftSentence(name string, e *entry, n int) string {
	more := ""
	if n > 1 {
		more = fmt.Sprintf(" (and %s like it)", counted(n-1, "more endpoint"))
	}
	who, where := "pod "+podName(e), " at "+e.row.Address
	if podName(e) == "" {
		who, where = "the address "+e.row.Address, ""
	}
	switch name {
	case "ip-mismatch":
		return fmt.Sprintf("its slice sends traffic for %s to %s, but %s%s", who, e.row.Address, e.row.Why, more)
	case "uid-mismatch":
		return fmt.Sprintf("its slice still means an earlier %s, at %s: a pod of that name was created anew%s", who, e.row.Address, more)
	case "terminal-pod-ip":
		return fmt.Sprintf("its slice still sends traffic to %s at %s, but %s%s", who, e.row.Address, e.row.Why, more)
	case "targetref-gone":
		return fmt.Sprintf("its slice still sends traffic to %s at %s, which does not exist%s", who, e.row.Address, more)
	}
	if e.slice == nil {
		return fmt.Sprintf("no slice lists %s at %s, though it selects it%s", who, e.row.PodIP, more)
	}
	return fmt.Sprintf("its slice is out of date for %s%s: %s%s", who, where, e.row.Why, more)
}

// twice: one pod in two slices is legal while ports are renamed.
func (c *subject) twice() {
	for i := range c.entries {
		if e := &c.entries[i]; e.twice {
			c.say("same-endpoint-two-slices", finding.Info, fmt.Sprintf("pod %s is listed in two slices on the same port", podName(e)),
				[]finding.Evidence{fact(sliceRef(e.slice), "endpoints[].targetRef.name", podName(e))})
			return
		}
	}
}

// stalledAt is the number of Services whose slices lag at once that makes it
// the controller's fault rather than a Service's.
const stalledAt = 3

// stalled finds a controller that does not work at all.
func stalled() Analyzer {
	return Analyzer{Name: "stalled", Docs: []finding.Doc{
		page("controller-stalled", finding.Error, "The EndpointSlice controller does not work",
			"Slices of several Services do not follow their pods: pods come and go, and traffic goes where they were.",
			"Expected and actual endpoints differ on three Services or more, well after the last change of their pods; on one, where the Lease of kube-controller-manager has expired. A lag of seconds is not this.",
			"Look at the Lease, the pods and the log of kube-controller-manager.", "k8s.io/kubernetes pkg/controller/endpointslice"),
	}, Whole: func(w *world) {
		var lagging []*subject
		for _, c := range w.subjects {
			if c.has("slice-stale", "targetref-gone", "uid-mismatch", "ip-mismatch") {
				lagging = append(lagging, c)
			}
		}
		lease := object.Ref{Group: "coordination.k8s.io", Version: "v1", Kind: "Lease", Namespace: "kube-system", Name: "kube-controller-manager"}
		it, leads := w.v.Get(lease)
		expired := leads && leaseExpired(w.v.Now, it.Object)
		if len(lagging) < stalledAt && !(expired && len(lagging) > 0) {
			return
		}
		var evidence []finding.Evidence
		for _, c := range lagging[:min(len(lagging), stalledAt)] {
			evidence = append(evidence, fact(c.ref, "EndpointSlices", "out of date"))
		}
		if leads {
			evidence = append(evidence, leaseFacts(w, lease, it.Object)...)
		}
		message := fmt.Sprintf("the slices of %s do not follow their pods: the EndpointSlice controller does not work", counted(len(lagging), "Service"))
		if expired {
			message += "; kube-controller-manager has not renewed its Lease"
		}
		w.blame(lease, "controller-stalled", finding.Error, message, evidence,
			command("see who leads and since when", lease.Namespace, "get", "lease", lease.Name, "-o", "yaml"),
			command("look at its pods", lease.Namespace, "get", "pods", "-l", "component=kube-controller-manager", "-o", "wide"))
		for _, c := range lagging {
			for i := range c.found {
				switch c.found[i].Code {
				case code("slice-stale"), code("targetref-gone"), code("uid-mismatch"), code("ip-mismatch"):
					c.found[i].CausedBy = &finding.Cause{Code: code("controller-stalled"), Object: lease}
				}
			}
		}
	}}
}

// nodeless: the controller skips a pod whose node it does not know, unless
// unready addresses are published (k8s.io/endpointslice, reconcileByAddressType).
func (c *subject) nodeless(pod *corev1.Pod) bool {
	if pod == nil || c.svc.Spec.PublishNotReadyAddresses {
		return false
	}
	if c.nodeEvent(pod.Spec.NodeName) != nil {
		return true
	}
	missing, known := c.nodesGone[pod.Spec.NodeName]
	if !known {
		presence, _ := c.v.Presence(object.Ref{Version: "v1", Kind: "Node", Name: pod.Spec.NodeName})
		missing = presence == index.Missing
		c.nodesGone[pod.Spec.NodeName] = missing
	}
	return missing
}
