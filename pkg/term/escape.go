package term

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks may follow one another. Written
// languages need up to three; more of them paint over neighbouring rows.
const maxMarks = 3

// Escape makes text that comes from strangers safe to write in one row. What a
// terminal would act on, or a reader could not see, becomes its visible code:
// control characters (\x1b, \u009b, \n), bidirectional overrides (\u202e),
// zero-width and other invisible characters, line separators, unassigned and
// private code points, invalid UTF-8 (\xff).
// A command to a CI system, which its runner obeys where it finds one in what is
// printed (::stop-commands::x, ##[error]x, ##vso[task.setvariable]x), loses its
// first sign.
// Escaping escaped text changes nothing.
func Escape(s string) string { return escape(s, false) }

// EscapeLines is Escape for text of several lines: line feeds stay, and tabs
// become spaces.
func EscapeLines(s string) string { return escape(s, true) }

// workflowCommand is one at the beginning of a word, which may come to be that of
// a line. An address such as ::1 is none.
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions
var workflowCommand = regexp.MustCompile(`(^|\s)::([A-Za-z][A-Za-z-]*(?:[^\S\n][^\n]*)?::)`)

// bracketCommand is one of Azure Pipelines, TeamCity or the older runners of
// GitHub, which look for it anywhere in a line.
// https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
var bracketCommand = regexp.MustCompile(`#(#[A-Za-z]*\[)`)

func escape(s string, lines bool) string {
	if isPlain(s) {
		return s
	}
	if strings.Contains(s, "##") {
		s = bracketCommand.ReplaceAllString(s, `\x23$1`)
	}
	if strings.Contains(s, "::") {
		s = workflowCommand.ReplaceAllString(s, `${1}\x3a:$2`)
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	marks := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[i])
			i++
			continue
		}
		i += size
		if unicode.Is(unicode.M, r) {
			marks++
		} else {
			marks = 0
		}
		switch {
		case lines && r == '\n':
			b.WriteByte('\n')
		case lines && r == '\t':
			b.WriteString("    ")
		case !Visible(r) || marks > maxMarks:
			writeEscaped(&b, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isPlain is the quick way out for printable ASCII, which is nearly everything.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return !strings.Contains(s, "::") && !strings.Contains(s, "##")
}

// Visible says whether a terminal shows the rune and does nothing else with it.
// It leaves out what unicode.IsPrint lets through although it shows
// nothing: Hangul fillers, the grapheme joiner, variation selectors (they can
// carry hidden text). U+FE0F stays, since common emoji end with it.
func Visible(r rune) bool {
	return unicode.IsPrint(r) &&
		!unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) &&
		(r == 0xfe0f || !unicode.Is(unicode.Variation_Selector, r))
}

func writeEscaped(b *strings.Builder, r rune) {
	switch {
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case r < 0x80:
		fmt.Fprintf(b, `\x%02x`, r)
	case r <= 0xffff:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}
