package dns

import (
	"cmp"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// Analyzer is one judgement, as data: what it is called, what it can say, and
// how it looks at a lookup.
type Analyzer struct {
	Name string
	Docs []finding.Doc
	Run  func(w *world)

	Servers bool // it judges the cluster's servers: of a client that asks others it has nothing to say
}

// Analyzers are all judgements of a lookup, from what is deepest to what
// merely follows. The slice is made anew each time.
func Analyzers() []Analyzer {
	return []Analyzer{
		corefiles(), servicePath(), nodeCache(), policyPath(), replicaHealth(), replicaAnswers(), upstreams(),
		unreachable(), policyOfClient(), resolvConfFile(), domains(), beforeDNS(), searching(), muslOnly(), serverBlocks(), forms(), services(), recordShapes(),
	}
}

// Docs are the pages of every code that trace-dns can report.
func Docs() []finding.Doc {
	var docs []finding.Doc
	for _, a := range Analyzers() {
		docs = append(docs, a.Docs...)
	}
	return docs
}

// page is one doc: every part is said, so the order of the fields serves for names.
func page(name string, severity finding.Severity, title, means, told, fix, source string) finding.Doc {
	return finding.Doc{Code: code(name), Severity: severity, Title: title, Means: means, Told: told, Fix: fix, Source: source}
}

func code(name string) string { return "dns/" + name }

// say makes one finding. The claim ("computed", "observed", "unproven") ends
// the message where it is not plainly computed.
func (w *world) say(name string, severity finding.Severity, about object.Ref, message string, evidence []finding.Evidence, fix ...finding.Fix) {
	f := finding.Finding{Code: code(name), Severity: severity, Object: about, Message: message, Evidence: evidence, Fix: fix}
	if !slices.ContainsFunc(w.found, func(o finding.Finding) bool {
		return o.Code == f.Code && o.Object == f.Object && o.Message == f.Message
	}) {
		w.found = append(w.found, f)
	}
}

func fact(r object.Ref, field, value string) finding.Evidence {
	return finding.Evidence{Object: r, Field: field, Value: cmp.Or(value, "(empty)")}
}

func facts(e ...finding.Evidence) []finding.Evidence { return e }

func command(description, namespace string, args ...string) finding.Fix {
	return finding.Fix{Description: description, Command: finding.Kubectl(namespace, args...)}
}

// manual is a way out in which a person must decide.
func manual(description string) finding.Fix { return finding.Fix{Description: description} }

// edit is a way out that a person writes in an editor: no command to run as it
// stands.
func edit(description, namespace, kind, name string) finding.Fix {
	return manual(description + ", with: " + finding.Kubectl(namespace, "edit", kind, name))
}

// clientRef is the pod that asks, or where there is none its namespace.
func (w *world) clientRef() object.Ref {
	switch {
	case w.template:
		return w.ask.From
	case w.client != nil:
		return podRef(w.client)
	}
	return object.Ref{Version: "v1", Kind: "Namespace", Name: w.namespace}
}

// order is from the deepest cause to what is one only where nothing else is.
func order() []string {
	return strings.Fields(`corefile-error forward-loop dns-service-missing dns-selector-mismatch dns-port-mismatch replica-unsynced dns-no-ready-endpoints nodelocal-down nodelocal-upstream netpol-egress-dns netpol-ingress-dns netpol-nodelocal
		acl-or-view replica-unreachable-from-node hostnet-clusterfirst missing-cluster-dns ndots-bare cluster-domain-mismatch nameserver-unknown foreign-nameserver-first resolvconf-stale config-skew wrong-cluster-domain name-incomplete rewrite-applied zone-shadow upstream-timeout
		upstream-partial max-concurrent no-server-block fallthrough-missing namespace-or-label-filter noendpoints empty-service-ignored pod-record-disabled
		publish-lag nodelocal-cache-stale replica-divergent musl-search-line-dropped resolvconf-truncated search-list-missing ndots-too-low-musl musl-aaaa-negative musl-search-stop musl-no-tcp musl-nameserver-race
		windows-dotted-name search-capture search-wildcard-hijack slice-unlabelled headless-selector-empty headless-no-ready pod-hostname-unpublished externalname-ip
		externalname-internal-missing externalname-dangling srv-unnamed-port family-missing ptr-absent wrong-namespace service-missing`)
}

func depth(f finding.Finding) int {
	if i := slices.Index(order(), f.Code[len("dns/"):]); i >= 0 {
		return i
	}
	return len(order())
}

// follows says which findings merely follow from another, if that was made.
func follows() map[string][]string {
	return map[string][]string{
		"dns-no-ready-endpoints":        {"dns-selector-mismatch", "corefile-error", "forward-loop", "replica-unsynced"},
		"replica-unreachable-from-node": {"dns-service-missing", "dns-selector-mismatch", "dns-no-ready-endpoints", "nodelocal-down", "nodelocal-upstream", "nodelocal-cache-stale", "netpol-egress-dns", "netpol-ingress-dns", "netpol-nodelocal", "nameserver-unknown", "foreign-nameserver-first", "acl-or-view", "dns-port-mismatch"},
		"search-list-missing":           {"hostnet-clusterfirst", "missing-cluster-dns", "musl-search-line-dropped", "resolvconf-truncated"},
		"nameserver-unknown":            {"hostnet-clusterfirst", "missing-cluster-dns", "dns-service-missing"},
		"resolvconf-stale":              {"cluster-domain-mismatch"},
		"replica-divergent":             {"replica-unsynced", "config-skew", "publish-lag", "upstream-partial", "corefile-error"},
		"headless-no-ready":             {"headless-selector-empty", "slice-unlabelled"},
		"pod-hostname-unpublished":      {"headless-selector-empty"},
		"service-missing":               {"wrong-namespace", "search-list-missing", "zone-shadow", "cluster-domain-mismatch", "ndots-too-low-musl", "musl-search-line-dropped", "musl-search-stop"},
		"ndots-too-low-musl":            {"ndots-bare"},
		"ndots-amplification":           {"upstream-timeout"},
		"upstream-timeout":              {"zone-shadow", "rewrite-applied", "wrong-cluster-domain"},
	}
}

// link ties consequences to their causes.
func (w *world) link() {
	for i := range w.found {
		f := &w.found[i]
		for _, name := range follows()[f.Code[len("dns/"):]] {
			j := slices.IndexFunc(w.found, func(o finding.Finding) bool { return o.Code == code(name) && o.Severity.Rank() <= f.Severity.Rank() })
			if j >= 0 && f.CausedBy == nil {
				f.CausedBy = &finding.Cause{Code: w.found[j].Code, Object: w.found[j].Object}
			}
		}
	}
	finding.Sort(w.found, depth)
}

// judge runs all analyzers.
func (w *world) judge() {
	w.ladders = w.climb()
	for _, a := range Analyzers() {
		if !w.outside || !a.Servers {
			a.Run(w)
		}
	}
	w.weighPolicies()
	w.link()
}

// resolved says whether the lookup that the summary speaks of finds an answer.
func (w *world) resolved() bool {
	if where, _ := w.hostsEntry(); where != "" {
		return true
	}
	l := w.primary()
	if l == nil {
		return false
	}
	if w.outside {
		found, _ := w.gotten()
		return len(found) > 0
	}
	s, _ := l.final()
	return s != nil && s.State == Found
}

// lost says whether the lookup that the summary speaks of is known to fail.
func (w *world) lost() bool { l := w.primary(); return l != nil && !w.resolved() && w.fails(l) }

// fails says whether a resolver ends without an answer. A name that is plainly
// meant for the cluster, and goes upstream as it is, is taken to fail: no zone
// of the world has it.
func (w *world) fails(l *ladder) bool {
	s, _ := l.final()
	if s == nil || s.State == GaveUp {
		return true
	}
	if s.State != Open || w.name.Rooted || !w.internal() {
		return false
	}
	return s.From == "as is" && !within(w.defaultZones()[0], s.Name) || w.unanswered(s)
}

// unanswered says whether every server that was asked for a step failed.
func (w *world) unanswered(s *Step) bool {
	asked := false
	for _, t := range w.types() {
		for _, a := range w.answers(Question{Name: s.Name, Type: t}) {
			if a.rcode() != Timeout && a.rcode() != ServFail && a.rcode() != Refused {
				return false
			}
			asked = true
		}
	}
	return asked
}

// internal says whether a name is plainly meant for the cluster.
func (w *world) internal() bool {
	last := w.name.ASCII[strings.LastIndexByte(w.name.ASCII, '.')+1:]
	switch p := w.seenNamespace(last); {
	case w.name.Dots == 0, last == "svc", last == "local", p == index.Present:
		return true
	case w.name.Dots > 1, topLevel(w.name.ASCII), len(last) <= 3:
		return false
	case p == index.Missing: // not every top-level domain is known here
		_, there := w.elsewhere(serviceRef(last, strings.TrimSuffix(w.name.ASCII, "."+last)))
		return there || len(w.namespacesLike(last)) > 0
	}
	return true
}

// meant are the cluster names that the user may have meant by a short name,
// whether or not the resolver tries them.
func (w *world) meant() []string {
	d := w.domain.Value
	bare := strings.TrimSuffix(w.name.ASCII, ".")
	return []string{fqdn(bare + "." + w.namespace + ".svc." + d), fqdn(bare + ".svc." + d), fqdn(bare + "." + d), fqdn(bare)}
}

// meantAnswer is the first of them that the cluster answers with a record.
func (w *world) meantAnswer() (string, Expected, bool) {
	if w.name.Address.IsValid() {
		return "", Expected{}, false
	}
	for _, n := range w.meant() {
		if longest(w.defaultZones(), n) == "" {
			continue
		}
		for _, t := range w.types() {
			if e := w.expect(Question{Name: n, Type: t}); e.Rcode == NoError {
				return n, e, true
			}
		}
	}
	return "", Expected{}, false
}
