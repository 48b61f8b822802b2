package dns

import (
	"slices"
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

func TestTheFirstRuleOfACLThatHoldsTheAddressDecides(t *testing.T) {
	for rules, c := range map[string]struct {
		refused bool
		line    string
	}{
		"block net 10.244.0.0/16":                          {true, "block"},
		"allow net 10.244.1.0/24\n block":                  {false, ""},
		"block type AAAA net 10.244.1.5":                   {true, "block"},
		"block type MX net *":                              {false, ""},
		"drop net 192.0.2.0/24\n filter net 10.244.1.5/32": {true, "filter"},
		"allow type A AAAA net 10.0.0.0/8\n block net *":   {false, ""},
		"block net 10.9.0.0/16 10.244.0.0/16":              {true, "block"},
		"allow net 192.0.2.0/24":                           {false, ""},
	} {
		t.Run(rules, func(t *testing.T) {
			s := newScene()
			corefileWith("    loop\n", "    acl {\n "+rules+"\n }\n")(s)
			r := s.explain(t)
			i := slices.IndexFunc(r.Findings, func(f finding.Finding) bool { return f.Code == "dns/acl-or-view" })
			if i < 0 || (r.Findings[i].Severity == finding.Warning) != c.refused || !strings.HasPrefix(strings.TrimPrefix(r.Findings[i].Evidence[0].Value, "acl"), c.line) {
				t.Errorf("%+v", r.Findings)
			}
		})
	}
}

func TestWhatTheCorefileDoesToTheNameOfAService(t *testing.T) {
	const denies = "    template ANY ANY cluster.local {\n rcode NXDOMAIN\n }\n"
	for title, c := range map[string]struct {
		change     func(*scene)
		code, says string
		severity   finding.Severity
	}{
		"a template denies it":       {corefileWith("    loop\n", denies), "dns/zone-shadow", "is answered by a template", finding.Error},
		"a template denies another":  {corefileWith("    loop\n", strings.Replace(denies, "cluster.local", "corp.example", 1)), "", "", ""},
		"hosts does not pass it on":  {corefileWith("    loop\n", "    hosts {\n 192.0.2.1 a.example\n }\n"), "dns/fallthrough-missing", "hosts answers SERVFAIL for " + first, finding.Error},
		"it is rewritten to nothing": {corefileWith("    loop\n", "    rewrite name suffix .cluster.local .cluster.internal\n"), "dns/rewrite-applied", "instead of " + first, finding.Error},
		"two blocks serve the zone":  {func(s *scene) { s.corefile = stock + ".:53 {\n whoami\n}\n" }, "dns/corefile-error", "cannot serve dns://.:53 - it is already defined", finding.Error},
		"two blocks at two addresses": {func(s *scene) {
			s.corefile = strings.Replace(stock, "    loop\n", "    bind 10.0.0.1\n", 1) + ".:53 {\n bind 10.0.0.2\n forward . 1.1.1.1\n}\n"
		}, "", "", ""},
		"no block has a kubernetes plugin":  {func(s *scene) { s.corefile = ".:53 {\n forward . 192.0.2.1\n}\n"; s.seen.Getent = nil; deny(s) }, "dns/cluster-domain-mismatch", "has no kubernetes directive", finding.Error},
		"a block for the cluster goes away": {func(s *scene) { s.corefile = stock + "cluster.local:53 {\n forward . 192.0.2.1\n}\n"; silent(s) }, "dns/zone-shadow", "which has no kubernetes directive", finding.Error},
	} {
		t.Run(title, func(t *testing.T) {
			s := newScene()
			c.change(s)
			r := s.explain(t)
			switch {
			case c.code == "" && len(r.Findings) == 0:
			case len(r.Findings) == 0 || r.Findings[0].Code != c.code || r.Findings[0].Severity != c.severity || !strings.Contains(r.Findings[0].Message, c.says):
				t.Errorf("%s %+v", r.Summary, r.Findings)
			}
			seen := map[string]bool{}
			for _, f := range r.Findings {
				if seen[f.Code+f.Object.String()] {
					t.Errorf("%s is said twice of %s", f.Code, f.Object)
				}
				seen[f.Code+f.Object.String()] = true
			}
		})
	}
}

func deny(s *scene) { answerAll(s, NXDomain) }

func silent(s *scene) { answerAll(s, ServFail) }

func answerAll(s *scene, rcode Rcode) {
	for _, replica := range []string{"coredns-a", "coredns-b"} {
		for _, n := range []string{first, "redis.svc.cluster.local.", "redis.cluster.local.", "redis."} {
			for _, kind := range []Type{A, AAAA} {
				s.say(replica, n, kind, rcode)
			}
		}
	}
}

func TestATypoIsTheCauseThoughTheUpstreamIsSilent(t *testing.T) {
	for title, change := range map[string]func(*scene){
		"as it is": func(s *scene) { s.ask.Name = "rediss" },
		"where all is passed on": func(s *scene) {
			s.ask.Name = "rediss"
			s.corefile = strings.Replace(stock, "fallthrough in-addr.arpa ip6.arpa", "fallthrough", 1)
		},
	} {
		t.Run(title, func(t *testing.T) {
			s := newScene()
			change(s)
			for _, n := range []string{"rediss.default.svc.cluster.local.", "rediss.svc.cluster.local.", "rediss.cluster.local.", "rediss."} {
				if n == "rediss." || strings.Contains(s.corefile, "fallthrough\n") {
					s.say("coredns-a", n, A, ServFail)
					s.say("coredns-a", n, AAAA, ServFail)
				}
			}
			r := s.explain(t)
			if r.Findings[0].Code != "dns/service-missing" || !slices.ContainsFunc(r.Findings, func(f finding.Finding) bool { return f.Code == "dns/upstream-timeout" && f.Severity == finding.Warning }) {
				t.Errorf("%s %+v", r.Summary, r.Findings)
			}
		})
	}
}
