package source

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MetadataOnly says whether an object was read without its spec and status.
func MetadataOnly(o Object) bool {
	_, ok := o.(*metav1.PartialObjectMetadata)
	return ok
}
