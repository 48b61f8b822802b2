package collect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

var (
	podKind = schema.GroupKind{Kind: "Pod"}
	inShop  = source.Query{Kind: podKind, Namespace: "shop"}
)

func podNamed(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(name)}}
}

// feed is a cluster whose watches are told what happens, and how they end.
type feed struct {
	*source.Store
	mu    sync.Mutex
	reads int
	logs  int
	turns []chan func(func(watch.EventType, source.Object)) error // one for each watch, in order
}

func newFeed(watches int) *feed {
	f := &feed{Store: source.NewStore(time.Unix(1000, 0))}
	f.SetKinds([]source.Kind{{Version: "v1", Kind: "Pod", Resource: "pods", Namespaced: true}}, nil)
	for range watches {
		f.turns = append(f.turns, make(chan func(func(watch.EventType, source.Object)) error))
	}
	return f
}

func (f *feed) Read(ctx context.Context, q source.Query) (source.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	return f.Store.Read(ctx, q)
}

func (f *feed) Log(context.Context, source.LogQuery) (string, *source.Gap) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logs++
	return fmt.Sprintf("read %d", f.logs), nil
}

func (f *feed) Watch(ctx context.Context, _ source.Query, _ string, handle func(watch.EventType, source.Object)) error {
	f.mu.Lock()
	turn := f.turns[0]
	f.turns = f.turns[1:]
	f.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case do := <-turn:
			if err := do(handle); err != nil {
				return err
			}
		}
	}
}

func names(v *index.View) []string {
	var all []string
	for _, it := range v.List(podKind, "shop") {
		all = append(all, it.Ref.Name)
	}
	return all
}

func wantShop(*index.View) ([]source.Query, []source.LogQuery) { return []source.Query{inShop}, nil }

func TestAWatchThatExpiredIsReadAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(2)
		f.Put(podKind, podNamed("a"))
		f.Cover(inShop)
		first := f.turns[0]
		var happened []string
		c := NewCache(f, func(h source.Happening) {
			switch {
			case h.Answer != nil:
				happened = append(happened, fmt.Sprintf("answer of %d", len(h.Answer.Objects)))
			case h.Forget:
				happened = append(happened, "forgotten")
			case h.Change != "":
				happened = append(happened, string(h.Change))
			}
		})
		defer c.Close()
		if v, err := c.View(t.Context(), wantShop); err != nil || len(names(v)) != 1 {
			t.Fatal(v, err)
		}
		first <- func(handle func(watch.EventType, source.Object)) error {
			handle(watch.Added, podNamed("b"))
			handle(source.Lost, nil)
			return source.ErrExpired
		}
		synctest.Wait()
		f.Put(podKind, podNamed("c")) // what was missed
		v, err := c.View(t.Context(), wantShop)
		if err != nil || !slices.Equal(names(v), []string{"a", "c"}) || f.reads != 2 {
			t.Errorf("%v, %v after %d reads", names(v), err, f.reads)
		}
		if want := []string{"answer of 1", "ADDED", "LOST", "forgotten", "answer of 2"}; !slices.Equal(happened, want) {
			t.Errorf("%v, want %v", happened, want)
		}
	})
}

func TestWhatMayBeReadAndNotWatchedIsAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(1)
		f.Cover(inShop)
		first := f.turns[0]
		c := NewCache(f, nil)
		defer c.Close()
		if _, err := c.View(t.Context(), wantShop); err != nil {
			t.Fatal(err)
		}
		first <- func(func(watch.EventType, source.Object)) error {
			return &source.WatchError{Reason: source.Forbidden, Err: errors.New("cannot watch pods")}
		}
		synctest.Wait()
		v, err := c.View(t.Context(), wantShop)
		if err != nil || len(v.Gaps) != 1 || v.Gaps[0].Resource != "pods" || v.Gaps[0].Reason != source.Forbidden || f.reads != 1 {
			t.Errorf("%+v, %v after %d reads", v.Gaps, err, f.reads)
		}
	})
}

func TestALogIsReadAgainOnlyAfterItsPodHasChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(1)
		f.Put(podKind, podNamed("a"))
		f.Cover(inShop)
		first := f.turns[0]
		c := NewCache(f, nil)
		defer c.Close()
		q := source.LogQuery{Namespace: "shop", Pod: "a", UID: "a", Container: "app"}
		view := func() string {
			v, err := c.View(t.Context(), func(*index.View) ([]source.Query, []source.LogQuery) {
				return []source.Query{inShop}, []source.LogQuery{q}
			})
			if err != nil {
				t.Fatal(err)
			}
			text, _ := v.Log("a", "app", false)
			return text
		}
		change := func(name string) {
			first <- func(handle func(watch.EventType, source.Object)) error {
				handle(watch.Modified, podNamed(name))
				return nil
			}
			synctest.Wait()
		}
		if got := view(); got != "read 1" {
			t.Error(got)
		}
		change("b")
		if got := view(); got != "read 1" {
			t.Errorf("after a change of another pod: %s", got)
		}
		change("a")
		if got := view(); got != "read 2" {
			t.Errorf("after a change of its pod: %s", got)
		}
	})
}
