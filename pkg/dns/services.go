package dns

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/redact"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// services is the Service that is not there, and the one that was meant.
func services() Analyzer {
	return Analyzer{Name: "services", Docs: []finding.Doc{
		page("service-missing", finding.Error, "There is no such Service", "Nothing in the cluster has the name.",
			"The Services that the name could mean were listed, and none exists.", "Correct the name; near ones are listed.", specSource),
		page("wrong-namespace", finding.Error, "The Service is in another namespace", "A short name is looked for in the pod's own namespace only.",
			"A Service of this name exists, in a namespace that the search list does not lead to.", "Write SERVICE.NAMESPACE.", specSource),
	}, Run: func(w *world) {
		if !w.lost() || w.name.Address.IsValid() {
			return
		}
		for _, name := range w.sought() {
			if w.missing(name) {
				return
			}
		}
	}}
}

// missing judges the first of the names that is of a Service which is known
// not to exist.
func (w *world) missing(name string) bool {
	e := w.ownWord(Question{Name: name, Type: w.types()[0]})
	if e.Cause != "service-missing" || e.Object.Kind != "Service" || w.name.Dots > 1 && e.Object.Namespace == w.namespace && !strings.Contains(strings.TrimSuffix(w.name.ASCII, "."), "."+w.namespace) {
		return false
	}
	want := e.Object
	r, _ := parseRequest(strings.ToLower(name), longest(w.defaultZones(), strings.ToLower(name)))
	if r.endpoint != "" && w.name.Dots == 1 { // redis.shop: the second label is meant for a namespace
		want = serviceRef(r.service, r.endpoint)
	}
	if other, ok := w.elsewhere(want); ok {
		w.sayElsewhere(want, other)
		return true
	}
	if w.sayPod() {
		return true
	}
	message, fix := fmt.Sprintf("there is no Service %s in namespace %s", want.Name, want.Namespace), manual("create the Service, or correct the name")
	near := source.Close(w.serviceNames(want.Namespace), want.Name)
	switch it, there := w.namesake(want); {
	case len(validation.NameIsDNS1035Label(strings.ToLower(want.Name), false)) > 0:
		message, fix = message+", and none can be called so", manual("correct the name")
	case w.seenNamespace(want.Namespace) == index.Missing:
		message, fix = "there is no namespace "+want.Namespace, manual("correct the name")
		if like := w.namespacesLike(want.Namespace); len(like) > 0 {
			message += "; near: " + strings.Join(like, ", ")
			fix = manual("write " + want.Name + "." + like[0] + " instead of " + w.name.Written)
		}
	case len(near) > 0:
		message += "; near: " + strings.Join(near, ", ")
		fix = manual("write " + near[0] + " instead of " + want.Name)
		if f, ok := w.setEnv(strings.Replace(w.name.Written, want.Name, near[0], 1)); ok {
			fix = f
		}
	case there:
		message += fmt.Sprintf("; %s is there, without a Service in front of it", it)
		fix = command("put a Service in front of it", want.Namespace, "expose", strings.ToLower(it.Kind)+"/"+it.Name, "--name="+want.Name)
	}
	w.say("service-missing", finding.Error, want, message, facts(fact(want, "metadata.name", "no such Service")), fix)
	return true
}

// ownWord is what the kubernetes plugin makes of a name, though it may pass it on.
func (w *world) ownWord(q Question) Expected {
	e := w.expect(q)
	if k := w.plugin(); k != nil && e.By != "kubernetes" && longest(k.zones, q.Name) != "" && k.through(q.Name) {
		return k.answer(q.key())
	}
	return e
}

func (w *world) sayElsewhere(want, other object.Ref) {
	full := other.Name + "." + other.Namespace
	write := manual("write " + full + " instead of " + w.name.Written)
	evidence := facts(fact(other, "metadata.namespace", other.Namespace))
	if w.seenNamespace(want.Namespace) == index.Missing {
		ns := object.Ref{Version: "v1", Kind: "Namespace", Name: want.Namespace}
		w.say("wrong-namespace", finding.Error, other, fmt.Sprintf("there is no namespace %s; Service %s is in namespace %s", want.Namespace, other.Name, other.Namespace),
			append(evidence, fact(ns, "metadata.name", "no such namespace")), write)
		return
	}
	var fix []finding.Fix
	if f, ok := w.setEnv(full); ok {
		fix = append(fix, f)
	}
	fix = append(fix, command("give the name to this namespace too", want.Namespace, "create", "service", "externalname", want.Name, "--external-name="+full+".svc."+w.domain.Value), write)
	w.say("wrong-namespace", finding.Error, other, fmt.Sprintf("Service %s is in namespace %s, and the pod looks in %s", other.Name, other.Namespace, want.Namespace),
		append(evidence, fact(w.clientRef(), "metadata.namespace", w.namespace)), fix...)
}

// namespacesLike are namespaces whose name is nearly this one.
func (w *world) namespacesLike(name string) []string {
	var names []string
	for _, it := range w.v.List(namespaceKind, "") {
		names = append(names, it.Ref.Name)
	}
	return source.Close(names, name)
}

func (w *world) elsewhere(want object.Ref) (object.Ref, bool) {
	for _, s := range index.Typed[*corev1.Service](w.v, serviceKind, "") {
		if s.Name == want.Name && s.Namespace != want.Namespace {
			return serviceRef(s.Namespace, s.Name), true
		}
	}
	return object.Ref{}, false
}

func (w *world) serviceNames(namespace string) []string {
	var names []string
	for _, it := range w.v.List(serviceKind, namespace) {
		names = append(names, it.Ref.Name)
	}
	return names
}

func (w *world) namesake(want object.Ref) (object.Ref, bool) {
	for _, kind := range []string{"Deployment", "StatefulSet"} {
		r := object.Ref{Group: "apps", Version: "v1", Kind: kind, Namespace: want.Namespace, Name: want.Name}
		if it, ok := w.v.Get(r); ok {
			return it.Ref, true
		}
	}
	return object.Ref{}, false
}

// setEnv corrects the variable of the client that holds the name, where it is
// plainly one and the workload is known.
func (w *world) setEnv(full string) (finding.Fix, bool) {
	owner, _ := w.workload()
	if w.client == nil || !slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, owner.Kind) {
		return finding.Fix{}, false
	}
	for _, c := range w.client.Spec.Containers {
		for _, e := range c.Env {
			host := e.Value
			if i := strings.Index(host, "://"); i >= 0 {
				host = host[i+3:]
			}
			if h, _, _ := strings.Cut(host, ":"); h == w.name.Written || strings.HasPrefix(host, w.name.Written+"/") {
				if redact.Name(e.Name) || redact.Text(e.Value) != e.Value {
					return finding.Fix{}, false // a command would have to hold the password
				}
				value := strings.Replace(e.Value, w.name.Written, full, 1)
				return command("set the variable that holds the name", owner.Namespace, "set", "env", strings.ToLower(owner.Kind)+"/"+owner.Name, e.Name+"="+value), true
			}
		}
	}
	return finding.Fix{}, false
}
