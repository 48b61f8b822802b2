package dns

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// muslOnly is what musl does otherwise than glibc.
func muslOnly() Analyzer {
	return Analyzer{Name: "musl", Docs: []finding.Doc{
		page("ndots-too-low-musl", finding.Error, "musl tries a name with enough dots only as it is", "glibc would go on to the search list; musl does not.",
			"The resolver is musl, the name has as many dots as ndots or more, and a name of the search list would be found.", "Raise ndots, or write the full name.", muslSource),
		page("musl-search-line-dropped", finding.Error, "musl drops a search line of 256 bytes or more", "The whole search list is gone, and short names are not found.",
			"The resolver is musl and the search line has 256 bytes or more.", "Shorten the search list, or use full names.", muslSource),
		page("musl-nameserver-race", finding.Warning, "musl asks all nameservers at once and takes the first answer", "A server that does not know the cluster may answer first, with NXDOMAIN.",
			"The resolver is musl, and beside the cluster's DNS there is a nameserver that is not the cluster's.", "Leave only the cluster's DNS in the pod's resolv.conf.", muslSource),
		page("musl-aaaa-negative", finding.Error, "A negative AAAA answer makes musl give up the whole name", "A server that answers NXDOMAIN or SERVFAIL for AAAA hides the A record from musl.",
			"The resolver is musl, and one of the two questions is answered with a record, the other with NXDOMAIN or SERVFAIL.", "Correct what answers AAAA: NODATA is right where there is an A record.", muslSource+", name_from_dns"),
		page("musl-search-stop", finding.Error, "musl stops where a name exists without an address", "glibc would go on to the next name, which would be found.",
			"The resolver is musl, a name of the search list is answered NODATA, and a later one would be found.", "Write the full name.", muslSource+", name_from_dns"),
		page("musl-no-tcp", finding.Warning, "This musl cannot read large answers", "musl before 1.2.4 does not ask again over TCP, so an answer of more than 512 bytes comes cut.",
			"The image is alpine before 3.18 and the answer is larger than 512 bytes.", "Use an image of alpine 3.18 or later.", "musl 1.2.4 release notes"),
	}, Run: func(w *world) {
		for i := range w.ladders {
			if w.ladders[i].libc == Musl {
				w.musl(&w.ladders[i])
			}
		}
	}}
}

func (w *world) musl(l *ladder) {
	severity := finding.Warning
	if w.fails(l) {
		severity = finding.Error
	}
	file := func(field, value string) []finding.Evidence {
		return facts(fact(w.clientRef(), field+" ("+string(w.confClaim)+")", value))
	}
	found, fe, ok := w.meantAnswer()
	write := manual("write the full name: " + cmp.Or(found, w.name.Written))
	if !w.name.Rooted && severity == finding.Error && ok {
		switch {
		case w.conf.LongLine || w.conf.lineLength() >= muslLine:
		case w.name.Dots >= w.conf.Ndots() && !slices.ContainsFunc(l.steps, func(s Step) bool { return s.Name == found }):
			w.say("ndots-too-low-musl", finding.Error, w.clientRef(), fmt.Sprintf("%s has %d dots and ndots is %d, so musl tries it only as it is; %s would be found", w.name.Written, w.name.Dots, w.conf.Ndots(), found),
				file("ndots", strconv.Itoa(w.conf.Ndots())), write)
		}
	}
	if w.conf.LongLine || w.conf.lineLength() >= muslLine {
		w.say("musl-search-line-dropped", severity, w.clientRef(), fmt.Sprintf("the search line has %d bytes, and musl drops lines of 256 or more: short names are not found", w.conf.lineLength()),
			file("search", strings.Join(w.conf.Search[:min(2, len(w.conf.Search))], " ")+" …"), write, manual("shorten spec.dnsConfig.searches or the node's search list"))
	}
	if strange := w.strangers(); len(strange) > 0 && len(w.conf.servers()) > len(strange) {
		w.say("musl-nameserver-race", finding.Warning, w.clientRef(), fmt.Sprintf("musl asks all nameservers at once, and %s, which does not know the cluster, may answer first", strings.Join(strange, ", ")),
			file("nameserver", strings.Join(w.conf.servers(), " ")), manual("leave only the cluster's DNS among the pod's nameservers"))
	}
	for i, s := range l.steps {
		w.muslStep(l, i, s, found, fe)
	}
	w.muslTCP(l)
}

// strangers are the nameservers that are not the cluster's.
func (w *world) strangers() []string {
	var out []string
	for _, s := range w.conf.servers() {
		if w.dnsService != nil && !slices.Contains(clusterIPs(w.dnsService), s) && !strings.HasPrefix(s, "169.254.") {
			out = append(out, s)
		}
	}
	return out
}

func (w *world) muslStep(l *ladder, i int, s Step, found string, fe Expected) {
	if s.State != Passed && s.State != GaveUp {
		return
	}
	var good, bad string
	claim := report.Computed
	for _, t := range w.types() {
		q := Question{Name: s.Name, Type: t}
		switch r := w.rcode(q); r {
		case NoError:
			good = string(t)
		case NXDomain, ServFail:
			bad = string(t) + " " + string(r)
		}
		if _, ok := w.consensus(q); ok {
			claim = report.Observed
		}
	}
	if good != "" && bad != "" {
		w.say("musl-aaaa-negative", finding.Error, w.clientRef(), fmt.Sprintf("%s has an %s record, but %s makes musl give the name up", s.Name, good, bad),
			facts(fact(w.clientRef(), s.Name+" ("+string(claim)+")", bad)), manual("correct what answers "+bad+": where there is a record of the other family, the answer is NODATA"))
		return
	}
	later := slices.ContainsFunc(l.steps[i+1:], func(x Step) bool {
		return slices.ContainsFunc(w.types(), func(t Type) bool { return w.rcode(Question{Name: x.Name, Type: t}) == NoError })
	})
	if s.State == GaveUp && good == "" && bad == "" && w.rcode(Question{Name: s.Name, Type: w.types()[0]}) == NoData && later {
		e := w.expect(Question{Name: s.Name, Type: w.types()[0]})
		about := e.Object
		if about.IsZero() {
			about = w.clientRef()
		}
		w.say("musl-search-stop", finding.Error, about, fmt.Sprintf("%s exists without an address (%s), and musl stops there; glibc would go on and find the name", s.Name, cmp.Or(e.Why, "NODATA")),
			facts(fact(about, cmp.Or(e.Field, s.Name), cmp.Or(about.Name, "NODATA"))), manual("write the full name, with the dot at its end"))
	}
}

var alpineTag = regexp.MustCompile(`alpine[^:]*:(?:[^/]*alpine)?3\.(\d+)`)

func (w *world) muslTCP(l *ladder) {
	m := alpineTag.FindStringSubmatch(w.image())
	s, _ := l.final()
	if m == nil || s == nil || s.State != Found {
		return
	}
	minor, err := strconv.Atoi(m[1])
	if err != nil || minor >= 18 {
		return
	}
	for _, t := range w.types() {
		e := w.expect(Question{Name: s.Name, Type: t})
		size := 12 + len(s.Name) + 5 // header and question; then each record with a compressed name
		for _, r := range e.Records {
			size += 12 + map[Type]int{A: 4, AAAA: 16}[r.Type]
			if r.Type != A && r.Type != AAAA {
				size += len(r.Data)
			}
		}
		if size > 512 {
			w.say("musl-no-tcp", finding.Warning, w.clientRef(), fmt.Sprintf("the answer has about %d bytes, and the musl of this image does not ask again over TCP: it sees a part of it", size),
				facts(fact(w.clientRef(), "spec.containers[].image", w.image())), manual("use an image of alpine 3.18 or later"))
			return
		}
	}
}
