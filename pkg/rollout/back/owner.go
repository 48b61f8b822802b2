package back

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Owner is a program that keeps the object as it is written elsewhere.
type Owner struct {
	Words    string // "Argo CD owns it as part of the application shop"
	Evidence string // the field that says so
	Advice   string
	Command  string
}

// OwnerOf finds who else writes the object.
func OwnerOf(v *index.View, o source.Object) (Owner, bool) {
	for _, find := range []func(*index.View, source.Object) (Owner, bool){another, argo, flux, helm} {
		if owner, ok := find(v, o); ok {
			return owner, true
		}
	}
	return Owner{}, false
}

// another is an object that made this one, such as an operator's.
func another(_ *index.View, o source.Object) (Owner, bool) {
	owners := o.GetOwnerReferences()
	if len(owners) == 0 {
		return Owner{}, false
	}
	i := max(0, slices.IndexFunc(owners, func(r metav1.OwnerReference) bool { return r.Controller != nil && *r.Controller }))
	ref := object.New(owners[i].APIVersion, owners[i].Kind, o.GetNamespace(), owners[i].Name)
	return Owner{
		Words:    fmt.Sprintf("%s owns it", ref),
		Evidence: fmt.Sprintf("metadata.ownerReferences[%d]", i),
		Advice:   "change the owner instead",
		Command:  finding.Kubectl(ref.Namespace, "edit", ref.Arg()),
	}, true
}

const (
	argoTracking = "argocd.argoproj.io/tracking-id"
	argoManager  = "argocd"
)

// argo goes by the tracking id APPLICATION:GROUP/KIND:NAMESPACE/NAME, which
// counts only on the object that it names (argo-cd util/argo,
// resource_tracking.go), or by who applied the object.
func argo(v *index.View, o source.Object) (Owner, bool) {
	application, evidence := "", ""
	if app, of, ok := strings.Cut(o.GetAnnotations()[argoTracking], ":"); ok && app != "" && strings.HasSuffix(of, ":"+o.GetNamespace()+"/"+o.GetName()) {
		application, evidence = app, fmt.Sprintf("metadata.annotations[%s]", argoTracking)
	} else if i := writtenBy(o, argoManager); i >= 0 {
		application = cmp.Or(o.GetLabels()["argocd.argoproj.io/instance"], o.GetLabels()["app.kubernetes.io/instance"])
		evidence = fmt.Sprintf("metadata.managedFields[%d].manager", i)
	} else {
		return Owner{}, false
	}
	owner := Owner{
		Words: "Argo CD owns it", Evidence: evidence,
		Advice: "revert the change in git and sync the application",
	}
	if application == "" {
		return owner, true
	}
	// An application outside of Argo CD's own namespace is tracked as NAMESPACE_NAME.
	name := strings.Replace(application, "_", "/", 1)
	owner.Words += " as part of the application " + name
	owner.Command = "argocd app sync " + finding.Quote(name)
	if automatic, known := autoSync(v, application); known && !automatic {
		owner.Advice += ", or go back to what was synced before"
		owner.Command = "argocd app rollback " + finding.Quote(name)
	}
	return owner, true
}

// autoSync says whether the application syncs by itself: then it cannot be
// rolled back (argo-cd server/application, Rollback).
func autoSync(v *index.View, application string) (automatic, known bool) {
	namespace, name, split := strings.Cut(application, "_")
	for _, it := range v.List(schema.GroupKind{Group: "argoproj.io", Kind: "Application"}, "") {
		if it.Ref.Name != application && (!split || it.Ref.Name != name || it.Ref.Namespace != namespace) {
			continue
		}
		content, ok := it.Object.(interface{ UnstructuredContent() map[string]any })
		if !ok {
			return false, false
		}
		spec, _ := content.UnstructuredContent()["spec"].(map[string]any)
		policy, _ := spec["syncPolicy"].(map[string]any)
		return policy["automated"] != nil, true
	}
	return false, false
}

// flux goes by the labels that its controllers put on what they apply.
func flux(_ *index.View, o source.Object) (Owner, bool) {
	for _, by := range []struct{ group, kind, manager string }{
		{"helm.toolkit.fluxcd.io", "helmrelease", "helm-controller"},
		{"kustomize.toolkit.fluxcd.io", "kustomization", "kustomize-controller"},
	} {
		l, a := o.GetLabels(), o.GetAnnotations()
		if a[by.group+"/reconcile"] == "disabled" || a[by.group+"/ssa"] == "Ignore" {
			continue
		}
		owner := Owner{Advice: "revert the change in git and let Flux apply it"}
		if name := l[by.group+"/name"]; name != "" {
			namespace := cmp.Or(l[by.group+"/namespace"], o.GetNamespace())
			owner.Words = fmt.Sprintf("Flux owns it by the %s %s/%s", by.kind, namespace, name)
			owner.Evidence = fmt.Sprintf("metadata.labels[%s/name]", by.group)
			owner.Command = fmt.Sprintf("flux reconcile %s %s -n %s --with-source", by.kind, finding.Quote(name), finding.Quote(namespace))
			return owner, true
		}
		if i := writtenBy(o, by.manager); i >= 0 {
			owner.Words, owner.Evidence = "Flux owns it", fmt.Sprintf("metadata.managedFields[%d].manager", i)
			return owner, true
		}
	}
	return Owner{}, false
}

// writtenBy is the place of the manager that wrote the object itself, by the
// beginning of its name, or -1.
func writtenBy(o source.Object, manager string) int {
	return slices.IndexFunc(o.GetManagedFields(), func(m metav1.ManagedFieldsEntry) bool {
		return m.Subresource == "" && (m.Manager == manager || strings.HasPrefix(m.Manager, manager+"-"))
	})
}

const (
	helmRelease   = "meta.helm.sh/release-name"
	helmNamespace = "meta.helm.sh/release-namespace"
)

var kindSecret = schema.GroupKind{Kind: "Secret"}

func helm(v *index.View, o source.Object) (Owner, bool) {
	release := o.GetAnnotations()[helmRelease]
	if release == "" {
		return Owner{}, false
	}
	namespace := cmp.Or(o.GetAnnotations()[helmNamespace], o.GetNamespace())
	command := "helm rollback " + finding.Quote(release)
	if number := releaseBefore(v, namespace, release); number > 0 {
		command += " " + strconv.Itoa(number)
	}
	return Owner{
		Words:    "Helm owns it as part of the release " + release,
		Evidence: fmt.Sprintf("metadata.annotations[%s]", helmRelease),
		Advice:   "roll the whole release back",
		Command:  command + " -n " + finding.Quote(namespace),
	}, true
}

// releaseBefore is the newest revision of the release that was deployed before
// the newest one, as the labels of Helm's Secrets tell (helm
// pkg/storage/driver, secrets.go); 0 where they were not seen.
func releaseBefore(v *index.View, namespace, release string) int {
	newest, before := 0, 0
	good := map[int]bool{}
	for it := range v.WithLabel(kindSecret, namespace, "name", release) {
		l := it.Object.GetLabels()
		number, err := strconv.Atoi(l["version"])
		if err != nil || l["owner"] != "helm" {
			continue
		}
		newest = max(newest, number)
		good[number] = l["status"] == "superseded" || l["status"] == "deployed"
	}
	for number, deployed := range good {
		if deployed && number < newest {
			before = max(before, number)
		}
	}
	return before
}

// Needs are the reads that tell more of an owner. They are worth asking for
// once a rollout has failed.
func Needs(o source.Object) []source.Query {
	if app := o.GetAnnotations()[argoTracking]; app != "" {
		return []source.Query{{Kind: schema.GroupKind{Group: "argoproj.io", Kind: "Application"}}}
	}
	release := o.GetAnnotations()[helmRelease]
	if release == "" {
		return nil
	}
	set := labels.Set{"owner": "helm", "name": release}
	return []source.Query{{Kind: kindSecret, Namespace: cmp.Or(o.GetAnnotations()[helmNamespace], o.GetNamespace()), Labels: set.String(), Metadata: true}}
}
