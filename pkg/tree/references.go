package tree

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// references finds required references whose target, or a key or port of it,
// does not exist. What could not be seen is not missing.
func references() Analyzer {
	return Analyzer{Name: "references", Docs: referenceDocs, Needs: needTargets, Run: runReferences}
}

func needTargets(g *relation.Graph, roots []object.Ref) []source.Query {
	return append(needNamesakes(g, roots), needSubPaths(g, roots)...)
}

// needNamesakes asks for the names beside a missing one, so that the unused
// near-namesake can be shown: metadata alone, and only when something is missing.
func needNamesakes(g *relation.Graph, _ []object.Ref) []source.Query {
	var qs []source.Query
	for _, it := range g.View.Every() {
		for _, e := range g.From(it.Ref) {
			if e.Row.Required && !e.Optional && e.Presence == index.Missing && e.Gap == nil {
				q := source.Query{Kind: e.To.GroupKind(), Namespace: e.To.Namespace, Metadata: true}
				if !slices.Contains(qs, q) {
					qs = append(qs, q)
				}
			}
		}
	}
	return qs
}

func runReferences(p *Pass) {
	said := map[object.Ref]bool{}
	keys := map[keyAt]bool{}
	for _, it := range p.Shown {
		for _, e := range p.Graph.From(it.Ref) {
			if !e.Row.Required || e.Optional {
				continue
			}
			switch e.Presence {
			case index.Missing:
				if !said[e.To.Key()] && !p.excused(it, e) {
					said[e.To.Key()] = true
					p.report(p.missing(it, e))
				}
			case index.Present:
				p.checkKeys(it, e, keys)
			}
		}
		p.checkSubPaths(it, keys)
		p.checkPorts(it)
	}
}

// excused are references whose target may be absent without harm: a bound claim
// is served by its volume whatever its class says, and a ReplicaSet or pod that
// no longer runs waits for nothing.
func (p *Pass) excused(it index.Item, e relation.Edge) bool {
	if pod, ok := it.Object.(*corev1.Pod); ok {
		if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			return true
		}
		// A running pod got what it needs when it started; the workload's template
		// is accused instead, where it has one.
		if p.Graph.Workload(it.Ref) != it.Ref && pod.Status.Phase == corev1.PodRunning {
			return true
		}
	}
	if it.Ref.Kind == "ReplicaSet" && p.Graph.Workload(it.Ref).Key() != it.Ref.Key() {
		return !ownsPods(p.Graph, it.Ref)
	}
	return false
}

func ownsPods(g *relation.Graph, r object.Ref) bool {
	return slices.ContainsFunc(g.Owned(r), func(it index.Item) bool { return it.Ref.Kind == "Pod" })
}

func (p *Pass) missing(it index.Item, e relation.Edge) finding.Finding {
	f := finding.Finding{
		Code: "tree/reference-missing", Severity: finding.Error, Object: it.Ref,
		Message:  fmt.Sprintf("needs %s (%s), which does not exist", e.To, e.Why),
		Evidence: []finding.Evidence{evidence(it.Ref, e.Field, e.To.Name)},
	}
	if e.Gap != nil && e.Gap.Reason == source.NotServed {
		f.Message = fmt.Sprintf("needs %s (%s), which cannot exist: the server has no kind %s", e.To, e.Why, e.To.Kind)
	}
	if close := p.namesakes(e.To); len(close) > 0 {
		f.Message += "; there is " + strings.Join(close, ", ")
		f.Fix = append(f.Fix, finding.Fix{Description: fmt.Sprintf("name %s in %s instead, if that is what was meant; with: %s", close[0], e.Field, finding.Kubectl(it.Ref.Namespace, "edit", it.Ref.Arg()))})
	}
	if elsewhere := p.elsewhere(e.To); elsewhere != "" {
		f.Message += "; one of that name is in namespace " + elsewhere
	}
	f.Fix = append(f.Fix, create(e))
	return f
}

// mostSlips is for how many missing names a like one is looked for. What makes
// a hundred names missing is no slip of the pen, and each look goes over all
// names of the kind.
const mostSlips = 100

// namesakes are objects of the missing one's kind with a name close to its.
func (p *Pass) namesakes(r object.Ref) []string {
	if p.slips++; p.slips > mostSlips {
		return nil
	}
	var names []string
	for _, it := range p.View.List(r.GroupKind(), r.Namespace) {
		names = append(names, it.Ref.Name)
	}
	return source.Close(names, r.Name)
}

// elsewhere is another namespace that has an object of the missing one's name.
func (p *Pass) elsewhere(r object.Ref) string {
	homes, ok := p.homes[r.GroupKind()]
	if !ok {
		homes = map[string][]string{}
		for _, it := range p.View.List(r.GroupKind(), "") {
			homes[it.Ref.Name] = append(homes[it.Ref.Name], it.Ref.Namespace)
		}
		p.homes[r.GroupKind()] = homes
	}
	for _, namespace := range homes[r.Name] {
		if namespace != r.Namespace {
			return namespace
		}
	}
	return ""
}

// create is how the missing object is made. Where a person must decide what
// goes into it, that is no command to run as it stands.
func create(e relation.Edge) finding.Fix {
	r := e.To
	switch r.Kind {
	case "ServiceAccount":
		return finding.Fix{Description: "create it", Command: finding.Kubectl(r.Namespace, "create", "serviceaccount", r.Name)}
	case "ConfigMap":
		return finding.Fix{Description: "create it with what its readers expect, such as from a file: " + finding.Kubectl(r.Namespace, "create", "configmap", r.Name, "--from-file=FILE")}
	case "Secret":
		return finding.Fix{Description: "create it with what its readers expect, such as from a file: " + finding.Kubectl(r.Namespace, "create", "secret", "generic", r.Name, "--from-file=FILE")}
	case "Service":
		return finding.Fix{Description: fmt.Sprintf("create the Service with the selector and the ports of the pods that should answer, or change %s of %s", e.Field, e.From)}
	case "PriorityClass":
		return finding.Fix{Description: "create it, with the value that its pods deserve: kubectl create priorityclass " + r.Name + " --value=VALUE"}
	}
	return finding.Fix{Description: fmt.Sprintf("create %s, or change %s of %s", r, e.Field, e.From)}
}

// keyAt is a key of a ConfigMap: what lacks it is said once, of the topmost
// object that names it.
type keyAt struct {
	object object.Ref
	key    string
}

// checkKeys finds the keys that a ConfigMap lacks. Of Secrets only metadata is
// read; that a key is missing there is what the kubelet says (health).
func (p *Pass) checkKeys(it index.Item, e relation.Edge, said map[keyAt]bool) {
	target, _ := p.View.Get(e.To)
	cm, ok := target.Object.(*corev1.ConfigMap)
	if !ok || p.excused(it, e) {
		return
	}
	for _, key := range e.Keys {
		_, text := cm.Data[key]
		_, binary := cm.BinaryData[key]
		if text || binary || said[keyAt{e.To.Key(), key}] {
			continue
		}
		said[keyAt{e.To.Key(), key}] = true
		f := finding.Finding{
			Code: "tree/reference-missing", Severity: finding.Error, Object: it.Ref,
			Message: fmt.Sprintf("needs the key %q of %s (%s), which has no such key", key, e.To, e.Why),
			Evidence: []finding.Evidence{
				evidence(it.Ref, e.Field, e.To.Name+", key "+key),
				evidence(e.To, "data", "keys "+strings.Join(keysOf(cm), ", ")),
			},
			Fix: []finding.Fix{{Description: "add the key", Command: finding.Kubectl(e.To.Namespace, "patch", "configmap", e.To.Name, "--type=merge", "-p", finding.JSON(map[string]any{"data": map[string]any{key: "VALUE"}}))}},
		}
		if close := source.Close(keysOf(cm), key); len(close) > 0 {
			f.Message += "; there is " + strings.Join(close, ", ")
		}
		p.report(f)
	}
}

func keysOf(cm *corev1.ConfigMap) []string {
	var keys []string
	for k := range cm.Data {
		keys = append(keys, k)
	}
	for k := range cm.BinaryData {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

var referenceDocs = []finding.Doc{{
	Code: "tree/reference-missing", Severity: finding.Error, Title: "Something that is needed does not exist",
	Means:  "An object names a ConfigMap, Secret, key, claim, ServiceAccount, class, Role, Service or port of a Service that is not there, and the reference is not optional. Pods wait for it, or are refused; requests to it fail.",
	Told:   "The target's kind was read in full, or the target by name, and it is not among what came back. Forbidden or failed reads say nothing; references marked optional say nothing; a bound claim does not need its StorageClass object. An Ingress that names the pods' port instead of the Service's is only warned of, since some controllers accept it; an ExternalName needs no ports. So is a subPath that names no key of a ConfigMap, or no item of a volume, whose content is known: the kubelet makes an empty folder instead; it is an error where a container fails with words that name the mountPath.",
	Fix:    "Create it, or correct the name.",
	Source: "kubelet pkg/kubelet/kubelet_pods.go; each relation names its field in docs/relations.md",
}}
