package endpoints

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The walk finds what going over all words would find.
func TestNearWordsAreThoseThatAreMisspelt(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		letters := make([]byte, r.IntN(11))
		for i := range letters {
			letters[i] = "abC"[r.IntN(3)]
		}
		return string(letters)
	}
	for range 300 {
		words := make([]string, 200)
		for i := range words {
			words[i] = word()
		}
		slices.Sort(words)
		words = slices.Compact(words)
		want := word()
		var expected []string
		for _, w := range words {
			if misspelt(want, w) {
				expected = append(expected, w)
			}
		}
		if diff := cmp.Diff(expected, (&lexicon{words: words}).near(want)); diff != "" {
			t.Fatalf("near %q: %s", want, diff)
		}
	}
}
