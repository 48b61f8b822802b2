package collect

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

func TestWhatIsLearntIsAskedForNext(t *testing.T) {
	services, pods := schema.GroupKind{Kind: "Service"}, schema.GroupKind{Kind: "Pod"}
	store := source.NewStore(time.Unix(1000, 0))
	store.Put(services, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"}})
	store.Put(pods, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web-1", Namespace: "shop"}})
	store.Cover(source.Query{Kind: services})
	store.Cover(source.Query{Kind: pods, Namespace: "shop"})
	rounds := 0
	view, err := View(t.Context(), store, func(v *index.View) ([]source.Query, []source.LogQuery) {
		rounds++
		wanted := []source.Query{{Kind: services}}
		for _, it := range v.List(services, "") {
			wanted = append(wanted, source.Query{Kind: pods, Namespace: it.Ref.Namespace})
		}
		return wanted, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(view.List(pods, "shop")) != 1 || rounds != 3 || !view.Now.Equal(time.Unix(1000, 0)) {
		t.Errorf("%d rounds, %v", rounds, view.Every())
	}
}

func TestWhatIsDoubtedIsReadAnew(t *testing.T) {
	pods := schema.GroupKind{Kind: "Pod"}
	whole := source.Query{Kind: pods, Namespace: "shop"}
	src := source.NewStore(time.Unix(1000, 0))
	src.Put(pods, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "old", Namespace: "shop"}})
	src.Cover(whole)
	reader := NewReader(src, func(*index.View) ([]source.Query, []source.LogQuery) { return []source.Query{whole}, nil })
	if _, err := reader.View(t.Context()); err != nil {
		t.Fatal(err)
	}
	src.Apply(pods, watch.Deleted, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "old", Namespace: "shop"}})
	src.Put(pods, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "new", Namespace: "shop"}})
	src.SetNow(time.Unix(1002, 0))
	if err := reader.Again(t.Context(), []source.Query{whole}); err != nil {
		t.Fatal(err)
	}
	view, err := reader.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if found := view.List(pods, "shop"); len(found) != 1 || found[0].Ref.Name != "new" || !view.Now.Equal(time.Unix(1002, 0)) {
		t.Errorf("%v as of %v", found, view.Now)
	}
}

func TestCollectingEnds(t *testing.T) {
	asked := 0
	_, err := View(t.Context(), source.NewStore(time.Time{}), func(*index.View) ([]source.Query, []source.LogQuery) {
		asked++
		return []source.Query{{Kind: schema.GroupKind{Kind: "Pod"}, Name: string(rune('a' + asked))}}, nil
	})
	if err != nil || asked > rounds+1 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

func TestAnEndedContextIsAnError(t *testing.T) {
	_, err := View(t.Context(), failing{source.NewStore(time.Time{})}, func(*index.View) ([]source.Query, []source.LogQuery) {
		return []source.Query{{Kind: schema.GroupKind{Kind: "Pod"}}}, nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

type failing struct{ *source.Store }

func (failing) Read(context.Context, source.Query) (source.Result, error) {
	return source.Result{}, context.Canceled
}
