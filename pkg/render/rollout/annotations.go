package rollout

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/render/prose"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Annotations writes what GitHub shows beside a run: a workflow command for
// each finding, those that say the same together, and one for a verdict that no
// finding explains.
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions
func Annotations(w io.Writer, r *report.Report) error {
	var b bytes.Buffer
	explained := false
	for _, g := range prose.Grouped(r.Findings) {
		f := g[0]
		explained = explained || f.Severity == finding.Error
		var objects []object.Ref
		for _, f := range g {
			objects = append(objects, f.Object)
		}
		text := []string{namesOf(objects) + ": " + f.Message}
		for _, e := range f.Evidence {
			text = append(text, e.Object.String()+" "+e.Field+" = "+e.Value)
		}
		for _, fix := range f.Fix {
			text = append(text, fix.Word()+": "+cmp.Or(fix.Command, fix.Description))
		}
		command(&b, annotation(f.Severity), f.Code, text)
	}
	if !explained && (r.Verdict == report.Broken || r.Verdict == report.Unknown) {
		command(&b, "error", r.Target, strings.Split(r.Summary, "\n"))
	}
	_, err := w.Write(b.Bytes())
	return err
}

func annotation(s finding.Severity) string {
	switch s {
	case finding.Error:
		return "error"
	case finding.Warning:
		return "warning"
	}
	return "notice"
}

// command is "::error title=…::message". Text of strangers is made visible
// first, so that only our own line feeds are left.
func command(b *bytes.Buffer, name, title string, text []string) {
	for i := range text {
		text[i] = term.Escape(text[i])
	}
	message := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	fmt.Fprintf(b, "::%s title=%s::%s\n", name, property.Replace(term.Escape(title)), message.Replace(strings.Join(text, "\n")))
}
