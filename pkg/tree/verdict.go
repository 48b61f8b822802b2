package tree

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/health"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// verdict says in one word and one sentence how the roots are.
func (b *builder) verdict(roots []object.Ref, findings []finding.Finding, gaps []report.Gap) (report.Verdict, string) {
	var cause *finding.Finding
	if len(findings) > 0 && findings[0].Severity != finding.Info {
		cause = &findings[0]
	}
	level := health.OK
	for _, r := range roots {
		if it, ok := b.v.Get(r); ok {
			level = worse(level, b.state(it).Level)
		}
	}
	switch {
	case cause != nil && len(roots) == 1 && roots[0].Kind == "Node" && cause.Object.Kind != "Node" && level == health.OK:
		return report.OK, b.nodeSentence(roots[0], *cause)
	case cause != nil && (cause.Severity == finding.Error || level == health.Broken):
		return report.Broken, b.brokenSentence(roots, *cause) + others(findings)
	case level == health.Broken:
		return report.Broken, b.subject(roots) + " is broken: " + b.statuses(roots) + "."
	case level == health.Unknown:
		return report.Unknown, b.subject(roots) + " cannot be judged: " + b.statuses(roots) + "."
	case level == health.Progressing:
		return report.Progressing, b.progressSentence(roots, cause)
	case cause != nil && (level == health.Warning || len(roots) == 1 && cause.Object.Key() == roots[0].Key()):
		return b.warned(roots, *cause)
	case cause != nil:
		return report.OK, b.subject(roots) + " " + b.works(roots) + b.aside(roots, *cause)
	}
	return report.OK, b.subject(roots) + " " + b.works(roots) + b.unmanaged(roots, findings) + "."
}

// warned is for what is not fine and yet not certainly broken: never "fine".
// What serves nothing at all is at best under way.
func (b *builder) warned(roots []object.Ref, cause finding.Finding) (report.Verdict, string) {
	text := b.about(roots, cause)
	if len(roots) != 1 {
		return report.OK, b.subject(roots) + ": " + text + "."
	}
	it, _ := b.v.Get(roots[0])
	ready, wanted, counted := strings.Cut(b.state(it).Ready, "/")
	switch {
	case counted && ready == "0" && wanted != "0":
		return report.Progressing, fmt.Sprintf("%s does not run yet (%s/%s ready): %s.", b.subject(roots), ready, wanted, text)
	case cause.Object.Key() == roots[0].Key():
		return report.OK, b.subject(roots) + ": " + text + "."
	case counted:
		return report.OK, fmt.Sprintf("%s runs (%s/%s ready), but %s.", b.subject(roots), ready, wanted, text)
	}
	return report.OK, fmt.Sprintf("%s works only in part (%s). %s.", b.subject(roots), b.state(it).Status, text)
}

// aside adds a warning to a sentence that is not about it. A long one would
// bury the answer, and stands below in full.
func (b *builder) aside(roots []object.Ref, cause finding.Finding) string {
	if text := b.about(roots, cause); len(text) <= 120 {
		return ", but " + text + "."
	}
	return ". A warning about " + b.title(cause.Object) + " stands below."
}

// nodeSentence tells the node's own state from the troubles of those who
// happen to live on it.
func (b *builder) nodeSentence(node object.Ref, cause finding.Finding) string {
	pods, unwell := 0, 0
	for _, p := range b.v.OnNode(node.Name) {
		pods++
		if it, ok := b.v.Get(object.Ref{Kind: "Pod", Namespace: p.Namespace, Name: p.Name}); ok && rank(b.state(it).Level) < rank(health.Progressing) {
			unwell++
		}
	}
	roots := []object.Ref{node}
	return fmt.Sprintf("%s %s; %d of its %d pods %s troubles of their own. The first: %s.", b.subject(roots), b.works(roots), unwell, pods, plural(unwell, "has", "have"), b.about(roots, cause))
}

// unmanaged adds to a good verdict what only an emergency would teach: that
// nothing would make the object again.
func (b *builder) unmanaged(roots []object.Ref, findings []finding.Finding) string {
	for _, f := range findings {
		if f.Code == "tree/orphan" && len(roots) == 1 && f.Object.Key() == roots[0].Key() && f.Object.Kind == "Pod" {
			return "; no workload owns it, so nothing would recreate it"
		}
	}
	return ""
}

func (b *builder) subject(roots []object.Ref) string {
	if len(roots) == 1 {
		return b.title(roots[0])
	}
	kinds := map[string]bool{}
	for _, r := range roots {
		kinds[r.Kind] = true
	}
	if len(kinds) == 1 {
		return fmt.Sprintf("%d %ss", len(roots), roots[0].Kind)
	}
	return fmt.Sprintf("%d objects", len(roots))
}

// about is a finding's message with its object in front, unless that is the
// only object asked about.
func (b *builder) about(roots []object.Ref, f finding.Finding) string {
	if len(roots) == 1 && roots[0].Key() == f.Object.Key() {
		return strings.TrimSuffix(f.Message, ".")
	}
	return b.title(f.Object) + ": " + strings.TrimSuffix(f.Message, ".")
}

func (b *builder) works(roots []object.Ref) string {
	verb := "is"
	if len(roots) > 1 {
		return "are fine"
	}
	it, ok := b.v.Get(roots[0])
	if !ok {
		return verb + " fine"
	}
	s := b.state(it)
	switch {
	case s.Status != "" && s.Status != "ok" && s.Ready != "" && !strings.Contains(s.Status, s.Ready):
		return fmt.Sprintf("%s fine: %s, %s ready", verb, s.Status, s.Ready)
	case s.Ready != "":
		return fmt.Sprintf("%s fine: %s ready", verb, s.Ready)
	case s.Status != "" && s.Status != "ok":
		return fmt.Sprintf("%s fine: %s", verb, s.Status)
	case s.Level == health.None:
		return "exists"
	}
	return verb + " fine"
}

func (b *builder) statuses(roots []object.Ref) string {
	var parts []string
	for _, r := range roots {
		if it, ok := b.v.Get(r); ok && rank(b.state(it).Level) < rank(health.OK) {
			s := b.state(it)
			text := s.Status
			if s.Ready != "" && !strings.Contains(text, " of ") && !strings.Contains(text, "/") {
				text = strings.TrimPrefix(text+", "+s.Ready+" ready", ", ")
			}
			if len(roots) > 1 {
				text = r.Name + " " + text
			}
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, ", ")
}

func (b *builder) progressSentence(roots []object.Ref, cause *finding.Finding) string {
	sentence := b.subject(roots) + " is under way: " + b.statuses(roots)
	if cause != nil {
		return sentence + b.aside(roots, *cause)
	}
	return sentence + "."
}

// brokenSentence says what does not work, why, and whether the old still does.
func (b *builder) brokenSentence(roots []object.Ref, cause finding.Finding) string {
	subject := b.subject(roots)
	if len(roots) == 1 {
		if it, ok := b.v.Get(roots[0]); ok {
			return b.oneBroken(it.Object, subject, roots, cause)
		}
	}
	return fmt.Sprintf("%s: something is broken. %s.", subject, b.about(roots, cause))
}

func (b *builder) oneBroken(o any, subject string, roots []object.Ref, cause finding.Finding) string {
	text := strings.TrimSuffix(cause.Message, ".")
	if d, ok := o.(*appsv1.Deployment); ok {
		return b.brokenDeployment(d, subject, roots[0], text, cause)
	}
	if cause.Object.Key() == roots[0].Key() {
		return subject + ": " + text + "."
	}
	it, _ := b.v.Get(roots[0])
	switch s := b.state(it); s.Level {
	case health.OK, health.None:
		return fmt.Sprintf("%s itself is well, but %s: %s.", subject, b.title(cause.Object), text)
	case health.Warning, health.Progressing:
		return fmt.Sprintf("%s works only in part (%s). %s: %s.", subject, s.Status, b.title(cause.Object), text)
	}
	return fmt.Sprintf("%s is broken. %s: %s.", subject, b.title(cause.Object), text)
}

// others counts the further causes, which a single sentence leaves out.
func others(findings []finding.Finding) string {
	n := 0
	for _, f := range findings[1:] {
		if f.Severity == finding.Error && f.CausedBy == nil {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" %d more %s below.", n, plural(n, "problem stands", "problems stand"))
}

// brokenDeployment tells a rollout that is stuck from a Deployment that fails
// altogether, and says what still serves.
func (b *builder) brokenDeployment(d *appsv1.Deployment, subject string, ref object.Ref, text string, cause finding.Finding) string {
	serving, old := 0, 0
	rolling := false
	for _, it := range b.g.Owned(ref) {
		rs, ok := it.Object.(*appsv1.ReplicaSet)
		if !ok {
			continue
		}
		serving += int(rs.Status.ReadyReplicas)
		if !current(d, rs) && rs.Status.Replicas > 0 {
			rolling = true
			old += int(rs.Status.ReadyReplicas)
		}
	}
	wanted := 1
	if d.Spec.Replicas != nil {
		wanted = int(*d.Spec.Replicas)
	}
	cause.Message = text
	if cause.Object.Key() != ref.Key() && cause.Object.Kind != "Pod" && cause.Object.Kind != "ReplicaSet" {
		text = b.about([]object.Ref{ref}, cause)
	}
	switch {
	case rolling && old > 0:
		return fmt.Sprintf("%s cannot finish its rollout: %s. The old revision still serves (%d/%d).", subject, text, old, wanted)
	case rolling:
		return fmt.Sprintf("%s cannot finish its rollout: %s. Nothing serves.", subject, text)
	case serving == 0 && wanted > 0:
		return fmt.Sprintf("%s does not run: %s.", subject, text)
	case serving < wanted:
		return fmt.Sprintf("%s runs only in part (%d/%d ready): %s.", subject, serving, wanted, text)
	}
	return fmt.Sprintf("%s runs (%d/%d ready), but %s.", subject, serving, wanted, text)
}

// images lists the images of a template.
func images(t *corev1.PodTemplateSpec) string {
	var out []string
	for _, c := range t.Spec.Containers {
		out = append(out, c.Image)
	}
	return strings.Join(out, ", ")
}
