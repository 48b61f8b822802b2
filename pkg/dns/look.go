package dns

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

// ladder is one resolver's way down the names.
type ladder struct {
	libc  Libc
	steps []Step
}

// wantsReverse says whether an address is to be turned into a name.
func (w *world) wantsReverse() bool {
	return w.name.Address.IsValid() && (len(w.ask.Types) == 0 || slices.Contains(w.ask.Types, PTR))
}

func (w *world) types() []Type {
	if w.wantsReverse() {
		return []Type{PTR}
	}
	return w.ask.types()
}

// climb walks every resolver that is shown.
func (w *world) climb() []ladder {
	name := w.name
	if name.Address.IsValid() {
		if !w.wantsReverse() {
			return nil // an address is not looked up
		}
		name = Name{ASCII: reverseName(name.Address), Rooted: true}
	}
	if file, _ := w.hostsEntry(); file != "" {
		return nil
	}
	var out []ladder
	for _, l := range w.libcs {
		out = append(out, ladder{l, Walk(l, name, w.conf, w.types(), w.rcode)})
	}
	return out
}

// rcode is what a question is answered with: as most replicas say, or as it
// must be by the objects.
func (w *world) rcode(q Question) Rcode {
	if c, ok := w.consensus(q); ok {
		return c.rcode
	}
	return w.reply(q).Rcode
}

// reply is what the servers that the client asks should answer.
func (w *world) reply(q Question) Expected {
	if w.outside {
		return Expected{By: w.elsewhereTo(), Why: "asked outside of the cluster: what is answered there cannot be computed"}
	}
	return w.expect(q)
}

// gotten is what the client itself found, by getent or nslookup, and whether
// its programs would find what was found: nslookup that fails proves nothing.
func (w *world) gotten() (addresses []string, ran bool) {
	if text, ran := w.seen.Getent.said(); ran {
		if w.seen.Getent.ExitCode == 0 {
			for line := range strings.Lines(text) {
				if f := strings.Fields(line); len(f) > 0 && isIP(f[0]) {
					addresses = append(addresses, f[0])
				}
			}
		}
		return distinct(addresses), true
	}
	addresses = w.nslookedUp()
	return addresses, len(addresses) > 0
}

// nslookedUp are the addresses that nslookup printed after a name; those before
// the first name are the server's.
func (w *world) nslookedUp() []string {
	var addresses []string
	text, _ := w.seen.Nslookup.said()
	named := false
	for line := range strings.Lines(text) {
		key, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		f := strings.Fields(rest)
		switch {
		case key == "Name":
			named = true
		case named && strings.HasPrefix(key, "Address") && len(f) > 0 && isIP(f[0]):
			addresses = append(addresses, f[0])
		}
	}
	return distinct(addresses)
}

// verdict is what the replicas say together.
type verdict struct {
	rcode   Rcode
	records []string
	agree   int
	asked   int
	deviant []Answer
}

// answers are the last answers of each replica to a question, in order.
func (w *world) answers(q Question) []Answer {
	q = q.key()
	var out []Answer
	for _, a := range w.seen.Answers {
		if a.Question.key() != q {
			continue
		}
		at := slices.IndexFunc(out, func(o Answer) bool { return o.Pod.Key() == a.Pod.Key() && o.UID == a.UID })
		if at >= 0 {
			out[at] = a
		} else {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b Answer) int { return object.Compare(a.Pod, b.Pod) })
	return out
}

func (a Answer) rcode() Rcode {
	switch {
	case a.Err != "":
		return Timeout
	case a.Rcode == NoError && !slices.ContainsFunc(a.Records, func(r Record) bool { return r.Type == a.Question.Type }):
		return NoData
	}
	return a.Rcode
}

// text is an answer on one line, the same for equal answers.
func (a Answer) text() string {
	if a.Err != "" {
		return a.Err
	}
	return answerText(a.rcode(), a.Records)
}

func answerText(rcode Rcode, records []Record) string {
	if rcode != NoError && len(records) == 0 {
		return string(rcode)
	}
	data := recordTexts(records)
	slices.Sort(data)
	text := strings.Join(data, " ")
	if rcode != NoError {
		text = strings.TrimSpace(string(rcode) + " " + text)
	}
	return text
}

func recordTexts(records []Record) []string {
	var out []string
	for _, r := range records {
		if r.Type == CNAME {
			out = append(out, "CNAME "+strings.ToLower(r.Data))
		} else {
			out = append(out, r.Data)
		}
	}
	return out
}

// consensus is the most frequent answer; of equals, the one that is expected.
// A replica that could not be asked has no voice.
func (w *world) consensus(q Question) (verdict, bool) {
	all := w.answers(q)
	voices := slices.DeleteFunc(slices.Clone(all), func(a Answer) bool { return a.Err != "" })
	if len(voices) == 0 {
		return verdict{}, false
	}
	count := map[string]int{}
	for _, a := range voices {
		count[a.text()]++
	}
	e := w.expect(q)
	wanted := answerText(e.Rcode, e.Records)
	best := voices[0]
	for _, a := range voices {
		if count[a.text()] > count[best.text()] || count[a.text()] == count[best.text()] && a.text() == wanted && best.text() != wanted {
			best = a
		}
	}
	v := verdict{rcode: best.rcode(), records: recordTexts(best.Records), asked: len(all)}
	for _, a := range all {
		if a.text() == best.text() {
			v.agree++
		} else {
			v.deviant = append(v.deviant, a)
		}
	}
	return v, true
}

// hostsEntry is the line of the client's /etc/hosts that answers before any
// server is asked: in the file that was seen, or as the kubelet writes it.
func (w *world) hostsEntry() (where, address string) {
	want := strings.TrimSuffix(w.name.Written, ".")
	if want == "" || w.name.Address.IsValid() || len(w.ask.Types) > 0 && !slices.Contains(w.ask.Types, A) && !slices.Contains(w.ask.Types, AAAA) {
		return "", ""
	}
	if text, ok := w.seen.Hosts.said(); ok {
		n := 0
		for line := range strings.Lines(text) {
			n++
			line, _, _ = strings.Cut(line, "#")
			f := strings.Fields(line)
			if len(f) > 1 && isIP(f[0]) && slices.ContainsFunc(f[1:], func(h string) bool { return strings.EqualFold(h, want) }) {
				return fmt.Sprintf("/etc/hosts line %d", n), f[0]
			}
		}
		return "", ""
	}
	if w.client == nil {
		return "", ""
	}
	for i, a := range w.client.Spec.HostAliases {
		if slices.ContainsFunc(a.Hostnames, func(h string) bool { return strings.EqualFold(h, want) }) {
			return fmt.Sprintf("spec.hostAliases[%d]", i), a.IP
		}
	}
	own := w.client.Spec.Hostname
	if own == "" {
		own = w.client.Name
	}
	if strings.EqualFold(want, own) && !w.client.Spec.HostNetwork && w.client.Status.PodIP != "" {
		return "metadata.name", w.client.Status.PodIP
	}
	return "", ""
}

// primary is the ladder that the summary speaks of.
func (w *world) primary() *ladder {
	if len(w.ladders) == 0 {
		return nil
	}
	return &w.ladders[0]
}

// final is the step at which a ladder ends, and what it ends with.
func (l *ladder) final() (*Step, int) {
	for i := range l.steps {
		if s := l.steps[i].State; s == Found || s == GaveUp || s == Open {
			return &l.steps[i], i
		}
	}
	return nil, -1
}
