package faults

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// lure is what a shell would run, were it not quoted.
const lure = "$(id)"

var quoted = regexp.MustCompile(`'[^']*'|\\'`)

// A dump may hold names that no API server would accept. A printed command is
// pasted into a shell as it stands: whatever the names, it stays one command.
func TestNoNameLeavesItsCommand(t *testing.T) {
	cases, err := Read(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	var commands atomic.Int32
	t.Run("cases", func(t *testing.T) {
		for _, c := range cases {
			if c.Watches() {
				continue
			}
			t.Run(c.Folder(), func(t *testing.T) {
				t.Parallel()
				for _, f := range c.lured(t).Findings {
					for _, fix := range f.Fix {
						if strings.Contains(fix.Command, lure) {
							commands.Add(1)
						}
						if bare := quoted.ReplaceAllString(strings.ReplaceAll(fix.Command, " && kubectl ", " "), ""); strings.ContainsAny(bare, "$();`&") {
							t.Errorf("%s: a shell would run more than %s", f.Code, fix.Command)
						}
					}
				}
			})
		}
	})
	if n := commands.Load(); n < 100 {
		t.Errorf("only %d commands name something of the cluster", n)
	}
}

// lured judges the recording in which every name ends in the lure.
func (c Case) lured(t *testing.T) Answer {
	t.Helper()
	recording := filepath.Join(t.TempDir(), "recording.yaml")
	if err := os.WriteFile(recording, luredFile(t, filepath.Join(filepath.FromSlash(c.Folder()), c.Recording())), 0o600); err != nil {
		t.Fatal(err)
	}
	args := c.Args(c.Ask, "")
	if err := c.Fill(args, ".", t.TempDir()); err != nil {
		t.Fatal(err)
	}
	for i, arg := range args {
		if !strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "/") && arg != "json" && arg != "never" {
			args[i] = arg + lure
		}
	}
	args = append([]string{"kubectl-" + strings.ReplaceAll(c.Plugin, "-", "_"), "--snapshot", recording}, args...)
	var out, errs bytes.Buffer
	code := cli.Run(t.Context(), command(c.Plugin), args, term.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	a, err := ReadAnswer(out.Bytes(), code)
	if err != nil {
		return Answer{} // such a name cannot be asked for
	}
	return a
}

func luredFile(t *testing.T, path string) []byte {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for docs := utilyaml.NewYAMLReader(bufio.NewReader(plain)); ; {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return out.Bytes()
		}
		if err != nil {
			t.Fatal(err)
		}
		var content any
		if err := yaml.Unmarshal(doc, &content); err != nil {
			t.Fatal(err)
		}
		text, err := yaml.Marshal(luring(content))
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("---\n")
		out.Write(text)
	}
}

func luring(content any) any {
	switch content := content.(type) {
	case []any:
		for i := range content {
			content[i] = luring(content[i])
		}
	case map[string]any:
		for key, value := range content {
			if s, ok := value.(string); ok && (key == "name" || key == "namespace") {
				content[key] = s + lure
			} else {
				content[key] = luring(value)
			}
		}
	}
	return content
}
