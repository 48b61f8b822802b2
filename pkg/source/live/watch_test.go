package live

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// follow watches until n changes came or the watch ended.
func follow(t *testing.T, s *Source, q source.Query, from string, n int) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var got []string
	err := s.Watch(ctx, q, from, func(e watch.EventType, o source.Object) {
		if o == nil {
			got = append(got, string(e))
		} else {
			got = append(got, fmt.Sprintf("%s %s %s", e, o.GetObjectKind().GroupVersionKind().Kind, o.GetName()))
		}
		if len(got) == n {
			cancel()
		}
	})
	return got, err
}

func pod(name, rv string) *corev1.Pod {
	return &corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: rv}}
}

func frame(t *testing.T, e watch.EventType, o runtime.Object) []byte {
	event := metav1.WatchEvent{Type: string(e), Object: runtime.RawExtension{Raw: protobufOf(t, o)}}
	body, err := event.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func TestAWatchResumesWhereItBrokeOff(t *testing.T) {
	c := newCluster(t)
	c.mux.HandleFunc("/api/v1/namespaces/shop/pods", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", protobufType+";stream=watch")
		switch from := r.URL.Query().Get("resourceVersion"); from {
		case "5":
			w.Write(frame(t, watch.Added, pod("a", "6")))
			w.Write(frame(t, watch.Bookmark, pod("", "8")))
			w.Write(frame(t, watch.Modified, pod("b", "9"))[:10]) // cut off
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case "8":
			w.Write(frame(t, watch.Deleted, pod("b", "10")))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		default:
			t.Errorf("watched from %q", from)
		}
	})
	got, err := follow(t, c.source(t, Options{}), source.Query{Kind: pods, Namespace: "shop"}, "5", 4)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"ADDED Pod a", "LOST", "RESUMED", "DELETED Pod b"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAWatchThatExpiredSaysSo(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"as an answer": status(410, metav1.StatusReasonExpired, "", "too old resource version"),
		"as an event": func(w http.ResponseWriter, _ *http.Request) {
			st, _ := json.Marshal(metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: "Failure", Code: 410})
			inJSON(`{"type":"ERROR","object":`+string(st)+`}`)(w, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.mux.HandleFunc("/api/v1/pods", answer)
			if _, err := follow(t, c.source(t, Options{}), source.Query{Kind: pods}, "1", 1); !errors.Is(err, source.ErrExpired) {
				t.Errorf("error: %v", err)
			}
		})
	}
}

func TestAWatchByNameReadsFirst(t *testing.T) {
	for name, tt := range map[string]struct {
		present []string
		want    []string
	}{
		"the object is there": {[]string{"a"}, []string{"ADDED Pod a"}},
		"the object is gone":  {nil, []string{"DELETED Pod a"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.mux.HandleFunc("/api/v1/namespaces/shop/pods", func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("fieldSelector") != "metadata.name=a" {
					t.Errorf("query: %s", r.URL.RawQuery)
				}
				inProtobuf(t, podList("3", "", tt.present...))(w, r)
			})
			got, _ := follow(t, c.source(t, Options{}), source.Query{Kind: pods, Namespace: "shop", Name: "a"}, "", 1)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAWatchThatIsNotPermittedEnds(t *testing.T) {
	c := newCluster(t)
	c.mux.HandleFunc("/api/v1/pods", status(403, metav1.StatusReasonForbidden, "", "you may not"))
	_, err := follow(t, c.source(t, Options{}), source.Query{Kind: pods}, "1", 1)
	if err == nil || err.Error() != "cannot watch pods: you may not" {
		t.Errorf("error: %v", err)
	}
}

func TestAWatchInJSONOfMetadata(t *testing.T) {
	c := newCluster(t)
	var body bytes.Buffer
	for i := range 3 {
		fmt.Fprintf(&body, `{"type":"MODIFIED","object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"s%d","resourceVersion":"%d"}}}`+"\n", i, i+2)
	}
	c.mux.HandleFunc("/api/v1/secrets", inJSON(body.String()))
	got, _ := follow(t, c.source(t, Options{}), source.Query{Kind: secret}, "1", 3)
	if diff := cmp.Diff([]string{"MODIFIED Secret s0", "MODIFIED Secret s1", "MODIFIED Secret s2"}, got); diff != "" {
		t.Error(diff)
	}
}
