package health

import (
	"flag"
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/test/docs/scenes"
)

var update = flag.Bool("update", false, "write the scenes that the pages of findings show")

// kept are the problems that a test cluster cannot have, or that nobody recorded.
const kept = `condition image-pull image-signature init-slow node-notready observed-lag preempted pv-zone rs-create-error
	rwo-deadlock sandbox unsched-scheduler unsched-taint`

// widgets is the kind of the custom resource that has a condition.
var widgets = source.Kind{Group: "example.com", Version: "v1", Kind: "Widget", Resource: "widgets", Singular: "widget", Namespaced: true, Listable: true}

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
		store, subject := s.store(t)
		scenes.Keep(t, *update, "tree/"+code, "explain-tree "+strings.ToLower(subject.Kind)+"/"+subject.Name+" -n "+subject.Namespace, store, widgets)
	}
}
