package rollout

import (
	"bytes"
	"io"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/render/doc"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Lines tell a rollout in a pipe: a line for each change, folded, and a
// heartbeat while there is none. Frame wants to be called at least every few
// seconds, for it has no clock of its own.
type Lines struct {
	Options // of the final report

	out    io.Writer
	style  term.Style
	memory memory
}

// NewLines writes to out.
func NewLines(out io.Writer, style term.Style) *Lines { return &Lines{out: out, style: style} }

// Frame writes what changed since the frame before, and nothing if nothing did.
func (l *Lines) Frame(r *report.Report, now time.Time) error {
	var b bytes.Buffer
	long := severalNamespaces(r.Rollouts)
	for _, e := range l.memory.news(r, now) {
		if e.quiet {
			continue
		}
		name := e.Name
		if long && e.Namespace != "" {
			name = e.Namespace + "/" + name
		}
		b.WriteString(l.style.Paint(term.Dim, e.Time.Format(hourMinuteSecond)) + " ")
		b.WriteString(l.style.Paint(term.Bold, l.style.Text(name)) + ": ")
		mark, tone := e.sign(l.style)
		b.WriteString(l.style.Paint(tone, mark) + l.style.Text(e.Text) + "\n")
	}
	if b.Len() == 0 {
		return nil
	}
	_, err := l.out.Write(b.Bytes())
	return err
}

// End writes the final report.
func (l *Lines) End(r *report.Report) error {
	var b bytes.Buffer
	if l.memory.begun {
		b.WriteByte('\n')
	}
	o := l.Options
	o.Live = false
	if err := o.Render(&b, r, l.style); err != nil {
		return err
	}
	_, err := l.out.Write(b.Bytes())
	return err
}

// sign is the mark of what wants to be looked at.
func (e event) sign(style term.Style) (string, term.Tone) {
	good, warn, bad := style.Sign("✓ ", "OK: "), "! ", style.Sign("✗ ", "FAILED: ")
	switch e.Type {
	case "phase":
		switch phaseTone(e.Phase) {
		case term.Good:
			return good, term.Good
		case term.Bad:
			return style.Sign("✗ ", "x "), term.Bad // the text says in a word what it is: failed, timed out
		case term.Warn:
			return warn, term.Warn
		}
	case "problem":
		switch {
		case e.Over:
			return good, term.Good
		case e.Severity == finding.Error:
			return bad, term.Bad
		case e.Severity == finding.Warning:
			return warn, term.Warn
		}
	case "probe":
		return bad, term.Bad
	case "proof":
		switch e.Proof.Verdict {
		case report.BrokenProof:
			if e.Proof.Now < e.Proof.Floor {
				return bad, term.Bad
			}
		case report.Held:
		default:
			return warn, term.Warn
		}
	}
	return "", term.Plain
}

// Stream is Lines for programs: an event a line, as JSON, and the report as the
// last one.
type Stream struct {
	out    io.Writer
	memory memory
}

// NewStream writes to out.
func NewStream(out io.Writer) *Stream { return &Stream{out: out} }

// Frame writes what changed since the frame before.
func (s *Stream) Frame(r *report.Report, now time.Time) error {
	var b bytes.Buffer
	for _, e := range s.memory.news(r, now) {
		if e.known {
			continue
		}
		if err := doc.Line(&b, e); err != nil {
			return err
		}
	}
	if b.Len() == 0 {
		return nil
	}
	_, err := s.out.Write(b.Bytes())
	return err
}

// End writes the report.
func (s *Stream) End(r *report.Report) error { return doc.ReportLine(s.out, r) }
