package dns

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"
	"github.com/google/go-cmp/cmp"
)

const stock = `.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
`

func readText(text string) *Corefile {
	return ParseCorefile(Sources{Path: "/etc/coredns/Corefile", Files: map[string]string{"/etc/coredns/Corefile": text}})
}

// Where neither imports nor variables are in play, the reader and CoreDNS' own
// parser agree in every token, line and error.
func FuzzCorefileIsReadAsCoreDNSReadsIt(f *testing.F) {
	for _, seed := range []string{
		stock, "a.example, b.example {\n whoami\n}\n", ". {\n", "}", "example.org\nwhoami\n", "(s) {\n errors\n}\n. {\n import s\n}\n",
		". {\n hosts {\n 1.2.3.4 a b # c\n }\n}", "\"a\nb\" {\n log \"x \\\" y\"\n}", "a,\n", "(s) {\n import s\n}\n. {\nimport s\n}", ". {\n import s\n}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := readText(text)
		for _, b := range c.Blocks {
			_ = b.Line
		}
		// What follows must never reach the parser with a file or a variable in it.
		if strings.Contains(text, "{$") || strings.Contains(text, "{%") || strings.Contains(text, "import") || len(text) > 1<<12 {
			return
		}
		want, err := caddyfile.Parse("/etc/coredns/Corefile", strings.NewReader(text), nil)
		r := &reader{file: "f", files: map[string]string{"f": text}}
		got, myErr := r.parse()
		if (err == nil) != (myErr == nil) {
			t.Fatalf("CoreDNS says %v, and we say %v, of %q", err, myErr, text)
		}
		if err != nil {
			return
		}
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(got)
		if diff := cmp.Diff(string(a), string(b)); diff != "" {
			t.Errorf("%q:\n%s", text, diff)
		}
	})
}
