package dns

import (
	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Options are what the user chose beside the question, and what was observed.
type Options struct {
	Learn bool // say one plain sentence about each term
	Seen  Observations
}

// Needs are the reads that are still worth doing, given what the view holds:
// the plugin reads them, indexes again and asks again, until nothing is new.
// An empty view gives the first round.
func Needs(v *index.View, ask Ask, seen Observations) []source.Query { return nil }

// Explain judges one name. It is a pure function of the view and the options.
// The error is for a question that cannot be asked: a name that no resolver
// would send, or a client that does not exist.
func Explain(v *index.View, ask Ask, opts Options) (*report.Report, error) { return nil, nil }

// Docs are the pages of every code that trace-dns can report.
func Docs() []finding.Doc { return nil }
