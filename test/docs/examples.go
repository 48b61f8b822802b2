package main

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/test/docs/scenes"
	"github.com/leadsman-dev/leadsman/test/faults"
)

// corpus is where the recorded faults are, from the top of the repository.
const corpus = "test/faults"

// shownCase is what a page shows of a finding: what a command says of something
// that was recorded, or why nothing can be shown.
type shownCase struct {
	about  string   // Markdown
	typed  []string // the command first
	replay bool
	record string      // "" where there is nothing
	says   string      // by which the finding is known where its code is not printed
	of     faults.Case // whose files stand behind -f
}

// elsewhere are recorded faults that show a finding which is not their cause.
func elsewhere() map[string]string {
	return map[string]string{
		"dns/config-skew":             "trace-dns/server-divergent-and-service-missing",
		"dns/ndots-amplification":     "trace-dns/well-outside",
		"dns/nslookup-artefact":       "trace-dns/walk-2-frontend-calls-backend",
		"dns/ptr-absent":              "trace-dns/server-does-not-fall-through",
		"dns/publish-lag":             "trace-dns/server-without-rights",
		"rollout/availability-broken": "guard-rollout/label-dropped",
		"rollout/ds-zero-desired":     "guard-rollout/ds-on-no-node",
		"rollout/not-provable":        "guard-rollout/scaled-to-zero",
		"rollout/nothing-to-roll":     "guard-rollout/nothing-to-roll",
		"rollout/scaled-midway":       "guard-rollout/scaled-midway",
		"rollout/sts-partition":       "guard-rollout/statefulset-partition",
		"tree/mount-object-missing":   "explain-tree/claim-missing",
	}
}

// otherRecordings are some that are kept for something else.
func otherRecordings() map[string]shownCase {
	const rollouts, stories = "pkg/rollout/testdata/", "test/demo/stories/"
	return map[string]shownCase{
		"endpoints/cannot-see":     {about: "A snapshot that was taken for another question: it holds only some of the pods.", typed: []string{"check-endpoints", "nginx"}, record: stories + "5-stuck-rollout/snapshot.yaml.gz"},
		"rollout/minready-wait":    {about: "A rollout whose pods must be ready for a while before they count.", typed: []string{"guard-rollout", "deploy/web"}, replay: true, record: rollouts + "minready.ndjson.gz", says: "waits for minReadySeconds"},
		"rollout/recreate-blocked": {about: "A rollout whose old pod takes its time to end.", typed: []string{"guard-rollout", "deploy/web"}, replay: true, record: rollouts + "recreate.ndjson.gz", says: "the new pods are made once"},
		"rollout/rbac":             {about: "A rollout that was watched without the right to read nodes.", typed: []string{"guard-rollout", "deploy/web"}, replay: true, record: rollouts + "forbidden.ndjson.gz"},
	}
}

// unshown are the findings of which there is no example, and why.
func unshown() map[string]string {
	return map[string]string{
		"endpoints/path-fails":         "it takes a network that drops packets between nodes, and the recorded cluster's drops none.",
		"preflight/rwo-rolling-update": "it takes a volume that either node may use, one at a time, and those of the recorded cluster belong to one node.",
		"rollout/availability-gaps":    "it takes a watch that is lost for a second while the rollout goes on, and no such rollout is recorded.",
		"rollout/deadline-never-fires": "it takes ten minutes of pods that become ready and fail again, and no such rollout is recorded.",
		"rollout/hash-collision":       "two templates with the same hash do not come about by trying.",
		"rollout/probe-failed":         "it takes requests that fail while the rollout goes on, and those of the recorded rollouts were all answered.",
		"rollout/throttled":            "it takes an API server that refuses requests until their time is over, and none was recorded.",
		"rollout/watch-gap":            "it stands there only while the connection is lost, and is gone from the answer at the end.",
	}
}

// examples are by the code of their finding. The best is a fault of the corpus
// with this root cause.
func examples() (map[string]shownCase, error) {
	cases, err := faults.Read(os.DirFS(corpus))
	if err != nil {
		return nil, err
	}
	kept, err := scenes.Read(filepath.FromSlash(scenes.Folder))
	if err != nil {
		return nil, err
	}
	all := map[string]shownCase{}
	add := func(code string, s shownCase) {
		if _, known := all[code]; !known && code != "" {
			all[code] = s
		}
	}
	byFolder := map[string]faults.Case{}
	for _, c := range cases {
		byFolder[c.Folder()] = c
		add(c.First, ofCase(c))
	}
	for _, c := range cases {
		for _, code := range slices.Concat(c.Follows, c.Also) {
			add(code, ofCase(c))
		}
	}
	for code, folder := range elsewhere() {
		c, ok := byFolder[folder]
		if !ok {
			return nil, fmt.Errorf("%s has no %s", corpus, folder)
		}
		add(code, ofCase(c))
	}
	for code, s := range otherRecordings() {
		add(code, s)
	}
	for _, s := range kept {
		add(s.Code, shownCase{about: "From [the scene of its test](../../../" + filepath.ToSlash(s.File) + "), which is made up.", typed: s.Args, record: s.File})
	}
	for code, why := range unshown() {
		add(code, shownCase{about: "None is shown: " + why})
	}
	return all, nil
}

func ofCase(c faults.Case) shownCase {
	args := c.Args(c.Ask, "")
	return shownCase{
		about:  fmt.Sprintf("%s It was [provoked on a real cluster](../../../%s).", prose(c.Story), path.Join(corpus, c.Folder())),
		typed:  append([]string{c.Plugin}, args[:len(args)-2]...), // without -o
		of:     c,
		replay: c.Watches(),
		record: path.Join(corpus, c.Folder(), c.Recording()),
	}
}

// text runs the command, which must tell the finding.
func (s shownCase) text(code string) (string, error) {
	if s.record == "" {
		return "\n## Example\n\n" + s.about + "\n", nil
	}
	c, err := called(s.typed[0])
	if err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp("", "leadsman-docs-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	run := append([]string{}, s.typed[1:]...)
	if err := s.of.Fill(run, corpus, folder); err != nil {
		return "", err
	}
	out, err := onRecording(c, run, s.replay, s.record)
	if err != nil {
		return "", err
	}
	if !strings.Contains(out, cmp.Or(s.says, code)) {
		return "", fmt.Errorf("it is not told of %s:\n%s", s.record, out)
	}
	return fmt.Sprintf("\n## Example\n\n%s\n\n```console\n$ kubectl %s\n%s```\n", s.about, strings.Join(s.typed, " "), out), nil
}
