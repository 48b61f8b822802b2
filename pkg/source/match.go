package source

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// matcher says what a query selects. A selector that cannot be read selects
// nothing.
func (q Query) matcher() func(Object) bool {
	byLabel, labelErr := labels.Parse(q.Labels)
	byField, fieldErr := fields.ParseSelector(q.Fields)
	return func(o Object) bool {
		return labelErr == nil && fieldErr == nil &&
			(q.Name == "" || o.GetName() == q.Name) &&
			(q.Namespace == "" || o.GetNamespace() == q.Namespace) &&
			(!q.Owned || len(o.GetOwnerReferences()) > 0) &&
			(q.Labels == "" || byLabel.Matches(labels.Set(o.GetLabels()))) &&
			(q.Fields == "" || byField.Matches(fieldsOf{o}))
	}
}

// fieldsOf are the fields by which the API server selects, of the kinds that
// are queried so.
type fieldsOf struct{ Object }

// Has implements fields.Fields.
func (f fieldsOf) Has(field string) bool {
	_, ok := f.field(field)
	return ok
}

// Get implements fields.Fields.
func (f fieldsOf) Get(field string) string {
	value, _ := f.field(field)
	return value
}

func (f fieldsOf) field(field string) (string, bool) {
	switch field {
	case "metadata.name":
		return f.GetName(), true
	case "metadata.namespace":
		return f.GetNamespace(), true
	}
	switch o := f.Object.(type) {
	case *corev1.Pod:
		switch field {
		case "spec.nodeName":
			return o.Spec.NodeName, true
		case "status.phase":
			return string(o.Status.Phase), true
		case "status.podIP":
			return o.Status.PodIP, true
		}
	case *corev1.Service:
		if field == "spec.clusterIP" {
			return o.Spec.ClusterIP, true
		}
	case *corev1.Event:
		switch field {
		case "involvedObject.uid":
			return string(o.InvolvedObject.UID), true
		case "involvedObject.kind":
			return o.InvolvedObject.Kind, true
		case "involvedObject.name":
			return o.InvolvedObject.Name, true
		case "type":
			return o.Type, true
		}
	}
	return "", false
}
