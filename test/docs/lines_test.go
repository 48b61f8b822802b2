package main

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

const top = "../.."

// others are the programs that the pages name and that are not ours to run.
func others() map[string]string {
	return map[string]string{
		"kubectl krew": "make krew-test installs with the real krew in every way",
		"kubectl set":  "kubectl's own",
		"cosign":       "checks the signature of a release, which only one that is published has",
		"sha256sum":    "the system's own",
		"git":          "the system's own",
		"cd":           "the shell's own",
		"ln":           "make install and make krew-test make the link",
	}
}

// Every command line of every page is one of our commands, which then runs as
// it is written, or a target of make that there is, or none of ours.
func TestEveryCommandLineOfThePagesRuns(t *testing.T) {
	makefile := read(t, "Makefile")
	run := map[string]int{}
	wanted := others()
	for _, s := range everyLine(t) {
		words := strings.Fields(s.line)
		if c, args, ok := s.ours(); ok {
			run[s.page]++
			t.Run(s.String(), func(t *testing.T) { runs(t, c, args) })
			continue
		}
		switch _, known := wanted[words[0]]; {
		case words[0] == "make":
			if target := words[1]; !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(target) + `:.*##`).MatchString(makefile) {
				t.Errorf("%s: there is no target %s", s, target)
			}
		case words[0] == "kubectl" && wanted[strings.Join(words[:2], " ")] != "", known:
		default:
			t.Errorf("%s: what is it? Neither a command of ours nor one that is known", s)
		}
	}
	for page, least := range map[string]int{"README.md": 30, "docs/ci.md": 3, "docs/install.md": 4, "docs/commands/explain-tree.md": 7, "docs/commands/check-endpoints.md": 8, "docs/commands/guard-rollout.md": 9, "docs/commands/trace-dns.md": 8} {
		if run[page] < least {
			t.Errorf("%s: %d lines were run; there were %d and more", page, run[page], least)
		}
	}
}

// everyLine leaves out what `make docs` prints together with the output that it
// got, for docs-check runs that again.
func everyLine(t *testing.T) []shown {
	t.Helper()
	var all []shown
	eachPage(t, func(page, text string) {
		if strings.Contains(text, generated) {
			text = strings.ReplaceAll(text, "```console\n", "```output\n")
		}
		all = append(all, linesOf(filepath.ToSlash(page), text)...)
	})
	return all
}

func eachPage(t *testing.T, do func(page, text string)) {
	t.Helper()
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules" || entry.Name() == "dist") {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		page, err := filepath.Rel(top, path)
		if err == nil {
			do(page, read(t, page))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// runs has the command read every flag as it is written, and then answer from
// what was recorded.
func runs(t *testing.T, c command, args []string) {
	t.Helper()
	if code, said := exits(t, c, append(slices.Clone(args), "--help")); code != cli.ExitOK {
		t.Fatalf("its flags are not taken: exit code %d: %s", code, said)
	}
	if code, said := exits(t, c, offline(t, args)); code == cli.ExitError {
		t.Fatalf("exit code %d: %s", code, said)
	}
}

func exits(t *testing.T, c command, args []string) (code int, said string) {
	t.Helper()
	var out, errs bytes.Buffer
	streams := term.Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: environment}
	code = cli.Run(context.Background(), c.plugin, append([]string{"kubectl-" + strings.ReplaceAll(c.name, "-", "_")}, args...), streams)
	if code == cli.ExitOK && out.Len() == 0 && !slices.Contains(args, "-q") {
		t.Errorf("it says nothing")
	}
	return code, errs.String()
}

// live are the flags that want a cluster, and whether a value follows them.
func live() map[string]bool {
	return map[string]bool{
		"-w": false, "--await": false, "--yes": false, "--on-failure": true, "--record": true,
		"--probe": true, "--probe-url": true, "--probe-from": true, "--debug-container": true,
	}
}

// offline is the line without what wants a cluster, on the dumps and the
// recording.
func offline(t *testing.T, args []string) []string {
	t.Helper()
	if len(args) > 0 && args[0] == "completion" {
		return args
	}
	record := "pkg/rollout/testdata/frontend.ndjson.gz"
	if slices.Contains(args, "deploy/web") {
		record = "test/demo/stories/1-hand-over/recording.ndjson.gz"
	}
	dumps := []string{"--snapshot", file(t, "test/script/testdata/snapshots/shop.yaml"), "--snapshot", file(t, "test/docs/testdata/named.yaml")}
	var kept []string
	for i := 0; i < len(args); i++ {
		flag, _, inOne := strings.Cut(args[i], "=")
		takesValue, wantsCluster := live()[flag]
		switch {
		case wantsCluster:
			if follows := i+1 < len(args) && !strings.HasPrefix(args[i+1], "-"); takesValue && !inOne && follows {
				i++
			}
		case flag == "--snapshot":
			i++
		case flag == "--replay":
			kept, dumps = append(kept, flag, file(t, record)), nil
			i++
		case flag == "--speed":
			if !inOne {
				i++
			}
		case flag == "--save-snapshot":
			kept = append(kept, flag, filepath.Join(t.TempDir(), args[i+1]))
			i++
		case flag == "-f":
			kept = append(kept, flag, file(t, "test/docs/testdata/"+args[i+1]))
			i++
		default:
			kept = append(kept, args[i])
		}
	}
	return append(kept, dumps...)
}

func file(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(top, name)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}
