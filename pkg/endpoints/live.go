package endpoints

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// live judges what probes saw. Its findings are observed; all others are
// computed from what the API server stores.
func live() Analyzer {
	return Analyzer{Name: "live", Docs: liveDocs(), Each: func(c *subject) {
		var mine []Observation
		for _, o := range c.opts.Observations {
			if o.Service.Key() == c.ref.Key() {
				mine = append(mine, o)
			}
		}
		if len(mine) == 0 {
			return
		}
		c.note(mine)
		for i := range c.svc.Spec.Ports {
			c.listening(i, mine)
		}
		c.path(mine)
	}}
}

// state is what the probes of one pod's port prove together.
type state int

const (
	undecided state = iota // a route or a policy may lie between
	serves
	loopback  // bound to localhost: only the kubelet's port-forward reaches it
	podIPOnly // bound to the pod's address: port-forward fails, traffic does not
	silent    // nothing listens
)

// combine reads several probes of one pod's port as one. Sockets that were
// listed decide; otherwise pods/proxy (API server → pod address) and
// port-forward (kubelet → localhost in the pod) tell where something is bound.
// A time-out never proves that nothing is there, and UDP is never refused.
func combine(seen []Observation) state {
	outcome := map[Probe]Outcome{}
	for _, o := range seen {
		if o.Protocol == corev1.ProtocolUDP {
			return undecided
		}
		if o.Probe == Listeners && o.Outcome == Listed {
			return bound(o)
		}
		if outcome[o.Probe] == "" || o.Outcome == Answered {
			outcome[o.Probe] = o.Outcome
		}
	}
	answers := func(p Probe) bool { return outcome[p] == Answered || outcome[p] == AnsweredTLS }
	switch {
	case answers(Forward) && outcome[Proxy] == Refused:
		return loopback
	case outcome[Forward] == Refused && answers(Proxy):
		return podIPOnly
	case outcome[Forward] == Refused && outcome[Proxy] == Refused:
		return silent
	case answers(Proxy):
		return serves
	}
	return undecided
}

func bound(o Observation) state {
	result := silent
	for _, l := range o.Listens {
		if l.Port != o.Number {
			continue
		}
		addr, err := netip.ParseAddr(l.Address)
		switch {
		case err != nil || addr.IsUnspecified():
			return serves
		case !addr.IsLoopback():
			result = podIPOnly
		case result == silent:
			result = loopback
		}
	}
	return result
}

// listening judges one Service port over all pods that were probed.
func (c *subject) listening(i int, mine []Observation) {
	sp := &c.svc.Spec.Ports[i]
	byPod := map[types.UID][]Observation{}
	var pods []types.UID
	for _, o := range mine {
		if o.Port != portTitle(sp) || o.Probe == Path || o.Pod.IsZero() {
			continue
		}
		if byPod[o.PodUID] == nil {
			pods = append(pods, o.PodUID)
		}
		byPod[o.PodUID] = append(byPod[o.PodUID], o)
	}
	in := map[state][]Observation{}
	for _, uid := range pods {
		s := combine(byPod[uid])
		in[s] = append(in[s], byPod[uid]...)
	}
	if seen := in[silent]; len(seen) > 0 {
		c.say("nothing-listening", finding.Error, fmt.Sprintf("nothing listens on port %d in %s%s", seen[0].Number, seen[0].Pod, insteadWords(seen)), observed(seen), c.insteadFix(i, seen))
	}
	if seen := in[loopback]; len(seen) > 0 {
		c.say("listens-loopback", finding.Error, fmt.Sprintf("in %s port %d is bound to localhost only, so no traffic from outside the pod reaches it", seen[0].Pod, seen[0].Number), observed(seen),
			manual("let the application listen on 0.0.0.0 (and ::), by its configuration or its flags"))
	}
	if seen := in[podIPOnly]; len(seen) > 0 {
		c.say("listens-podip-only", finding.Info, fmt.Sprintf("in %s port %d is bound to the pod's address only: traffic reaches it, kubectl port-forward does not", seen[0].Pod, seen[0].Number), observed(seen))
	}
	if j := slices.IndexFunc(mine, func(o Observation) bool { return o.Port == portTitle(sp) && o.Outcome == AnsweredTLS }); j >= 0 && plain(sp) {
		c.say("plaintext-to-tls", finding.Warning, fmt.Sprintf("port %d is declared as plain HTTP, and what answers in %s speaks TLS", sp.Port, mine[j].Pod), observed(mine[j:j+1]),
			manual("let clients use https, or serve plain HTTP on this port; name the port https if TLS is meant"))
	}
}

func plain(sp *corev1.ServicePort) bool {
	protocol := ""
	if sp.AppProtocol != nil {
		protocol = *sp.AppProtocol
	}
	switch {
	case protocol != "":
		return protocol == "http" || protocol == "kubernetes.io/h2c" || protocol == "kubernetes.io/ws"
	case strings.HasPrefix(sp.Name, "https"):
		return false
	}
	return strings.HasPrefix(sp.Name, "http") || sp.Port == 80
}

func observed(seen []Observation) []finding.Evidence {
	var out []finding.Evidence
	for _, o := range seen[:min(len(seen), 4)] {
		value := string(o.Outcome)
		if o.Detail != "" {
			value += ": " + o.Detail
		}
		if o.Outcome == Listed {
			value = listenerWords(o.Listens)
		}
		r := o.Pod
		if r.IsZero() {
			r = o.Service
		}
		out = append(out, fact(r, fmt.Sprintf("observed by %s, port %d", o.Probe, o.Number), value))
	}
	return out
}

func listenerWords(ls []Listener) string {
	if len(ls) == 0 {
		return "no socket listens"
	}
	var words []string
	for _, l := range ls {
		words = append(words, fmt.Sprintf("%s port %d", l.Address, l.Port))
	}
	return strings.Join(words, ", ")
}

// instead is the port on which the pod does listen, where it is only one.
func instead(seen []Observation) (int32, bool) {
	for _, o := range seen {
		var open []int32
		for _, l := range o.Listens {
			if addr, err := netip.ParseAddr(l.Address); err == nil && !addr.IsLoopback() && !slices.Contains(open, l.Port) {
				open = append(open, l.Port)
			}
		}
		if len(open) == 1 {
			return open[0], true
		}
	}
	return 0, false
}

func insteadWords(seen []Observation) string {
	if n, ok := instead(seen); ok {
		return fmt.Sprintf("; the pod listens on %d", n)
	}
	return ""
}

func (c *subject) insteadFix(i int, seen []Observation) finding.Fix {
	if n, ok := instead(seen); ok {
		return c.setTargetPort("send to the port on which the pod listens", i, n)
	}
	return manual("see in the application's configuration and log on which port it listens, and set targetPort to it")
}

// path judges the real path from a client. It confirms or contradicts what the
// policies say, about which the API server's own probes prove nothing; where
// there is no policy to blame, the path itself is named.
func (c *subject) path(mine []Observation) {
	var failed, through []Observation
	for _, o := range mine {
		switch {
		case o.Probe != Path:
		case o.Outcome == Refused, o.Outcome == TimedOut:
			failed = append(failed, o)
		case o.Outcome == Answered, o.Outcome == AnsweredTLS:
			through = append(through, o)
		}
	}
	judged := false
	for i := range c.found {
		f := &c.found[i]
		if f.Code != code("netpol-denies") && f.Code != code("netpol-source") {
			continue
		}
		judged = true
		switch {
		case len(failed) > 0:
			f.Severity = finding.Error
			f.Message += fmt.Sprintf(" (confirmed: a connection from %s %s)", failed[0].From, ending(failed[0]))
			f.Evidence = append(f.Evidence, observed(failed[:1])...)
		case len(through) > 0:
			f.Severity = finding.Info
			f.Message += fmt.Sprintf(" (but a connection from %s got through: the network plugin may not enforce policies)", through[0].From)
			f.Evidence = append(f.Evidence, observed(through[:1])...)
		}
	}
	if broken := worstOf(c.found); len(failed) > 0 && !judged && (broken == nil || broken.Severity != finding.Error) {
		c.pathFails(failed, through)
	}
}

// pathFails tells a pod that cannot be reached from an address of the Service
// that leads nowhere although its pods answer.
func (c *subject) pathFails(failed, through []Observation) {
	o := failed[0]
	words := fmt.Sprintf("from %s, port %d of %s %s", o.From, o.Number, o.Pod, ending(o))
	hint := fmt.Sprintf("see whether %s listens there (--probe), and what lies between the two nodes: routes, the network plugin, its own policies", o.Pod)
	if o.Pod.IsZero() {
		words = fmt.Sprintf("from %s, port %d of the Service's own address %s", o.From, o.Number, ending(o))
		hint = "see whether kube-proxy, or what stands in for it, works on the client's node"
		if len(through) > 0 && !through[0].Pod.IsZero() {
			words += ", although its pods answer there"
		}
	}
	c.say("path-fails", finding.Error, words, observed(failed), manual("%s", hint))
}

func ending(o Observation) string {
	if o.Outcome == Refused {
		return "was refused"
	}
	return "timed out"
}

// note writes on the rows what was seen of them.
func (c *subject) note(mine []Observation) {
	words := map[identity]string{}
	for _, o := range mine {
		if o.Outcome == NotAllowed || o.Outcome == NoMeans || o.Outcome == Failed || o.Outcome == Listed {
			continue
		}
		key := identity{ip: o.Port, uid: o.PodUID}
		if words[key] != "" {
			words[key] += ", "
		}
		word := string(o.Probe)
		if o.Probe == Path {
			word = "from " + o.From.String()
		}
		words[key] += word + " " + string(o.Outcome)
	}
	for i := range c.entries {
		if e := &c.entries[i]; e.pod != nil {
			e.row.Observed = words[identity{ip: e.row.ServicePort, uid: e.pod.UID}]
		}
	}
}
