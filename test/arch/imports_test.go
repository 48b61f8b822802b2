package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
)

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath string
	Name       string
	Dir        string
	GoFiles    []string
	Imports    []string
	Module     *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// house is every package of the module and all that they depend on, as the
// product is built.
var house = sync.OnceValues(func() (map[string]pkg, error) {
	return list("-deps", "./cmd/...", "./pkg/...", "./plugins/...")
})

func list(args ...string) (map[string]pkg, error) {
	args = append([]string{"list", "-e", "-tags", buildTag, "-json=ImportPath,Name,Dir,GoFiles,Imports,Module"}, args...)
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	packages := map[string]pkg{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("read what go list says: %w", err)
		}
		packages[p.ImportPath] = p
	}
}

func packages(t *testing.T) map[string]pkg {
	t.Helper()
	all, err := house()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestNoRoomKnowsWhatItMustNot(t *testing.T) {
	all := packages(t)
	for _, r := range importRules() {
		for _, from := range roomsOf(all, r.rooms) {
			for _, chain := range offences(all, from, r) {
				t.Errorf("%s must not know %s:\n\t%s\n\tbecause %s", short(from), short(chain[len(chain)-1]), strings.Join(shorts(chain), "\n\t→ "), r.why)
			}
		}
	}
}

// A rule about a room that was renamed would hold for ever.
func TestEveryRuleMeansARoomThatExistsOrIsToCome(t *testing.T) {
	all := packages(t)
	toCome := []string{"pkg/netpol", "pkg/endpoints", "pkg/rollout", "pkg/dns", "pkg/probe"}
	for _, r := range importRules() {
		for _, room := range r.rooms {
			if len(roomsOf(all, []string{room})) == 0 && !slices.Contains(toCome, room) {
				t.Errorf("a rule names the room %s, which does not exist", room)
			}
		}
	}
}

// roomsOf are the packages of the module that the patterns mean, sorted.
func roomsOf(all map[string]pkg, patterns []string) []string {
	var rooms []string
	for importPath := range all {
		for _, pattern := range patterns {
			if ok, _ := path.Match(module+pattern, importPath); ok {
				rooms = append(rooms, importPath)
			}
		}
	}
	slices.Sort(rooms)
	return slices.Compact(rooms)
}

// offences are the shortest chains from a package to each forbidden one; a
// chain ends at the first forbidden package on it.
func offences(all map[string]pkg, from string, r rule) [][]string {
	came := map[string]string{from: ""}
	var found [][]string
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, next := range slices.Sorted(slices.Values(all[at].Imports)) {
			if _, seen := came[next]; seen {
				continue
			}
			came[next] = at
			if r.forbids(from, next) {
				found = append(found, chainTo(came, next))
			} else if !r.direct {
				queue = append(queue, next)
			}
		}
	}
	return found
}

func (r rule) forbids(from, to string) bool {
	return to != from && r.names(r.never, to) && !r.names(r.except, to)
}

func (r rule) names(prefixes []string, to string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool {
		full := full(prefix)
		return to == full || strings.HasPrefix(to, full+"/")
	})
}

func full(prefix string) string {
	switch first, _, _ := strings.Cut(prefix, "/"); first {
	case "pkg", "plugins", "cmd":
		return module + prefix
	}
	return prefix
}

func chainTo(came map[string]string, to string) []string {
	var chain []string
	for at := to; at != ""; at = came[at] {
		chain = append(chain, at)
	}
	slices.Reverse(chain)
	return chain
}

func short(importPath string) string { return strings.TrimPrefix(importPath, module) }

func shorts(chain []string) []string {
	out := make([]string, len(chain))
	for i, c := range chain {
		out[i] = short(c)
	}
	return out
}
