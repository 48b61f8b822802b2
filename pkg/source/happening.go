package source

import (
	"encoding/json"
	"time"

	"k8s.io/apimachinery/pkg/watch"
)

// Happening is one thing that came in, at the moment when it did: what a query
// was answered with, a change that a watch reported, the end of a log. In the
// order in which they came they tell all that was known at any moment, so that
// what went on can be recorded and seen again.
type Happening struct {
	At       time.Time
	Query    Query           // of Answer, Change, and a watch that was lost or resumed
	Answer   *Result         // what Query was answered with
	Change   watch.EventType // Added, Modified, Deleted; Lost and Resumed
	Object   Object          // of a change
	Forget   bool            // the answer to Query is no longer kept up to date: it will be asked anew
	Kinds    []Kind          // what discovery said
	KindGaps []Gap
	Log      *LogText
	Note     *Note // what came in otherwise
}

// Note is something that came in from elsewhere, such as the answer to a live
// request. Only who wrote it can read it.
type Note struct {
	About    string
	Document json.RawMessage
}

// Play carries out what happened: the Store then holds what was known at that
// moment, and is judged as of then.
func (s *Store) Play(h Happening) {
	s.SetNow(h.At)
	switch {
	case h.Answer != nil:
		s.Answer(h.Query, *h.Answer)
	case h.Forget:
		s.Forget(h.Query)
	case h.Change == Lost || h.Change == Resumed:
	case h.Change != "":
		s.Apply(h.Query.Kind, h.Change, h.Object)
	case h.Kinds != nil:
		s.SetKinds(h.Kinds, h.KindGaps)
	case h.Log != nil:
		s.PutLog(*h.Log)
	}
}
