package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/term"
)

// The grid of a picture, in pixels: a row is as high as box-drawing characters
// need to meet, a column as wide as monospaced fonts are at that size.
const (
	fontSize = 14
	rowHigh  = 18
	colWide  = 8.4
	margin   = 16
)

// tone is what a colour of a terminal looks like on a light and a dark ground;
// bold has that of the text.
type tone struct{ sgr, class, light, dark string }

const (
	lightGround, lightText = "#ffffff", "#1f2328"
	darkGround, darkText   = "#0d1117", "#e6edf3"
)

// tones are those that pkg/term paints with.
func tones() []tone {
	return []tone{
		{sgr: "1", class: "bold"},
		{sgr: "2", class: "dim", light: "#59636e", dark: "#9198a1"},
		{sgr: "31", class: "bad", light: "#b3141d", dark: "#ff7b72"},
		{sgr: "32", class: "good", light: "#116329", dark: "#56d364"},
		{sgr: "33", class: "warn", light: "#7d4e00", dark: "#e3b341"},
		{sgr: "36", class: "busy", light: "#0b6477", dark: "#56d4dd"},
	}
}

// picture draws the text of a terminal, whose colours are SGR sequences, as SVG.
// It is legible on any page, since it brings its ground with it, and in any
// font, since every word stands on the grid of the terminal.
func picture(title string, columns int, text string) ([]byte, error) {
	rows, err := screen(columns, text)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	wide, high := float64(columns)*colWide+2*margin, len(rows)*rowHigh+2*margin
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"%.0f\" height=\"%d\" viewBox=\"0 0 %[1]g %[2]d\">\n<title>%[3]s</title>\n", wide, high, escaped(title))
	b.WriteString(style())
	fmt.Fprintf(&b, "<rect class=\"ground\" x=\"0.5\" y=\"0.5\" width=\"%g\" height=\"%d\" rx=\"8\"/>\n", wide-1, high-1)
	for i, row := range rows {
		for _, w := range row {
			fmt.Fprintf(&b, "<text%s x=\"%.1f\" y=\"%d\" textLength=\"%.1f\" lengthAdjust=\"spacingAndGlyphs\">%s</text>\n",
				w.class, margin+float64(w.column)*colWide, margin+i*rowHigh+fontSize, float64(term.Width(w.text))*colWide, escaped(w.text))
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}

func style() string {
	var light, dark strings.Builder
	for _, t := range tones() {
		if t.light != "" {
			fmt.Fprintf(&light, ".%s { fill: %s }\n", t.class, t.light)
			fmt.Fprintf(&dark, ".%s { fill: %s }\n", t.class, t.dark)
		}
	}
	return fmt.Sprintf(`<style>
.ground { fill: %s; stroke: #8b949e }
text { fill: %s; font: %dpx ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace; white-space: pre }
.bold { font-weight: bold }
%s@media (prefers-color-scheme: dark) {
.ground { fill: %s }
text { fill: %s }
%s}
</style>
`, lightGround, lightText, fontSize, light.String(), darkGround, darkText, dark.String())
}

// word is text of one tone without a gap, and where it stands in its row.
type word struct {
	class  string
	column int
	text   string
}

var (
	sequence = regexp.MustCompile("\x1b\\[([0-9;]*)m")
	gap      = regexp.MustCompile(` {2,}|^ +| +$`)
)

// screen is what stands in each row of a terminal of so many columns: what is
// longer goes on in the next.
func screen(columns int, text string) ([][]word, error) {
	var rows [][]word
	for line := range strings.Lines(text) {
		words, err := wordsOf(strings.TrimRight(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("%w in %q", err, line)
		}
		first := len(rows)
		rows = append(rows, nil)
		for _, w := range words {
			for w.text != "" {
				row := first + w.column/columns
				for len(rows) <= row {
					rows = append(rows, nil)
				}
				part := word{class: w.class, column: w.column % columns}
				part.text = term.Truncate(w.text, columns-part.column, "")
				if part.text == "" {
					return nil, fmt.Errorf("a wide character is cut in two: %q", w.text)
				}
				rows[row] = append(rows[row], part)
				w.text, w.column = w.text[len(part.text):], w.column+term.Width(part.text)
			}
		}
	}
	return rows, nil
}

// wordsOf reads a line. A gap of two blanks ends a word, so that the next one
// stands in its column whatever the font makes of the first.
func wordsOf(line string) ([]word, error) {
	var words []word
	class, column, read := "", 0, 0
	take := func(text string) {
		from := 0
		add := func(to int) {
			if part := text[from:to]; part != "" {
				words = append(words, word{class, column, part})
				column += term.Width(part)
			}
		}
		for _, g := range gap.FindAllStringIndex(text, -1) {
			add(g[0])
			column += g[1] - g[0]
			from = g[1]
		}
		add(len(text))
	}
	for _, at := range sequence.FindAllStringSubmatchIndex(line, -1) {
		take(line[read:at[0]])
		var err error
		if class, err = classOf(line[at[2]:at[3]]); err != nil {
			return nil, err
		}
		read = at[1]
	}
	if take(line[read:]); strings.Contains(sequence.ReplaceAllString(line, ""), "\x1b") {
		return nil, errors.New("an escape sequence that is no colour")
	}
	return words, nil
}

func classOf(sgr string) (string, error) {
	if sgr == "0" || sgr == "" {
		return "", nil
	}
	for _, t := range tones() {
		if t.sgr == sgr {
			return fmt.Sprintf(" class=%q", t.class), nil
		}
	}
	return "", fmt.Errorf("there is no tone for the colour %q", sgr)
}

func escaped(s string) string {
	var b strings.Builder
	// A strings.Builder does not fail.
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
