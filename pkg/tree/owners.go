package tree

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// owners checks every ownerReference of what is shown: that the owner exists,
// is the same object, may own this one, and is the only controller.
func owners() Analyzer {
	return Analyzer{Name: "owners", Docs: ownerDocs, Needs: needOwners, Run: func(p *Pass) {
		for _, it := range p.Shown {
			if collected(it) {
				continue
			}
			for i, o := range it.Object.GetOwnerReferences() {
				p.checkOwner(it, o, fmt.Sprintf("metadata.ownerReferences[%d]", i))
			}
			p.checkControllers(it)
			p.checkCycle(it)
		}
	}}
}

// collected says that an object goes as its owner went: the garbage collector is
// at work, and no stranger's finalizer stops it.
func collected(it index.Item) bool {
	if it.Object.GetDeletionTimestamp() == nil {
		return false
	}
	return !slices.ContainsFunc(it.Object.GetFinalizers(), func(f string) bool {
		return !strings.Contains(f, "kubernetes.io/") && f != metav1.FinalizerDeleteDependents && f != metav1.FinalizerOrphanDependents
	})
}

// needOwners looks for a missing owner in all namespaces: one that lives
// elsewhere is another fault than one that is gone.
func needOwners(g *relation.Graph, _ []object.Ref) []source.Query {
	var qs []source.Query
	for _, it := range g.View.Every() {
		for _, o := range it.Object.GetOwnerReferences() {
			owner := object.New(o.APIVersion, o.Kind, it.Ref.Namespace, o.Name)
			kind, served := g.View.Served(owner.GroupKind())
			if _, known := g.View.ByUID(o.UID); known || !served || !kind.Namespaced || it.Ref.Namespace == "" {
				continue
			}
			if presence, _ := g.View.Presence(owner); presence == index.Missing {
				qs = append(qs, source.Query{Kind: owner.GroupKind(), Metadata: true})
			}
		}
	}
	return qs
}

func (p *Pass) checkOwner(it index.Item, o metav1.OwnerReference, field string) {
	owner := object.New(o.APIVersion, o.Kind, it.Ref.Namespace, o.Name)
	kind, served := p.View.Served(owner.GroupKind())
	switch {
	case served && kind.Namespaced && it.Ref.Namespace == "":
		p.report(p.crossNamespace(it, o, field, "a cluster-scoped object cannot have the namespaced owner "+owner.String(),
			"The garbage collector leaves it alone and writes the event OwnerRefInvalidNamespace in the namespace default."))
		return
	case served && !kind.Namespaced:
		owner.Namespace = ""
	}
	if live, ok := p.View.ByUID(o.UID); ok {
		if it.Ref.Namespace != "" && live.Ref.Namespace != "" && live.Ref.Namespace != it.Ref.Namespace {
			p.report(p.crossNamespace(it, o, field, fmt.Sprintf("its owner %s lives in another namespace, %s", live.Ref, live.Ref.Namespace),
				"The garbage collector looks for the owner in the same namespace only, and will collect this object within seconds."))
		}
		return
	}
	presence, _ := p.View.Presence(owner)
	switch {
	case presence == index.Present:
		p.wrongUID(it, o, owner, field)
	case presence == index.Missing || !served && len(p.View.Kinds) > 0:
		p.missingOwner(it, o, owner, field, served)
	}
}

func (p *Pass) crossNamespace(it index.Item, o metav1.OwnerReference, field, message, consequence string) finding.Finding {
	return finding.Finding{
		Code: "tree/owner-cross-namespace", Severity: finding.Error, Object: it.Ref, Message: message,
		Evidence: []finding.Evidence{evidence(it.Ref, field, describeOwner(o))},
		Fix:      []finding.Fix{{Description: consequence}, p.disown(it, field)},
	}
}

func (p *Pass) wrongUID(it index.Item, o metav1.OwnerReference, owner object.Ref, field string) {
	namesake, _ := p.View.Get(owner)
	p.report(finding.Finding{
		Code: "tree/owner-wrong-uid", Severity: finding.Error, Object: it.Ref,
		Message: fmt.Sprintf("its owner %s was deleted; another object has that name now, so this one will be collected", owner),
		Evidence: []finding.Evidence{
			evidence(it.Ref, field+".uid", string(o.UID)),
			evidence(namesake.Ref, "metadata.uid", string(namesake.Object.GetUID())),
		},
		Fix: []finding.Fix{p.disown(it, field)},
	})
}

func (p *Pass) missingOwner(it index.Item, o metav1.OwnerReference, owner object.Ref, field string, served bool) {
	f := finding.Finding{
		Code: "tree/owner-missing", Severity: finding.Error, Object: it.Ref,
		Message:  fmt.Sprintf("its owner %s does not exist any more", owner),
		Evidence: []finding.Evidence{evidence(it.Ref, field, describeOwner(o))},
		Fix:      []finding.Fix{p.disown(it, field), {Description: "or let it go with its owner", Command: finding.Kubectl(it.Ref.Namespace, "delete", it.Ref.Arg())}},
	}
	if !served {
		f.Message = fmt.Sprintf("its owner %s cannot exist: the server has no kind %s in %s", owner, o.Kind, o.APIVersion)
	}
	if finalizers := it.Object.GetFinalizers(); len(finalizers) > 0 {
		f.Evidence = append(f.Evidence, evidence(it.Ref, "metadata.finalizers", strings.Join(finalizers, ", ")))
	}
	p.report(f)
}

// disown is the command that cuts one reference, with a test that it is still
// the one that was judged.
func (p *Pass) disown(it index.Item, field string) finding.Fix {
	i := strings.TrimSuffix(strings.TrimPrefix(field, "metadata.ownerReferences["), "]")
	return finding.Fix{
		Description: "keep it, without that owner",
		Command:     finding.Kubectl(it.Ref.Namespace, "patch", it.Ref.Arg(), "--type=json", "-p", finding.JSON([]any{map[string]any{"op": "remove", "path": "/metadata/ownerReferences/" + i}})),
	}
}

func (p *Pass) checkControllers(it index.Item) {
	var controllers []string
	for _, o := range it.Object.GetOwnerReferences() {
		if o.Controller != nil && *o.Controller {
			controllers = append(controllers, o.Kind+"/"+o.Name)
		}
	}
	if len(controllers) > 1 {
		p.report(finding.Finding{
			Code: "tree/two-controllers", Severity: finding.Warning, Object: it.Ref,
			Message:  "has more than one controller: " + strings.Join(controllers, " and "),
			Evidence: []finding.Evidence{evidence(it.Ref, "metadata.ownerReferences[].controller", strings.Join(controllers, ", "))},
			Fix:      []finding.Fix{{Description: "decide which of them is to manage it, and set controller=false on the other reference"}},
		})
	}
}

// checkCycle follows every owner upward; a way that comes back is a cycle. It
// is reported once: of the object asked about, or of its first in order.
func (p *Pass) checkCycle(it index.Item) {
	path := p.cycleFrom(it.Ref, it.Ref, map[object.Ref]bool{})
	if len(path) == 0 {
		return
	}
	for _, r := range path {
		if before := object.Compare(r, it.Ref) < 0; p.Asked[r.Key()] == p.Asked[it.Ref.Key()] && before || p.Asked[r.Key()] && !p.Asked[it.Ref.Key()] {
			return
		}
	}
	names := []string{it.Ref.String()}
	for _, r := range path {
		names = append(names, r.String())
	}
	message := "owns itself"
	if len(path) > 1 {
		message = "is part of an ownership cycle: " + strings.Join(names, " ← ")
	}
	p.report(finding.Finding{
		Code: "tree/owner-cycle", Severity: finding.Error, Object: it.Ref, Message: message,
		Evidence: []finding.Evidence{evidence(it.Ref, "metadata.ownerReferences[0]", names[1])},
		Fix:      []finding.Fix{p.disown(it, "metadata.ownerReferences[0]")},
	})
}

// cycleFrom is the way up from at that ends at target, target last.
func (p *Pass) cycleFrom(at, target object.Ref, seen map[object.Ref]bool) []object.Ref {
	if seen[at.Key()] {
		return nil
	}
	seen[at.Key()] = true
	it, ok := p.View.Get(at)
	if !ok {
		return nil
	}
	for _, o := range it.Object.GetOwnerReferences() {
		owner, ok := p.View.ByUID(o.UID)
		if !ok {
			continue
		}
		if owner.Ref.Key() == target.Key() {
			return []object.Ref{owner.Ref}
		}
		if rest := p.cycleFrom(owner.Ref, target, seen); rest != nil {
			return append([]object.Ref{owner.Ref}, rest...)
		}
	}
	return nil
}

func describeOwner(o metav1.OwnerReference) string {
	return fmt.Sprintf("%s %s/%s, uid %s", o.APIVersion, o.Kind, o.Name, o.UID)
}

var ownerDocs = []finding.Doc{
	{Code: "tree/owner-missing", Severity: finding.Error, Title: "The owner does not exist any more",
		Means:  "An ownerReference names an object that is gone, or whose kind the server no longer has. The garbage collector should have taken this object too: a finalizer holds it, the owner's kind is not served, or it was restored from elsewhere.",
		Told:   "No object has the reference's UID, and none of that kind has its name. An owner that cannot be seen (forbidden) is not missing.",
		Fix:    "Remove the reference to keep the object, or delete the object.",
		Source: "pkg/controller/garbagecollector, attemptToDeleteItem"},
	{Code: "tree/owner-wrong-uid", Severity: finding.Error, Title: "Another object has the owner's name",
		Means:  "The owner was deleted and made again under the same name. Ownership goes by UID, so this object belongs to the deleted one and will be collected.",
		Told:   "An object of the reference's kind and name exists, with another UID.",
		Fix:    "Remove the reference, or write the new owner's UID into it.",
		Source: "pkg/controller/garbagecollector, absentOwnerCache"},
	{Code: "tree/owner-cross-namespace", Severity: finding.Error, Title: "The owner lives where it cannot own",
		Means:  "A namespaced object can be owned only by an object of its own namespace or by a cluster-scoped one; a cluster-scoped object only by a cluster-scoped one.",
		Told:   "The owner with this UID is in another namespace, or a cluster-scoped object names an owner of a namespaced kind.",
		Fix:    "Remove the reference; use labels or a controller to tie the two together.",
		Source: "pkg/controller/garbagecollector, OwnerRefInvalidNamespace"},
	{Code: "tree/owner-cycle", Severity: finding.Error, Title: "Objects own each other",
		Means:  "Following the owners leads back to where one started, so none of them is ever collected by background deletion.",
		Told:   "The chain of ownerReferences, by UID, closes.",
		Fix:    "Remove one of the references.",
		Source: "pkg/controller/garbagecollector, graph"},
	{Code: "tree/two-controllers", Severity: finding.Warning, Title: "Two controllers claim one object",
		Means:  "At most one owner may have controller=true; controllers that both think they manage an object undo each other's work.",
		Told:   "More than one ownerReference has controller=true.",
		Fix:    "Decide which one manages it.",
		Source: "apimachinery, ValidateOwnerReferences refuses it on writes; it persists in restored objects"},
}
