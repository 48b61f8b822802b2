package world

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// restless sends the objects of each watch again and again, as they are: every
// time is a reason to judge anew.
func restless(c *Cluster) http.Handler {
	return instead(param("watch"), func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		a, params := Read(r), r.URL.Query()
		w.Header().Set("Content-Type", jsonType)
		for r.Context().Err() == nil {
			for _, o := range c.Store.Find(source.Query{Kind: a.Kind.GroupKind(), Namespace: a.Namespace, Labels: params.Get("labelSelector"), Fields: params.Get("fieldSelector")}) {
				var sent any = o
				if wantsMetadata(r) {
					sent = metadata(o)
				}
				_ = json.NewEncoder(w).Encode(map[string]any{"type": "MODIFIED", "object": sent})
			}
			w.(http.Flusher).Flush()
			time.Sleep(100 * time.Millisecond)
		}
	})(c)
}

func TestAClockThatJumpsDuringAWatchAccusesNobody(t *testing.T) {
	c := shop(t)
	jumps := []time.Duration{0, time.Hour, -time.Hour, 24 * time.Hour, 0, -24 * time.Hour}
	each(len(commands), func(n int) {
		cmd := commands[n]
		var looked atomic.Int64
		ctx, stop := context.WithCancel(t.Context())
		now := func() time.Time {
			at := looked.Add(1)
			if at == 400 {
				time.AfterFunc(time.Second, stop)
			}
			return c.Store.Now().Add(jumps[int(at/40)%len(jumps)])
		}
		args := append(cmd.watching(), "-o", "json")
		switch cmd.name {
		case "guard-rollout":
			args[len(args)-1] = "ndjson"
		case "explain-tree", "check-endpoints", "trace-dns":
			args = args[:len(args)-2]
		}
		e := ask(ctx, t, cmd.plugin, up(t, restless(c)), now, args...)
		if e.code != 130 {
			t.Errorf("%s: exit %d after %d looks: %s\n%s", cmd.name, e.code, looked.Load(), e.err, e.out)
		}
		for _, accusation := range []string{"✗", "⚠", `"broken"`, `"error"`, "timed out"} {
			if strings.Contains(e.out, accusation) {
				t.Errorf("%s: %s in\n%s", cmd.name, accusation, e.out)
			}
		}
	})
}

// A recording carries the moments at which things came in. Those that come after
// the clock was set back are earlier; the timestamps of objects are not.
func TestAClockThatIsSetBackDuringARolloutChangesNoVerdict(t *testing.T) {
	names := []string{"held", "scaled", "minready", "nginx", "badimage", "crash"}
	jumps := []time.Duration{0, -30 * time.Second, -24 * time.Hour}
	places := []int{40, 80} // after how much of it, in percent
	type ending struct {
		phase report.Phase
		first string
	}
	told := make([]ending, len(names)*len(jumps)*len(places))
	each(len(told), func(n int) {
		name, jump, place := names[n/len(places)/len(jumps)], jumps[n/len(places)%len(jumps)], places[n%len(places)]
		file := filepath.Join(t.TempDir(), "recorded.ndjson")
		if err := moved(filepath.Join("../../pkg/rollout/testdata", name+".ndjson.gz"), file, place, jump); err != nil {
			t.Error(err)
			return
		}
		e := ask(t.Context(), t, commands[2].plugin, "http://127.0.0.1:1", time.Now, "--replay", file, "--speed", "max", "-o", "json", "--timeout", "0")
		var r report.Report
		if err := json.Unmarshal([]byte(e.out), &r); err != nil || len(r.Rollouts) == 0 {
			t.Errorf("%s: %v: %s", name, err, e.said())
			return
		}
		told[n].phase = r.Rollouts[0].Phase
		if len(r.Findings) > 0 {
			told[n].first = r.Findings[0].Code
		}
	})
	for n, is := range told {
		name, jump, place := names[n/len(places)/len(jumps)], jumps[n/len(places)%len(jumps)], places[n%len(places)]
		if was := told[n-n%(len(places)*len(jumps))]; is != was {
			t.Errorf("%s, the clock is set by %s after %d %% of it: %v, without that %v", name, jump, place, is, was)
		}
	}
}

// moved copies a recording whose clock jumps.
func moved(from, to string, percent int, by time.Duration) error {
	packed, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	text, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	var lines [][]byte
	scanner := bufio.NewScanner(text)
	for scanner.Buffer(nil, 8<<20); scanner.Scan(); {
		lines = append(lines, bytes.Clone(scanner.Bytes()))
	}
	for i := len(lines) * percent / 100; i < len(lines); i++ {
		var line map[string]json.RawMessage
		var at time.Time
		if err := json.Unmarshal(lines[i], &line); err != nil {
			return err
		}
		if err := json.Unmarshal(line["at"], &at); err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
		line["at"], _ = json.Marshal(at.Add(by))
		if lines[i], err = json.Marshal(line); err != nil {
			return err
		}
	}
	return os.WriteFile(to, append(bytes.Join(lines, []byte("\n")), '\n'), 0o600)
}
