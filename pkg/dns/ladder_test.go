package dns

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var stockConf = ParseResolvConf(conf)

func ladderText(steps []Step) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteString(map[StepState]string{NotAsked: "-", Passed: "next", Found: "FOUND", GaveUp: "STOP", Open: "?", Perhaps: "perhaps"}[s.State] + " " + s.Name + "\n")
	}
	return b.String()
}

func TestLadders(t *testing.T) {
	for title, c := range map[string]struct {
		libc    Libc
		name    string
		answers map[string]Rcode // "name type"; NXDOMAIN otherwise
		want    string
	}{
		"glibc stops at the first name that is answered": {Glibc, "redis", map[string]Rcode{"redis.default.svc.cluster.local. A": NoError},
			"FOUND redis.default.svc.cluster.local.\n- redis.svc.cluster.local.\n- redis.cluster.local.\n- redis.\n"},
		"a trailing dot leaves one name": {Glibc, "example.com.", map[string]Rcode{"example.com. A": NoError}, "FOUND example.com.\n"},
		"glibc goes on after NODATA": {Glibc, "shop", map[string]Rcode{"shop.svc.cluster.local. A": NoData, "shop.svc.cluster.local. AAAA": NoData},
			"next shop.default.svc.cluster.local.\nnext shop.svc.cluster.local.\nnext shop.cluster.local.\nnext shop.\n"},
		"musl stops at NODATA": {Musl, "shop", map[string]Rcode{"shop.svc.cluster.local. A": NoData, "shop.svc.cluster.local. AAAA": NoData},
			"next shop.default.svc.cluster.local.\nSTOP shop.svc.cluster.local.\n- shop.cluster.local.\n- shop.\n"},
		"musl passes over a name with one NXDOMAIN": {Musl, "redis", map[string]Rcode{"redis.default.svc.cluster.local. A": NoError},
			"next redis.default.svc.cluster.local.\nnext redis.svc.cluster.local.\nnext redis.cluster.local.\nnext redis.\n"},
		"glibc with dots enough asks as is, then the search list": {Glibc, "a.b.c.d.e.f", nil,
			"next a.b.c.d.e.f.\nnext a.b.c.d.e.f.default.svc.cluster.local.\nnext a.b.c.d.e.f.svc.cluster.local.\nnext a.b.c.d.e.f.cluster.local.\n"},
		"musl with dots enough asks as is only": {Musl, "a.b.c.d.e.f", nil, "next a.b.c.d.e.f.\n"},
		"glibc leaves the search list after a time-out": {Glibc, "redis", map[string]Rcode{"redis.default.svc.cluster.local. A": Timeout, "redis.default.svc.cluster.local. AAAA": Timeout},
			"next redis.default.svc.cluster.local.\n- redis.svc.cluster.local.\n- redis.cluster.local.\nnext redis.\n"},
		"Go goes on after a time-out": {Go, "redis", map[string]Rcode{"redis.default.svc.cluster.local. A": Timeout, "redis.default.svc.cluster.local. AAAA": Timeout, "redis.svc.cluster.local. A": NoError},
			"next redis.default.svc.cluster.local.\nFOUND redis.svc.cluster.local.\n- redis.cluster.local.\n- redis.\n"},
		"musl stops at SERVFAIL": {Musl, "redis", map[string]Rcode{"redis.default.svc.cluster.local. A": ServFail},
			"STOP redis.default.svc.cluster.local.\n- redis.svc.cluster.local.\n- redis.cluster.local.\n- redis.\n"},
		"what follows an unknown answer is asked perhaps": {Glibc, "redis", map[string]Rcode{"redis.default.svc.cluster.local. A": ""},
			"? redis.default.svc.cluster.local.\nperhaps redis.svc.cluster.local.\nperhaps redis.cluster.local.\nperhaps redis.\n"},
		"busybox asks all suffixes at once, and never the bare name": {Busybox, "redis", map[string]Rcode{"redis.default.svc.cluster.local. A": NoError},
			"FOUND redis.default.svc.cluster.local.\nnext redis.svc.cluster.local.\nnext redis.cluster.local.\n"},
		"busybox takes a dot for a full name": {Busybox, "redis.default", nil, "next redis.default.\n"},
	} {
		t.Run(title, func(t *testing.T) {
			n, err := ParseName(c.name)
			if err != nil {
				t.Fatal(err)
			}
			steps := Walk(c.libc, n, stockConf, []Type{A, AAAA}, func(q Question) Rcode {
				if r, ok := c.answers[q.Name+" "+string(q.Type)]; ok {
					return r
				}
				return NXDomain
			})
			if diff := cmp.Diff(c.want, ladderText(steps)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestNames(t *testing.T) {
	for text, want := range map[string]string{
		"redis": "redis", "Redis.Shop.": "Redis.Shop.", "bücher.example": "xn--bcher-kva.example", "_http._tcp.web": "_http._tcp.web", "*.shop": "*.shop", "10.96.0.10": "10.96.0.10",
		"": "error", ".": ".", "a..b": "error", ".a": "error", "a b": "error", "redis:6379": "error", "http://redis": "error",
		strings.Repeat("a", 64): "error", strings.Repeat("a.", 126) + "a": strings.Repeat("a.", 126) + "a", strings.Repeat("a.", 127) + "a": "error",
	} {
		n, err := ParseName(text)
		got := n.ASCII
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%q: got %q (%v), want %q", text, got, err, want)
		}
	}
}

func TestReverseNamesAreReadBack(t *testing.T) {
	for _, ip := range []string{"10.96.0.10", "2001:db8::1", "::1"} {
		n, _ := ParseName(ip)
		back, ok := reversedAddress(reverseName(n.Address))
		if !ok || back != n.Address {
			t.Errorf("%s became %s and then %s", ip, reverseName(n.Address), back)
		}
	}
}

func FuzzResolvConf(f *testing.F) {
	f.Add(conf, "redis")
	f.Add("search . a.\noptions ndots:99 ndots\nnameserver\n", "a.b.")
	f.Fuzz(func(t *testing.T, text, name string) {
		c := ParseResolvConf(text)
		if n := c.Ndots(); n < 0 || n > 15 {
			t.Errorf("ndots %d", n)
		}
		n, err := ParseName(name)
		if err != nil {
			return
		}
		for _, l := range Libcs() {
			for _, s := range Walk(l, n, c, []Type{A, AAAA}, func(Question) Rcode { return NXDomain }) {
				if !strings.HasSuffix(s.Name, ".") {
					t.Errorf("%q is not absolute", s.Name)
				}
			}
		}
	})
}
