package snapshot

import (
	"context"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Recorder is a Source that keeps all it is asked, and the answers, in a Store.
type Recorder struct {
	from  source.Source
	store *source.Store
}

var _ source.Source = (*Recorder)(nil)

// NewRecorder records what is read from a Source. All of it is judged as of now.
func NewRecorder(from source.Source) *Recorder {
	return &Recorder{from: from, store: source.NewStore(from.Now())}
}

// Store is what was recorded so far; it goes on to change with the recording.
func (r *Recorder) Store() *source.Store { return r.store }

// Now implements source.Source: the moment at which the recording began.
func (r *Recorder) Now() time.Time { return r.store.Now() }

// Kinds implements source.Source.
func (r *Recorder) Kinds(ctx context.Context) ([]source.Kind, []source.Gap) {
	kinds, gaps := r.from.Kinds(ctx)
	if ctx.Err() == nil {
		r.store.SetKinds(kinds, gaps)
	}
	return kinds, gaps
}

// Read implements source.Source.
func (r *Recorder) Read(ctx context.Context, q source.Query) (source.Result, error) {
	result, err := r.from.Read(ctx, q)
	if err == nil {
		r.store.Answer(q, result)
	}
	return result, err
}

// Log implements source.Source.
func (r *Recorder) Log(ctx context.Context, q source.LogQuery) (string, *source.Gap) {
	text, gap := r.from.Log(ctx, q)
	if ctx.Err() == nil {
		r.store.PutLog(source.LogText{Query: q, Text: text, Gap: gap})
	}
	return text, gap
}
