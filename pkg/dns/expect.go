package dns

import (
	"regexp"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

// Expected is what a question should be answered with, and why.
type Expected struct {
	Rcode   Rcode // "" where it cannot be computed
	Records []Record
	By      string // the plugin: "kubernetes"
	Line    int    // of the Corefile; 0 where there is none, or it is an import's
	Object  object.Ref
	Field   string
	Why     string
	Cause   string // the code that this answer calls for, if it is wanted otherwise
	Renamed string // what the rewrite plugin makes of the name, and at which line
	RenLine int
	Block   int // 1 + index of the server block; 0 where none serves the name
}

// expect follows a question through the Corefile: the server block, then its
// plugins in the order that is compiled in, to the one that answers.
func (w *world) expect(q Question) Expected {
	key := q.key()
	if e, ok := w.expected[key]; ok {
		return e
	}
	w.expected[key] = Expected{Why: "it leads back to itself"} // while it is being computed
	e := w.compute(key)
	w.expected[key] = e
	return e
}

func (w *world) compute(q Question) Expected {
	if w.core == nil || w.core.Err != nil {
		if !w.managedDomain(q.Name) {
			return Expected{Why: "who answers this name cannot be seen"}
		}
		k := &kubernetes{w: w, zones: w.defaultZones(), pods: "insecure"}
		e := k.answer(q)
		e.Why = strings.TrimPrefix(e.Why+"; the Kubernetes DNS specification is taken as the rule", "; ")
		return e
	}
	blocks := w.core.Serving(q.Name, w.port())
	if len(blocks) == 0 {
		return Expected{Rcode: Refused, Why: "no server block of the Corefile serves this name", Cause: "no-server-block"}
	}
	b := blocks[0]
	e := w.through(b, q)
	for i := range w.core.Blocks {
		if &w.core.Blocks[i] == b {
			e.Block = i + 1
		}
	}
	if len(blocks) > 1 || b.plugin("view") != nil {
		return Expected{By: "view", Block: e.Block, Why: "several server blocks share this zone, and a view chooses by who asks"}
	}
	return e
}

// port is the port on which the DNS pods listen: the targetPort of the Service's.
func (w *world) port() string {
	for _, b := range w.core.Blocks {
		for _, z := range b.Zones {
			if z.Port == "53" {
				return "53"
			}
		}
	}
	for _, b := range w.core.Blocks {
		for _, z := range b.Zones {
			if z.Transport == "dns" {
				return z.Port // OpenShift listens on 5353
			}
		}
	}
	return "53"
}

func (w *world) managedDomain(name string) bool {
	return slices.ContainsFunc(w.defaultZones(), func(z string) bool { return within(z, name) })
}

func (w *world) defaultZones() []string { return []string{fqdn(strings.ToLower(w.domain.Value))} }

// through runs a question down the plugins of one block.
func (w *world) through(b *Block, q Question) Expected {
	renamed, renLine := "", 0
	doubt := ""
	for i := range b.Plugins {
		d := &b.Plugins[i]
		e, answered := Expected{}, false
		switch d.Name {
		case "rewrite":
			if renamed == "" {
				if to, ok := rewritten(d, q); ok {
					renamed, renLine = to, d.Line
					q.Name = to
				}
			}
		case "local":
			answered = within("localhost.", q.Name)
		case "template":
			e, answered = template(b, d, q)
		case "hosts":
			e, answered = hosts(b, d, q)
		case "kubernetes":
			k := w.kubernetesAt(b, d)
			if longest(k.zones, q.Name) == "" {
				continue
			}
			e = k.answer(q)
			answered = e.Rcode != NXDomain || !k.through(q.Name)
		case "forward", "grpc":
			e, answered = forwarded(b, d, q)
		case "file", "auto", "secondary", "etcd", "route53", "azure", "clouddns", "k8s_external", "nomad", "dynupdate":
			answered = d.Name == "auto" || longest(b.pluginZones(d), q.Name) != ""
			if answered && fallsThrough(d, q.Name) {
				answered, doubt = false, d.Name
			}
			e.Why = "the records of " + d.Name + " are not in the API server"
		case "erratic", "whoami":
			answered = true
			e.Why = d.Name + " answers everything"
		}
		if answered {
			if doubt != "" && d.Name != "kubernetes" {
				e = Expected{Why: "plugin " + doubt + " may answer first"}
			}
			e.By, e.Renamed, e.RenLine = d.Name, renamed, renLine
			if d.File == "" {
				e.Line = d.Line
			}
			return e
		}
	}
	return Expected{Rcode: ServFail, Why: "no plugin of the server block answers this name", Cause: "fallthrough-missing", Renamed: renamed, RenLine: renLine}
}

// pluginZones are the zones of a plugin whose first argument may be a file.
func (b *Block) pluginZones(d *Directive) []string {
	args := d.Args
	if d.Name == "file" && len(args) > 0 {
		args = args[1:]
	}
	if d.Name == "route53" || d.Name == "azure" || d.Name == "clouddns" {
		return b.zones()
	}
	return b.origins(args)
}

// fallsThrough says whether a plugin passes on a name that it does not know.
func fallsThrough(d *Directive, name string) bool {
	zones, ok := d.property("fallthrough")
	if !ok {
		return false
	}
	if len(zones) == 0 {
		return true
	}
	for _, z := range zones {
		if longest(originsOf(z), name) != "" {
			return true
		}
	}
	return false
}

// forwarded: what the upstream says is not known here.
func forwarded(b *Block, d *Directive, q Question) (Expected, bool) {
	if len(d.Args) == 0 || longest(originsOf(d.Args[0]), q.Name) == "" {
		return Expected{}, false
	}
	for _, p := range d.Sub {
		if p.Args[0] != "except" {
			continue
		}
		for _, z := range p.Args[1:] {
			if longest(originsOf(z), q.Name) != "" {
				return Expected{}, false
			}
		}
	}
	return Expected{Why: "forwarded to " + strings.Join(d.Args[1:], " ") + ", which was not asked"}, true
}

// rewritten is what the rewrite plugin makes of the name (coredns
// plugin/rewrite, name.go). Rules that are not about names change no name.
func rewritten(d *Directive, q Question) (string, bool) {
	args := d.Args
	if len(args) > 0 && (args[0] == "stop" || args[0] == "continue") {
		args = args[1:]
	}
	if len(args) > 0 && args[0] == "name" {
		args = args[1:]
	} else if len(args) != 2 {
		return "", false
	}
	if len(args) == 2 {
		args = append([]string{"exact"}, args...)
	}
	if len(args) < 3 {
		return "", false
	}
	from, to := strings.ToLower(args[1]), strings.ToLower(args[2])
	switch args[0] {
	case "exact":
		if q.Name == fqdn(from) {
			return fqdn(to), true
		}
	case "prefix":
		if rest, ok := strings.CutPrefix(q.Name, from); ok {
			return to + rest, true
		}
	case "suffix":
		if rest, ok := strings.CutSuffix(strings.TrimSuffix(q.Name, "."), strings.TrimSuffix(from, ".")); ok {
			return fqdn(rest + to), true
		}
	case "substring":
		if strings.Contains(q.Name, from) {
			return strings.ReplaceAll(q.Name, from, to), true
		}
	case "regex":
		re, err := regexp.Compile(args[1])
		if err != nil {
			return "", false
		}
		groups := re.FindStringSubmatch(q.Name)
		if groups == nil {
			return "", false
		}
		for i := len(groups) - 1; i > 0; i-- {
			to = strings.ReplaceAll(to, "{"+string(rune('0'+i%10))+"}", groups[i])
		}
		return fqdn(to), true
	}
	return "", false
}

// template answers what its zone, type and match hold.
func template(b *Block, d *Directive, q Question) (Expected, bool) {
	if len(d.Args) < 2 || d.Args[1] != "ANY" && !strings.EqualFold(d.Args[1], string(q.Type)) || longest(b.origins(d.Args[2:]), q.Name) == "" {
		return Expected{}, false
	}
	matches, any := 0, false
	for _, p := range d.Sub {
		if p.Args[0] != "match" {
			continue
		}
		any = true
		for _, m := range p.Args[1:] {
			if re, err := regexp.Compile(m); err == nil && re.MatchString(q.Name) {
				matches++
			}
		}
	}
	if any && matches == 0 {
		return Expected{}, false
	}
	e := Expected{Why: "made by a template"}
	if _, ok := d.property("answer"); !ok {
		e.Rcode = NoData
		if rcode, ok := d.property("rcode"); ok && len(rcode) > 0 {
			e.Rcode = Rcode(strings.ToUpper(rcode[0]))
		}
	}
	return e, true
}

// hosts answers from its own lines. A file that it reads is not known.
func hosts(b *Block, d *Directive, q Question) (Expected, bool) {
	file, origins := "", d.Args
	if len(d.Args) > 0 && strings.Contains(d.Args[0], "/") {
		file, origins = d.Args[0], d.Args[1:]
	}
	if longest(b.origins(origins), q.Name) == "" || q.Type == PTR {
		return Expected{}, false
	}
	e := Expected{Rcode: ServFail, Why: "the lines of hosts do not name it"} // for want of an SOA it is no NXDOMAIN: plugin/hosts
	for _, p := range d.Sub {
		if !isIP(p.Args[0]) || !slices.ContainsFunc(p.Args[1:], func(h string) bool { return strings.EqualFold(fqdn(h), q.Name) }) {
			continue
		}
		if e.Rcode == ServFail {
			e = Expected{Rcode: NoData, Why: "a line of hosts in the Corefile"}
		}
		if strings.Contains(p.Args[0], ":") == (q.Type == AAAA) && (q.Type == A || q.Type == AAAA) {
			e.Rcode = NoError
			e.Records = append(e.Records, Record{Name: q.Name, Type: q.Type, Data: p.Args[0]})
		}
	}
	if e.Rcode == ServFail && fallsThrough(d, q.Name) {
		return e, false
	}
	if e.Rcode == ServFail && (file != "" || len(d.Sub) == 0) {
		return Expected{Why: "hosts reads a file that is not in the API server"}, true
	}
	return e, true
}
