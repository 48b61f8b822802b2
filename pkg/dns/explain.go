package dns

import "github.com/leadsman-dev/leadsman/pkg/report"

// Options are what the user chose beside the question, and what was observed.
type Options struct {
	Learn bool // say one plain sentence about each term
	Seen  Observations
}

var _ = report.OK
