// Package endpoints judges whether traffic to a Service reaches the right
// pods: the endpoints that there should be, held against the EndpointSlices
// and the pods, each difference named with its cause and the way out.
package endpoints

import (
	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// Options are what the user chose.
type Options struct {
	From         object.Ref // --from pod/X: also judge whether this client may connect
	Learn        bool       // say one plain sentence about each term
	Observations []Observation
}

// Result is the judgement of some Services.
type Result struct {
	Services []*report.Service // worst first
	Findings []finding.Finding // root causes first
}

// Judge holds the Services against their slices and pods. It is a pure
// function of the view and the options.
func Judge(v *index.View, services []object.Ref, opts Options) Result {
	return Result{}
}
