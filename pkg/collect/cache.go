package collect

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/watch"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Cache is a Source that asks the cluster once for each query and keeps the
// answer up to date by a watch. Collecting again from it costs no request
// until something new comes into view.
type Cache struct {
	src     source.Watcher
	store   *source.Store
	changed chan struct{}

	mu       sync.Mutex
	watching map[source.Query]context.CancelFunc
	logs     map[source.LogQuery]bool
	wg       sync.WaitGroup
}

// NewCache starts empty. Its watches end with the context that each Read was
// given, or with Close.
func NewCache(src source.Watcher) *Cache {
	return &Cache{
		src: src, store: source.NewStore(src.Now()), changed: make(chan struct{}, 1),
		watching: map[source.Query]context.CancelFunc{}, logs: map[source.LogQuery]bool{},
	}
}

// Now implements source.Source: the moment of the last Tick.
func (c *Cache) Now() time.Time { return c.store.Now() }

// Tick moves the moment of judgement.
func (c *Cache) Tick() { c.store.SetNow(c.src.Now()) }

// Changed receives after something has changed; several changes may be one.
func (c *Cache) Changed() <-chan struct{} { return c.changed }

// Kinds implements source.Source.
func (c *Cache) Kinds(ctx context.Context) ([]source.Kind, []source.Gap) {
	if kinds, gaps := c.store.Kinds(ctx); len(kinds) > 0 {
		return kinds, gaps
	}
	kinds, gaps := c.src.Kinds(ctx)
	c.store.SetKinds(kinds, gaps)
	return kinds, gaps
}

// Read implements source.Source.
func (c *Cache) Read(ctx context.Context, q source.Query) (source.Result, error) {
	if c.store.Covers(q) {
		return c.store.Read(ctx, q)
	}
	result, err := c.src.Read(ctx, q)
	if err != nil {
		return source.Result{}, err
	}
	c.store.Answer(q, result)
	if result.Gap == nil {
		c.follow(ctx, q, result.ResourceVersion)
	}
	return result, nil
}

// Log implements source.Source. A log is read again after any change, since
// the container may have ended anew.
func (c *Cache) Log(ctx context.Context, q source.LogQuery) (string, *source.Gap) {
	c.mu.Lock()
	known := c.logs[q]
	c.mu.Unlock()
	if known {
		return c.store.Log(ctx, q)
	}
	text, gap := c.src.Log(ctx, q)
	c.store.PutLog(source.LogText{Query: q, Text: text, Gap: gap})
	c.mu.Lock()
	c.logs[q] = true
	c.mu.Unlock()
	return text, gap
}

func (c *Cache) follow(ctx context.Context, q source.Query, from string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watching[q] != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.watching[q] = cancel
	c.wg.Go(func() { c.keep(ctx, q, from) })
}

// keep follows one query. What expired, or cannot be followed, is forgotten,
// so that the next Read asks the cluster again.
func (c *Cache) keep(ctx context.Context, q source.Query, from string) {
	err := c.src.Watch(ctx, q, from, func(event watch.EventType, o source.Object) {
		c.store.Apply(q.Kind, event, o)
		c.mu.Lock()
		clear(c.logs)
		c.mu.Unlock()
		c.notify()
	})
	if err == nil || ctx.Err() != nil {
		return
	}
	c.mu.Lock()
	delete(c.watching, q)
	c.mu.Unlock()
	if errors.Is(err, source.ErrExpired) {
		c.store.Forget(q)
		c.notify()
	}
}

func (c *Cache) notify() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Close ends the watches and waits for them.
func (c *Cache) Close() {
	c.mu.Lock()
	for _, cancel := range c.watching {
		cancel()
	}
	c.mu.Unlock()
	c.wg.Wait()
}
