package main

import (
	"cmp"
	"fmt"
	"strings"
)

// image is a picture in docs/images: what a command says of what was recorded.
type image struct {
	command string
	typed   string
	asked   string // where it differs from what is typed
	replay  bool   // a recorded rollout rather than a snapshot of one moment
	record  string
}

// columns is how wide the pictures' terminal is: what a page shows unscaled.
const columns = 104

func images() []image {
	return []image{
		{command: "explain-tree", typed: "deployment/frontend", record: "test/demo/stories/5-stuck-rollout/snapshot.yaml.gz"},
		{command: "check-endpoints", typed: "web", asked: "web -n ep-label-typo", record: "test/faults/check-endpoints/label-typo/recording.yaml.gz"},
		{command: "guard-rollout", typed: "deploy/frontend --replay roll.ndjson.gz", asked: "deploy/frontend", replay: true, record: "pkg/rollout/testdata/frontend.ndjson.gz"},
		{command: "trace-dns", typed: "reddis --from pod/client", asked: "reddis -n dns-typo --from pod/client", record: "test/faults/trace-dns/typo/recording.yaml.gz"},
	}
}

func imagePages(all map[string][]byte) error {
	for _, i := range images() {
		c, err := called(i.command)
		if err != nil {
			return err
		}
		args := strings.Fields(cmp.Or(i.asked, i.typed))
		out, err := onRecordingAt(columns, c, append(args, "--color", "always"), i.replay, i.record)
		if err != nil {
			return err
		}
		line := fmt.Sprintf("kubectl %s %s", i.command, i.typed)
		file := "images/" + i.command + ".svg"
		if all[file], err = picture(line, columns, "$ "+line+"\n"+out); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}
