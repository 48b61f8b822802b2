package dns

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"
)

// Whatever a name, a file, a Corefile or an answer holds, a lookup is judged
// to the end, and twice the same.
func FuzzExplain(f *testing.F) {
	f.Add("redis", conf, stock, "10.97.34.93", uint8(0))
	f.Add("_http._tcp.db.default", "search .\n", ". {\n rewrite name regex (.*) {1}\n hosts {\n 1.1.1.1 a\n }\n}", "CNAME redis.default.svc.cluster.local.", uint8(3))
	f.Add("10.0.0.1", "", "10.0.0.0/9 {\n kubernetes\n}", "x", uint8(1))
	corefiles := everyFault()
	for _, k := range slices.Sorted(maps.Keys(corefiles)) {
		s := newScene()
		corefiles[k].fires(s)
		f.Add(s.ask.Name, conf, s.corefile, "192.0.2.1", uint8(2))
	}
	f.Fuzz(func(t *testing.T, name, file, corefile, data string, libc uint8) {
		s := newScene()
		s.corefile = corefile
		s.ask.Name, s.ask.Libc = name, append(Libcs(), Auto, All)[int(libc)%6]
		s.observe(file)
		s.services["redis"].Spec.ExternalName = data
		if libc > 100 {
			s.services["redis"].Spec.Type = "ExternalName"
		}
		for _, q := range Live(s.view(), s.ask, s.seen).Questions {
			s.say("coredns-a", q.Name, q.Type, NoError, data)
			s.say("coredns-b", q.Name, q.Type, Rcode(data))
		}
		began := time.Now()
		defer func() {
			if d := time.Since(began); d > time.Second {
				t.Errorf("it took %s", d)
			}
		}()
		say := func() string {
			r, err := Explain(s.view(), s.ask, Options{Seen: s.seen})
			if err != nil {
				return err.Error()
			}
			out, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			return string(out)
		}
		if a, b := say(), say(); a != b {
			t.Errorf("two answers:\n%s\n%s", a, b)
		}
	})
}
