package endpoints

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// statefulSets finds StatefulSets whose governing Service is not there: their
// pods then have no names of their own in DNS.
func statefulSets() Analyzer {
	return Analyzer{Name: "stateful sets", Docs: []finding.Doc{
		page("statefulset-service-missing", finding.Error, "The StatefulSet's Service does not exist, or selects other pods",
			"The pods have no names of their own in DNS (web-0.web.shop.svc): peers that find each other so fail.",
			"spec.serviceName names no Service, or one whose selector the pods do not carry.",
			"Create the headless Service under that name. serviceName cannot be changed in place.", "apps/v1, StatefulSetSpec.ServiceName"),
	}, Whole: func(w *world) {
		said := map[object.Ref]bool{}
		for _, it := range w.v.List(schema.GroupKind{Group: "apps", Kind: "StatefulSet"}, "") {
			if s, ok := it.Object.(*appsv1.StatefulSet); ok && (s.Spec.Replicas == nil || *s.Spec.Replicas > 0) {
				said[it.Ref.Key()] = true
				w.governed(it.Ref, s.Spec.ServiceName, s.Spec.Template.Labels, fact(it.Ref, "spec.serviceName", s.Spec.ServiceName))
			}
		}
		for _, it := range w.v.List(podKind, "") { // a pod has its StatefulSet's serviceName as its subdomain
			pod, ok := it.Object.(*corev1.Pod)
			if !ok || pod.Spec.Subdomain == "" || ended(pod) {
				continue
			}
			owner, ok := index.Controller(pod)
			r := object.New(owner.APIVersion, owner.Kind, pod.Namespace, owner.Name)
			if !ok || owner.Kind != "StatefulSet" || said[r.Key()] {
				continue
			}
			said[r.Key()] = true
			labels := maps.Clone(pod.Labels)
			maps.DeleteFunc(labels, func(k, _ string) bool { return machineMade(k) })
			w.governed(r, pod.Spec.Subdomain, labels, fact(it.Ref, "spec.subdomain", pod.Spec.Subdomain))
		}
	}}
}

// governed checks that a StatefulSet's Service is there.
func (w *world) governed(r object.Ref, service string, labels map[string]string, evidence finding.Evidence) {
	governing := object.Ref{Version: "v1", Kind: "Service", Namespace: r.Namespace, Name: service}
	presence, _ := w.v.Presence(governing)
	if service == "" || w.single() && !w.concerns(r.Namespace, service, labels) {
		return
	}
	if it, ok := w.v.Get(governing); ok {
		w.governsOthers(r, it, labels, evidence)
		return
	}
	if presence != index.Missing {
		return
	}
	message := fmt.Sprintf("its Service/%s does not exist, so its pods have no names in DNS", service)
	if close, ok := w.headlessFor(r.Namespace, labels); ok {
		message = fmt.Sprintf("its serviceName is %q, which does not exist; the headless Service that selects its pods is %q, so they have no names in DNS", service, close)
	}
	manifest := fmt.Sprintf(`{"apiVersion":"v1","kind":"Service","metadata":{"name":%s,"namespace":%s},"spec":{"clusterIP":"None","publishNotReadyAddresses":true,"selector":%s}}`,
		finding.JSON(service), finding.JSON(r.Namespace), finding.JSON(labels))
	w.blame(r, "statefulset-service-missing", finding.Error, message, []finding.Evidence{evidence},
		finding.Fix{Description: "create it, headless", Command: "echo " + finding.Quote(manifest) + " | kubectl apply -f -"})
}

// governsOthers: a pod has a name below a Service only if that one selects it
// (k8s.io/endpointslice, podToEndpoint: the hostname stands in that Service's
// slice). Where it selects nothing at all, its own verdict says so.
func (w *world) governsOthers(r object.Ref, it index.Item, labels map[string]string, evidence finding.Evidence) {
	svc, ok := it.Object.(*corev1.Service)
	if !ok || isExternal(svc) || len(svc.Spec.Selector) == 0 || len(labels) == 0 {
		return
	}
	chosen := maps.Clone(svc.Spec.Selector)
	maps.DeleteFunc(chosen, func(k, _ string) bool { return machineMade(k) }) // it may select one pod of the set
	if carries(labels, chosen) {
		return
	}
	if w.asked[it.Ref.Key()] && len(w.podsWith(svc.Namespace, svc.Spec.Selector)) == 0 {
		return
	}
	message := fmt.Sprintf("its Service/%s selects other pods (%s), so its own have no names in DNS", svc.Name, selectorText(svc))
	fix := manual("let Service/%s select the pods of %s, or make the StatefulSet anew with another serviceName, which cannot be changed in place", svc.Name, r)
	if right, ok := w.headlessFor(r.Namespace, labels); ok {
		message += fmt.Sprintf("; the headless Service that selects them is %q", right)
		fix = manual("make the StatefulSet anew with serviceName %q, which cannot be changed in place; its pods stay with: %s", right, finding.Kubectl(r.Namespace, "delete", "statefulset", r.Name, "--cascade=orphan"))
	}
	w.blame(r, "statefulset-service-missing", finding.Error, message, []finding.Evidence{evidence, fact(it.Ref, "spec.selector", selectorText(svc))}, fix)
}

func (w *world) headlessFor(namespace string, labels map[string]string) (string, bool) {
	for _, svc := range w.place(namespace).services {
		if isHeadless(svc) && len(svc.Spec.Selector) > 0 && carries(labels, svc.Spec.Selector) {
			return svc.Name, true
		}
	}
	return "", false
}

// concerns says whether the one Service that was asked about has to do with
// the StatefulSet.
func (w *world) concerns(namespace, service string, labels map[string]string) bool {
	return slices.ContainsFunc(w.subjects, func(c *subject) bool {
		return c.svc.Namespace == namespace && (c.selects() && carries(labels, c.svc.Spec.Selector) || strings.EqualFold(c.svc.Name, service) || misspelt(service, c.svc.Name))
	})
}
