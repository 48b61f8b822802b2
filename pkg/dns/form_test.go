package dns

import (
	"slices"
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

func TestANameThatHasNotTheFormOfOneIsCompleted(t *testing.T) {
	const domain = "it ends in cluster.internal, and the domain of this cluster is cluster.local"
	for ask, c := range map[string]struct{ code, says, full string }{
		"cache.shop.svc.cluster.internal.":     {"dns/wrong-cluster-domain", domain, "cache.shop.svc.cluster.local"},
		"db-0.db.default.svc.cluster.internal": {"dns/wrong-cluster-domain", domain, "db-0.db.default.svc.cluster.local"},
		"none.shop.svc.k8s.example":            {"dns/wrong-cluster-domain", "it ends in k8s.example", "SERVICE.NAMESPACE.svc.cluster.local"},
		"none.none.svc.cluster.loca":           {"dns/wrong-cluster-domain", "it ends in cluster.loca", "SERVICE.NAMESPACE.svc.cluster.local"},
		"none.none.svc.example.com":            {},
		"svc.example.com":                      {},
		"redis.cluster.local":                  {"dns/name-incomplete", "the label svc is missing", "redis.default.svc.cluster.local"},
		"cache.shop.cluster.local.":            {"dns/name-incomplete", "the label svc is missing", "cache.shop.svc.cluster.local"},
		"db-0.db.default.cluster.local":        {"dns/name-incomplete", "the label svc is missing", "db-0.db.default.svc.cluster.local"},
		"cache.shop.services.cluster.local":    {"dns/name-incomplete", "stands services instead of svc", "cache.shop.svc.cluster.local"},
		"redis.svc.cluster.local":              {"dns/name-incomplete", "no namespace stands between redis and svc", "redis.default.svc.cluster.local"},
		"shop.svc.cluster.local":               {"dns/name-incomplete", "it names the namespace shop", "SERVICE.NAMESPACE.svc.cluster.local"},
		"redis.svc":                            {"dns/name-incomplete", "no namespace stands between redis and svc", "redis.default.svc.cluster.local"},
		"cache.shop.":                          {"dns/name-incomplete", "the dot at its end", "cache.shop.svc.cluster.local"},
		"nothing.":                             {},
		"cache.shop.svc.cluster.local.":        {},
		"10-244-1-5.shop.pod.cluster.local":    {},
	} {
		t.Run(ask, func(t *testing.T) {
			s := newScene()
			s.ask.Name = ask
			for _, replica := range []string{"coredns-a", "coredns-b"} {
				for _, kind := range []Type{A, AAAA} {
					s.say(replica, strings.TrimSuffix(ask, ".")+".", kind, NXDomain)
				}
			}
			if c.code == "" {
				s.seen.Answers = nil
			}
			at := func(f finding.Finding) bool {
				return f.Code == "dns/wrong-cluster-domain" || f.Code == "dns/name-incomplete"
			}
			r := s.explain(t)
			switch i := slices.IndexFunc(r.Findings, at); {
			case c.code == "" && i >= 0:
				t.Errorf("%+v", r.Findings[i])
			case c.code != "" && (i != 0 || r.Findings[0].Code != c.code || !strings.Contains(r.Findings[0].Message, c.says) || !strings.Contains(r.Findings[0].Fix[0].Description, "write "+c.full)):
				t.Errorf("%v %+v", codes(r.Findings), r.Findings)
			}
		})
	}
}

func TestAnExternalNameLeadsToTheServiceThatWasMeant(t *testing.T) {
	for target, full := range map[string]string{
		"cache.shop":                      "cache.shop.svc.cluster.local",
		"cache.shop.svc":                  "cache.shop.svc.cluster.local",
		"cache.shop.svc.cluster.internal": "cache.shop.svc.cluster.local",
		"cahce.shop.svc.cluster.local":    "cache.shop.svc.cluster.local",
		"db":                              "db.default.svc.cluster.local",
		"none":                            "",
		"example.com":                     "",
	} {
		s := newScene()
		externalName(target)(s)
		if !strings.HasSuffix(target, ".cluster.local") { // of its own zone CoreDNS says it otherwise
			s.say("coredns-a", first, A, NoError, "CNAME "+target+".")
			s.say("coredns-a", first, AAAA, NoError, "CNAME "+target+".")
		}
		r := s.explain(t)
		command := r.Findings[0].Fix[0].Command
		if strings.Contains(command, `{"spec":{"externalName":"`+full+`"}}`) != (full != "") || (command == "") != (full == "") {
			t.Errorf("%s: %s %+v", target, r.Summary, r.Findings[0])
		}
	}
}
