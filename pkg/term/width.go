package term

import (
	"iter"
	"slices"
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// Width is how many cells safe, uncoloured text takes: wide characters take
// two, combining marks none.
func Width(s string) int {
	if isPlain(s) {
		return len(s)
	}
	return displaywidth.String(s)
}

// Truncate cuts text to width cells; ellipsis stands for what is gone.
func Truncate(s string, width int, ellipsis string) string {
	if Width(s) <= width {
		return s
	}
	room := width - Width(ellipsis)
	if room < 0 {
		return head(s, max(width, 0))
	}
	return head(s, room) + ellipsis
}

// TruncateMiddle cuts text to width cells and keeps its head and its tail: the
// end of a pod's name tells it from its siblings.
func TruncateMiddle(s string, width int, ellipsis string) string {
	if Width(s) <= width {
		return s
	}
	room := width - Width(ellipsis)
	if room < 2 {
		return Truncate(s, width, ellipsis)
	}
	end := room * 2 / 5
	return head(s, room-end) + ellipsis + tail(s, end)
}

func head(s string, width int) string {
	g, taken := displaywidth.StringGraphemes(s), 0
	for g.Next() {
		if width -= g.Width(); width < 0 {
			break
		}
		taken += len(g.Value())
	}
	return s[:taken]
}

func tail(s string, width int) string {
	g, skip, left := displaywidth.StringGraphemes(s), 0, Width(s)
	for left > width && g.Next() {
		left -= g.Width()
		skip += len(g.Value())
	}
	return s[skip:]
}

// Wrap breaks text between words so that no line exceeds width cells; a word
// that is longer is broken behind its commas, and else stands alone, whole, for
// it may be something to copy. Width 0 is unlimited. Line feeds in the text stay.
func Wrap(s string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(s, "\n") {
		if width <= 0 || Width(paragraph) <= width {
			lines = append(lines, paragraph)
			continue
		}
		lines = append(lines, wrapWords(strings.Split(paragraph, " "), width)...)
	}
	return lines
}

func wrapWords(words []string, width int) []string {
	var lines []string
	line, used := "", 0
	for _, word := range words {
		blank := " "
		for part := range parts(word, width) {
			size := Width(part)
			switch {
			case line == "":
				line, used = part, size
			case used+len(blank)+size <= width:
				line, used = line+blank+part, used+len(blank)+size
			default:
				lines = append(lines, strings.TrimRight(line, " "))
				line, used = part, size
			}
			blank = ""
		}
	}
	return append(lines, strings.TrimRight(line, " "))
}

// parts are what a word may be broken into: behind commas, such as those of a
// list of labels, where it does not fit.
func parts(word string, width int) iter.Seq[string] {
	if Width(word) <= width {
		return slices.Values([]string{word})
	}
	return strings.SplitAfterSeq(word, ",")
}
