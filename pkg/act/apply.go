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
	"k8s.io/apimachinery/pkg/runtime"
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
	r.media, r.query = string(types.StrategicMergePatchType), url.Values{"fieldManager": {"kubectl-client-side-apply"}, "fieldValidation": {metav1.FieldValidationStrict}}
	var err error
	r.body, _, err = threeWay(r.ref, live, []byte(original), body)
	return err
}

// threeWay is the patch by which kubectl applies: what the manifest says, and
// what it said before and says no longer, against what is there. With it comes
// what is there, as JSON.
func threeWay(ref object.Ref, live source.Object, original, body []byte) (patch, current []byte, err error) {
	if current, err = json.Marshal(live); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", ref.Arg(), err)
	}
	shape, err := shapeOf(ref)
	if err != nil {
		return nil, nil, err
	}
	fields, err := strategicpatch.NewPatchMetaFromStruct(shape)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", ref.Arg(), err)
	}
	patch, err = strategicpatch.CreateThreeWayMergePatch(original, body, current, fields, true)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: what was applied last cannot be compared with the manifest: %w", ref.Arg(), err)
	}
	return patch, current, nil
}

// Merged is what would be kept if the manifest were applied to an object of a
// snapshot, as far as that can be told without a server: what the manifest
// leaves open stays as it is, so that no default looks like a change.
func Merged(ref object.Ref, live, manifest source.Object) (source.Object, error) {
	body, err := written(ref, manifest)
	if err != nil {
		return nil, err
	}
	original, noted := live.GetAnnotations()[corev1.LastAppliedConfigAnnotation]
	if !noted {
		original = string(body)
	}
	patch, current, err := threeWay(ref, live, []byte(original), body)
	if err != nil {
		return nil, err
	}
	shape, err := shapeOf(ref)
	if err != nil {
		return nil, err
	}
	merged, err := strategicpatch.StrategicMergePatch(current, patch, shape)
	if err != nil {
		return nil, fmt.Errorf("%s: the manifest does not fit what is there: %w", ref.Arg(), err)
	}
	return decoded(ref, merged)
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
	return decoded(ref, text)
}

func decoded(ref object.Ref, text []byte) (source.Object, error) {
	o, err := shapeOf(ref)
	if err != nil {
		return nil, err
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

// shapeOf is an empty object of the kind.
func shapeOf(ref object.Ref) (runtime.Object, error) {
	kind, _ := kindOf(object.Ref{Group: ref.Group, Kind: ref.Kind})
	o, err := scheme.New().New(kind.GVK())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref.Arg(), err)
	}
	return o, nil
}
