package endpoints

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// statefulSets finds StatefulSets whose governing Service is not there: their
// pods then have no names of their own in DNS.
func statefulSets() Analyzer {
	return Analyzer{Name: "stateful sets", Docs: []finding.Doc{
		page("statefulset-service-missing", finding.Error, "The StatefulSet's Service does not exist",
			"The pods have no names of their own in DNS (web-0.web.shop.svc): peers that find each other so fail.",
			"spec.serviceName names no Service, or the pods' subdomain is another name than that of the headless Service that selects them.",
			"Create the headless Service under that name. serviceName cannot be changed in place.", "apps/v1, StatefulSetSpec.ServiceName"),
	}, Whole: func(w *world) {
		for _, it := range w.v.List(schema.GroupKind{Group: "apps", Kind: "StatefulSet"}, "") {
			s, ok := it.Object.(*appsv1.StatefulSet)
			if !ok || s.Spec.ServiceName == "" || s.Spec.Replicas != nil && *s.Spec.Replicas == 0 {
				continue
			}
			governing := object.Ref{Version: "v1", Kind: "Service", Namespace: s.Namespace, Name: s.Spec.ServiceName}
			if presence, _ := w.v.Presence(governing); presence != index.Missing {
				continue
			}
			if close, ok := w.headlessFor(s); ok {
				w.missingService(it.Ref, s, fmt.Sprintf("its serviceName is %q, which does not exist; the headless Service that selects its pods is %q, so they have no names in DNS", s.Spec.ServiceName, close))
				continue
			}
			w.missingService(it.Ref, s, fmt.Sprintf("its Service/%s does not exist, so its pods have no names in DNS", s.Spec.ServiceName))
		}
	}}
}

func (w *world) headlessFor(s *appsv1.StatefulSet) (string, bool) {
	for _, svc := range w.place(s.Namespace).services {
		if isHeadless(svc) && len(svc.Spec.Selector) > 0 && carries(s.Spec.Template.Labels, svc.Spec.Selector) {
			return svc.Name, true
		}
	}
	return "", false
}

func (w *world) missingService(r object.Ref, s *appsv1.StatefulSet, message string) {
	if w.single() && !w.concerns(s) {
		return
	}
	fix := manual("create a headless Service %s that selects %s", s.Spec.ServiceName, joinPairs(s.Spec.Template.Labels))
	if s.Spec.Selector != nil && len(s.Spec.Selector.MatchLabels) > 0 {
		manifest := fmt.Sprintf(`{"apiVersion":"v1","kind":"Service","metadata":{"name":%s,"namespace":%s},"spec":{"clusterIP":"None","publishNotReadyAddresses":true,"selector":%s}}`,
			compact(s.Spec.ServiceName), compact(s.Namespace), compact(s.Spec.Selector.MatchLabels))
		fix = finding.Fix{Description: "create it, headless", Command: "echo " + finding.Quote(manifest) + " | kubectl apply -f -"}
	}
	w.findings = append(w.findings, finding.Finding{Code: code("statefulset-service-missing"), Severity: finding.Error, Object: r, Message: message,
		Evidence: []finding.Evidence{fact(r, "spec.serviceName", s.Spec.ServiceName)}, Fix: []finding.Fix{fix}})
}

// concerns says whether the one Service that was asked about has to do with
// the StatefulSet.
func (w *world) concerns(s *appsv1.StatefulSet) bool {
	for _, c := range w.subjects {
		if c.svc.Namespace == s.Namespace && (c.selects() && carries(s.Spec.Template.Labels, c.svc.Spec.Selector) || strings.EqualFold(c.svc.Name, s.Spec.ServiceName) || misspelt(s.Spec.ServiceName, c.svc.Name)) {
			return true
		}
	}
	return false
}
