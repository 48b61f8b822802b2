package dns

import (
	"fmt"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// generated ends the names of pods that a controller made: by their number, or
// by a random suffix (apiserver pkg/storage/names).
var generated = regexp.MustCompile(`-([0-9]+|[bcdfghjklmnpqrstvwxz2456789]{5})$`)

// podSought is the pod of the client's namespace whose name stands alone, or as
// the first of two labels: db-0, db-0.database.
func (w *world) podSought() (pod, service string, ok bool) {
	bare := labelsOf(strings.ToLower(w.name.ASCII))
	switch {
	case len(bare) == 0 || len(bare) > 2 || !generated.MatchString(bare[0]):
		return "", "", false
	case len(bare) == 1:
		return bare[0], "", true
	}
	_, presence := w.seenService(w.namespace, bare[1])
	return bare[0], bare[1], presence != index.Present && w.seenNamespace(bare[1]) != index.Present
}

// sayPod judges a name that begins with that of a pod. A pod has a name in DNS
// below the Service that it calls its subdomain, and no other.
func (w *world) sayPod() bool {
	name, service, sought := w.podSought()
	it, there := w.v.Get(object.New("v1", "Pod", w.namespace, name))
	pod, typed := it.Object.(*corev1.Pod)
	if !sought || !there || !typed {
		return false
	}
	about, sub := podRef(pod), pod.Spec.Subdomain
	owner := ""
	if c, ok := index.Controller(pod); ok && c.Kind == "StatefulSet" {
		owner = fmt.Sprintf(" of StatefulSet/%s", c.Name)
	}
	selecting := w.selecting(pod)
	_, presence := w.seenService(w.namespace, sub)
	switch {
	case sub == "" || pod.Spec.Hostname == "":
		fix := manual("make a Service that selects " + selectorText(pod.Labels) + ", and ask for its name")
		if len(selecting) > 0 {
			fix = manual("write " + selecting[0] + ", the Service that selects it, instead of " + w.name.Written)
		}
		w.say("service-missing", finding.Error, about, fmt.Sprintf("%s is the name of a pod, and a pod without spec.hostname and spec.subdomain has no name in DNS", name),
			facts(fact(about, "spec.subdomain", "not set")), fix)
	case presence == index.Missing:
		w.subdomainMissing(pod, owner, selecting, service == sub)
	case presence == index.Present && service == "":
		w.say("service-missing", finding.Error, about, fmt.Sprintf("%s is the name of a pod%s, which has a record below its Service only: %s.%s", name, owner, name, sub),
			facts(fact(about, "spec.subdomain", sub)), manual("write "+name+"."+sub+" instead of "+w.name.Written))
	case presence == index.Present:
		w.say("service-missing", finding.Error, serviceRef(w.namespace, service), fmt.Sprintf("there is no Service %s; pod %s%s has its record below Service %s", service, name, owner, sub),
			facts(fact(about, "spec.subdomain", sub)), manual("write "+name+"."+sub+" instead of "+w.name.Written))
	default:
		return false
	}
	return true
}

// subdomainMissing: the Service that gives a pod its name does not exist.
func (w *world) subdomainMissing(pod *corev1.Pod, owner string, selecting []string, asked bool) {
	sub := pod.Spec.Subdomain
	fix := manual(fmt.Sprintf("create a headless Service %s that selects the pod, and write %s.%s", sub, pod.Name, sub))
	if len(selecting) > 0 && asked {
		fix = command("make it, for the pods of Service "+selecting[0], pod.Namespace, "expose", "service", selecting[0], "--name="+sub, "--cluster-ip=None")
	}
	w.say("service-missing", finding.Error, serviceRef(pod.Namespace, sub), fmt.Sprintf("pod %s%s has its record below Service %s, and there is no such Service", pod.Name, owner, sub),
		facts(fact(podRef(pod), "spec.subdomain", sub), fact(serviceRef(pod.Namespace, sub), "metadata.name", "no such Service")), fix)
}

// selecting are the Services that select a pod, in the order of their names.
func (w *world) selecting(pod *corev1.Pod) []string {
	var names []string
	for _, s := range index.Typed[*corev1.Service](w.v, serviceKind, pod.Namespace) {
		if len(s.Spec.Selector) > 0 && labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(pod.Labels)) {
			names = append(names, s.Name)
		}
	}
	return names
}
