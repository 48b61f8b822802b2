package dns

import (
	"fmt"
	"slices"
	"strings"
)

const client = `containers: [{name: c, image: busybox, command: [sleep, "100000"]}]`

// fault is what is to be said. What a cluster can have wrong otherwise is in
// test/faults, a folder each.
type fault struct {
	code string // of the first finding; "" for none that is an error
	exit int
	says string // part of the summary or the message
}

func (f fault) differs(a Answer) error {
	first, said := "", a.Report.Summary
	if len(a.Report.Findings) > 0 && (a.Report.Findings[0].Severity == "error" || f.code != "") {
		first = a.Report.Findings[0].Code
		said += " " + a.Report.Findings[0].Message
	}
	switch {
	case first != f.code && !slices.Contains(strings.Split(f.code, " or "), first):
		return fmt.Errorf("%q comes first instead of %q", first, f.code)
	case a.Exit != f.exit:
		return fmt.Errorf("exit code %d instead of %d", a.Exit, f.exit)
	case !strings.Contains(said, f.says):
		return fmt.Errorf("%q is not said", f.says)
	}
	return nil
}
