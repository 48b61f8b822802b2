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

// plain are the lines of a recording.
func plain(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".ndjson.gz"))
	if err != nil {
		t.Fatal(err)
	}
	gz, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := io.ReadAll(gz)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// FuzzWatch judges recordings that a stranger changed: some text in place of
// another, one line in so many left out, cut off somewhere. Whatever they say,
// it does not panic, every frame has a phase and a sentence, and its document
// can be written.
func FuzzWatch(f *testing.F) {
	var texts [][]byte
	for _, name := range []string{"deleted", "rollback", "stsquota", "ondelete"} {
		texts = append(texts, plain(f, name))
	}
	for i := range texts {
		f.Add(uint8(i), `"replicas":2`, `"replicas":-1`, uint8(0), uint32(0))
		f.Add(uint8(i), `"uid":"`, `"uid":"x`, uint8(7), uint32(0))
		f.Add(uint8(i), `"status":{`, `"status":{"containerStatuses":[{}],`, uint8(0), uint32(9000))
		f.Add(uint8(i), `2026-11-22T03:20:3`, `2026-11-22T03:20:1`, uint8(0), uint32(0))
		f.Add(uint8(i), `"app":"`, `"app":"\u0000\ufffd`, uint8(3), uint32(0))
		f.Add(uint8(i), `"ownerReferences"`, `"x"`, uint8(0), uint32(0))
	}
	f.Fuzz(func(t *testing.T, which uint8, from, to string, leaveOut uint8, size uint32) {
		text := texts[int(which)%len(texts)]
		if from != "" && len(to) < 1<<10 {
			text = bytes.ReplaceAll(text, []byte(from), []byte(to))
		}
		if len(text) > 1<<20 {
			return
		}
		if leaveOut > 1 {
			var kept []byte
			n := 0
			for line := range bytes.Lines(text) {
				if n++; n <= 2 || n%int(leaveOut) != 0 { // who watches what is said first
					kept = append(kept, line...)
				}
			}
			text = kept
		}
		if size > 0 && int(size) < len(text) {
			text = text[:size]
		}
		j, _ := read(text) // up to where it breaks off
		if j == nil || len(j.targets) == 0 || len(j.targets) > 50 {
			return
		}
		if span := j.happened[len(j.happened)-1].At.Sub(j.happened[0].At); span < 0 || span > 2*time.Minute {
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
