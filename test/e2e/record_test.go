package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// go test -run TestStory -record writes the stories anew for the demo.
var record = flag.Bool("record", false, "write the stories' snapshots to test/demo/stories")

func stories() string { return filepath.Join(Root(), "test", "demo", "stories") }

// record keeps this moment of the story, when asked to: the snapshot, and what
// the demo says of it.
func (w *walk) record(name, title, arguments, prose string) {
	w.t.Helper()
	if !*record {
		return
	}
	dir := filepath.Join(stories(), name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
	args := append([]string{"-n", w.namespace}, strings.Fields(arguments)...)
	if a := lab.Ask(w.t, append(args, "--save-snapshot", filepath.Join(dir, "snapshot.yaml.gz"))...); a.Exit != 0 {
		w.t.Fatalf("record %s: exit code %d: %s", name, a.Exit, a.Stderr)
	}
	if err := os.Chmod(filepath.Join(dir, "snapshot.yaml.gz"), 0o644); err != nil { // it is meant for everyone
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "story.txt"), []byte(title+"\n"+arguments+"\n"+wrapped(prose, 79)), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// wrapped breaks a paragraph into lines of at most width bytes.
func wrapped(text string, width int) string {
	var b strings.Builder
	line := 0
	for _, word := range strings.Fields(text) {
		switch {
		case line > 0 && line+1+len(word) > width:
			b.WriteByte('\n')
			line = 0
		case line > 0:
			b.WriteByte(' ')
			line++
		}
		b.WriteString(word)
		line += len(word)
	}
	return b.String() + "\n"
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestTheRecordedStoriesCanBeTold(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(stories(), "*"))
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	guard := lab.Beside(t, "guard_rollout")
	for _, dir := range dirs {
		number, _, _ := strings.Cut(filepath.Base(dir), "-")
		told[number] = true
		t.Run(filepath.Base(dir), func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(dir, "story.txt"))
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.SplitN(string(text), "\n", 3)
			if len(lines) < 3 || lines[0] == "" || strings.TrimSpace(lines[2]) == "" {
				t.Fatalf("story.txt needs a title, arguments and a paragraph: %q", text)
			}
			teller, args, record := &lab, strings.Fields(lines[1]), []string{"--snapshot", filepath.Join(dir, "snapshot.yaml.gz")}
			failed := func(code int) bool { return code != 0 }
			if args[0] == "guard-rollout" { // its exit code is part of the story
				teller, args = guard, args[1:]
				failed = func(code int) bool { return code == 1 }
			}
			if recording := filepath.Join(dir, "recording.ndjson.gz"); exists(recording) {
				record = []string{"--replay", recording}
			}
			a := teller.Ask(t, append(append(args, record...), "--kubeconfig", "/nonexistent")...)
			if failed(a.Exit) || a.Stderr != "" {
				t.Errorf("exit code %d: %s", a.Exit, a.Stderr)
			}
			if *show {
				t.Log("\n" + a.Stdout)
			}
		})
	}
	for _, number := range []string{"1", "2", "3", "4", "5"} {
		if !told[number] {
			t.Errorf("story %s is not recorded", number)
		}
	}
}
