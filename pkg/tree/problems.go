package tree

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// problems turns the objects' own failures into findings: one for each kind of
// failure of each workload, however many of its pods fail alike.
func problems() Analyzer {
	docs := health.Docs()
	for i := range docs {
		docs[i].Code = "tree/" + docs[i].Code
	}
	return Analyzer{Name: "problems", Docs: docs, Run: runProblems}
}

type alike struct {
	name, container string
	owner           object.Ref
}

func runProblems(p *Pass) {
	first := map[alike]int{}
	more := map[alike]int{}
	for _, it := range p.Shown {
		owner := it.Ref.Key()
		if owners := p.Graph.Owners(it.Ref); it.Ref.Kind == "Pod" && len(owners) > 0 {
			owner = owners[0].Ref.Key()
		}
		for _, problem := range p.state(it).Problems {
			key := alike{problem.Name, problem.Container, owner}
			if _, ok := first[key]; ok {
				more[key]++
				continue
			}
			first[key] = len(p.findings)
			p.report(p.fromProblem(it, problem))
		}
	}
	for key, n := range more {
		f := &p.findings[first[key]]
		f.Message = fmt.Sprintf("%s (and %d more %s alike)", f.Message, n, plural(n, "pod", "pods"))
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func (p *Pass) fromProblem(it index.Item, problem health.Problem) finding.Finding {
	f := finding.Finding{
		Code: "tree/" + problem.Name, Severity: problem.Severity, Object: it.Ref,
		Message: problem.Message, Evidence: problem.Evidence, Fix: problem.Fix,
	}
	if problem.Severity == finding.Error || problem.Terminal {
		f.Fix = append(p.wayBack(it), f.Fix...)
	}
	if problem.Node != "" && it.Ref.Kind != "Node" {
		f.CausedBy = p.nodeCause(problem.Node)
	}
	if !problem.Missing.IsZero() {
		f.CausedBy = &finding.Cause{Code: "tree/reference-missing", Object: problem.Missing}
	}
	return f
}

// nodeCause points at the node when the node itself was seen to be unwell.
func (p *Pass) nodeCause(name string) *finding.Cause {
	node, ok := p.View.Get(object.Ref{Kind: "Node", Name: name})
	if !ok {
		return nil
	}
	for _, problem := range p.state(node).Problems {
		if problem.Severity == finding.Error {
			return &finding.Cause{Code: "tree/" + problem.Name, Object: node.Ref}
		}
	}
	return nil
}

// wayBack is the rollback that gets a Deployment out of a bad revision: it is
// offered where a pod of the current revision fails and an earlier one exists.
func (p *Pass) wayBack(it index.Item) []finding.Fix {
	rs, ok := replicaSetOf(p.View, it)
	if !ok {
		return nil
	}
	d, ok := deploymentOf(p.View, rs)
	if !ok || !current(d, rs) {
		return nil
	}
	ref := object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: d.Namespace, Name: d.Name}
	good, ok := goodRevision(p.Graph, ref, d)
	if !ok || good.Status.ReadyReplicas == 0 {
		return nil
	}
	return []finding.Fix{{
		Description: fmt.Sprintf("back to revision %s: %s, %d/%d ready", good.Annotations[revisionAnnotation], images(&good.Spec.Template), good.Status.ReadyReplicas, good.Status.Replicas),
		Command:     finding.Kubectl(d.Namespace, "rollout", "undo", "deployment/"+d.Name, "--to-revision="+good.Annotations[revisionAnnotation]),
	}}
}

func replicaSetOf(v *index.View, it index.Item) (*appsv1.ReplicaSet, bool) {
	if rs, ok := it.Object.(*appsv1.ReplicaSet); ok {
		return rs, true
	}
	ref, ok := index.Controller(it.Object)
	if !ok {
		return nil, false
	}
	owner, ok := v.ByUID(ref.UID)
	if !ok {
		return nil, false
	}
	rs, ok := owner.Object.(*appsv1.ReplicaSet)
	return rs, ok
}
