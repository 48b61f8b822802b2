package dns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// byWhoAsks is what chooses by the client's address.
func (w *world) byWhoAsks(b *Block) {
	for _, name := range []string{"acl", "view"} {
		d := b.plugin(name)
		if d == nil {
			continue
		}
		rule, refused := w.refusedBy(d)
		if !refused {
			w.once("acl-or-view", finding.Info, w.core.Object, fmt.Sprintf("%s (line %d) chooses by who asks, so the answer may be another for the pod", name, d.Line), facts(fact(w.core.Object, w.at(d.Line), strings.TrimSpace(name+" "+strings.Join(d.Args, " ")))))
			continue
		}
		severity := finding.Warning
		if found, ran := w.gotten(); ran && len(found) == 0 {
			severity = finding.Error
		}
		w.once("acl-or-view", severity, w.core.Object, fmt.Sprintf("acl (line %d) refuses the pod's address %s", rule.Line, w.client.Status.PodIP),
			facts(fact(w.core.Object, w.at(rule.Line), strings.Join(rule.Args, " ")), fact(w.clientRef(), "status.podIP", w.client.Status.PodIP)), w.editCorefile("admit the network of the pods in acl"))
	}
}

// refusedBy is the rule of acl that keeps the client out: the first that holds
// its address decides (coredns plugin/acl, matchWithPolicies).
func (w *world) refusedBy(d *Directive) (Property, bool) {
	if d.Name != "acl" || w.client == nil {
		return Property{}, false
	}
	addr, err := netip.ParseAddr(w.client.Status.PodIP)
	if err != nil {
		return Property{}, false
	}
	for _, rule := range d.Sub {
		if !aclCovers(rule.Args[1:], w.types(), addr) {
			continue
		}
		return rule, rule.Args[0] != "allow"
	}
	return Property{}, false
}

// aclCovers reads "type A AAAA net 10.0.0.0/8"; without types or networks all.
func aclCovers(words []string, asked []Type, addr netip.Addr) bool {
	typed, netted, types, nets := false, false, false, false
	section := ""
	for _, word := range words {
		switch {
		case word == "type" || word == "net":
			section = word
			typed, netted = typed || word == "type", netted || word == "net"
		case section == "type":
			types = types || word == "*" || slices.ContainsFunc(asked, func(t Type) bool { return strings.EqualFold(string(t), word) })
		case section == "net":
			p, err := netip.ParsePrefix(word)
			if one, failed := netip.ParseAddr(word); err != nil && failed == nil {
				p, err = one.Prefix(one.BitLen())
			}
			nets = nets || word == "*" || err == nil && p.Contains(addr)
		}
	}
	return (!typed || types) && (!netted || nets)
}
