package world

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the pages of docs/ anew")

// kept compares a page with the one in docs/, or writes it.
func kept(t *testing.T, path, page string) {
	t.Helper()
	if t.Failed() {
		return
	}
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, want := strings.Split(page, "\n"), strings.Split(string(written), "\n")
	for i, line := range got {
		if i >= len(want) || line != want[i] {
			t.Errorf("%s is stale at line %d; read what changed and write it anew with: go test ./test/world -update\ngot:  %s", path, i+1, line)
			return
		}
	}
}

func TestWhateverGoesWrongIsSaidInTimeAndAccusesNobody(t *testing.T) {
	c := shop(t)
	now := func() time.Time { return c.Store.Now() }
	faults := Faults()
	rows := make([]string, len(faults)*len(commands))
	each(len(rows), func(n int) {
		f, cmd := faults[n/len(commands)], commands[n%len(commands)]
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		args := append([]string{}, cmd.well...)
		if f.Patience > 0 {
			args = append(args, "--request-timeout", f.Patience.String())
		}
		e := ask(ctx, t, cmd.plugin, up(t, Faults()[n/len(commands)].Before(c)), now, args...) // a Fault of its own: some count
		if ctx.Err() != nil {
			t.Errorf("%s: %s hangs: %s", f.Title, cmd.name, e.said())
		}
		if e.code == 2 || strings.Contains(e.said(), "does not exist") || strings.Contains(e.said(), "has no pod") {
			t.Errorf("%s: %s: exit %d, which accuses: %s", f.Title, cmd.name, e.code, e.said())
		}
		said := e.said()
		if strings.HasPrefix(f.Title, "Watches are refused") {
			said = oneUnseen.ReplaceAllString(said, "not seen: deployments ${1}") // which is refused before the end is chance
		}
		rows[n] = fmt.Sprintf("| %s | %d | %s |\n", cmd.name, e.code, strings.ReplaceAll(said, "|", `\|`))
	})
	page := failuresTop
	for i, f := range faults {
		page += "\n## " + f.Title + "\n\n| command | exit | what it says |\n|---|---|---|\n" + strings.Join(rows[i*len(commands):(i+1)*len(commands)], "")
	}
	kept(t, "../../docs/failures.md", page)
}

var oneUnseen = regexp.MustCompile(`not seen: [a-z, ]+ (\(forbidden\))`)

const failuresTop = `# When something goes wrong

<!-- Written by make docs; do not edit. -->

What each command says about a Deployment that is well when the cluster, or what stands before it, fails. Every request is
bounded by ` + "`--request-timeout`" + ` (15 s unless set), retries included; Ctrl-C ends at once. Exit codes: 0 an answer, what it lacks
named behind it; 1 it could not run; 3 not enough was seen for a verdict. Nothing that cannot be seen is called missing.
`

func TestAnInterruptEndsWhateverHangs(t *testing.T) {
	c := shop(t)
	faults := slices.DeleteFunc(Faults(), func(f Fault) bool { return f.Patience == 0 })
	each(len(faults)*len(commands), func(n int) {
		f, cmd := faults[n/len(commands)], commands[n%len(commands)]
		url := up(t, f.Before(c))
		ctx, interrupt := context.WithCancel(t.Context())
		time.AfterFunc(300*time.Millisecond, interrupt)
		e := ask(ctx, t, cmd.plugin, url, func() time.Time { return c.Store.Now() }, append([]string{"--request-timeout", "1h"}, cmd.well...)...)
		if e.took > 5*time.Second {
			t.Errorf("%s: %s goes on for %s", f.Title, cmd.name, e.took)
		}
		if e.code != 130 && e.code != 0 { // it may have ended before
			t.Errorf("%s: %s: exit %d: %s", f.Title, cmd.name, e.code, e.said())
		}
	})
}

func TestAClockThatIsWrongAccusesNobody(t *testing.T) {
	c := shop(t)
	skews := []time.Duration{-24 * time.Hour, -time.Hour, time.Hour, 24 * time.Hour}
	each(len(skews)*len(commands), func(n int) {
		skew, cmd := skews[n/len(commands)], commands[n%len(commands)]
		e := ask(t.Context(), t, cmd.plugin, up(t, c), func() time.Time { return c.Store.Now().Add(skew) }, cmd.well...)
		if e.code != 0 {
			t.Errorf("clock off by %s: %s: exit %d: %s\n%s", skew, cmd.name, e.code, e.said(), e.out)
		}
	})
}

func TestAFullDiskLeavesTheAnswer(t *testing.T) {
	c := shop(t)
	now := func() time.Time { return c.Store.Now() }
	runs := [][]string{{"--save-snapshot", "/dev/full"}, {"--save-snapshot", "/nowhere/x.yaml"}}
	each(len(runs)*len(commands), func(n int) {
		cmd, args := commands[n%len(commands)], runs[n/len(commands)]
		e := ask(t.Context(), t, cmd.plugin, up(t, c), now, append(slices.Clone(cmd.well), args...)...)
		if e.code != 1 || !strings.Contains(e.err, "cannot save the snapshot") || !strings.Contains(e.out, "web") {
			t.Errorf("%s %v: exit %d, %q, and the answer is %q", cmd.name, args, e.code, e.err, e.out)
		}
	})
	e := ask(t.Context(), t, commands[2].plugin, up(t, c), now, "deploy/web", "--record", "/dev/full")
	if e.code != 1 || !strings.Contains(e.err, "no space left on device") || !strings.Contains(e.out, "2 of 2 new pods available") {
		t.Errorf("a recording: exit %d, %q, and the answer is %q", e.code, e.err, e.out)
	}
	if info, err := os.Stat("/dev/full"); err != nil || info.Mode().IsRegular() {
		t.Errorf("/dev/full was replaced: %v", err)
	}
}
