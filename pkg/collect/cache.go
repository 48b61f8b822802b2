package collect

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Cache is a Source that asks the cluster once for each query and keeps the
// answer up to date by a watch. Collecting again from it costs no request
// until something new comes into view.
type Cache struct {
	src     source.Watcher
	tap     func(source.Happening)
	store   *source.Store
	changed chan struct{}

	mu       sync.Mutex
	watching map[source.Query]context.CancelFunc
	logs     map[source.LogQuery]bool
	wg       sync.WaitGroup
}

// NewCache starts empty. Its watches end with Close. All that happens is told
// to tap, one after the other, where there is one.
func NewCache(src source.Watcher, tap func(source.Happening)) *Cache {
	return &Cache{
		src: src, tap: tap, store: source.NewStore(src.Now()), changed: make(chan struct{}, 1),
		watching: map[source.Query]context.CancelFunc{}, logs: map[source.LogQuery]bool{},
	}
}

// Now implements source.Source: the moment of the last Tick.
func (c *Cache) Now() time.Time { return c.store.Now() }

// Tick moves the moment of judgement.
func (c *Cache) Tick() { c.store.SetNow(c.src.Now()) }

// Changed receives after something has changed; several changes may be one.
func (c *Cache) Changed() <-chan struct{} { return c.changed }

// Contents are all that is known now.
func (c *Cache) Contents() source.Contents { return c.store.Contents() }

// Tell takes in what did not come from the source.
func (c *Cache) Tell(n source.Note) {
	c.happens(source.Happening{Note: &n})
	c.notify()
}

// Kinds implements source.Source.
func (c *Cache) Kinds(ctx context.Context) ([]source.Kind, []source.Gap) {
	if kinds, gaps := c.store.Kinds(ctx); len(kinds) > 0 {
		return kinds, gaps
	}
	kinds, gaps := c.src.Kinds(ctx)
	c.happens(source.Happening{Kinds: kinds, KindGaps: gaps})
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
	c.happens(source.Happening{Query: q, Answer: &result})
	if result.Gap == nil {
		c.follow(ctx, q, result.ResourceVersion)
	}
	return result, nil
}

// Log implements source.Source. A log is read again after its pod has changed,
// since the container may have ended anew.
func (c *Cache) Log(ctx context.Context, q source.LogQuery) (string, *source.Gap) {
	c.mu.Lock()
	known := c.logs[q]
	c.logs[q] = true
	c.mu.Unlock()
	if known {
		return c.store.Log(ctx, q)
	}
	text, gap := c.src.Log(ctx, q)
	c.happens(source.Happening{Log: &source.LogText{Query: q, Text: text, Gap: gap}})
	return text, gap
}

// View reads what needs asks for until nothing new is wanted, and returns what
// is known then, as of that moment. Where nothing new came into view it asks
// nobody.
func (c *Cache) View(ctx context.Context, needs Needs) (*index.View, error) {
	c.Kinds(ctx)
	for range rounds {
		c.Tick()
		view := index.New(c.store.Contents())
		queries, logs := needs(view)
		fresh := false
		group, gctx := errgroup.WithContext(ctx)
		group.SetLimit(atOnce)
		for _, q := range queries {
			if !c.store.Covers(q) {
				fresh = true
				group.Go(func() error { _, err := c.Read(gctx, q); return err })
			}
		}
		for _, q := range logs {
			if !c.knows(q) {
				fresh = true
				group.Go(func() error { c.Log(gctx, q); return gctx.Err() })
			}
		}
		if err := group.Wait(); err != nil || !fresh {
			return view, err
		}
	}
	return index.New(c.store.Contents()), nil
}

func (c *Cache) knows(q source.LogQuery) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.logs[q]
}

// happens keeps what came in and passes it on; the order is the same for both.
func (c *Cache) happens(h source.Happening) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h.At = c.src.Now()
	now := c.store.Now()
	c.store.Play(h)
	c.store.SetNow(now) // a frame is judged as of one moment: the Tick before it
	if h.Change != "" && h.Object != nil && h.Query.Kind == (schema.GroupKind{Kind: "Pod"}) {
		for q := range c.logs {
			if q.UID == string(h.Object.GetUID()) {
				delete(c.logs, q)
			}
		}
	}
	if c.tap != nil {
		c.tap(h)
	}
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

// keep follows one query. What expired is forgotten, so that the next Read
// asks the cluster again; what cannot be followed is a gap from then on.
func (c *Cache) keep(ctx context.Context, q source.Query, from string) {
	err := c.src.Watch(ctx, q, from, func(event watch.EventType, o source.Object) {
		c.happens(source.Happening{Query: q, Change: event, Object: o})
		c.notify()
	})
	if err == nil || ctx.Err() != nil {
		return
	}
	c.mu.Lock()
	delete(c.watching, q)
	c.mu.Unlock()
	if errors.Is(err, source.ErrExpired) {
		c.happens(source.Happening{Query: q, Forget: true})
	} else {
		gap := source.Gap{Resource: c.title(ctx, q.Kind), Kind: q.Kind, Namespace: q.Namespace, Name: q.Name, Reason: source.ServerError, Detail: err.Error()}
		if why := (*source.WatchError)(nil); errors.As(err, &why) {
			gap.Reason = why.Reason
		}
		c.happens(source.Happening{Query: q, Answer: &source.Result{Gap: &gap}})
	}
	c.notify()
}

func (c *Cache) title(ctx context.Context, gk schema.GroupKind) string {
	kinds, _ := c.store.Kinds(ctx)
	for _, k := range kinds {
		if k.GroupKind() == gk {
			return k.Title()
		}
	}
	return gk.String()
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
