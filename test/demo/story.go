package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// story is one folder of stories/: a recording, and what is asked of it.
type story struct {
	name     string
	title    string
	args     string // as typed after "kubectl explain-tree"
	prose    string
	snapshot []byte // .yaml.gz
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
// the recording beside it.
func readOne(recorded fs.FS, folder string) (story, error) {
	text, err := fs.ReadFile(recorded, folder+"/story.txt")
	if err != nil {
		return story{}, err
	}
	snapshot, err := fs.ReadFile(recorded, folder+"/snapshot.yaml.gz")
	if err != nil {
		return story{}, err
	}
	title, rest, _ := strings.Cut(string(text), "\n")
	args, prose, _ := strings.Cut(rest, "\n")
	s := story{name: path.Base(folder), title: strings.TrimSpace(title), args: strings.TrimSpace(args), prose: strings.TrimSpace(prose), snapshot: snapshot}
	if s.title == "" || s.args == "" || s.prose == "" {
		return story{}, errors.New("story.txt needs a title, a line of arguments, and prose")
	}
	return s, nil
}
