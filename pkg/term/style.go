package term

import "strings"

// Style is how a renderer may write: it is decided once, by Streams.Style.
type Style struct {
	Color   bool
	Unicode bool
	Width   int // in cells; 0 is unlimited
}

// Tone is what a colour means.
type Tone int

// The tones.
const (
	Plain Tone = iota
	Good
	Busy
	Warn
	Bad
	Dim
	Bold
)

// sgr keeps to the 16 colours that every theme defines, and to those of them
// that read on black and on white: no bold yellow (terminals brighten it) and
// faint rather than bright black, which dark themes paint on black.
func (t Tone) sgr() string {
	switch t {
	case Good:
		return "32"
	case Busy:
		return "36"
	case Warn:
		return "33"
	case Bad:
		return "31"
	case Dim:
		return "2"
	case Bold:
		return "1"
	default:
		return ""
	}
}

// Paint puts text into a tone; without colour it leaves it as it is.
func (s Style) Paint(t Tone, text string) string {
	code := t.sgr()
	if !s.Color || code == "" || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Text makes text safe for one row of this terminal: see Escape. Where there
// is no Unicode, our own signs become ASCII and everything else its code.
func (s Style) Text(text string) string {
	if isPlain(text) {
		return text
	}
	if text = Escape(text); s.Unicode {
		return text
	}
	return ascii(text)
}

// Lines is Text for text of several lines: line feeds stay.
func (s Style) Lines(text string) string {
	if text = EscapeLines(text); s.Unicode {
		return text
	}
	return ascii(text)
}

// Ellipsis is what stands for text that was cut.
func (s Style) Ellipsis() string {
	if s.Unicode {
		return "…"
	}
	return "..."
}

// Cut shortens safe text to width cells.
func (s Style) Cut(text string, width int) string { return Truncate(text, width, s.Ellipsis()) }

// Fit shortens safe text to the width of the screen, if there is one.
func (s Style) Fit(text string) string {
	if s.Width <= 0 {
		return text
	}
	return s.Cut(text, s.Width)
}

// Sign picks between a Unicode sign and its ASCII stand-in.
func (s Style) Sign(unicode, ascii string) string {
	if s.Unicode {
		return unicode
	}
	return ascii
}

// ascii matters for safety too: an 8-bit terminal reads the bytes 0x80–0x9f
// inside UTF-8 as control characters.
func ascii(text string) string {
	if isPlain(text) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case standIn(r) != "":
			b.WriteString(standIn(r))
		default:
			writeEscaped(&b, r)
		}
	}
	return b.String()
}

func standIn(r rune) string {
	switch r {
	case '…':
		return "..."
	case '→':
		return "->"
	case '←':
		return "<-"
	case '›':
		return ">"
	case '·':
		return "-"
	case '–', '—':
		return "-"
	case '“', '”':
		return `"`
	case '‘', '’':
		return "'"
	case '×':
		return "x"
	case '≥':
		return ">="
	case '≤':
		return "<="
	default:
		return ""
	}
}
