package rollout_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/report"
)

// FuzzWatch judges recordings that a stranger changed. Whatever they say, it
// does not panic, keeps what is final, and its document can be written.
func FuzzWatch(f *testing.F) {
	for _, name := range []string{"deleted", "rollback", "stsquota"} {
		text, err := os.ReadFile(filepath.Join("testdata", name+".ndjson.gz"))
		if err != nil {
			f.Fatal(err)
		}
		gz, err := gzip.NewReader(bytes.NewReader(text))
		if err != nil {
			f.Fatal(err)
		}
		plain, err := io.ReadAll(gz)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(plain, []byte(`"replicas":2`), []byte(`"replicas":-1`))
		f.Add(plain, []byte(`"uid":"`), []byte(`"uid":"x`))
		f.Add(plain, []byte(`"status":{`), []byte(`"status":{"containerStatuses":[{}],`))
		f.Add(plain, []byte(`2026-11-22T03:2`), []byte(`0001-01-01T00:0`))
		f.Add(plain, []byte(`"app":"web"`), []byte(`"app":"\u0000\ufffd"`))
		f.Add(plain, []byte(`"ownerReferences"`), []byte(`"x"`))
	}
	f.Fuzz(func(t *testing.T, text, from, to []byte) {
		if len(from) > 0 && len(to) < 1<<10 {
			text = bytes.ReplaceAll(text, from, to)
		}
		if len(text) > 1<<20 {
			return
		}
		j, _ := read(text) // up to where it breaks off
		if j == nil || len(j.happened) == 0 || len(j.targets) > 50 {
			return
		}
		if first, last := j.happened[0].At, j.happened[len(j.happened)-1].At; last.Sub(first) > time.Hour {
			return // a second at a time, that is a matter of patience
		}
		r := j.asWatched(func(r *report.Report) {
			for _, ro := range r.Rollouts {
				if ro.Elapsed < 0 || ro.Summary == "" || ro.Phase == "" {
					t.Errorf("%+v", ro)
				}
			}
		})
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
	})
}
