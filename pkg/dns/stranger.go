package dns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// The Service may select pods of several workloads. What most pods are is the
// cluster's DNS; the others are strangers, each with the Corefile that it mounts.

// workloadOf is what makes a pod: of a ReplicaSet the Deployment, by the hash
// that both carry; a pod that nothing makes stands for itself.
func workloadOf(p *corev1.Pod) object.Ref {
	c, ok := index.Controller(p)
	hash := p.Labels["pod-template-hash"]
	switch {
	case !ok && hash != "" && strings.Contains(p.Name, "-"+hash): // what a dump leaves of the owner
		name, _, _ := strings.Cut(p.Name, "-"+hash)
		return object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: p.Namespace, Name: name}
	case !ok:
		return podRef(p)
	case c.Kind == "ReplicaSet" && hash != "" && strings.HasSuffix(c.Name, "-"+hash):
		return object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: p.Namespace, Name: strings.TrimSuffix(c.Name, "-"+hash)}
	}
	return object.New(c.APIVersion, c.Kind, p.Namespace, c.Name)
}

// serverPod is a pod whose configuration stands for all: the newest of the
// largest group that is configured alike.
func (w *world) serverPod() *corev1.Pod {
	groups := map[object.Ref][]*corev1.Pod{}
	for _, p := range w.replicas {
		groups[group(p)] = append(groups[group(p)], p)
	}
	var best []*corev1.Pod
	for _, p := range w.replicas { // in their order: that of the map is none
		if pods := groups[group(p)]; best == nil || w.rank(pods, best) < 0 {
			best = pods
		}
	}
	if best == nil {
		return nil
	}
	return slices.MaxFunc(best, byAge)
}

// rank puts the larger group first; of equals the one whose Corefile was seen;
// then of one workload the newer, which replaces the other, and else the older.
func (w *world) rank(a, b []*corev1.Pod) int {
	seen := func(pods []*corev1.Pod) int {
		s, _, _ := w.corefileSources(pods[0])
		return len(s.Files)
	}
	older := byAge(slices.MinFunc(a, byAge), slices.MinFunc(b, byAge))
	if workloadOf(a[0]) == workloadOf(b[0]) {
		older = -older
	}
	return cmp.Or(len(b)-len(a), seen(b)-seen(a), older)
}

func byAge(a, b *corev1.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) }

// group is what pods have in common that are configured alike: the workload, if
// any, and the ConfigMaps that they mount.
func group(p *corev1.Pod) object.Ref {
	owner := workloadOf(p)
	if owner.Kind == "Pod" {
		owner.Name = ""
	}
	for _, c := range mounted(p, "") {
		owner.Name += " " + c.name
	}
	return owner
}

// coreOf is the Corefile that a replica mounts; nil where it was not seen.
func (w *world) coreOf(p *corev1.Pod) *Corefile {
	if p == nil {
		return w.core
	}
	if c, known := w.cores[p.UID]; known {
		return c
	}
	sources, owner, key := w.corefileSources(p)
	var core *Corefile
	if _, seen := sources.Files[sources.Path]; seen {
		if w.core != nil && w.core.Object == owner && w.core.Key == key {
			core = w.core
		} else {
			core = ParseCorefile(sources)
			core.Object, core.Key = owner, key
		}
	}
	w.cores[p.UID] = core
	return core
}

// configOf is the name of the ConfigMap in which a replica has its Corefile.
func (w *world) configOf(p *corev1.Pod) string {
	if core := w.coreOf(p); core != nil {
		return core.Object.Name
	}
	for _, c := range mounted(p, "") {
		return c.name
	}
	return ""
}

// estranged says whether a replica has another Corefile than the others: one
// that reads otherwise, or where not both were seen, in another ConfigMap.
func (w *world) estranged(p *corev1.Pod) bool {
	main := w.serverPod()
	if p == nil || main == nil || !slices.Contains(w.replicas, p) || w.configOf(p) == w.configOf(main) {
		return false
	}
	own := w.coreOf(p)
	return own == nil || w.core == nil || own.Text != w.core.Text
}

// ownAnswer is what a replica must answer by the Corefile that it mounts.
func (w *world) ownAnswer(p *corev1.Pod, q Question) Expected {
	other := *w
	other.core, other.expected = w.coreOf(p), map[Question]Expected{}
	if other.core == nil {
		return Expected{}
	}
	return other.expect(q)
}

// explained says whether a replica answers as it must by another Corefile than
// the others have: then it will do so for ever.
func (w *world) explained(a Answer) bool {
	p := w.replicaNamed(a.UID)
	if !w.estranged(p) {
		return false
	}
	e := w.ownAnswer(p, a.Question)
	return e.Rcode != "" && answerText(e.Rcode, e.Records) == a.text()
}

// estrangedBecause says where a replica's other answer comes from, and the way
// out. A pod that is made anew mounts the same again.
func (w *world) estrangedBecause(p *corev1.Pod, q Question) (why string, evidence []finding.Evidence, fix []finding.Fix) {
	why, evidence = w.mounts(p)
	if e := w.ownAnswer(p, q); e.Line > 0 {
		core := w.coreOf(p)
		evidence = append(evidence, fact(core.Object, fmt.Sprintf("data.%s line %d", core.Key, e.Line), strings.TrimSpace(lineOf(core.Text, e.Line))))
	}
	return why, evidence, w.reconcile(p)
}

// mixed is a replica with another Corefile, which answered as the others do.
func (w *world) mixed(p *corev1.Pod) {
	if !podReady(p) || !w.estranged(p) || slices.ContainsFunc(w.found, func(f finding.Finding) bool {
		return f.Code == code("replica-divergent") && f.Object.Key() == podRef(p).Key()
	}) {
		return
	}
	why, evidence := w.mounts(p)
	w.say("config-skew", finding.Warning, podRef(p), fmt.Sprintf("%s may answer otherwise: %s", podRef(p), why), evidence, w.reconcile(p)...)
}

// mounts says which Corefile a replica has, and which the others.
func (w *world) mounts(p *corev1.Pod) (why string, evidence []finding.Evidence) {
	owner, own, others := workloadOf(p), w.configOf(p), w.configOf(w.serverPod())
	why = fmt.Sprintf("it has the Corefile of ConfigMap/%s, the others that of ConfigMap/%s", own, others)
	if owner.Kind != "Pod" && owner != workloadOf(w.serverPod()) {
		why = fmt.Sprintf("it is of %s, which mounts the Corefile of ConfigMap/%s; the others mount that of ConfigMap/%s", owner, own, others)
	}
	field := "spec.volumes"
	if i := volumeOf(p, own); i >= 0 {
		field = fmt.Sprintf("spec.volumes[%d].configMap.name", i)
	}
	return why, facts(fact(podRef(p), field, own))
}

// volumeOf is the volume that holds a ConfigMap and nothing else.
func volumeOf(p *corev1.Pod, configMap string) int {
	return slices.IndexFunc(p.Spec.Volumes, func(v corev1.Volume) bool { return v.ConfigMap != nil && v.ConfigMap.Name == configMap })
}

// reconcile gives the replica the Corefile of the others, or takes it out of
// the Service.
func (w *world) reconcile(p *corev1.Pod) []finding.Fix {
	owner, main := workloadOf(p), w.serverPod()
	own, others := w.coreOf(p), w.configOf(main)
	i := volumeOf(p, w.configOf(p))
	out := manual(fmt.Sprintf("take it out of Service/%s: remove the label %s from the template of %s", w.dnsService.Name, strings.Join(sortedKeys(w.dnsService.Spec.Selector), ", "), owner))
	switch {
	case owner == workloadOf(main):
		return []finding.Fix{command("wait until the others replace it", p.Namespace, "rollout", "status", strings.ToLower(owner.Kind)+"/"+owner.Name, "--timeout=2m")}
	case owner.Kind == "Pod":
		return []finding.Fix{command("take it away: nothing makes it anew", p.Namespace, "delete", "pod", p.Name)}
	case i < 0 || own != nil && w.core != nil && own.Key != w.core.Key || !slices.Contains([]string{"Deployment", "DaemonSet", "StatefulSet"}, owner.Kind):
		return []finding.Fix{manual(fmt.Sprintf("let %s mount ConfigMap/%s", owner, others)), out}
	}
	patch := fmt.Sprintf(`{"spec":{"template":{"spec":{"volumes":[{"name":%q,"configMap":{"name":%q}}]}}}}`, p.Spec.Volumes[i].Name, others)
	return []finding.Fix{command("give it the Corefile of the others", p.Namespace, "patch", strings.ToLower(owner.Kind), owner.Name, "--type=strategic", "-p", patch), out}
}
