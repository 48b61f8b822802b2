package tracedns

import (
	"context"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// memory is a Source that asks for the same but once: what was seen live calls
// for further facts, not for the known ones again.
type memory struct {
	source.Source
	store *source.Store
}

func remember(src source.Source) *memory {
	return &memory{Source: src, store: source.NewStore(src.Now())}
}

// Kinds implements source.Source.
func (m *memory) Kinds(ctx context.Context) ([]source.Kind, []source.Gap) {
	if kinds, gaps := m.store.Kinds(ctx); len(kinds) > 0 {
		return kinds, gaps
	}
	kinds, gaps := m.Source.Kinds(ctx)
	m.store.SetKinds(kinds, gaps)
	return kinds, gaps
}

// Read implements source.Source.
func (m *memory) Read(ctx context.Context, q source.Query) (source.Result, error) {
	if m.store.Covers(q) {
		return m.store.Read(ctx, q)
	}
	result, err := m.Source.Read(ctx, q)
	if err == nil {
		m.store.Answer(q, result)
	}
	return result, err
}
