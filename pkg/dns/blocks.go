package dns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// serverBlocks is which block and plugin answers, where that is a fault.
func serverBlocks() Analyzer {
	return Analyzer{Name: "blocks", Servers: true, Docs: []finding.Doc{
		page("no-server-block", finding.Error, "No server block of the Corefile serves the name", "CoreDNS answers REFUSED, or SERVFAIL where a block has nothing that answers.",
			"The longest zone that holds the name is in no server block, or no plugin of its block answers.", "Add a server block for the root zone, with forward.", corednsSource+", core/dnsserver"),
		page("zone-shadow", finding.Error, "The Corefile hides a name of the cluster", "Something else than the kubernetes plugin answers for the name of a Service.",
			"A name of the cluster domain is served by a block of a longer zone that has no kubernetes directive; or a template, or as a warning a line of hosts, answers for a Service that exists.", "Take the zone out of that block, or the name out of the template or of hosts.", corednsSource+", core/dnsserver: longest match; plugin.cfg: template and hosts come before kubernetes"),
		page("fallthrough-missing", finding.Error, "A plugin answers for all that it does not know", "What comes after it in the chain is never asked.",
			"hosts answers SERVFAIL (or kubernetes NXDOMAIN for reverse zones) without fallthrough, and a later plugin would answer.", "Add fallthrough to it.", corednsSource+", plugin/hosts"),
		page("rewrite-applied", finding.Info, "A rewrite rule changes the name", "CoreDNS looks up another name than was asked.",
			"A rewrite directive matches a name of the ladder. It is an error where a Service has the name that was asked, and none the other.", "Know it; correct the rule if it is not meant.", corednsSource+", plugin/rewrite"),
		page("acl-or-view", finding.Info, "The answer depends on who asks", "acl and view choose by the client's address, so what was asked through a port-forward proves little.",
			"The server block has acl or view. It is a warning where a rule of acl refuses the pod's address, an error where the pod finds nothing besides.", "Ask from the pod itself; admit its network in acl.", corednsSource+", plugin/acl, plugin/view"),
		page("namespace-or-label-filter", finding.Error, "The Corefile hides the namespace or the Service", "The object exists, and CoreDNS is told not to serve it.",
			"The kubernetes directive has namespaces, namespace_labels or labels, and they leave the object out.", "Widen the option, or label the object.", corednsSource+", plugin/kubernetes"),
		page("noendpoints", finding.Error, "The Corefile turns off records of endpoints", "Headless Services and pods' hostnames are not answered.",
			"The kubernetes directive says noendpoints, and the name needs endpoints.", "Remove noendpoints.", corednsSource+", plugin/kubernetes"),
	}, Run: func(w *world) {
		if w.core == nil || w.core.Err != nil {
			return
		}
		for _, q := range w.wanted() {
			w.blockOf(q)
		}
	}}
}

// wanted are the questions of the primary ladder that are or may be asked.
func (w *world) wanted() []Question {
	l := w.primary()
	if l == nil {
		return nil
	}
	var out []Question
	for _, s := range l.steps {
		if s.State != NotAsked {
			for _, t := range w.types() {
				out = append(out, Question{Name: s.Name, Type: t}.key())
			}
		}
	}
	return out
}

func (w *world) blockOf(q Question) {
	e := w.expect(q)
	clusterName := within(w.defaultZones()[0], q.Name)
	var b *Block
	if e.Block > 0 {
		b = &w.core.Blocks[e.Block-1]
	}
	w.rewrites(q, e)
	switch {
	case e.Cause == "no-server-block" && !w.resolved():
		w.once("no-server-block", finding.Error, w.core.Object, fmt.Sprintf("no server block of the Corefile serves %s: CoreDNS answers REFUSED", q.Name), facts(fact(w.core.Object, "data."+w.core.Key, "no block whose zone holds "+q.Name)), w.editCorefile("add a server block for the zone . with forward"))
	case clusterName && b != nil && b.plugin("kubernetes") == nil && w.shadowed(b):
		w.once("zone-shadow", finding.Error, w.core.Object, fmt.Sprintf("%s is served by the block of %s, which has no kubernetes directive", q.Name, strings.Join(b.zones(), " ")), facts(fact(w.core.Object, w.at(b.Line), strings.TrimSpace(lineOf(w.core.Text, b.Line)))), w.editCorefile("take the zone out of that block"))
	case clusterName && (e.By == "hosts" && e.Rcode == NoError || e.By == "template") && w.namesService(q.Name):
		severity, instead := finding.Warning, "if the Service is meant"
		if !w.resolved() {
			severity, instead = finding.Error, "or let it match other names only"
		}
		w.once("zone-shadow", severity, w.core.Object, fmt.Sprintf("%s is answered by %s (line %d), not from the Service of that name", q.Name, map[string]string{"hosts": "a line of hosts", "template": "a template"}[e.By], e.Line), facts(fact(w.core.Object, w.at(e.Line), e.By+": "+cmp.Or(answerText(e.Rcode, e.Records), e.Why))), w.editCorefile("take it out of "+e.By+", "+instead))
	case (e.By == "hosts" && e.Rcode == ServFail || e.By == "kubernetes" && q.Type == PTR && e.Rcode == NXDomain) && b != nil && b.plugin("forward") != nil && !w.resolved():
		w.once("fallthrough-missing", finding.Error, w.core.Object, fmt.Sprintf("%s answers %s for %s without asking further: it has no fallthrough", e.By, e.Rcode, q.Name), facts(fact(w.core.Object, w.at(e.Line), strings.TrimSpace(lineOf(w.core.Text, e.Line)))), w.editCorefile("add fallthrough to "+e.By))
	case (e.Cause == "namespace-or-label-filter" || e.Cause == "noendpoints") && !w.resolved() && !e.Object.IsZero() && (e.Object.Kind == "Service" || e.Object.Name == w.namespace || w.seenNamespace(e.Object.Name) == index.Present):
		w.say(e.Cause, finding.Error, e.Object, fmt.Sprintf("%s is not served: %s", e.Object, e.Why), facts(fact(w.core.Object, w.at(e.Line), strings.TrimSpace(lineOf(w.core.Text, e.Line)))), w.editCorefile("let the kubernetes directive serve it"))
	}
	if b != nil {
		w.byWhoAsks(b)
	}
}

// once says a finding of a file, which each name of the ladder would call for.
func (w *world) once(name string, severity finding.Severity, about object.Ref, message string, evidence []finding.Evidence, fix ...finding.Fix) {
	if !slices.ContainsFunc(w.found, func(f finding.Finding) bool { return f.Code == code(name) && f.Object == about }) {
		w.say(name, severity, about, message, evidence, fix...)
	}
}

// rewrites: a rule is the cause where the name that was asked would be found.
func (w *world) rewrites(q Question, e Expected) {
	if e.Renamed == "" {
		return
	}
	severity, fix := finding.Info, []finding.Fix(nil)
	if !w.resolved() && w.namesService(q.Name) && !w.namesService(e.Renamed) {
		severity, fix = finding.Error, []finding.Fix{w.editCorefile(fmt.Sprintf("correct the rewrite of line %d", e.RenLine))}
	}
	w.once("rewrite-applied", severity, w.core.Object, fmt.Sprintf("CoreDNS looks up %s instead of %s", e.Renamed, q.Name), facts(fact(w.core.Object, w.at(e.RenLine), strings.TrimSpace(lineOf(w.core.Text, e.RenLine)))), fix...)
}

// namesService says whether a full name is that of a Service that exists.
func (w *world) namesService(name string) bool {
	within, ok := strings.CutSuffix(name, ".svc."+fqdn(w.defaultZones()[0]))
	service, namespace, both := strings.Cut(within, ".")
	if !ok || !both || strings.Contains(namespace, ".") {
		return false
	}
	_, exists := w.v.Get(serviceRef(namespace, service))
	return exists
}

// shadowed says whether the kubernetes plugin stands in another block.
func (w *world) shadowed(b *Block) bool {
	return slices.ContainsFunc(w.core.Blocks, func(o Block) bool { return o.plugin("kubernetes") != nil && !slices.Equal(o.zones(), b.zones()) })
}
