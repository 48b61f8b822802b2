package dns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

func (w *world) hops() []report.Hop {
	var out []report.Hop
	if w.client != nil {
		r := w.clientRef()
		hop := report.Hop{Title: "pod " + w.client.Name, Object: &r, State: report.HopOK, Claim: report.Computed}
		if w.template {
			hop.Title, hop.State, hop.Why = strings.ToLower(r.Kind)+" "+r.Name, report.HopUnknown, "it has no pod now"
		}
		if w.faulty("netpol-egress-dns") {
			hop.State, hop.Why = report.HopBroken, "a NetworkPolicy denies it DNS"
		}
		if f := w.finding("netpol-nodelocal"); f != nil && f.Severity == finding.Error {
			hop.State, hop.Why = report.HopBroken, "a NetworkPolicy denies it the cache"
		}
		out = append(out, hop)
	}
	server := report.Hop{Title: "no nameserver", State: report.HopUnknown, Claim: w.confClaim}
	if s := w.conf.servers(); len(s) > 0 {
		server.Title, server.State = strings.Join(s, " "), report.HopOK
		if w.faulty("nameserver-unknown") {
			server.State, server.Why = report.HopBroken, "not the cluster's DNS"
		}
	}
	if w.outside {
		return append(out, w.outsideHop(server))
	}
	out = append(out, server)
	if w.cloudDNS() {
		return append(out, report.Hop{Title: "GKE Cloud DNS", State: report.HopUnknown, Claim: report.Unproven, Why: "it cannot be seen from here"})
	}
	if w.cacheAddress() != "" {
		cache := report.Hop{Title: "NodeLocal DNSCache", State: report.HopOK, Claim: report.Computed}
		switch {
		case w.faulty("nodelocal-down"):
			cache.State, cache.Why = report.HopBroken, "no ready pod on the node"
		case w.faulty("nodelocal-upstream"):
			cache.State, cache.Why = report.HopBroken, "it does not lead to the cluster's DNS"
		}
		out = append(out, cache)
	}
	return append(out, w.serverHops()...)
}

// outsideHop ends the way at a server that is not the cluster's.
func (w *world) outsideHop(hop report.Hop) report.Hop {
	hop.Title = w.elsewhereTo()
	if hop.State == report.HopBroken {
		return hop
	}
	hop.State, hop.Why = report.HopUnknown, "it is not the cluster's DNS"
	if found, _ := w.gotten(); len(found) > 0 {
		hop.State = report.HopOK
	}
	return hop
}

func (w *world) faulty(name string) bool { return w.finding(name) != nil }

// finding is the first of its name.
func (w *world) finding(name string) *finding.Finding {
	at := slices.IndexFunc(w.found, func(f finding.Finding) bool { return f.Code == code(name) })
	if at < 0 {
		return nil
	}
	return &w.found[at]
}

func (w *world) serverHops() []report.Hop {
	if w.dnsService == nil {
		if w.faulty("dns-service-missing") {
			return []report.Hop{{Title: "Service", State: report.HopBroken, Claim: report.Computed, Why: "there is none"}}
		}
		return []report.Hop{{Title: cmp.Or(w.managed, "what answers"), State: report.HopUnknown, Claim: report.Unproven, Why: "it cannot be seen from here"}}
	}
	ref := serviceRef(w.dnsService.Namespace, w.dnsService.Name)
	service := report.Hop{Title: ref.String(), Object: &ref, State: report.HopOK, Claim: report.Computed, Why: w.serverWhy}
	out := []report.Hop{service}
	if len(w.dnsService.Spec.Selector) == 0 {
		return out
	}
	ready := 0
	for _, p := range w.replicas {
		if podReady(p) {
			ready++
		}
	}
	hop := report.Hop{Title: fmt.Sprintf("%d of %s ready", ready, counted(len(w.replicas), "replica")), State: report.HopOK, Claim: report.Computed}
	if ready == 0 {
		hop.State = report.HopBroken
	}
	if len(w.replicas) == 0 && !w.v.Answered(podsOf(w.dnsService)) {
		hop.Title, hop.State, hop.Why = "replicas", report.HopUnknown, "the DNS pods were not seen"
	}
	if len(w.seen.Answers) > 0 {
		hop.Claim = report.Observed
	}
	if w.faulty("netpol-ingress-dns") {
		hop.State, hop.Why = report.HopBroken, "a NetworkPolicy keeps the pod out"
	}
	return append(out, hop)
}
