package dns

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// forms is a name that is written as a full one, and has not the form of one.
func forms() Analyzer {
	return Analyzer{Name: "form", Docs: []finding.Doc{
		page("wrong-cluster-domain", finding.Error, "The name ends in the domain of another cluster", "The name of a Service ends in this cluster's domain; under another one the servers outside are asked, which do not know it.",
			"Behind the label svc stands another domain than this cluster's, and nobody answers: the namespace is one of this cluster's, or the domain looks like a cluster's. As a warning where nobody was asked.", "Write the domain of this cluster, or none: SERVICE.NAMESPACE is found by the search list.", specSource+", 2.1"),
		page("name-incomplete", finding.Error, "A part of the full name is missing", "A name that ends in the cluster domain, or in a dot, is looked up as it stands: no search list completes it.",
			"The name lies in the cluster domain without svc or without a namespace, or it ends in a dot before the domain; and nobody answers.", "Write SERVICE.NAMESPACE.svc.DOMAIN, or the short name without the dot.", specSource+", 2.3; glibc resolv/res_query.c"),
	}, Run: func(w *world) {
		i := w.intent()
		if severity, fails := w.failing(); i.plain && fails {
			w.sayIntent(i, severity)
		}
	}}
}

// failing says whether the lookup ends without an answer: as a warning where
// nobody was asked.
func (w *world) failing() (finding.Severity, bool) {
	found, ran := w.gotten()
	switch l := w.primary(); {
	case l == nil || w.resolved():
		return "", false
	case w.lost() || w.outside && ran && len(found) == 0:
		return finding.Error, true
	default:
		s, _ := l.final()
		if s != nil && s.State == Open && w.unanswered(s) {
			return finding.Error, true
		}
		return finding.Warning, s != nil && s.State == Open
	}
}

// intent is what may have been meant by a name that has not the form of one.
type intent struct {
	code  string
	full  string // of the Service, with the trailing dot; "" where only the form is known to be wrong
	why   string
	plain bool // it is known well enough to be said
}

// intent finds it out from the labels, and from which namespaces there are.
func (w *world) intent() intent {
	if w.name.Address.IsValid() || w.name.ASCII == "." {
		return intent{}
	}
	bare := strings.ToLower(strings.TrimSuffix(w.name.ASCII, "."))
	if zone := longest(w.clusterZones(), fqdn(bare)); zone != "" {
		return w.incomplete(labelsOf(strings.TrimSuffix(fqdn(bare), zone)), zone)
	}
	labels := strings.Split(bare, ".")
	if i := w.foreign(labels); i.code != "" {
		return i
	}
	return w.cutShort(labels)
}

// sought are the full names of the Services that may be meant, if the lookup
// finds none.
func (w *world) sought() []string {
	if i := w.intent(); i.plain {
		return []string{i.full}
	}
	return w.meant()
}

// clusterZones are the cluster domain and what else a kubernetes directive serves.
func (w *world) clusterZones() []string {
	zones := w.defaultZones()
	if w.core != nil {
		for i := range w.core.Blocks {
			if b := &w.core.Blocks[i]; b.plugin("kubernetes") != nil {
				zones = append(zones, b.origins(b.plugin("kubernetes").Args)...)
			}
		}
	}
	return slices.DeleteFunc(distinct(zones), func(z string) bool { return z == "." || strings.HasSuffix(z, ".arpa.") })
}

// incomplete is a name of the cluster domain, by the labels before it.
func (w *world) incomplete(base []string, zone string) intent {
	if len(base) == 0 {
		return intent{}
	}
	kind, rest := base[len(base)-1], base[:len(base)-1]
	there := w.seenNamespace(kind) == index.Present
	say := func(full, why string, args ...any) intent {
		return intent{code: "name-incomplete", full: full, why: fmt.Sprintf(why, args...), plain: true}
	}
	switch domain := strings.TrimSuffix(zone, "."); {
	case kind == "svc" && len(rest) == 1 && w.seenNamespace(rest[0]) == index.Present:
		return say("", "it names the namespace %s, and no Service in it", rest[0])
	case kind == "svc" && len(rest) == 1:
		return say(w.whole(rest, zone), "no namespace stands between %s and svc", rest[0])
	case kind == "svc" || kind == "pod":
		return intent{} // it has the form of a name, right or wrong
	case len(rest) > 0 && !there && slices.Contains([]string{"srv", "svcs", "scv", "service", "services"}, kind):
		return say(w.whole(rest, zone), "before the domain %s stands %s instead of svc", domain, kind)
	case len(rest) < 2 || there:
		return say(w.whole(base, zone), "the label svc is missing before the domain %s", domain)
	}
	return intent{}
}

// whole completes a Service's labels: with the client's namespace where there
// is but one of them.
func (w *world) whole(service []string, zone string) string {
	if len(service) == 1 {
		service = []string{service[0], w.namespace}
	}
	return strings.Join(service, ".") + ".svc." + zone
}

// foreign is a name that has the form of a Service's under another domain.
func (w *world) foreign(labels []string) intent {
	at := len(labels) - 1
	for at > 0 && labels[at] != "svc" {
		at--
	}
	if at < 1 || at == len(labels)-1 {
		return intent{}
	}
	domain, own := strings.Join(labels[at+1:], "."), strings.TrimSuffix(w.defaultZones()[0], ".")
	i := intent{code: "wrong-cluster-domain", full: w.whole(labels[:at], fqdn(own)), why: fmt.Sprintf("it ends in %s, and the domain of this cluster is %s", domain, own)}
	_, known := w.service(i.full)
	i.plain = known || strings.HasPrefix(domain, "cluster") || len(source.Close([]string{own}, domain)) > 0 || at > 1 && w.seenNamespace(labels[at-1]) == index.Present
	return i
}

// cutShort is a short name that the search list would complete, if a dot at its
// end did not say that it is whole, or svc that a namespace stands before it.
func (w *world) cutShort(labels []string) intent {
	i := intent{code: "name-incomplete"}
	switch full, _, ok := w.meantAnswer(); {
	case w.name.Rooted && ok:
		i.full, i.why, i.plain = full, "the dot at its end says that it is whole, so the search list is not tried", true
	case len(labels) == 2 && labels[1] == "svc":
		i.full, i.why = w.whole(labels[:1], w.defaultZones()[0]), fmt.Sprintf("no namespace stands between %s and svc", labels[0])
		_, i.plain = w.service(i.full)
	}
	return i
}

// service is the Service of a full name, where it is known to exist.
func (w *world) service(full string) (*corev1.Service, bool) {
	r, ok := w.serviceIn(full)
	if !ok {
		return nil, false
	}
	svc, presence := w.seenService(r.namespace, r.service)
	return svc, presence == index.Present
}

func (w *world) sayIntent(i intent, severity finding.Severity) {
	about, message := w.clientRef(), i.why
	evidence := facts(fact(about, "cluster domain ("+string(w.domain.Claim)+")", w.domain.Value))
	fix := []finding.Fix{manual("write SERVICE.NAMESPACE.svc." + w.domain.Value)}
	if svc, ok := w.service(i.full); ok {
		full := strings.TrimSuffix(i.full, ".")
		about, message = serviceRef(svc.Namespace, svc.Name), fmt.Sprintf("%s; Service %s is in namespace %s", i.why, svc.Name, svc.Namespace)
		evidence = append(evidence, fact(about, "metadata.namespace", svc.Namespace))
		fix = []finding.Fix{manual("write " + full + " instead of " + w.name.Written)}
		if f, ok := w.setEnv(full); ok {
			fix = append([]finding.Fix{f}, fix...)
		}
	}
	if severity == finding.Warning {
		message += " (whether the servers outside know it was not asked)"
	}
	w.say(i.code, severity, about, message, evidence, fix...)
}

// labelsOf splits a name without or with the trailing dot; the empty one has none.
func labelsOf(name string) []string {
	if name = strings.TrimSuffix(name, "."); name == "" {
		return nil
	}
	return strings.Split(name, ".")
}
