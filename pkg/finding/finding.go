// Package finding is what a judgement says: a stable code, how bad it is, the
// evidence it rests on and the command that mends it.
package finding

import (
	"cmp"
	"slices"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

// Severity is how bad a finding is.
type Severity string

// The three severities, worst first.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Rank orders severities: the worst is the smallest.
func (s Severity) Rank() int {
	switch s {
	case Error:
		return 0
	case Warning:
		return 1
	default:
		return 2
	}
}

// Evidence is one fact that a claim rests on: where it is written and what
// stands there.
type Evidence struct {
	Object object.Ref `json:"object"`
	Field  string     `json:"field"` // JSON path below the object, such as "status.phase"
	Value  string     `json:"value"`
}

// Fix is a way out: what it does, and the complete command, ready to run.
// Command is empty where a person must decide; Description then says what.
type Fix struct {
	Description string `json:"description"`
	Command     string `json:"command,omitempty"`
}

// Cause names the finding that another one merely follows from.
type Cause struct {
	Code   string     `json:"code"`
	Object object.Ref `json:"object"`
}

// Finding is one claim about one object.
type Finding struct {
	Code     string     `json:"code"` // domain/kebab-case, such as "tree/reference-missing"
	Severity Severity   `json:"severity"`
	Object   object.Ref `json:"object"`
	Message  string     `json:"message"`
	Evidence []Evidence `json:"evidence,omitempty"`
	Fix      []Fix      `json:"fix,omitempty"`
	CausedBy *Cause     `json:"causedBy,omitempty"`
}

// Doc is the page of one code, printed by --explain and in the docs.
type Doc struct {
	Code     string
	Severity Severity // "" on the page of a fault that is known and not told
	Title    string   // one line
	Means    string   // what it means for the user
	Told     string   // how it is told, and from what it is told apart
	Fix      string   // what to do
	Source   string   // where Kubernetes defines the rule
}

// Sort orders findings: what is to be done before what is only to be known,
// root causes before consequences, then by severity,
// then in the order of rank (the deeper a cause, the smaller), then by object
// and code, so that equal input gives equal output.
func Sort(fs []Finding, rank func(Finding) int) {
	if len(fs) < 2 {
		return
	}
	order := make([]placed, len(fs))
	for i, f := range fs {
		order[i] = placed{note(f), consequence(f), f.Severity.Rank(), rank(f), i}
	}
	slices.SortFunc(order, func(a, b placed) int {
		if c := cmp.Or(cmp.Compare(a.note, b.note), cmp.Compare(a.consequence, b.consequence), cmp.Compare(a.severity, b.severity), cmp.Compare(a.rank, b.rank)); c != 0 {
			return c
		}
		x, y := &fs[a.at], &fs[b.at]
		return cmp.Or(object.Compare(x.Object, y.Object), cmp.Compare(x.Code, y.Code), cmp.Compare(x.Message, y.Message), cmp.Compare(a.at, b.at))
	})
	was := slices.Clone(fs)
	for i, p := range order {
		fs[i] = was[p.at]
	}
}

// placed is what a finding is put in order by, found once: there may be ten
// thousand, and each is large.
type placed struct{ note, consequence, severity, rank, at int }

func note(f Finding) int {
	if f.Severity == Info {
		return 1
	}
	return 0
}

func consequence(f Finding) int {
	if f.CausedBy != nil {
		return 1
	}
	return 0
}

// Worst is the worst severity among the findings, and false if there is none.
func Worst(fs []Finding) (Severity, bool) {
	worst, found := Info, false
	for _, f := range fs {
		if !found || f.Severity.Rank() < worst.Rank() {
			worst, found = f.Severity, true
		}
	}
	return worst, found
}
