package act

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Propose asks the server what it would keep if the manifest were applied, with
// all that defaults and admission make of it. Nothing is changed: it is only
// ever a dry run. It goes the way that the object was applied before, since
// what is no longer in the manifest is removed by that alone. A manifest as
// *unstructured.Unstructured is checked for misspelt fields, too.
func (a *Actor) Propose(ctx context.Context, ref object.Ref, manifest source.Object) (source.Object, error) {
	body, err := written(ref, manifest)
	if err != nil {
		return nil, err
	}
	live, err := a.Get(ctx, ref)
	r := request{ref: ref, dryRun: true, query: url.Values{"fieldValidation": {metav1.FieldValidationStrict}}}
	switch {
	case errors.Is(err, ErrMissing):
		r.verb, r.method, r.media, r.body = "create", "POST", "application/json", body
	case err != nil:
		return nil, err
	default:
		if err := r.apply(live, body); err != nil {
			return nil, err
		}
	}
	kept, err := a.wire.ask(ctx, r)
	if err != nil {
		return nil, err
	}
	return typed(ref, kept)
}

// written is the manifest as it would be sent, without what only the server writes.
func written(ref object.Ref, manifest source.Object) ([]byte, error) {
	text, err := json.Marshal(manifest)
	var content map[string]any
	if err == nil {
		err = json.Unmarshal(text, &content)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref.Arg(), err)
	}
	delete(content, "status")
	content["apiVersion"], content["kind"] = ref.APIVersion(), ref.Kind
	metadata, ok := content["metadata"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: the manifest has no metadata", ref.Arg())
	}
	delete(metadata, "managedFields")
	delete(metadata, "creationTimestamp")
	metadata["name"] = ref.Name
	if ref.Namespace != "" {
		metadata["namespace"] = ref.Namespace
	}
	return json.Marshal(content)
}

// apply chooses between server-side apply, by whoever applied the template so,
// and kubectl's own three-way patch from what it noted down last.
func (r *request) apply(live *unstructured.Unstructured, body []byte) error {
	r.verb, r.method = "patch", "PATCH"
	by := appliedBy(live)
	original, noted := live.GetAnnotations()[corev1.LastAppliedConfigAnnotation]
	if by != "" || !noted {
		if by == "" {
			by = manager
		}
		r.media, r.body = string(types.ApplyPatchType), body
		r.query.Set("fieldManager", by)
		r.query.Set("force", "true")
		return nil
	}
	current, err := json.Marshal(live)
	if err != nil {
		return err
	}
	shape, err := scheme.New().New(live.GroupVersionKind())
	if err != nil {
		return fmt.Errorf("%s: %w", r.ref.Arg(), err)
	}
	fields, err := strategicpatch.NewPatchMetaFromStruct(shape)
	if err != nil {
		return fmt.Errorf("%s: %w", r.ref.Arg(), err)
	}
	r.media, r.query = string(types.StrategicMergePatchType), url.Values{"fieldManager": {"kubectl-client-side-apply"}, "fieldValidation": {metav1.FieldValidationStrict}}
	r.body, err = strategicpatch.CreateThreeWayMergePatch([]byte(original), body, current, fields, true)
	if err != nil {
		return fmt.Errorf("%s: what was applied last cannot be compared with the manifest: %w", r.ref.Arg(), err)
	}
	return nil
}

// appliedBy is the manager that applied the pod template on the server's side.
func appliedBy(live *unstructured.Unstructured) string {
	for _, m := range live.GetManagedFields() {
		if m.Operation == metav1.ManagedFieldsOperationApply && m.Subresource == "" && m.FieldsV1 != nil && strings.Contains(m.FieldsV1.GetRawString(), `"f:template"`) {
			return m.Manager
		}
	}
	return ""
}

// typed is the object as its Go type.
func typed(ref object.Ref, u *unstructured.Unstructured) (source.Object, error) {
	text, err := json.Marshal(u)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref.Arg(), err)
	}
	kind, _ := kindOf(object.Ref{Group: ref.Group, Kind: ref.Kind})
	o, err := scheme.New().New(kind.GVK())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref.Arg(), err)
	}
	if err := json.Unmarshal(text, o); err != nil {
		return nil, fmt.Errorf("%s: %w", ref.Arg(), err)
	}
	result, ok := o.(source.Object)
	if !ok {
		return nil, fmt.Errorf("%s: %T has no metadata", ref.Arg(), o)
	}
	return result, nil
}
