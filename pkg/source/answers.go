package source

import (
	"encoding/json"
	"slices"
	"strings"
)

// Answers are what live questions were answered with, kept beside the facts so
// that a replay says the same. Only the plugin that asked can read Document.
type Answers struct {
	About    string          // what was asked, such as "trace-dns shop/pod/web-1 redis"
	Document json.RawMessage // an object
}

// PutAnswers stores answers; later ones about the same replace earlier ones.
func (s *Store) PutAnswers(a Answers) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[a.About] = a
}

// Answers are all that are stored, in the order of what they are about.
func (s *Store) Answers() []Answers {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.sortedAnswers()
}

func (s *Store) sortedAnswers() []Answers {
	var all []Answers
	for _, a := range s.answers {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b Answers) int { return strings.Compare(a.About, b.About) })
	return all
}
