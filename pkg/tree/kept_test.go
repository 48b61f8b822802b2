package tree_test

import (
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/source/snapshot"
	"github.com/leadsman-dev/leadsman/test/docs/scenes"
)

var update = flag.Bool("update", false, "write the scenes that the pages of findings show")

func TestThePagesShowTheScenesOfThisRoom(t *testing.T) {
	archive := faults(t)["two-controllers"]
	store, _, err := snapshot.Read([]string{"-"}, strings.NewReader(string(archive.Files[0].Data)), snapshot.Options{Now: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	scenes.Keep(t, *update, "tree/two-controllers", strings.TrimSpace(string(archive.Comment))+" -n shop", store)
}
