package cause

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/source/snapshot"
)

// The files of testdata are what a cluster of version 1.36 showed while these
// faults were provoked on it. The head of each says at which moment, of which
// workload, and what must come first.
func TestWhatARealClusterShowsIsJudged(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".yaml"), func(t *testing.T) {
			head := headOf(t, f)
			store, gaps, err := snapshot.Read([]string{f}, nil, snapshot.Options{})
			if err != nil || len(gaps) > 0 {
				t.Fatal(err, gaps)
			}
			at, err := time.Parse(time.RFC3339, head["at"])
			if err != nil {
				t.Fatal(err)
			}
			store.SetNow(at)
			for _, missing := range []string{"ConfigMap", "Node"} {
				store.Cover(source.Query{Kind: object.Ref{Kind: missing}.GroupKind()})
			}
			v := index.New(store.Contents())
			kind, name, _ := strings.Cut(head["of"], "/")
			w, ok := theOnly(v, kind, name)
			if !ok {
				t.Fatalf("no %s", head["of"])
			}
			causes := NewMemory(at.Add(-10*time.Minute)).Judge(v, w)
			if head["says"] == "" {
				if len(causes) > 0 {
					t.Errorf("it rolls well, but got %v", codes(causes))
				}
				return
			}
			if len(causes) == 0 || causes[0].Code != head["says"] || causes[0].Terminal != (head["certain"] == "true") {
				t.Fatalf("got %+v", causes)
			}
			if since := causes[0].Since; since.After(at) || since.Before(at.Add(-10*time.Minute)) {
				t.Errorf("since %s", since)
			}
		})
	}
}

func theOnly(v *index.View, kind, name string) (*workload.Workload, bool) {
	for _, it := range v.List(object.Ref{Group: "apps", Kind: kind}.GroupKind(), "") {
		if it.Ref.Name == name {
			return workload.Of(v, it.Ref)
		}
	}
	return nil, false
}

// headOf reads the comments at the top of a file.
func headOf(t *testing.T, name string) map[string]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	head := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		key, value, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "# "), ":")
		if !ok || !strings.HasPrefix(lines.Text(), "#") {
			break
		}
		head[key] = strings.TrimSpace(value)
	}
	return head
}
