package dns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Options are what the user chose beside the question, and what was observed.
type Options struct {
	Learn bool // say one plain sentence about each term
	Seen  Observations
}

// Explain judges one name. It is a pure function of the view and the options.
// The error is for a question that cannot be asked: a name that no resolver
// would send, or a client that does not exist.
func Explain(v *index.View, ask Ask, opts Options) (*report.Report, error) {
	w, err := newWorld(v, ask, opts.Seen)
	if err != nil {
		return nil, err
	}
	if !ask.From.IsZero() && w.client == nil {
		if err := noClient(v, ask); err != nil {
			return nil, err
		}
	}
	if err := w.container(); err != nil {
		return nil, err
	}
	w.judge()
	r := &report.Report{
		APIVersion: report.APIVersion, Kind: "TraceDNS", Target: target(w),
		Findings: w.found, Gaps: append(gaps(v), w.notAllowed()...), Trace: w.trace(opts.Learn),
	}
	if r.Findings == nil {
		r.Findings = []finding.Finding{}
	}
	r.Verdict, r.Summary = w.summary()
	return report.Clean(r), nil
}

func noClient(v *index.View, ask Ask) error {
	presence, _ := v.Presence(ask.From)
	switch presence {
	case index.Missing:
		return fmt.Errorf("%s in namespace %q does not exist; list what is there with: %s", ask.From, ask.From.Namespace, finding.Kubectl(ask.From.Namespace, "get", strings.ToLower(ask.From.Kind)))
	case index.Present:
		if podsUnseen(v, ask.From.Namespace) {
			return nil
		}
		return fmt.Errorf("%s in namespace %q has no pod from which to look up a name; name one with --from pod/NAME", ask.From, ask.From.Namespace)
	}
	return nil // not seen: the defaults of its namespace are taken, and the gap says why
}

// podsUnseen says that pods may be there all the same.
func podsUnseen(v *index.View, namespace string) bool {
	return slices.ContainsFunc(v.Gaps, func(g source.Gap) bool {
		return (g.Resource == "pods" || g.Resource == "replicasets.apps") && (g.Namespace == "" || g.Namespace == namespace)
	})
}

func target(w *world) string {
	if w.client == nil {
		return w.name.Written
	}
	return w.name.Written + " from " + w.clientRef().Long()
}

// gaps are what could not be seen and was wanted.
func gaps(v *index.View) []report.Gap {
	out := []report.Gap{}
	for _, g := range v.Gaps {
		gap := report.Gap{Resource: g.Resource, Namespace: g.Namespace, Name: g.Name, Reason: string(g.Reason), Detail: g.Detail}
		if g.Reason != "not served" && !slices.Contains(out, gap) {
			out = append(out, gap)
		}
	}
	return out
}

// notAllowed are the live questions that may not be put.
func (w *world) notAllowed() []report.Gap {
	var out []report.Gap
	add := func(resource, namespace, err string) {
		if strings.Contains(err, "forbidden") && !slices.ContainsFunc(out, func(g report.Gap) bool { return g.Resource == resource }) {
			out = append(out, report.Gap{Resource: resource, Namespace: namespace, Reason: string(source.Forbidden), Detail: err})
		}
	}
	for _, r := range w.seen.Replicas {
		add("pods/portforward", r.Pod.Namespace, r.Err)
	}
	if w.seen.ResolvConf != nil && w.client != nil {
		add("pods/exec", w.client.Namespace, w.seen.ResolvConf.Err)
	}
	return out
}

// summary is the verdict, and the one sentence that says it.
func (w *world) summary() (report.Verdict, string) {
	root := w.root()
	if where, address := w.hostsEntry(); where != "" {
		return report.OK, fmt.Sprintf("%s → %s   (%s), without asking DNS.", w.name.Written, address, where)
	}
	l := w.primary()
	if l == nil {
		return report.OK, fmt.Sprintf("%s is an address: no resolver asks anybody.", w.name.Written)
	}
	s, i := l.final()
	broken := root != nil && root.Severity == finding.Error
	if w.outside {
		return w.outsideSummary(root, broken)
	}
	switch {
	case s != nil && s.State == Found && broken && w.cut(root):
		return report.Broken, fmt.Sprintf("%s would be %s, but %s.", w.name.Written, w.answer(s), trimmed(root.Message))
	case s != nil && s.State == Found && broken && strings.HasPrefix(root.Code, code("replica-")):
		return report.Broken, fmt.Sprintf("%s → %s, but not always: %s.", w.name.Written, w.answer(s), trimmed(root.Message))
	case s != nil && s.State == Found && broken && w.observedStep(s):
		return report.Broken, fmt.Sprintf("%s → %s today, but %s.", w.name.Written, w.answer(s), trimmed(root.Message))
	case s != nil && s.State == Found && broken:
		return report.Broken, fmt.Sprintf("%s should be %s, but %s.", w.name.Written, w.answer(s), trimmed(root.Message))
	case s != nil && s.State == Found && w.faulty("publish-lag"):
		return report.Progressing, fmt.Sprintf("%s → %s, but not everywhere yet: %s.", w.name.Written, w.answer(s), trimmed(w.finding("publish-lag").Message))
	case s != nil && s.State == Found:
		return report.OK, fmt.Sprintf("%s → %s%s, on the %s of %s that %s would try.", w.name.Written, w.answer(s), w.origin(s), ordinal(i+1), counted(len(l.steps), "name"), l.libc)
	case broken:
		return report.Broken, fmt.Sprintf("%s is not found: %s.", w.name.Written, trimmed(root.Message))
	case w.faulty("publish-lag"):
		return report.Progressing, fmt.Sprintf("%s is not found yet: %s.", w.name.Written, trimmed(w.finding("publish-lag").Message))
	case s != nil && s.State == Open:
		e := w.expect(Question{Name: s.Name, Type: w.types()[0]})
		return report.Unknown, fmt.Sprintf("Whether %s is found cannot be told: %s %s.", w.name.Written, s.Name, cmp.Or(e.Why, "was not asked"))
	case root != nil && root.Code == code("ptr-absent"):
		return report.OK, upper(trimmed(root.Message)) + "."
	}
	if text := w.nothing(l); text != "" {
		return report.Broken, text
	}
	if e := w.expect(Question{Name: fqdn(w.name.ASCII), Type: w.types()[0]}); e.Why != "" && within(w.defaultZones()[0], strings.ToLower(fqdn(w.name.ASCII))) {
		return report.Broken, fmt.Sprintf("%s is not found: %s.", w.name.Written, e.Why)
	}
	return report.Broken, fmt.Sprintf("%s is not found: %s.", w.name.Written, map[bool]string{true: "there is no such name", false: fmt.Sprintf("none of %d names exists", len(l.steps))}[len(l.steps) == 1])
}

// nothing says of a lookup that ends without an answer what is there all the
// same: a name without a record of the type, or a plugin that denies it.
func (w *world) nothing(l *ladder) string {
	for _, s := range l.steps {
		q := Question{Name: s.Name, Type: w.types()[0]}
		e := w.expect(q)
		switch {
		case s.State == NotAsked:
		case w.rcode(q) == NoData && e.Object.Kind != "" && e.Object.Kind != "Namespace":
			return fmt.Sprintf("%s exists, as %s, and has no %s record: %s.", w.name.Written, s.Name, w.typeWords(), cmp.Or(e.Why, e.Object.String()+" has none of this type"))
		case e.By == "template" && w.rcode(q) == NXDomain:
			return fmt.Sprintf("%s is not found: a template of the Corefile (line %d) says that %s does not exist.", w.name.Written, e.Line, s.Name)
		}
	}
	return ""
}

func (w *world) typeWords() string {
	var words []string
	for _, t := range w.types() {
		words = append(words, string(t))
	}
	return strings.Join(words, " or ")
}

// outsideSummary is of a client whose servers are not the cluster's: only the
// client itself can tell what they answer.
func (w *world) outsideSummary(root *finding.Finding, broken bool) (report.Verdict, string) {
	found, ran := w.gotten()
	switch {
	case broken:
		return report.Broken, fmt.Sprintf("%s is not found: %s.", w.name.Written, trimmed(root.Message))
	case len(found) > 0:
		return report.OK, fmt.Sprintf("%s → %s, as getent in the pod says; it asks %s, not the cluster's DNS.", w.name.Written, strings.Join(few(found), " "), w.elsewhereTo())
	case ran:
		return report.Broken, fmt.Sprintf("%s is not found: getent in the pod finds nothing; it asks %s, not the cluster's DNS.", w.name.Written, w.elsewhereTo())
	}
	return report.Unknown, fmt.Sprintf("Whether %s is found cannot be told: the pod asks %s, not the cluster's DNS.", w.name.Written, w.elsewhereTo())
}

func (w *world) root() *finding.Finding {
	if len(w.found) == 0 {
		return nil
	}
	return &w.found[0]
}

// cut says whether the fault keeps every answer from the pod.
func (w *world) cut(f *finding.Finding) bool {
	if f.Code == code("replica-unsynced") {
		return w.faulty("dns-no-ready-endpoints")
	}
	return slices.Contains([]string{"dns-service-missing", "dns-no-ready-endpoints", "dns-selector-mismatch", "dns-port-mismatch", "acl-or-view", "foreign-nameserver-first", "nodelocal-down", "nodelocal-upstream", "netpol-egress-dns", "netpol-ingress-dns", "netpol-nodelocal", "nameserver-unknown", "hostnet-clusterfirst", "missing-cluster-dns", "replica-unreachable-from-node"}, f.Code[len("dns/"):])
}

func (w *world) observedStep(s *Step) bool {
	_, ok := w.consensus(Question{Name: s.Name, Type: w.types()[0]})
	return ok
}

// answer is what a step brings, on one line.
func (w *world) answer(s *Step) string {
	var all []string
	for _, t := range w.types() {
		q := Question{Name: s.Name, Type: t}
		if c, ok := w.consensus(q); ok {
			all = append(all, c.records...)
		} else if e := w.expect(q); e.Rcode == NoError {
			all = append(all, recordTexts(e.Records)...)
		}
	}
	return cmp.Or(strings.Join(few(distinct(all)), " "), "an answer")
}

// few are as many as a sentence bears.
func few(all []string) []string {
	if len(all) <= 4 {
		return all
	}
	return append(all[:4:4], fmt.Sprintf("… %d more", len(all)-4))
}

// origin is "   (Service/redis spec.clusterIP)".
func (w *world) origin(s *Step) string {
	for _, t := range w.types() {
		e := w.expect(Question{Name: s.Name, Type: t})
		switch {
		case e.Rcode == NoError && !e.Object.IsZero():
			return fmt.Sprintf("   (%s)", strings.TrimSpace(e.Object.String()+" "+e.Field))
		case e.By == "forward":
			return "   (from outside of the cluster)"
		}
	}
	return ""
}

func ordinal(n int) string {
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		return fmt.Sprintf("%dst", n)
	case n%10 == 2:
		return fmt.Sprintf("%dnd", n)
	case n%10 == 3:
		return fmt.Sprintf("%drd", n)
	}
	return fmt.Sprintf("%dth", n)
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func trimmed(message string) string { return strings.TrimRight(strings.TrimSpace(message), ".") }

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
