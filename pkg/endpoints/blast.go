package endpoints

import (
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

var (
	validatingKind = schema.GroupKind{Group: admissionv1.GroupName, Kind: "ValidatingWebhookConfiguration"}
	mutatingKind   = schema.GroupKind{Group: admissionv1.GroupName, Kind: "MutatingWebhookConfiguration"}
	apiServiceKind = schema.GroupKind{Group: "apiregistration.k8s.io", Kind: "APIService"}
)

// blastRadius raises what is wrong with a Service on which the API server
// itself depends, and says what fails with it.
func blastRadius() Analyzer {
	return Analyzer{Name: "blast radius", Docs: []finding.Doc{
		page("blast-radius", finding.Error, "The API server itself depends on this Service",
			"An admission webhook with failurePolicy Fail, or an aggregated API, is behind it: writes are refused, or a part of the API is gone, for as long as it does not answer.",
			"The Service has a problem, and a webhook configuration or an APIService names it. The severity of that problem is raised. Of one Service alone it is looked for where a port may speak TLS (443 and the like, or a name that says so), since the API server speaks nothing else.",
			"Mend the cause first. To get out of a deadlock, set failurePolicy to Ignore for the time being.", "admissionregistration.k8s.io/v1, FailurePolicy"),
	}, Whole: func(w *world) {
		var uses []use
		for _, c := range w.subjects {
			cause := worstOf(c.found)
			if cause == nil {
				continue
			}
			if uses == nil {
				uses = append(w.uses(), use{})
			}
			for _, u := range uses {
				if u.service.Key() != c.ref.Key() || u.by.IsZero() {
					continue
				}
				cause.Severity = finding.Error
				c.say("blast-radius", finding.Error, u.words, []finding.Evidence{fact(u.by, u.field, c.svc.Namespace+"/"+c.svc.Name)},
					manual("mend the cause first; %s", u.relief))
				c.found[len(c.found)-1].CausedBy = &finding.Cause{Code: cause.Code, Object: cause.Object}
				break
			}
		}
	}}
}

func worstOf(fs []finding.Finding) *finding.Finding {
	for _, s := range []finding.Severity{finding.Error, finding.Warning} {
		for i := range fs {
			if fs[i].Severity == s {
				return &fs[i]
			}
		}
	}
	return nil
}

// use is a part of the API that rests on a Service.
type use struct {
	service, by          object.Ref
	field, words, relief string
}

func (w *world) uses() []use {
	var uses []use
	add := func(by object.Ref, i int, name string, policy *admissionv1.FailurePolicyType, client admissionv1.WebhookClientConfig) {
		if client.Service == nil || policy != nil && *policy != admissionv1.Fail {
			return
		}
		uses = append(uses, use{object.Ref{Kind: "Service", Namespace: client.Service.Namespace, Name: client.Service.Name}, by,
			fmt.Sprintf("webhooks[%d].clientConfig.service", i), fmt.Sprintf("%s asks it before objects are stored (webhook %s, failurePolicy Fail), so those writes are refused", by, name),
			"to get out of a deadlock, set failurePolicy of " + by.String() + " to Ignore"})
	}
	for _, it := range w.v.List(validatingKind, "") {
		if o, ok := it.Object.(*admissionv1.ValidatingWebhookConfiguration); ok {
			for i := range o.Webhooks {
				add(it.Ref, i, o.Webhooks[i].Name, o.Webhooks[i].FailurePolicy, o.Webhooks[i].ClientConfig)
			}
		}
	}
	for _, it := range w.v.List(mutatingKind, "") {
		if o, ok := it.Object.(*admissionv1.MutatingWebhookConfiguration); ok {
			for i := range o.Webhooks {
				add(it.Ref, i, o.Webhooks[i].Name, o.Webhooks[i].FailurePolicy, o.Webhooks[i].ClientConfig)
			}
		}
	}
	for _, it := range w.v.List(apiServiceKind, "") {
		u, ok := it.Object.(*unstructured.Unstructured)
		if !ok {
			continue
		}
		name, _, _ := unstructured.NestedString(u.Object, "spec", "service", "name")
		namespace, _, _ := unstructured.NestedString(u.Object, "spec", "service", "namespace")
		if name != "" {
			uses = append(uses, use{object.Ref{Kind: "Service", Namespace: namespace, Name: name}, it.Ref, "spec.service",
				fmt.Sprintf("it serves the API %s, which is gone meanwhile; deleting namespaces hangs too", it.Ref.Name), "nothing else brings the API back"})
		}
	}
	return uses
}
