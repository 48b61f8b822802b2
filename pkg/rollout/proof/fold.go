package proof

import (
	"cmp"
	"slices"

	"github.com/leadsman-dev/leadsman/pkg/report"
)

// fold makes one proof of those of a Service's families and ports that agree:
// one for all, else one a family or a port, else one for each.
func fold(lines []report.Proof) []report.Proof {
	for _, part := range []func(report.Proof) (family, port string){
		func(report.Proof) (string, string) { return "", "" },
		func(p report.Proof) (string, string) { return p.Family, "" },
		func(p report.Proof) (string, string) { return "", p.Port },
	} {
		if folded, agree := group(lines, part); agree {
			return folded
		}
	}
	return lines
}

// group keeps of each group of lines the worst, if all in it agree.
func group(lines []report.Proof, part func(report.Proof) (family, port string)) ([]report.Proof, bool) {
	var groups []report.Proof
	for _, p := range lines {
		p.Family, p.Port = part(p)
		i := slices.IndexFunc(groups, func(g report.Proof) bool { return g.Family == p.Family && g.Port == p.Port })
		switch {
		case i < 0:
			groups = append(groups, p)
		case !alike(groups[i], p):
			return nil, false
		case worse(p, groups[i]):
			groups[i] = p
		}
	}
	return groups, true
}

// alike compares what matters of two lines. Slices of two families are written
// one after the other, so that moments differ where nothing else does.
func alike(a, b report.Proof) bool {
	return a.Verdict == b.Verdict && a.Why == b.Why && a.Floor == b.Floor && a.Now == b.Now &&
		a.Min == b.Min && a.Max == b.Max && len(a.Broken) == len(b.Broken)
}

func worse(a, b report.Proof) bool {
	return cmp.Or(cmp.Compare(a.Below, b.Below), cmp.Compare(a.Area, b.Area)) > 0
}
