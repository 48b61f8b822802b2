package endpoints

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// ownership finds slices that the wrong hand wrote, or that lead nowhere.
func ownership() Analyzer {
	return Analyzer{Name: "ownership", Docs: ownershipDocs(), Each: func(c *subject) {
		if isExternal(c.svc) {
			return
		}
		for _, s := range c.slices {
			c.leftover(s)
			c.orphan(s)
			c.portNames(s)
			c.namesOnly(s)
			if c.otherFamily(s) && managedBy(s) != controllerName && len(s.Endpoints) > 0 {
				c.accuse(sliceRef(s), "ip-family-mismatch", finding.Error, fmt.Sprintf("it holds %s addresses, and Service/%s has %s only: kube-proxy ignores the slice", s.AddressType, c.svc.Name, familyWords(c.svc)),
					[]finding.Evidence{fact(sliceRef(s), "addressType", string(s.AddressType)), fact(c.ref, "spec.ipFamilies", familyWords(c.svc))},
					manual("write a slice of the Service's family (addressType cannot be changed), or let the Service have both: kubectl -n %s patch service %s --type=merge -p '{\"spec\":{\"ipFamilyPolicy\":\"PreferDualStack\"}}', where the cluster has", c.svc.Namespace, c.svc.Name))
			}
		}
		if s := c.unlabelledSlice(); s != nil {
			c.accuse(sliceRef(s), "slice-unlabelled", finding.Error, fmt.Sprintf("it lacks the label %s, so kube-proxy ignores it", discoveryv1.LabelServiceName),
				[]finding.Evidence{fact(sliceRef(s), "metadata.labels", joinPairs(s.Labels))},
				command("attach it to the Service", s.Namespace, "label", "endpointslice", s.Name, discoveryv1.LabelServiceName+"="+c.svc.Name))
		}
		c.withoutPort()
		c.handMade()
	}, Whole: orphans}
}

// otherFamily: a proxy for one family leaves slices of the other alone
// (k8s.io/kubernetes pkg/proxy/metaproxier). DNS hands out those of headless ones.
func (c *subject) otherFamily(s *discoveryv1.EndpointSlice) bool {
	v4, v6 := families(c.svc)
	return !isHeadless(c.svc) && (s.AddressType == discoveryv1.AddressTypeIPv4 && !v4 || s.AddressType == discoveryv1.AddressTypeIPv6 && !v6)
}

func familyWords(svc *corev1.Service) string {
	v4, v6 := families(svc)
	switch {
	case v4 && v6:
		return "IPv4, IPv6"
	case v6:
		return "IPv6"
	}
	return "IPv4"
}

//go:noinline
func sliceRef(s *discoveryv1.EndpointSlice) object.Ref {
	return object.Ref{Group: discoveryv1.GroupName, Version: "v1", Kind: "EndpointSlice", Namespace: s.Namespace, Name: s.Name}
}

func ownerOf(o metav1.Object) (metav1.OwnerReference, bool) { return index.Controller(o) }

// leftover: of the two controllers that write slices, each leaves those of the
// other alone, so what is left after the selector came or went stays.
func (c *subject) leftover(s *discoveryv1.EndpointSlice) {
	evidence := func(selector string) []finding.Evidence {
		return []finding.Evidence{fact(sliceRef(s), "metadata.labels."+discoveryv1.LabelManagedBy, managedBy(s)), fact(c.ref, "spec.selector", selector)}
	}
	switch {
	case !c.selects() && managedBy(s) == controllerName:
		c.say("stale-after-selector-removed", finding.Error,
			fmt.Sprintf("it has no selector any more, but EndpointSlice/%s from the time when it had one still sends traffic to %s", s.Name, counted(len(s.Endpoints), "endpoint")),
			evidence("none"), c.deleteBoth(s))
	case c.selects() && managedBy(s) == mirrorName && len(s.Endpoints) > 0:
		c.say("stale-mirror", finding.Error,
			fmt.Sprintf("it has a selector, but EndpointSlice/%s, mirrored from hand-made Endpoints, still adds %s: connections fail now and then", s.Name, counted(len(s.Endpoints), "endpoint")),
			evidence(selectorText(c.svc)), deleteSlice("delete the mirrored slice", s))
	}
}

// deleteBoth deletes a slice with the Endpoints object that was left beside it,
// which would be mirrored into a new one.
func (c *subject) deleteBoth(s *discoveryv1.EndpointSlice) finding.Fix {
	if held(s) {
		return deleteSlice("", s)
	}
	return command("delete the slice, and the Endpoints object that was left with it, or that is mirrored into a new slice", s.Namespace,
		"delete", "endpointslice/"+s.Name, "endpoints/"+c.svc.Name, "--ignore-not-found")
}

// orphan: a slice whose owner is an earlier Service of the same name. Shortly
// after the change that is the garbage collector's business.
func (c *subject) orphan(s *discoveryv1.EndpointSlice) {
	for i, o := range s.OwnerReferences {
		if o.Kind == "Service" && o.UID != c.svc.UID && s.DeletionTimestamp == nil && c.age(c.svc.CreationTimestamp.Time) > time.Minute {
			c.accuse(sliceRef(s), "slice-orphan", finding.Warning, fmt.Sprintf("it belongs to an earlier Service/%s, which was deleted", c.svc.Name),
				[]finding.Evidence{fact(sliceRef(s), fmt.Sprintf("metadata.ownerReferences[%d].uid", i), string(o.UID)), fact(c.ref, "metadata.uid", string(c.svc.UID))},
				deleteSlice("delete it", s))
			return
		}
	}
}

// orphans are hand-made slices whose Service does not exist. One with an owner
// is collected with it.
func orphans(w *world) {
	for _, it := range w.v.List(sliceKind, "") {
		s, ok := it.Object.(*discoveryv1.EndpointSlice)
		if !ok || len(s.OwnerReferences) > 0 || s.DeletionTimestamp != nil || w.recent(s.CreationTimestamp.Time) {
			continue
		}
		name := s.Labels[discoveryv1.LabelServiceName]
		svc := object.Ref{Kind: "Service", Namespace: s.Namespace, Name: name}
		if presence, _ := w.v.Presence(svc); name == "" || presence != index.Missing {
			continue
		}
		w.blame(it.Ref, "slice-orphan", finding.Warning, fmt.Sprintf("its Service/%s does not exist", name),
			[]finding.Evidence{fact(it.Ref, "metadata.labels."+discoveryv1.LabelServiceName, name)}, deleteSlice("delete it, or create the Service", s))
	}
}

// portNames: kube-proxy joins the two by port name; a slice port of another
// name serves nothing. The controller's own slices are judged by drift.
func (c *subject) portNames(s *discoveryv1.EndpointSlice) {
	if managedBy(s) == controllerName || len(s.Endpoints) == 0 || len(c.svc.Spec.Ports) == 0 || s.AddressType == discoveryv1.AddressTypeFQDN {
		return
	}
	if len(s.Ports) == 0 {
		c.portless(s)
		return
	}
	m := matcher{subject: c}
	if slices.ContainsFunc(m.portsOf(s), func(n *int32) bool { return n != nil }) {
		return
	}
	have, want := slicePortName(s.Ports[0]), c.svc.Spec.Ports[0].Name
	if slices.ContainsFunc(c.svc.Spec.Ports, func(sp corev1.ServicePort) bool { return sp.Name == have }) {
		c.portProtocol(s)
		return
	}
	c.accuse(sliceRef(s), "slice-port-name", finding.Error,
		fmt.Sprintf("its port is called %q and that of Service/%s %q, so kube-proxy ignores it", have, c.svc.Name, want),
		[]finding.Evidence{fact(sliceRef(s), "ports[0].name", have), fact(c.ref, "spec.ports[0].name", want)},
		patchWritten("give the slice's port the Service port's name", s, "/ports/0/name", want))
}

// portProtocol: the names agree, and the protocols do not.
func (c *subject) portProtocol(s *discoveryv1.EndpointSlice) {
	name, have := slicePortName(s.Ports[0]), corev1.ProtocolTCP
	if p := s.Ports[0].Protocol; p != nil {
		have = *p
	}
	i := slices.IndexFunc(c.svc.Spec.Ports, func(sp corev1.ServicePort) bool { return sp.Name == name })
	want := protocolOf(c.svc.Spec.Ports[i].Protocol)
	c.accuse(sliceRef(s), "slice-port-name", finding.Error,
		fmt.Sprintf("its port is %s and that of Service/%s is %s, so kube-proxy ignores it", have, c.svc.Name, want),
		[]finding.Evidence{fact(sliceRef(s), "ports[0].protocol", string(have)), fact(c.ref, fmt.Sprintf("spec.ports[%d].protocol", i), string(want))},
		patchWritten("give the slice's port the Service port's protocol, if the addresses serve it", s, "/ports/0/protocol", string(want)))
}

func slicePortName(p discoveryv1.EndpointPort) string {
	if p.Name == nil {
		return ""
	}
	return *p.Name
}

// unlabelledSlice is one that was meant for this Service: its owner, or its
// name and that the Service has no other.
func (c *subject) unlabelledSlice() *discoveryv1.EndpointSlice {
	for _, s := range c.place(c.svc.Namespace).unlabelled {
		owned := slices.ContainsFunc(s.OwnerReferences, func(o metav1.OwnerReference) bool { return o.Kind == "Service" && o.UID == c.svc.UID })
		named := len(s.OwnerReferences) == 0 && !c.selects() && len(c.slices) == 0 && (s.Name == c.svc.Name || strings.HasPrefix(s.Name, c.svc.Name+"-"))
		if owned || named {
			return s
		}
	}
	return nil
}
