package endpoints

import (
	flags "flag"
	"testing"

	"github.com/leadsman-dev/leadsman/test/docs/scenes"
)

var update = flags.Bool("update", false, "write the scenes that the pages of findings show")

func TestThePagesShowTheScenesOfThisRoom(t *testing.T) {
	s := healthy()
	faults()["controller-stalled"].fires(s)
	scenes.Keep(t, *update, "endpoints/controller-stalled", "check-endpoints -n shop", s.store(t))
}
