package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/term"
)

func TestAScreenIsReadAsATerminalShowsIt(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       [][]word
	}{
		{"plain text is one word", "a b\n", [][]word{{{"", 0, "a b"}}}},
		{"a gap begins a new column", "  READY  AGE\n", [][]word{{{"", 2, "READY"}, {"", 9, "AGE"}}}},
		{"a colour lasts until it ends", "\x1b[31m✗ \x1b[0mpod\n", [][]word{{{` class="bad"`, 0, "✗"}, {"", 2, "pod"}}}},
		{"what is too long goes on in the next row", "0123456789abcdef\n", [][]word{{{"", 0, "0123456789ab"}}, {{"", 0, "cdef"}}}},
		{"an empty row stays", "a\n\nb\n", [][]word{{{"", 0, "a"}}, nil, {{"", 0, "b"}}}},
		{"a wide character takes two cells", "日  x\n", [][]word{{{"", 0, "日"}, {"", 4, "x"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := screen(12, c.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(word{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatAPictureCannotShowIsRefused(t *testing.T) {
	for name, text := range map[string]string{"a colour without a tone": "\x1b[35mx", "a sequence that moves the cursor": "\x1b[2Jx", "a wide character on the edge": "0123456789a日"} {
		if _, err := screen(12, text); err == nil {
			t.Errorf("%s: %q became a picture", name, text)
		}
	}
}

func TestAPictureIsWellFormedWhateverItsTextIs(t *testing.T) {
	text := `</text><script>alert("1")</script> & <!-- ]]>`
	svg, err := picture(text, 104, text)
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for d := xml.NewDecoder(strings.NewReader(string(svg))); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local == "script" {
				t.Error("text became an element")
			}
		case xml.CharData:
			if s := string(token); strings.Contains(s, "script") {
				shown = append(shown, s)
			}
		}
	}
	if diff := cmp.Diff([]string{text, text}, shown); diff != "" {
		t.Error(diff)
	}
}

// The tones are read by their contrast, 4.5 at least
// (https://www.w3.org/TR/WCAG22/#contrast-minimum).
func TestEachToneIsLegibleOnItsGround(t *testing.T) {
	pairs := map[string][2]string{"text on light": {lightText, lightGround}, "text on dark": {darkText, darkGround}}
	for _, tone := range tones() {
		if tone.light != "" {
			pairs[tone.class+" on light"], pairs[tone.class+" on dark"] = [2]string{tone.light, lightGround}, [2]string{tone.dark, darkGround}
		}
	}
	for name, pair := range pairs {
		a, b := luminance(t, pair[0]), luminance(t, pair[1])
		if contrast := (max(a, b) + 0.05) / (min(a, b) + 0.05); contrast < 4.5 {
			t.Errorf("%s: contrast %.1f", name, contrast)
		}
	}
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		v := float64(n) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

func TestEveryTonePaintedHasAColour(t *testing.T) {
	for tone := term.Plain; tone <= term.Bold; tone++ {
		if _, err := screen(12, term.Style{Color: true}.Paint(tone, "x")); err != nil {
			t.Errorf("tone %d: %v", tone, err)
		}
	}
}
