package dns

import (
	"strings"
)

// Step is one name that a resolver sends.
type Step struct {
	Name  string // absolute
	From  string // "search svc.cluster.local", "as is"
	State StepState
	Why   string // why the lookup stops here, goes on, or never comes here
}

// StepState is what becomes of a step.
type StepState int

// The states of a step.
const (
	NotAsked StepState = iota
	Passed             // the resolver goes on to the next name
	Found              // the lookup ends here with an answer
	GaveUp             // the lookup ends here without one
	Open               // asked, but the answer is not known: what follows may or may not be asked
	Perhaps            // asked only if an earlier answer, which is not known, is no
)

// Candidates are the names that a resolver would send, in order, if none of
// them were answered.
func Candidates(libc Libc, n Name, conf ResolvConf) []Step {
	bare := strings.TrimSuffix(n.ASCII, ".")
	asIs := Step{Name: fqdn(n.ASCII), From: "as is"}
	search := conf.searchFor(libc)
	switch {
	case n.Rooted:
		return []Step{asIs}
	case libc == Windows && n.Dots > 0:
		return []Step{asIs} // Kubernetes, DNS for Services and Pods: a name with a dot is taken for a full one
	case libc == Windows:
		return append(suffixed(bare, search[:min(1, len(search))]), asIs) // it has one suffix, the namespace's
	case libc == Busybox && (n.Dots > 0 || len(search) == 0):
		return []Step{asIs}
	case libc == Busybox:
		return suffixed(bare, search)
	case n.Dots >= conf.Ndots() && libc == Musl:
		return []Step{asIs}
	case n.Dots >= conf.Ndots():
		return append([]Step{asIs}, suffixed(bare, search)...)
	}
	return append(suffixed(bare, search), asIs)
}

func suffixed(bare string, search []string) []Step {
	var steps []Step
	for _, s := range search {
		name := bare + "."
		if s != "." {
			name = fqdn(bare + "." + s)
		}
		if len(name) <= maxName+1 { // longer ones are passed over by every resolver
			steps = append(steps, Step{Name: name, From: "search " + s})
		}
	}
	return steps
}

// Walk follows a resolver down its ladder. answer says what a question is
// answered with; "" means that it is not known.
func Walk(libc Libc, n Name, conf ResolvConf, types []Type, answer func(Question) Rcode) []Step {
	steps := Candidates(libc, n, conf)
	if libc == Busybox {
		return walkBusybox(steps, types, answer)
	}
	for i := 0; i < len(steps); i++ {
		outcome := look(libc, steps[i].Name, types, answer)
		steps[i].State, steps[i].Why = outcome.state, outcome.why
		switch {
		case outcome.state == Found || outcome.state == GaveUp:
			return steps
		case outcome.state == Open:
			for j := i + 1; j < len(steps); j++ {
				steps[j].State = Perhaps
			}
			return steps
		case outcome.skipToAsIs:
			for i+1 < len(steps) && steps[i+1].From != "as is" {
				i++
			}
		}
	}
	return steps
}

// walkBusybox: nslookup sends all names at once and prints each answer.
func walkBusybox(steps []Step, types []Type, answer func(Question) Rcode) []Step {
	for i := range steps {
		o := look(Glibc, steps[i].Name, types, answer)
		steps[i].State, steps[i].Why = o.state, "all names are asked at once, and each answer is printed"
		if o.state == GaveUp {
			steps[i].State = Passed
		}
	}
	return steps
}

type outcome struct {
	state      StepState
	why        string
	skipToAsIs bool
}

func look(libc Libc, name string, types []Type, answer func(Question) Rcode) outcome {
	rcodes := make([]Rcode, len(types))
	for i, t := range types {
		rcodes[i] = answer(Question{Name: name, Type: t})
	}
	if libc == Musl {
		return lookMusl(types, rcodes)
	}
	return lookEither(libc, types, rcodes)
}

// lookMusl: a negative answer to either question fails the name (musl 1.2.5
// src/network/lookup_name.c, name_from_dns: the replies are judged in the
// order in which they were asked, before any record is read).
func lookMusl(types []Type, rcodes []Rcode) outcome {
	open, found := false, false
	for i, r := range rcodes {
		switch r {
		case "":
			open = true
		case ServFail, Timeout:
			return unless(open, outcome{state: GaveUp, why: string(types[i]) + " " + string(r) + ": musl asks again, then gives up (EAI_AGAIN)"})
		case Refused:
			return unless(open, outcome{state: GaveUp, why: "REFUSED is ignored, so the question times out (EAI_AGAIN)"})
		case NXDomain:
			return unless(open, outcome{state: Passed, why: string(types[i]) + " NXDOMAIN: the next name"})
		case NoError:
			found = true
		case NoData:
		default:
			return unless(open, outcome{state: GaveUp, why: string(types[i]) + " " + string(r) + ": musl gives up (EAI_FAIL)"})
		}
	}
	switch {
	case open:
		return outcome{state: Open}
	case found:
		return outcome{state: Found}
	}
	return outcome{state: GaveUp, why: "the name exists without an address: musl stops here (EAI_NODATA)"}
}

func unless(open bool, o outcome) outcome {
	if open {
		return outcome{state: Open}
	}
	return o
}

// lookEither: glibc and Go take what either question brings (glibc resolv/res_query.c
// __res_context_search; Go net/dnsclient_unix.go goLookupIPCNAMEOrder).
func lookEither(libc Libc, types []Type, rcodes []Rcode) outcome {
	worst := Rcode("")
	open := false
	for _, r := range rcodes {
		switch r {
		case NoError:
			return outcome{state: Found}
		case "":
			open = true
		case Timeout, Refused, FormErr, NotImp:
			worst = r
		case ServFail:
			if worst == "" || worst == NoData {
				worst = r
			}
		case NoData:
			if worst == "" {
				worst = r
			}
		}
	}
	switch {
	case open:
		return outcome{state: Open}
	case worst == "":
		return outcome{state: Passed, why: "NXDOMAIN: the next name"}
	case worst == NoData:
		return outcome{state: Passed, why: "the name exists, without such a record: the next name"}
	case libc == Glibc && worst != ServFail:
		return outcome{state: Passed, why: string(worst) + ": glibc leaves the search list and tries the name as it is", skipToAsIs: true}
	}
	return outcome{state: Passed, why: string(worst) + ": the next nameserver, then the next name"}
}

// asked counts the questions that were sent on the way.
func asked(steps []Step, types int) (sent, wasted int) {
	for _, s := range steps {
		switch s.State {
		case Passed:
			sent, wasted = sent+types, wasted+types
		case Found, GaveUp, Open:
			sent += types
		}
	}
	return sent, wasted
}
