// Package story reads the recorded stories of the demo and the tutorial.
package story

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Story is one folder of stories/: what was recorded, and what is asked of it.
type Story struct {
	Name    string
	Title   string
	Command string // "explain-tree"
	Args    string // as typed behind it
	Prose   string
	Flag    string // that takes what was recorded: "snapshot" of one moment, "replay" of a rollout
	Record  []byte
}

// File is what the record is called.
func (s Story) File() string {
	if s.Flag == "replay" {
		return s.Name + ".ndjson.gz"
	}
	return s.Name + ".yaml.gz"
}

// Read reads all stories in the order of their folders' names.
func Read(recorded fs.FS) ([]Story, error) {
	folders, err := fs.Glob(recorded, "stories/*")
	if err != nil {
		return nil, err
	}
	var stories []Story
	for _, folder := range folders {
		s, err := readOne(recorded, folder)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", folder, err)
		}
		stories = append(stories, s)
	}
	if len(stories) == 0 {
		return nil, errors.New("there are no stories")
	}
	return stories, nil
}

// readOne reads story.txt, which is a title, a line of arguments and prose, and
// what was recorded beside it. Arguments without a command are explain-tree's.
func readOne(recorded fs.FS, folder string) (Story, error) {
	text, err := fs.ReadFile(recorded, folder+"/story.txt")
	if err != nil {
		return Story{}, err
	}
	flag := "snapshot"
	record, err := fs.ReadFile(recorded, folder+"/snapshot.yaml.gz")
	if errors.Is(err, fs.ErrNotExist) {
		flag = "replay"
		record, err = fs.ReadFile(recorded, folder+"/recording.ndjson.gz")
	}
	if err != nil {
		return Story{}, err
	}
	title, rest, _ := strings.Cut(string(text), "\n")
	args, prose, _ := strings.Cut(rest, "\n")
	s := Story{Name: path.Base(folder), Title: strings.TrimSpace(title), Command: "explain-tree", Args: strings.TrimSpace(args), Prose: strings.TrimSpace(prose), Flag: flag, Record: record}
	if rest, ok := strings.CutPrefix(s.Args, "guard-rollout "); ok {
		s.Command, s.Args = "guard-rollout", rest
	}
	if s.Title == "" || s.Args == "" || s.Prose == "" {
		return Story{}, errors.New("story.txt needs a title, a line of arguments, and prose")
	}
	return s, nil
}
