package world

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/term"
)

// glass is as much of a terminal as shows where text stands: enough of ECMA-48
// for what the live screens send. What it does not know is kept as strange.
type glass struct {
	columns, rows int
	cells         [][]string // by row; "" is behind a wide one
	x, y          int
	full          bool // the last column was written: the next text wraps
	wrap          bool
	other         bool // the alternate screen
	hidden        bool
	modes         map[string]bool // others that are on
	last          string          // for REP
	pending       string          // half of a sequence
	strange       []string
}

func newGlass(columns, rows int) *glass {
	g := &glass{wrap: true, modes: map[string]bool{}}
	g.resize(columns, rows)
	return g
}

func blank(n int) []string { return slices.Repeat([]string{" "}, n) }

func (g *glass) resize(columns, rows int) {
	g.columns, g.rows = columns, rows
	for i := range g.cells {
		g.cells[i] = append(g.cells[i], blank(columns)...)[:columns]
	}
	for len(g.cells) < rows {
		g.cells = append(g.cells, blank(columns))
	}
	g.cells = g.cells[len(g.cells)-rows:]
	g.x, g.y, g.full = min(g.x, columns-1), min(g.y, rows-1), false
}

func (g *glass) left() []string { return slices.Sorted(maps.Keys(g.modes)) }

var numbers = regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)

func (g *glass) picture() string {
	var b strings.Builder
	for _, row := range g.cells {
		b.WriteString(strings.TrimRight(strings.Join(row, ""), " ") + "\n")
	}
	return strings.TrimRight(numbers.ReplaceAllString(b.String(), "."), "\n")
}

// sequence is one control sequence: CSI, OSC, or ESC with one letter.
var sequence = regexp.MustCompile(`^\x1b(?:\[([?>=]?)([0-9;:]*)([ $!"']?)([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|([()][A-Z0-9]|[0-Z\\^-~]))`)

func (g *glass) write(text string) {
	text = g.pending + text
	g.pending = ""
	for text != "" {
		switch c := text[0]; {
		case c == '\x1b':
			m := sequence.FindStringSubmatch(text)
			if m == nil {
				if len(text) > 64 {
					g.strange, text = append(g.strange, strconv.Quote(text[:16])), text[1:]
					continue
				}
				g.pending = text
				return
			}
			text = text[len(m[0]):]
			g.control(m)
		case c == '\r':
			g.x, g.full, text = 0, false, text[1:]
		case c == '\n':
			g.down()
			text = text[1:]
		case c == '\b':
			g.x, g.full, text = max(0, g.x-1), false, text[1:]
		case c == '\t':
			g.x, text = min(g.columns-1, g.x/8*8+8), text[1:]
		case c < ' ':
			text = text[1:]
		default:
			end := strings.IndexFunc(text, func(r rune) bool { return r < ' ' })
			if end < 0 {
				end = len(text)
			}
			for _, r := range text[:end] {
				if r == '\uFFFD' && len(text) < 4 {
					g.pending = text // half of a letter
					return
				}
				g.put(string(r))
			}
			text = text[end:]
		}
	}
}

func (g *glass) down() {
	if g.full = false; g.y < g.rows-1 {
		g.y++
		return
	}
	g.cells = append(g.cells[1:], blank(g.columns))
}

func (g *glass) put(letter string) {
	width := term.Width(letter)
	if width == 0 {
		return
	}
	if g.full && g.wrap || g.x+width > g.columns && g.wrap {
		g.x = 0
		g.down()
	}
	g.x = min(g.x, g.columns-width)
	g.cells[g.y][g.x] = letter
	for i := 1; i < width; i++ {
		g.cells[g.y][g.x+i] = ""
	}
	g.last = letter
	if g.x+width >= g.columns {
		g.x, g.full = g.columns-1, true
		return
	}
	g.x += width
}

func (g *glass) control(m []string) {
	if m[4] == "" {
		if strings.HasPrefix(m[0], "\x1b]") || m[0] == "\x1b=" || m[0] == "\x1b>" || strings.HasPrefix(m[0], "\x1b(") {
			return
		}
		g.strange = append(g.strange, strconv.Quote(m[0]))
		return
	}
	n := []int{}
	for part := range strings.SplitSeq(m[2], ";") {
		value, _ := strconv.Atoi(part)
		n = append(n, value)
	}
	n = append(n, 0)
	if m[1] == "?" && (m[4] == "h" || m[4] == "l") {
		g.mode(m[2], m[4] == "h")
		return
	}
	one := max(1, n[0])
	row := g.cells[g.y]
	g.full = g.full && (m[4] == "m")
	switch {
	case m[1]+m[3] != "": // such as the shape of the cursor: nothing that is seen here
	case m[4] == "m":
	case m[4] == "H" || m[4] == "f":
		g.y, g.x = min(one, g.rows)-1, min(max(1, n[1]), g.columns)-1
	case m[4] == "A":
		g.y = max(0, g.y-one)
	case m[4] == "B" || m[4] == "e":
		g.y = min(g.rows-1, g.y+one)
	case m[4] == "C" || m[4] == "a":
		g.x = min(g.columns-1, g.x+one)
	case m[4] == "D":
		g.x = max(0, g.x-one)
	case m[4] == "G" || m[4] == "`":
		g.x = min(one, g.columns) - 1
	case m[4] == "d":
		g.y = min(one, g.rows) - 1
	case m[4] == "K" && n[0] == 0:
		copy(row[g.x:], blank(g.columns))
	case m[4] == "K" && n[0] == 1:
		copy(row[:g.x+1], blank(g.columns))
	case m[4] == "K":
		copy(row, blank(g.columns))
	case m[4] == "J" && n[0] == 0:
		copy(row[g.x:], blank(g.columns))
		g.clear(g.y+1, g.rows)
	case m[4] == "J" && n[0] == 1:
		g.clear(0, g.y)
		copy(row[:g.x+1], blank(g.columns))
	case m[4] == "J":
		g.clear(0, g.rows)
	case m[4] == "X":
		copy(row[g.x:min(g.columns, g.x+one)], blank(g.columns))
	case m[4] == "P":
		g.cells[g.y] = append(slices.Delete(row, g.x, min(g.columns, g.x+one)), blank(one)...)[:g.columns]
	case m[4] == "@":
		g.cells[g.y] = slices.Insert(row, g.x, blank(one)...)[:g.columns]
	case m[4] == "b":
		for range one {
			g.put(g.last)
		}
	case m[4] == "L":
		for range min(one, g.rows-g.y) {
			g.cells = slices.Delete(slices.Insert(g.cells, g.y, blank(g.columns)), g.rows, g.rows+1)
		}
	case m[4] == "M":
		for range min(one, g.rows-g.y) {
			g.cells = append(slices.Delete(g.cells, g.y, g.y+1), blank(g.columns))
		}
	default:
		g.strange = append(g.strange, strconv.Quote(m[0]))
	}
}

func (g *glass) clear(from, to int) {
	for y := from; y < to; y++ {
		g.cells[y] = blank(g.columns)
	}
}

func (g *glass) mode(names string, on bool) {
	for name := range strings.SplitSeq(names, ";") {
		switch name {
		case "1049":
			g.other = on
			g.clear(0, g.rows)
			g.x, g.y = 0, 0
		case "25":
			g.hidden = !on
		case "7":
			g.wrap = on
			fallthrough
		default:
			if on == (name == "7") {
				delete(g.modes, name)
			} else {
				g.modes[name] = true
			}
		}
	}
}
