package rollout_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/source/snapshot"
)

// journal is a recording of a real rollout, in memory. Judging it again and
// again with other pauses must always come to the same end.
type journal struct {
	targets   []object.Ref
	opts      rollout.Options
	keepGoing bool
	happened  []source.Happening
	on        time.Duration // how long time goes on after the recording's end
}

// opening is the note with which guard-rollout begins a recording.
type opening struct {
	Targets        []object.Ref  `json:"targets"`
	Timeout        time.Duration `json:"timeout"`
	StableFor      time.Duration `json:"stableFor"`
	WaitTerminated bool          `json:"waitTerminated"`
	Await          bool          `json:"await"`
	StayPaused     bool          `json:"stayPaused"`
	KeepGoing      bool          `json:"keepGoing"`
}

func recording(t testing.TB, name string) *journal {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".ndjson.gz"))
	if err != nil {
		t.Fatal(err)
	}
	j, err := read(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return j
}

// read takes what can be read; a recording may be cut off.
func read(text []byte) (*journal, error) {
	replay, err := snapshot.OpenJournal(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	defer replay.Close()
	j := &journal{}
	for {
		h, err := replay.Next()
		if err != nil {
			if len(j.happened) == 0 {
				return nil, err
			}
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return j, err
		}
		if len(j.happened) == 0 && h.Note != nil {
			var o opening
			if err := json.Unmarshal(h.Note.Document, &o); err != nil {
				return nil, err
			}
			j.targets, j.keepGoing = o.Targets, o.KeepGoing
			j.opts = rollout.Options{Timeout: o.Timeout, StableFor: o.StableFor, WaitTerminated: o.WaitTerminated, Await: o.Await, StayPaused: o.StayPaused}
		}
		j.happened = append(j.happened, h)
	}
}

// end plays the recording to its end: it judges each settle after something
// happened, and at the latest each pulse, as the plugin does. Each frame is
// handed to see.
func (j *journal) end(settle, pulse time.Duration, see func(*report.Report)) *report.Report {
	rest := j.happened
	now := rest[0].At
	store := source.NewStore(now)
	watch := rollout.New(now, j.targets, j.opts)
	play := func() {
		store.Play(rest[0])
		watch.Happened(rest[0])
		rest = rest[1:]
	}
	wants := func() bool {
		queries, _ := watch.Needs(index.New(store.Contents()))
		for _, q := range queries {
			if !store.Covers(q) {
				return true
			}
		}
		return false
	}
	for {
		for len(rest) > 0 && wants() {
			if rest[0].At.After(now) {
				now = rest[0].At
			}
			play()
		}
		store.SetNow(now)
		r := watch.Observe(index.New(store.Contents()))
		if see != nil {
			see(r)
		}
		if len(rest) == 0 && (watch.Final(j.keepGoing) || j.on <= 0) {
			return r
		}
		then := now.Add(pulse)
		if len(rest) == 0 {
			j.on -= pulse
		} else if soon := rest[0].At.Add(settle); soon.Before(then) {
			then = soon
		}
		if !then.After(now) {
			then = now.Add(time.Millisecond)
		}
		now = then
		for n := 0; len(rest) > 0 && !rest[0].At.After(now); n++ {
			if n > 0 && rollout.Acts(rest[0].Note) {
				now = rest[0].At
				break
			}
			play()
		}
	}
}

// asWatched is how the plugin itself judges.
func (j *journal) asWatched(see func(*report.Report)) *report.Report {
	return j.end(100*time.Millisecond, time.Second, see)
}
