package back

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// ErrMoved says that the object is no longer what was decided about.
var ErrMoved = errors.New("it was changed meanwhile")

// Pause decides whether the rollout can be stopped where it is. Only a
// Deployment can be paused; of the others it says what comes near.
func Pause(w *workload.Workload) Decision {
	d := Decision{
		Target: w.Ref, Needs: permission("patch", w.Ref), pause: true,
		expect: expectation{uid: w.Object.GetUID(), generation: w.Generation, revision: revisionOf(w.Object)},
	}
	switch {
	case w.Ref.Kind == "StatefulSet":
		patch := fmt.Sprintf(`{"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":%d}}}}`, w.Replicas)
		d.Command = finding.Kubectl(w.Ref.Namespace, "patch", w.Ref.Arg(), "--type=merge", "-p", patch)
		return d.refuse("a StatefulSet cannot be paused; a partition as large as its replicas stops it, but pods that are created anew meanwhile come back in the old revision")
	case w.Ref.Kind != "Deployment":
		d.Command = finding.Kubectl(w.Ref.Namespace, "patch", w.Ref.Arg(), "--type=merge", "-p", `{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}`)
		return d.refuse("a DaemonSet cannot be paused; the strategy OnDelete stops it, and must be set back afterwards")
	case w.Paused:
		d.Command = finding.Kubectl(w.Ref.Namespace, "rollout", "resume", w.Ref.Arg())
		return d.refuse("it is paused already")
	case w.Object.GetDeletionTimestamp() != nil:
		return d.refuse(fmt.Sprintf("%s is being deleted", w.Ref))
	}
	d.Command = finding.Kubectl(w.Ref.Namespace, "rollout", "resume", w.Ref.Arg())
	d.Why = "it stops where it is, and the evidence stays"
	return d
}

// operation is one of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// Revision is the object that keeps the template which is gone back to: it must
// be read anew for Patch. It is none for a pause.
func (d Decision) Revision() object.Ref {
	if d.To == nil {
		return object.Ref{}
	}
	return d.To.Object.Ref
}

// Patch is the JSON patch that does what was decided, made from the object and
// the revision as they were just read again, in full. It changes the template
// and nothing else, and nothing at all if the object changes before it arrives.
// The error is ErrMoved where the object is not the one that was decided about.
func (d Decision) Patch(current, revision *unstructured.Unstructured) ([]byte, error) {
	if d.Refused != "" {
		return nil, fmt.Errorf("%s: %s", d.Target.Arg(), d.Refused)
	}
	if err := d.unmoved(current); err != nil {
		return nil, err
	}
	patch := []operation{
		{"test", "/metadata/uid", current.GetUID()},
		{"test", "/metadata/resourceVersion", current.GetResourceVersion()},
	}
	if d.pause {
		return json.Marshal(append(patch, operation{"add", "/spec/paused", true}))
	}
	template, err := d.template(revision)
	if err != nil {
		return nil, err
	}
	patch = append(patch, operation{"replace", "/spec/template", template})
	if d.Resumes {
		patch = append(patch, operation{"add", "/spec/paused", false})
	}
	return json.Marshal(patch)
}

func (d Decision) unmoved(o *unstructured.Unstructured) error {
	moved := func(what string, args ...any) error {
		return fmt.Errorf("%s: %w, and nothing was done: %s", d.Target.Arg(), ErrMoved, fmt.Sprintf(what, args...))
	}
	switch revision := revisionOf(o); {
	case o == nil || o.GetUID() != d.expect.uid:
		return moved("it was deleted and created anew")
	case o.GetDeletionTimestamp() != nil:
		return moved("it is being deleted")
	case o.GetGeneration() != d.expect.generation:
		return moved("its spec was written again (generation %d, then %d)", d.expect.generation, o.GetGeneration())
	case revision != d.expect.revision:
		return moved("its revision is %q, and was %q", revision, d.expect.revision)
	}
	return nil
}

// revisionOf is how the object itself names its current revision.
func revisionOf(o metav1.Object) string {
	switch o := o.(type) {
	case *appsv1.Deployment:
		return o.Annotations[workload.RevisionAnnotation]
	case *appsv1.StatefulSet:
		return o.Status.UpdateRevision
	case *unstructured.Unstructured:
		if o == nil {
			return ""
		}
		switch o.GetKind() {
		case "Deployment":
			return o.GetAnnotations()[workload.RevisionAnnotation]
		case "StatefulSet":
			name, _, _ := unstructured.NestedString(o.Object, "status", "updateRevision")
			return name
		}
	}
	return ""
}

// template is the revision's, with every field that the server keeps, also
// those that are newer than this program.
func (d Decision) template(revision *unstructured.Unstructured) (map[string]any, error) {
	if revision == nil || revision.GetUID() != d.expect.revisionUID {
		return nil, fmt.Errorf("%s: %w, and nothing was done: revision %d is gone", d.Target.Arg(), ErrMoved, d.To.Number)
	}
	path := []string{"spec", "template"}
	if revision.GetKind() == "ControllerRevision" {
		path = append([]string{"data"}, path...)
	}
	template, ok, err := unstructured.NestedMap(revision.Object, path...) // a copy
	if err != nil || !ok {
		return nil, fmt.Errorf("%s: the template of revision %d cannot be read from %s", d.Target.Arg(), d.To.Number, strings.Join(path, "."))
	}
	delete(template, "$patch") // a ControllerRevision keeps a strategic merge patch
	unstructured.RemoveNestedField(template, "metadata", "labels", appsv1.DefaultDeploymentUniqueLabelKey)
	return template, nil
}
