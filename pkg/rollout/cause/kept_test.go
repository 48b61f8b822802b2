package cause

import (
	"flag"
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/test/docs/scenes"
)

var update = flag.Bool("update", false, "write the scenes that the pages of findings show")

// kept are the causes that a test cluster cannot have, or that nobody recorded.
const kept = `ds-node-down image-pull image-signature init-slow node-notready observed-lag old-revision-failing
	preempted pv-zone sandbox stale-deadline unsched-taint webhook-unreachable`

func TestThePagesShowTheScenesOfThisRoom(t *testing.T) {
	fires := map[string]scene{}
	for _, f := range faults() {
		fires[f.name] = f.fires
	}
	for code := range strings.FieldsSeq(kept) {
		s, ok := fires[code]
		if !ok {
			t.Errorf("there is no scene of %s", code)
			continue
		}
		store, subject := s.store(t, now)
		scenes.Keep(t, *update, domain+code, "guard-rollout "+strings.ToLower(subject.Kind)+"/"+subject.Name+" -n "+subject.Namespace, store)
	}
}
