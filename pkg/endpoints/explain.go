package endpoints

import (
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// Explain judges Services and puts what is found into a report: the verdict of
// each and of all, the worst first.
func Explain(v *index.View, services []object.Ref, opts Options) *report.Report {
	result := Judge(v, services, opts)
	return &report.Report{APIVersion: report.APIVersion, Kind: "CheckEndpoints", Services: result.Services, Findings: result.Findings}
}
