package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// mostProblems and mostProblemRows keep a frame readable.
const (
	mostProblems    = 3
	mostProblemRows = 3
)

// problems are the findings of a frame: a few rows each, without evidence.
func (o Options) problems(p prose.Writer, findings []finding.Finding, most int) {
	groups := prose.Grouped(o.worthTelling(findings))
	left := 0
	for i, g := range groups {
		if i >= most && !o.Wide {
			left += len(g)
			continue
		}
		sign, tone := prose.SeveritySign(g[0].Severity, p.Style)
		rows := lines(p, func(p prose.Writer) {
			p.Paragraph(sign, tone, p.Style.Text(claim(p, g)), term.Plain)
		})
		if len(rows) > mostProblemRows && !o.Wide {
			rows = append(rows[:mostProblemRows-1:mostProblemRows-1], p.Style.Fit(rows[mostProblemRows-1]+" "+p.Style.Ellipsis()))
		}
		write(p, fit(p.Style, rows))
		at := slices.IndexFunc(g[0].Fix, func(f finding.Fix) bool { return f.Command != "" })
		if i == 0 && at >= 0 {
			lead := fmt.Sprintf("  %-5s", g[0].Fix[at].Word())
			command := p.Style.Text(g[0].Fix[at].Command)
			if p.Style.Width > 0 {
				command = p.Style.Cut(command, max(10, p.Style.Width-len(lead)))
			}
			p.Out.WriteString(p.Style.Paint(term.Good, lead) + p.Style.Paint(term.Bold, command))
			p.Blank()
		}
	}
	if left > 0 {
		p.Paragraph("", term.Plain, fmt.Sprintf("and %d more", left), term.Dim)
	}
}

// claim is "web-7f9c-x2x9h and 2 more  crash loop: exit 1".
func claim(p prose.Writer, g []finding.Finding) string {
	name := nameOf(p, g[0].Object)
	if g[0].Object.Kind != "Pod" {
		name = g[0].Object.String()
	}
	if len(g) > 1 {
		name += fmt.Sprintf(" and %d more", len(g)-1)
	}
	return name + "  " + g[0].Message
}

// problem is what was told of one code.
type problem struct {
	severity finding.Severity
	objects  int
	read     int // how many a person knows of
	readAt   time.Time
}

// problemNews tells each code once, again when it grew to twice as many objects
// or after a while, and when it is over.
func (t *told) problemNews(findings []finding.Finding, now time.Time, tell func(event)) {
	var codes []string
	of := map[string][]finding.Finding{}
	for _, f := range findings {
		if of[f.Code] == nil {
			codes = append(codes, f.Code)
		}
		of[f.Code] = append(of[f.Code], f)
	}
	for _, code := range codes {
		group := of[code]
		worst, _ := finding.Worst(group)
		var objects []object.Ref
		for _, f := range group {
			if !slices.ContainsFunc(objects, func(o object.Ref) bool { return o.Key() == f.Object.Key() }) {
				objects = append(objects, f.Object)
			}
		}
		p, known := t.problems[code]
		if known && p.severity == worst && p.objects == len(objects) && (p.read == p.objects || now.Sub(p.readAt) < eachProblem) {
			continue
		}
		e := event{Type: "problem", Code: code, Severity: worst, Objects: objects, Text: namesOf(objects) + ": " + group[0].Message}
		if known && p.severity == worst {
			e.quiet = len(objects) <= p.read || len(objects) < 2*p.read && now.Sub(p.readAt) < eachProblem
		}
		if code == "rollout/availability-broken" || code == "rollout/not-provable" {
			e.quiet = true // the proof's own line says it
		}
		next := problem{worst, len(objects), len(objects), now}
		if e.quiet {
			next.read, next.readAt = p.read, p.readAt
		}
		t.problems[code] = next
		tell(e)
	}
	var over []string
	for code := range t.problems {
		if of[code] == nil {
			over = append(over, code)
		}
	}
	slices.Sort(over)
	for _, code := range over {
		severity := t.problems[code].severity
		delete(t.problems, code)
		tell(event{Type: "problem", Code: code, Severity: severity, Over: true, Text: code + " is over", quiet: severity == finding.Info})
	}
}

// namesOf is "web-1, web-2 and 3 more".
func namesOf(objects []object.Ref) string {
	var names []string
	for _, o := range objects[:min(2, len(objects))] {
		if o.Kind == "Pod" {
			names = append(names, o.Name)
		} else {
			names = append(names, o.String())
		}
	}
	text := strings.Join(names, ", ")
	if more := len(objects) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
