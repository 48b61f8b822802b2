package endpoints

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// overlap finds pods of different workloads behind one Service.
func overlap() Analyzer {
	return Analyzer{Name: "overlap", Docs: []finding.Doc{
		page("selector-overlap", finding.Warning, "Pods of more than one workload stand behind the Service",
			"Connections are spread over all of them, so some reach the wrong application: the failures come and go.",
			"The selected pods have more than one root owner. An error where one of them is a Job or serves none of the ports; only information where they serve the same ports, as a canary does.",
			"Select a label that only the right pods carry.", "k8s.io/endpointslice, Reconcile: every pod that the selector chooses is listed"),
	}, Each: (*subject).overlapping}
}

// ofOneOwner says that all pods are of the same revision of one workload, as
// most are.
func (c *subject) ofOneOwner() bool {
	first := metav1.GetControllerOfNoCopy(c.living[0])
	return first != nil && first.UID != "" && !slices.ContainsFunc(c.living[1:], func(p *corev1.Pod) bool {
		o := metav1.GetControllerOfNoCopy(p)
		return o == nil || o.UID != first.UID
	})
}

// team are the selected pods of one root owner.
type team struct {
	root object.Ref
	pods []*corev1.Pod
}

func (t *team) String() string {
	if t.root.IsZero() {
		if len(t.pods) == 1 {
			return podRef(t.pods[0]).String()
		}
		return counted(len(t.pods), "bare pod")
	}
	return t.root.String()
}

func (t *team) passing() bool { return t.root.Kind == "Job" || t.root.Kind == "CronJob" }

func (c *subject) overlapping() {
	if !c.selects() || len(c.living) < 2 || c.ofOneOwner() {
		return
	}
	teams := c.teams()
	if len(teams) < 2 {
		return
	}
	main, worst, s := teams[0], teams[1], finding.Info
	for _, t := range teams[1:] {
		if g := c.alien(main, t); g.Rank() < s.Rank() {
			worst, s = t, g
		}
	}
	message := fmt.Sprintf("it also selects %s, beside %s", worst, main)
	switch {
	case s == finding.Error && worst.passing():
		message += ": connections that reach the pods of a Job are refused"
	case s == finding.Error:
		message += ", and those pods declare none of its ports"
	case s == finding.Warning:
		message += ", whose ports differ"
	default:
		message += "; both serve its ports, as for a canary or a change of colour"
	}
	evidence := []finding.Evidence{
		fact(c.ref, "spec.selector", selectorText(c.svc)),
		fact(podRef(main.pods[0]), "metadata.labels", joinPairs(main.pods[0].Labels)),
		fact(podRef(worst.pods[0]), "metadata.labels", joinPairs(worst.pods[0].Labels)),
	}
	var fixes []finding.Fix
	if s != finding.Info {
		fixes = append(fixes, c.tellApart(main, worst))
		if stray := worst.pods[0]; worst.root.IsZero() && len(worst.pods) == 1 {
			key := pairsOf(c.svc.Spec.Selector)[0].key // without one of them it is not selected
			fixes = append(fixes, command("or take the label off the pod, which nothing owns", stray.Namespace, "label", "pod", stray.Name, key+"-"))
		}
	}
	c.say("selector-overlap", s, message, evidence, fixes...)
}

// teams are the root owners, the one that serves best first.
func (c *subject) teams() []*team {
	at := map[object.Ref]int{}
	var teams []*team
	for _, p := range c.living {
		root := c.root(p).Key()
		i, ok := at[root]
		if !ok {
			i = len(teams)
			at[root] = i
			teams = append(teams, &team{root: c.root(p)})
		}
		teams[i].pods = append(teams[i].pods, p)
	}
	if len(teams) > 1 {
		slices.SortStableFunc(teams, func(a, b *team) int {
			return cmp.Or(cmp.Compare(flag(a.passing()), flag(b.passing())), -cmp.Compare(c.servesPorts(a), c.servesPorts(b)),
				cmp.Compare(flag(a.root.IsZero()), flag(b.root.IsZero())), -cmp.Compare(len(a.pods), len(b.pods)), object.Compare(a.root, b.root))
		})
	}
	return teams
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// servesPorts counts the Service's ports that a team's pods declare.
func (c *subject) servesPorts(t *team) int {
	n := 0
	for i := range c.svc.Spec.Ports {
		if declaresTarget(t.pods[0], &c.svc.Spec.Ports[i]) {
			n++
		}
	}
	return n
}

func declaresTarget(pod *corev1.Pod, sp *corev1.ServicePort) bool {
	if sp.TargetPort.Type == intstr.String {
		_, ok := targetPort(pod, sp)
		return ok
	}
	return slices.ContainsFunc(declared(pod), func(p corev1.ContainerPort) bool {
		return p.ContainerPort == sp.TargetPort.IntVal && cmp.Or(p.Protocol, corev1.ProtocolTCP) == cmp.Or(sp.Protocol, corev1.ProtocolTCP)
	})
}

// declared are the ports of all containers that may serve. Most pods have one
// such container, whose own list it then is.
func declared(pod *corev1.Pod) []corev1.ContainerPort {
	if len(pod.Spec.Containers) == 1 && len(pod.Spec.InitContainers) == 0 {
		return slices.Clip(pod.Spec.Containers[0].Ports)
	}
	var ports []corev1.ContainerPort
	for i := range pod.Spec.Containers {
		ports = append(ports, pod.Spec.Containers[i].Ports...)
	}
	for i := range pod.Spec.InitContainers {
		if restartable(&pod.Spec.InitContainers[i]) {
			ports = append(ports, pod.Spec.InitContainers[i].Ports...)
		}
	}
	return ports
}

// alien says how little a second team belongs to the first.
func (c *subject) alien(main, t *team) finding.Severity {
	mine, theirs := c.servesPorts(main), c.servesPorts(t)
	switch {
	case t.passing() && !main.passing(), theirs == 0 && mine > 0:
		return finding.Error
	case theirs != mine || c.numbers(main) != c.numbers(t) && !sameProgram(main, t):
		return finding.Warning
	}
	return finding.Info
}

// sameProgram says that two teams run the same image, of whatever version: a
// named port may have another number in each.
func sameProgram(a, b *team) bool {
	return slices.ContainsFunc(a.pods[0].Spec.Containers, func(k corev1.Container) bool {
		return slices.ContainsFunc(b.pods[0].Spec.Containers, func(o corev1.Container) bool { return repository(k.Image) == repository(o.Image) && k.Image != "" })
	})
}

// repository is an image's name without its tag and digest.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndex(image, ":"); i > strings.LastIndex(image, "/") {
		image = image[:i]
	}
	return image
}

func (c *subject) numbers(t *team) string {
	var words []string
	for i := range c.svc.Spec.Ports {
		n, _ := targetPort(t.pods[0], &c.svc.Spec.Ports[i])
		words = append(words, fmt.Sprint(n))
	}
	return strings.Join(words, ",")
}

// tellApart looks for a label that all pods of the main team carry and the
// other's do not.
func (c *subject) tellApart(main, other *team) finding.Fix {
	for _, p := range pairsOf(main.pods[0].Labels) {
		if machineMade(p.key) || !all(main.pods, p) || slices.ContainsFunc(other.pods, func(o *corev1.Pod) bool { return o.Labels[p.key] == p.value }) {
			continue
		}
		pairs := map[string]string{p.key: p.value}
		for k, v := range c.svc.Spec.Selector {
			pairs[k] = v
		}
		return c.setSelector(fmt.Sprintf("select by %s too, which only the pods of %s carry", p, main), pairs)
	}
	return manual("give the pods of %s a label of their own, and select by it too", main)
}

func all(pods []*corev1.Pod, p pair) bool {
	return !slices.ContainsFunc(pods, func(o *corev1.Pod) bool { return o.Labels[p.key] != p.value })
}

// rolloutsHash is what Argo Rollouts puts on pods, and into the selectors of the
// Services that it leads (argo-rollouts, DefaultRolloutUniqueLabelKey).
const rolloutsHash = "rollouts-pod-template-hash"

// machineMade are label keys that controllers write anew for each revision or
// pod. Where a pod runs is among them since the API server copies the node's
// topology to it (k8s.io/kubernetes plugin/pkg/admission/podtopologylabels).
func machineMade(key string) bool {
	return slices.Contains([]string{"pod-template-hash", "controller-revision-hash", "pod-template-generation", "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index", rolloutsHash}, key) ||
		strings.HasPrefix(key, "batch.kubernetes.io/") || strings.HasPrefix(key, "topology.kubernetes.io/") || key == "job-name" || key == "controller-uid"
}
