package endpoints

import (
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// form keeps the digits of a word: "web-1" and "web-2" are two names, and
// neither is a misspelling of the other.
func form(word string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, word)
}

// misspelt says whether a person may have written want for have.
func misspelt(want, have string) bool {
	allowed := tolerance(want, have)
	return allowed > 0 && source.Distance(want, have) <= allowed
}

// tolerance allows two edits in a word, one in a short one, and none where
// hardly anything would remain. Words that differ in case only are another story.
func tolerance(want, have string) int {
	shorter, longer := min(len(want), len(have)), max(len(want), len(have))
	allowed := 2
	switch {
	case shorter < 3 || longer > longest:
		return 0
	case shorter < 6:
		allowed = 1
	}
	if longer-shorter > allowed || strings.EqualFold(want, have) {
		return 0
	}
	return allowed
}

// longest is the length that names and labels may have
// (apimachinery validation, DNS1123SubdomainMaxLength).
const longest = 253

// lexicon is a list of words, read as the tree of their beginnings.
type lexicon struct {
	words []string // sorted, each once
	tree  []branch // of them, made when first asked; the root is the first
}

// branch is a beginning of words: that of the branch above and a letter more.
type branch struct {
	letter      byte
	whole       bool  // it is a word
	word        int32 // the first that begins so
	first, last int32 // the branches below: tree[first:last]
}

// grow makes the tree, one length of beginnings after the other.
func (l *lexicon) grow() {
	type span struct{ lo, hi, depth int } // the words that begin so
	l.tree = []branch{{}}
	spans := []span{{0, len(l.words), 0}}
	for i := 0; i < len(l.tree); i++ {
		s := spans[i]
		l.tree[i].word = int32(s.lo)
		if s.lo < s.hi && len(l.words[s.lo]) == s.depth {
			l.tree[i].whole = true
			s.lo++
		}
		l.tree[i].first = int32(len(l.tree))
		for s.lo < s.hi {
			letter, end := l.words[s.lo][s.depth], s.lo+1
			for end < s.hi && l.words[end][s.depth] == letter {
				end++
			}
			l.tree, spans = append(l.tree, branch{letter: letter}), append(spans, span{s.lo, end, s.depth + 1})
			s.lo = end
		}
		l.tree[i].last = int32(len(l.tree))
	}
}

// near are the words that may have been meant, in order. It goes down the tree
// for as long as the beginning is within two edits, so that it costs what is
// close and not what is there.
func (l *lexicon) near(want string) []string {
	if l == nil || len(want) < 3 || len(want) > longest {
		return nil
	}
	if len(l.words) <= few {
		return slices.DeleteFunc(slices.Clone(l.words), func(have string) bool { return !misspelt(want, have) })
	}
	if l.tree == nil {
		l.grow()
	}
	s := speller{want: want, lexicon: l, path: make([]byte, len(want)+far), rows: make([][]uint8, len(want)+far+1)}
	cells := make([]uint8, len(s.rows)*(len(want)+1))
	for i := range s.rows {
		s.rows[i] = cells[i*(len(want)+1):][:len(want)+1]
	}
	for j := range s.rows[0] {
		s.rows[0][j] = uint8(min(j, far))
	}
	s.walk(l.tree[0], 0)
	return s.found
}

// far is a distance that no tolerance reaches.
const far = 3

// speller walks a lexicon. Row i holds the distances of the first i letters of
// the words under way from the beginnings of the wanted one.
type speller struct {
	*lexicon
	want  string
	path  []byte // the letters under way
	rows  [][]uint8
	found []string
}

// walk looks at the words of a branch, which have their first depth letters in common.
func (s *speller) walk(at branch, depth int) {
	if at.whole {
		have := s.words[at.word]
		if allowed := tolerance(s.want, have); allowed > 0 && int(s.rows[depth][len(s.want)]) <= allowed {
			s.found = append(s.found, have)
		}
	}
	if depth+1 == len(s.rows) {
		return
	}
	for _, below := range s.tree[at.first:at.last] {
		s.path[depth] = below.letter
		if s.extend(depth) {
			s.walk(below, depth+1)
		}
	}
}

// extend fills the row after one more letter, as source.Distance does, near
// the diagonal only. It says whether any distance is still small.
func (s *speller) extend(depth int) bool {
	row, above := s.rows[depth+1], s.rows[depth]
	from, to := max(0, depth-1), min(len(s.want), depth+far)
	if from > 0 {
		row[from-1] = far
	}
	if to < len(s.want) {
		row[to+1] = far
	}
	best := uint8(far)
	for j := from; j <= to; j++ {
		d := above[j] + 1
		if j > 0 {
			change := above[j-1]
			if s.want[j-1] != s.path[depth] {
				change++
			}
			d = min(d, row[j-1]+1, change)
			if depth > 0 && j > 1 && s.path[depth] == s.want[j-2] && s.path[depth-1] == s.want[j-1] {
				d = min(d, s.rows[depth-1][j-2]+1)
			}
		}
		row[j] = min(d, far)
		best = min(best, row[j])
	}
	return best < far
}
