package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// story is one folder of stories/: what was recorded, and what is asked of it.
type story struct {
	name    string
	title   string
	command string // "explain-tree"
	args    string // as typed behind it
	prose   string
	flag    string // that takes what was recorded: "snapshot" of one moment, "replay" of a rollout
	record  []byte
}

// file is what a record is called.
func (s story) file() string {
	if s.flag == "replay" {
		return s.name + ".ndjson.gz"
	}
	return s.name + ".yaml.gz"
}

// read reads all stories in the order of their folders' names.
func read(recorded fs.FS) ([]story, error) {
	folders, err := fs.Glob(recorded, "stories/*")
	if err != nil {
		return nil, err
	}
	var stories []story
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
func readOne(recorded fs.FS, folder string) (story, error) {
	text, err := fs.ReadFile(recorded, folder+"/story.txt")
	if err != nil {
		return story{}, err
	}
	flag := "snapshot"
	record, err := fs.ReadFile(recorded, folder+"/snapshot.yaml.gz")
	if errors.Is(err, fs.ErrNotExist) {
		flag = "replay"
		record, err = fs.ReadFile(recorded, folder+"/recording.ndjson.gz")
	}
	if err != nil {
		return story{}, err
	}
	title, rest, _ := strings.Cut(string(text), "\n")
	args, prose, _ := strings.Cut(rest, "\n")
	s := story{name: path.Base(folder), title: strings.TrimSpace(title), command: "explain-tree", args: strings.TrimSpace(args), prose: strings.TrimSpace(prose), flag: flag, record: record}
	if rest, ok := strings.CutPrefix(s.args, "guard-rollout "); ok {
		s.command, s.args = "guard-rollout", rest
	}
	if s.title == "" || s.args == "" || s.prose == "" {
		return story{}, errors.New("story.txt needs a title, a line of arguments, and prose")
	}
	return s, nil
}
