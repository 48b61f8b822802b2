package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

func findingsPage() []byte {
	var b bytes.Buffer
	b.WriteString("# Findings\n\n" + generated)
	b.WriteString("Every finding has a stable name and a page. `--explain NAME` prints the page in the terminal, `--explain all` this list.\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "\n## kubectl %s\n\n| finding | severity | |\n|---|---|---|\n", c.name)
		for _, d := range c.findings {
			fmt.Fprintf(&b, "| [%s](findings/%[1]s.md) | %s | %s |\n", d.Code, d.Severity, cell(d.Title))
		}
		if len(c.untold) > 0 {
			fmt.Fprintf(&b, "\nKnown, and not told, because nothing that the API server shows differs; each page says why, and where to look:\n\n| fault | |\n|---|---|\n")
		}
		for _, d := range c.untold {
			fmt.Fprintf(&b, "| [%s](findings/%[1]s.md) | %s |\n", d.Code, cell(d.Title))
		}
	}
	return b.Bytes()
}

// findingPages adds a page for each finding.
func findingPages(all map[string][]byte) error {
	shown, err := examples()
	if err != nil {
		return err
	}
	var missing []error
	for _, c := range commands() {
		for _, d := range c.findings {
			example, ok := shown[d.Code]
			if !ok {
				missing = append(missing, fmt.Errorf("%s has no example: record one in %s, keep a scene of its test, or say in test/docs/examples.go why there is none", d.Code, corpus))
				continue
			}
			text, err := example.text(d.Code)
			if err != nil {
				missing = append(missing, fmt.Errorf("the example of %s: %w", d.Code, err))
			}
			all["findings/"+d.Code+".md"] = findingPage(c, d, text)
		}
		for _, d := range c.untold {
			all["findings/"+d.Code+".md"] = findingPage(c, d, "")
		}
	}
	return errors.Join(missing...)
}

func findingPage(c command, d finding.Doc, example string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n%s**%s** (%s, [kubectl %s](../../commands/%[5]s.md))\n\n%s\n", d.Code, generated, prose(d.Title), cmp.Or(d.Severity, "not told"), c.name, prose(d.Means))
	for _, part := range []struct{ title, text string }{{"How it is told", d.Told}, {"What to do", d.Fix}, {"Where the rule stands", d.Source}} {
		if part.text != "" {
			fmt.Fprintf(&b, "\n## %s\n\n%s\n", part.title, prose(part.text))
		}
	}
	b.WriteString(example)
	return b.Bytes()
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
