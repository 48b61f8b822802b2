package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/test/faults"
)

// corpus is where the recorded faults are, from the top of the repository.
const corpus = "test/faults"

func findingsPage() []byte {
	var b bytes.Buffer
	b.WriteString("# Findings\n\n" + generated)
	b.WriteString("Every finding has a stable name and a page. `--explain NAME` prints the page in the terminal, `--explain all` this list.\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "\n## kubectl %s\n\n| finding | severity | |\n|---|---|---|\n", c.name)
		for _, d := range c.findings {
			fmt.Fprintf(&b, "| [%s](findings/%[1]s.md) | %s | %s |\n", d.Code, d.Severity, cell(d.Title))
		}
	}
	return b.Bytes()
}

// findingPages adds a page for each finding. Its example is what the command
// says of a fault of the corpus, where that has one with this root cause.
func findingPages(all map[string][]byte) error {
	cases, err := faults.Read(os.DirFS(corpus))
	if err != nil {
		return err
	}
	shown := map[string]faults.Case{}
	for _, c := range cases {
		if _, known := shown[c.First]; !known && c.First != "" {
			shown[c.First] = c
		}
	}
	for _, c := range commands() {
		for _, d := range c.findings {
			example := ""
			if known, ok := shown[d.Code]; ok {
				if example, err = exampleOf(c, known); err != nil {
					return err
				}
			}
			all["findings/"+d.Code+".md"] = findingPage(c, d, example)
		}
	}
	return nil
}

func findingPage(c command, d finding.Doc, example string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n%s**%s** (%s, [kubectl %s](../../commands/%[5]s.md))\n\n%s\n", d.Code, generated, prose(d.Title), d.Severity, c.name, prose(d.Means))
	for _, part := range []struct{ title, text string }{{"How it is told", d.Told}, {"What to do", d.Fix}, {"Where the rule stands", d.Source}} {
		if part.text != "" {
			fmt.Fprintf(&b, "\n## %s\n\n%s\n", part.title, prose(part.text))
		}
	}
	b.WriteString(example)
	return b.Bytes()
}

// exampleOf runs the command on the recording of a fault.
func exampleOf(c command, known faults.Case) (string, error) {
	args := known.Args(known.Ask, "")
	typed := strings.Join(args[:len(args)-2], " ") // without -o
	recording := filepath.Join(corpus, filepath.FromSlash(known.Folder()), known.Recording())
	folder, err := os.MkdirTemp("", "leadsman-docs-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	run := strings.Fields(typed)
	if err := known.Fill(run, corpus, folder); err != nil {
		return "", err
	}
	out, err := onRecording(c, run, known.Watches(), recording)
	if err != nil {
		return "", fmt.Errorf("%s: %w", known.Folder(), err)
	}
	return fmt.Sprintf("\n## Example\n\n%s It was [provoked on a real cluster](../../../test/faults/%s).\n\n```console\n$ kubectl %s %s\n%s```\n", prose(known.Story), known.Folder(), c.name, typed, out), nil
}

// onRecording is what a command prints about what was recorded.
func onRecording(c command, args []string, watched bool, file string) (string, error) {
	return onRecordingAt(0, c, args, watched, file)
}

// onRecordingAt is onRecording on a screen that has so many columns; 0 is none.
func onRecordingAt(columns int, c command, args []string, watched bool, file string) (string, error) {
	if watched {
		args = append(args, "--replay", file, "--speed", "max")
	} else {
		args = append(args, "--snapshot", file)
	}
	return outputAt(columns, c, args...)
}
