package dns

import (
	"encoding/json"
	flags "flag"
	"maps"
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/test/docs/scenes"
)

var update = flags.Bool("update", false, "write the scenes that the pages of findings show")

// kept are the faults that a test cluster cannot have, or that nobody recorded.
const kept = `foreign-nameserver-first acl-or-view autopath-mismatch cluster-domain-mismatch dns-service-missing family-missing hosts-override
	max-concurrent mesh-dns-capture missing-cluster-dns musl-aaaa-negative musl-nameserver-race musl-no-tcp
	musl-search-line-dropped musl-search-stop ndots-bare ndots-too-low-musl netpol-ingress-dns netpol-udp-only nodelocal-cache-stale nodelocal-down
	noendpoints replica-unreachable-from-node resolvconf-stale resolvconf-truncated search-capture search-wildcard-hijack
	serve-stale slice-unlabelled upstream-partial windows-dotted-name`

func TestThePagesShowTheScenesOfThisRoom(t *testing.T) {
	faults := everyFault()
	maps.Copy(faults, cacheFaults())
	for code := range strings.FieldsSeq(kept) {
		f, ok := faults[code]
		if !ok {
			t.Errorf("there is no scene of %s", code)
			continue
		}
		s := newScene()
		f.fires(s)
		store := s.store()
		seen, err := json.Marshal(s.seen)
		if err != nil {
			t.Fatal(err)
		}
		args := []string{"trace-dns", s.ask.Name, "-n", "default", "--from", "pod/" + s.client.Name}
		about := "trace-dns " + s.ask.Name
		for _, typ := range s.ask.Types {
			args, about = append(args, "--type", string(typ)), about+" "+string(typ)
		}
		if s.ask.Libc != "" {
			args = append(args, "--libc", string(s.ask.Libc))
		}
		store.PutAnswers(source.Answers{About: about + " from default/Pod/" + s.client.Name, Document: seen})
		scenes.Keep(t, *update, "dns/"+code, strings.Join(args, " "), store)
	}
}
