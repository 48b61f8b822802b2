package live

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

const (
	// The server ends a watch after this time, as client-go's reflector asks
	// it to, so that watches spread anew over the API servers.
	watchSeconds = 5 * 60
	maxBackoff   = 10 * time.Second
	maxEvent     = 16 << 20 // apimachinery pkg/runtime/serializer/streaming
)

// Watch implements source.Watcher. Without a resource version, as a Read by
// name leaves it, it reads first and reports what it finds as Added, and a
// named object that is gone as Deleted with nothing but its name. It rides out
// lost connections and a server that is away; what no retry mends, such as a
// missing permission, is an error.
func (s *Source) Watch(ctx context.Context, q source.Query, resourceVersion string, handle func(watch.EventType, source.Object)) error {
	if _, err := s.connect(); err != nil {
		return err
	}
	k, ok, err := s.kindOf(ctx, q.Kind)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("cannot watch %s: the server has no such resource type", q.Kind)
	}
	w := &watcher{s: s, k: k, q: q, f: s.formOf(q), handle: handle, from: resourceVersion}
	for {
		err := w.follow(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !w.lost {
			w.lost = true
			handle(source.Lost, nil)
		}
		switch {
		case errors.Is(err, source.ErrExpired), errors.As(err, new(*source.WatchError)):
			return err
		case errors.Is(err, errMalformed):
			return &source.WatchError{Reason: source.Malformed, Err: err}
		case errors.As(err, new(webPage)):
			return &source.WatchError{Reason: source.ServerError, Err: err}
		}
		if sleep(ctx, w.pause(err)) != nil {
			return ctx.Err()
		}
	}
}

type watcher struct {
	s      *Source
	k      source.Kind
	q      source.Query
	f      form
	handle func(watch.EventType, source.Object)

	from    string // the resource version to go on from
	backoff time.Duration
	lost    bool // handle was told so
}

// follow watches over one connection, to its end.
func (w *watcher) follow(ctx context.Context) error {
	if w.from == "" {
		if err := w.start(ctx); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(w.s.conn.timeout, func() { cancel(context.DeadlineExceeded) })
	resp, err := w.s.send(ctx, w.s.conn, pathOf(w.k, w.q.Namespace), w.params(), w.f.acceptOne())
	if !timer.Stop() && err == nil {
		resp.Body.Close()
		err = context.DeadlineExceeded
	}
	if err != nil {
		return w.sort(err)
	}
	defer resp.Body.Close()
	if w.lost {
		w.lost = false
		w.handle(source.Resumed, nil)
	}
	next := frames(resp)
	for {
		event, err := next()
		if err != nil {
			return err
		}
		if err := w.take(event); err != nil {
			return err
		}
	}
}

// start reads what there is, so that the watch can begin at a known version.
func (w *watcher) start(ctx context.Context) error {
	result, err := w.s.list(ctx, w.k, w.q)
	if err != nil {
		return w.sort(err)
	}
	for _, o := range result.Objects {
		w.handle(watch.Added, o)
	}
	if w.q.Name != "" && len(result.Objects) == 0 && w.q.Labels == "" && w.q.Fields == "" {
		gone := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: w.q.Namespace, Name: w.q.Name}}
		gone.SetGroupVersionKind(w.k.GVK())
		w.handle(watch.Deleted, gone)
	}
	w.from = result.ResourceVersion
	return nil
}

func (w *watcher) params() url.Values {
	params := selectors(w.q)
	params.Set("watch", "true")
	params.Set("allowWatchBookmarks", "true")
	params.Set("timeoutSeconds", strconv.Itoa(watchSeconds))
	params.Set("resourceVersion", w.from)
	return params
}

// sort says which errors end the watch.
func (w *watcher) sort(err error) error {
	var status *apierrors.StatusError
	if !errors.As(err, &status) {
		return err
	}
	switch status.ErrStatus.Code {
	case http.StatusGone:
		return source.ErrExpired
	case http.StatusUnauthorized, http.StatusForbidden:
		return w.never(source.Forbidden, status)
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return w.never(source.NotServed, status)
	case http.StatusBadRequest:
		return w.never(source.ServerError, status)
	}
	return err
}

func (w *watcher) never(reason source.Reason, status *apierrors.StatusError) error {
	return &source.WatchError{Reason: reason, Err: fmt.Errorf("cannot watch %s: %s", w.k.Title(), status.ErrStatus.Message)}
}

// take hands on one event and remembers where to resume.
func (w *watcher) take(event *metav1.WatchEvent) error {
	kind := watch.EventType(event.Type)
	switch kind {
	case watch.Error:
		var st metav1.Status
		if err := decodeInto(event.Object.Raw, &st); err != nil {
			return fmt.Errorf("%w: a watch error: %v", errMalformed, err)
		}
		return w.sort(&apierrors.StatusError{ErrStatus: st})
	case watch.Bookmark, watch.Added, watch.Modified, watch.Deleted:
	default:
		return fmt.Errorf("%w: a watch event of type %q", errMalformed, event.Type)
	}
	o, err := w.decode(kind, event.Object.Raw)
	if err != nil {
		return err
	}
	if rv := o.GetResourceVersion(); rv != "" {
		w.from = rv
	}
	w.backoff = 0
	if kind != watch.Bookmark {
		w.handle(kind, o)
	}
	return nil
}

func (w *watcher) decode(kind watch.EventType, raw []byte) (source.Object, error) {
	if kind != watch.Bookmark {
		return w.s.decodeOne(w.f, w.k, raw)
	}
	into, err := w.s.newObject(w.f, w.k) // a bookmark has no name
	if err == nil {
		err = decodeInto(raw, into)
	}
	o, ok := into.(source.Object)
	if err != nil || !ok {
		return nil, fmt.Errorf("%w: a bookmark: %v", errMalformed, err)
	}
	return o, nil
}

// pause is how long to wait before the connection is made anew: the server's
// own word, or twice the last time. A connection that just ended is resumed
// at once.
func (w *watcher) pause(err error) time.Duration {
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		return time.Duration(seconds) * time.Second
	}
	w.backoff = min(max(2*w.backoff, 100*time.Millisecond), maxBackoff)
	return jittered(w.backoff)
}

// frames reads events one by one: length-delimited in protobuf, one after the
// other in JSON.
func frames(resp *http.Response) func() (*metav1.WatchEvent, error) {
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if media != protobufType {
		decoder := json.NewDecoder(resp.Body)
		return func() (*metav1.WatchEvent, error) {
			var event metav1.WatchEvent
			return &event, decoder.Decode(&event)
		}
	}
	reader, head, frame := bufio.NewReader(resp.Body), make([]byte, 4), []byte(nil)
	return func() (*metav1.WatchEvent, error) {
		if _, err := io.ReadFull(reader, head); err != nil {
			return nil, err
		}
		length := binary.BigEndian.Uint32(head)
		if length > maxEvent {
			return nil, fmt.Errorf("%w: a watch event of %d bytes", errMalformed, length)
		}
		frame = slices.Grow(frame[:0], int(length))[:length]
		if _, err := io.ReadFull(reader, frame); err != nil {
			return nil, err
		}
		return eventIn(frame), nil
	}
}

// eventIn reads an event as its own Unmarshal does, but for a copy of the object,
// which lies in the frame until the next one is read. What is damaged lacks its
// type or its object, and is refused by take.
func eventIn(frame []byte) *metav1.WatchEvent {
	const typeField, objectField, rawField = 1, 2, 1
	var event metav1.WatchEvent
	each(frame, typeField, func(_, value []byte) { event.Type = string(value) })
	each(frame, objectField, func(_, object []byte) {
		each(object, rawField, func(_, raw []byte) { event.Object.Raw = raw })
	})
	return &event
}
