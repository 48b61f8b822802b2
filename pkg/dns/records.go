package dns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

const specSource = "Kubernetes DNS-based service discovery, specification 1.1"

// recordShapes is a record that is not there though its object is.
func recordShapes() Analyzer {
	return Analyzer{Name: "records", Docs: []finding.Doc{
		page("headless-no-ready", finding.Error, "None of the headless Service's endpoints is ready", "A headless Service has no address of its own: without a ready endpoint CoreDNS says NXDOMAIN.",
			"The Service has clusterIP None, its slices were seen, and no endpoint is ready.", "Make a pod ready, or set publishNotReadyAddresses.", specSource+", 2.4"),
		page("headless-selector-empty", finding.Error, "The headless Service selects no pod", "It has no endpoints, so its name does not exist.",
			"The Service has clusterIP None, and its selector matches no pod (or it has none, and no slice was made by hand).", "Correct the selector, or the pods' labels.", specSource+", 2.4"),
		page("pod-hostname-unpublished", finding.Error, "The pod's hostname is not published", "pod.service.namespace works only for pods that have hostname and subdomain set.",
			"The Service is there, and no ready endpoint has this hostname.", "Set spec.hostname and spec.subdomain = the Service's name (a StatefulSet does so with serviceName).", specSource+", 2.4; k8s.io/kubernetes pkg/controller/util/endpoint, ShouldSetHostname"),
		page("slice-unlabelled", finding.Error, "A hand-made EndpointSlice does not say whose it is", "Without the label kubernetes.io/service-name nobody takes it for the Service's.",
			"The Service has no selector and no slices, and a slice that is named after it has no such label.", "Label the slice.", "discovery.k8s.io/v1 EndpointSlice"),
		page("externalname-ip", finding.Error, "externalName holds an address", "A CNAME leads to a name, never to an address: CoreDNS says NXDOMAIN.",
			"spec.externalName parses as an IP address.", "Use a Service without selector and an EndpointSlice with the address.", "core/v1 ServiceSpec.externalName"),
		page("externalname-dangling", finding.Error, "The target of the ExternalName does not exist", "The alias is answered, and leads to nothing.",
			"The replicas answer with the CNAME and no address, or the alias leads back to itself.", "Correct spec.externalName.", corednsSource+", plugin/backend_lookup.go"),
		page("externalname-internal-missing", finding.Error, "The ExternalName leads to a name of the cluster that is not there", "CoreDNS then answers without any record.",
			"spec.externalName lies in the cluster domain, and its target has no record of the type.", "Correct spec.externalName, or create its target.", corednsSource+", plugin/backend_lookup.go"),
		page("srv-unnamed-port", finding.Error, "No port of the Service has this name", "SRV records and _port._protocol names exist for named ports only.",
			"The name asks for a port that no port of the Service is called, over this protocol.", "Name the port, or ask for one that there is.", specSource+", 2.3.2"),
		page("family-missing", finding.Info, "There is no address of this family", "The Service has addresses of the other IP family only.",
			"A or AAAA alone was asked for, and the Service's clusterIPs are of the other family.", "Make the Service dual-stack: ipFamilyPolicy PreferDualStack.", "core/v1 ServiceSpec.ipFamilies"),
		page("pod-record-disabled", finding.Error, "Pod records are turned off", "Names such as 10-244-1-5.shop.pod.cluster.local are not answered.",
			"The kubernetes directive has no pods option, or pods disabled.", "Set pods insecure or pods verified in the Corefile.", corednsSource+", plugin/kubernetes"),
		page("ptr-absent", finding.Info, "The address has no name", "Only ClusterIPs and the endpoints of Services have PTR records; a plain pod has none.",
			"No Service has the address, and no ready endpoint.", "Put the pod behind a headless Service if a name is needed.", specSource+", 2.3.3"),
		page("empty-service-ignored", finding.Error, "The Service has no ready endpoint, and the Corefile hides such Services", "With ignore empty_service the name does not exist until a pod is ready.",
			"The directive says ignore empty_service, and no endpoint is ready.", "Make a pod ready, or remove the option.", corednsSource+", plugin/kubernetes"),
	}, Run: func(w *world) {
		if w.resolved() {
			return
		}
		w.unnamed()
		for _, q := range w.suspects() {
			if w.record(q) {
				return
			}
		}
	}}
}

// unnamed is an address of the cluster without a name, though the question was
// passed on to servers outside, which know none either.
func (w *world) unnamed() {
	if !w.name.Address.IsPrivate() || !w.wantsReverse() {
		return
	}
	q := Question{Name: reverseName(w.name.Address), Type: PTR}
	if e := w.ownWord(q); e.Cause == "ptr-absent" && w.expect(q).By != "kubernetes" && w.rcode(q) == NXDomain {
		w.say(e.Cause, finding.Info, w.clientRef(), fmt.Sprintf("%s has no name: %s, and servers outside know none", w.name.Written, e.Why), facts(fact(w.clientRef(), q.Name+" (observed)", string(NXDomain))))
	}
}

// suspects are the questions that the user may have meant, the primary
// ladder's own first.
func (w *world) suspects() []Question {
	out := w.wanted()
	if w.name.Address.IsValid() {
		return out
	}
	for _, n := range w.meant() {
		for _, t := range w.types() {
			if q := (Question{Name: n, Type: t}).key(); !slices.Contains(out, q) {
				out = append(out, q)
			}
		}
	}
	return out
}

func (w *world) record(q Question) bool {
	e := w.expect(q)
	svc, _ := w.seenService(e.Object.Namespace, e.Object.Name)
	value := cmp.Or(e.Why, string(e.Rcode))
	evidence := facts(fact(e.Object, cmp.Or(e.Field, "metadata.name"), value))
	about, message := e.Object, fmt.Sprintf("%s %s: %s", q.Name, cmp.Or(e.Rcode, "no answer"), e.Why)
	switch e.Cause {
	case "headless-no-ready":
		if svc == nil || w.emptyHeadless(svc) {
			return svc != nil
		}
		w.say(e.Cause, finding.Error, about, message, facts(fact(about, "spec.clusterIP", "None"), fact(about, "EndpointSlices", "no ready endpoint")),
			command("see why its pods are not ready", about.Namespace, "describe", "pods", "-l", selectorText(svc.Spec.Selector)))
	case "pod-hostname-unpublished":
		w.say(e.Cause, finding.Error, about, message, evidence, w.hostnameFix(q, svc))
	case "externalname-ip":
		w.say(e.Cause, finding.Error, about, fmt.Sprintf("%s has the address %s as its externalName, which no CNAME can lead to", about, svc.Spec.ExternalName), facts(fact(about, e.Field, svc.Spec.ExternalName)),
			command("make it headless, without selector; then give it an EndpointSlice with the address", about.Namespace, "patch", "service", about.Name, "--type=merge", "-p", `{"spec":{"type":"ClusterIP","clusterIP":"None","externalName":null}}`))
	case "externalname-dangling", "externalname-internal-missing":
		why, fix := "", editService(about, "correct spec.externalName")
		if svc != nil {
			why, fix = w.correct(svc)
		}
		w.say(e.Cause, finding.Error, about, fmt.Sprintf("%s leads to %s: %s%s", about, externalNameOf(svc), e.Why, why), facts(fact(about, "spec.externalName", externalNameOf(svc))), fix)
	case "srv-unnamed-port":
		w.say(e.Cause, finding.Error, about, message, facts(fact(about, "spec.ports", portNames(svc))), w.portFix(about, svc))
	case "family-missing":
		if _, other := w.otherFamily(q); !other || len(w.ask.Types) != 1 {
			return false
		}
		w.say(e.Cause, finding.Info, about, message, evidence, command("give the Service both families, where the cluster has them", about.Namespace, "patch", "service", about.Name, "--type=merge", "-p", `{"spec":{"ipFamilyPolicy":"PreferDualStack"}}`))
	case "pod-record-disabled":
		w.say(e.Cause, finding.Error, w.core.Object, message, facts(fact(w.core.Object, w.at(e.Line), strings.TrimSpace(lineOf(w.core.Text, e.Line)))), w.editCorefile("add pods insecure (or verified) to the kubernetes directive"))
	case "ptr-absent":
		w.say(e.Cause, finding.Info, w.clientRef(), fmt.Sprintf("%s has no name: %s", w.name.Written, e.Why), facts(fact(w.clientRef(), q.Name, string(NXDomain))))
	case "empty-service-ignored":
		w.say(e.Cause, finding.Error, about, message, facts(fact(about, "EndpointSlices", "no ready endpoint")), command("see why its pods are not ready", about.Namespace, "describe", "endpointslices", "-l", discoveryv1.LabelServiceName+"="+about.Name))
	default:
		return w.danglesOutside(q, e)
	}
	return true
}

func externalNameOf(svc *corev1.Service) string {
	if svc == nil {
		return ""
	}
	return svc.Spec.ExternalName
}

func editService(r object.Ref, description string) finding.Fix {
	return edit(description, r.Namespace, "service", r.Name)
}

func portNames(svc *corev1.Service) string {
	if svc == nil {
		return ""
	}
	var out []string
	for _, p := range svc.Spec.Ports {
		out = append(out, fmt.Sprintf("%s %d/%s", cmp.Or(p.Name, "(no name)"), p.Port, p.Protocol))
	}
	return strings.Join(out, ", ")
}

// portFix is another protocol where the port has its name under that one.
func (w *world) portFix(about object.Ref, svc *corev1.Service) finding.Fix {
	if asked := strings.SplitN(w.name.Written, ".", 3); svc != nil && len(asked) == 3 {
		for _, p := range svc.Spec.Ports {
			if proto := "_" + strings.ToLower(string(p.Protocol)); strings.EqualFold("_"+p.Name, asked[0]) && !strings.EqualFold(proto, asked[1]) {
				return manual("write " + asked[0] + "." + proto + "." + asked[2] + " instead of " + w.name.Written)
			}
		}
	}
	return editService(about, "name the port")
}

func (w *world) otherFamily(q Question) (Expected, bool) {
	other := map[Type]Type{A: AAAA, AAAA: A}[q.Type]
	e := w.expect(Question{Name: q.Name, Type: other})
	return e, e.Rcode == NoError
}

// danglesOutside: the alias is answered, and its outside target does not exist.
func (w *world) danglesOutside(q Question, e Expected) bool {
	c, ok := w.consensus(q)
	svc, _ := w.seenService(e.Object.Namespace, e.Object.Name)
	if !ok || svc == nil || svc.Spec.Type != corev1.ServiceTypeExternalName || c.rcode == NoError || len(c.records) == 0 {
		return false
	}
	why, fix := w.correct(svc)
	w.say("externalname-dangling", finding.Error, e.Object, fmt.Sprintf("%s leads to %s, which has no address (observed)%s", e.Object, svc.Spec.ExternalName, why), facts(fact(e.Object, "spec.externalName", svc.Spec.ExternalName)), fix)
	return true
}

// emptyHeadless says that a headless Service has nothing that could be ready.
func (w *world) emptyHeadless(svc *corev1.Service) bool {
	ref := serviceRef(svc.Namespace, svc.Name)
	if len(svc.Spec.Selector) == 0 {
		for _, it := range w.v.List(sliceKind, svc.Namespace) {
			if s, ok := it.Object.(*discoveryv1.EndpointSlice); ok && s.Labels[discoveryv1.LabelServiceName] == "" && (s.Name == svc.Name || strings.HasPrefix(s.Name, svc.Name+"-")) {
				slice := object.Ref{Group: discoveryv1.GroupName, Version: "v1", Kind: "EndpointSlice", Namespace: s.Namespace, Name: s.Name}
				w.say("slice-unlabelled", finding.Error, slice, fmt.Sprintf("EndpointSlice %s seems to be meant for Service %s, but does not carry its label", s.Name, svc.Name), facts(fact(slice, "metadata.labels", selectorText(s.Labels))),
					command("say whose it is", s.Namespace, "label", "endpointslice", s.Name, discoveryv1.LabelServiceName+"="+svc.Name))
				return true
			}
		}
		w.say("headless-selector-empty", finding.Error, ref, "the headless Service has no selector, and no EndpointSlice was made for it: its name does not exist", facts(fact(ref, "spec.selector", "")), editService(ref, "give it a selector"))
		return true
	}
	sel := labels.SelectorFromSet(svc.Spec.Selector)
	listed := w.v.Answered(source.Query{Kind: podKind, Namespace: svc.Namespace, Labels: selectorText(svc.Spec.Selector)}) || w.v.Answered(source.Query{Kind: podKind, Namespace: svc.Namespace}) || w.v.Answered(source.Query{Kind: podKind})
	if !listed || len(w.v.Select(podKind, svc.Namespace, sel)) > 0 {
		return false
	}
	w.say("headless-selector-empty", finding.Error, ref, fmt.Sprintf("the headless Service selects %s, which no pod carries: its name does not exist", selectorText(svc.Spec.Selector)), facts(fact(ref, "spec.selector", selectorText(svc.Spec.Selector))), editService(ref, "correct the selector"))
	return true
}

func (w *world) hostnameFix(q Question, svc *corev1.Service) finding.Fix {
	if svc == nil {
		return manual("set spec.hostname and spec.subdomain of the pod")
	}
	for _, it := range w.v.Select(podKind, svc.Namespace, labels.SelectorFromSet(svc.Spec.Selector)) {
		if c, ok := index.Controller(it.Object); ok && c.Kind == "StatefulSet" && strings.HasPrefix(q.Name, it.Ref.Name+".") {
			if pod, ok := it.Object.(*corev1.Pod); ok && pod.Spec.Subdomain != "" && pod.Spec.Subdomain != svc.Name {
				return manual(fmt.Sprintf("its StatefulSet/%s has serviceName %s, which cannot be changed: write %s.%s, with a headless Service %s that selects it, or make the StatefulSet anew with serviceName %s",
					c.Name, pod.Spec.Subdomain, pod.Name, pod.Spec.Subdomain, pod.Spec.Subdomain, svc.Name))
			}
			return manual(fmt.Sprintf("StatefulSet/%s must have serviceName %s, and its pod %s must be ready", c.Name, svc.Name, it.Ref.Name))
		}
	}
	return manual("set spec.hostname and spec.subdomain: " + svc.Name + " in the pod's template, or use a StatefulSet with serviceName " + svc.Name)
}
