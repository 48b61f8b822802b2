// Package doc writes a report as a document for programs: JSON and YAML by the
// schema in docs/schema, and the names that -o name prints.
//
// Documents are the same on every terminal. What a terminal would act on is
// written as JSON escapes, which mean the same to a program.
package doc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// JSON writes the report indented by two.
func JSON(w io.Writer, r *report.Report, _ term.Style) error {
	data, err := encode(r)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// YAML writes the same document, its fields in the same order.
func YAML(w io.Writer, r *report.Report, _ term.Style) error {
	data, err := encode(r)
	if err != nil {
		return err
	}
	data, err = toYAML(data)
	if err != nil {
		return fmt.Errorf("the report of %s as YAML: %w", r.Target, err)
	}
	_, err = w.Write(data)
	return err
}

// Names writes kubectl's kind.group/name of each object of the tree, and of
// each Service and rollout, once.
func Names(w io.Writer, r *report.Report, style term.Style) error {
	var b bytes.Buffer
	written := map[object.Ref]bool{}
	write := func(o object.Ref) {
		if key := o.Key(); o.Name != "" && !written[key] {
			written[key] = true
			kind := strings.ToLower(o.Kind)
			if o.Group != "" {
				kind += "." + o.Group
			}
			fmt.Fprintln(&b, style.Text(kind+"/"+o.Name))
		}
	}
	report.Walk(r.Tree, func(n *report.Node, _ int) {
		if n.Folded == 0 {
			write(n.Object)
		}
	})
	for _, s := range r.Services {
		write(s.Object)
	}
	for _, ro := range r.Rollouts {
		write(ro.Object)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// ReportLine writes the report as one line: the last of a stream of events.
func ReportLine(w io.Writer, r *report.Report) error { return Line(w, whole(r)) }

// Line writes any value as one line of JSON.
func Line(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("a line of JSON: %w", err)
	}
	_, err := w.Write(escapeInvisible(b.Bytes(), surrogates))
	return err
}

// whole has a list, if an empty one, where the schema wants one.
func whole(r *report.Report) report.Report {
	document := *r
	if document.Findings == nil {
		document.Findings = []finding.Finding{}
	}
	if document.Gaps == nil {
		document.Gaps = []report.Gap{}
	}
	return document
}

func encode(r *report.Report) ([]byte, error) {
	document := whole(r)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(document); err != nil {
		return nil, fmt.Errorf("the report of %s as JSON: %w", r.Target, err)
	}
	return escapeInvisible(b.Bytes(), surrogates), nil
}

// surrogates is JSON's escape of what lies beyond 16 bits.
func surrogates(r rune) string {
	high, low := utf16.EncodeRune(r)
	return fmt.Sprintf(`\u%04x\u%04x`, high, low)
}

// escapeInvisible changes nothing outside strings, for there everything is
// ASCII. beyond escapes what lies beyond 16 bits.
func escapeInvisible(data []byte, beyond func(rune) string) []byte {
	var b bytes.Buffer
	b.Grow(len(data))
	for _, r := range string(data) {
		switch {
		case r == '\n' || term.Visible(r):
			b.WriteRune(r)
		case r > 0xffff:
			b.WriteString(beyond(r))
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.Bytes()
}
