// Package faults is the corpus: real faults and healthy look-alikes, each a
// folder, with what a plugin must say of it and what it must not. The folders
// are provoked on a real cluster by the command run, and recorded; the tests
// of this package judge the recordings.
package faults

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// Plugins are the folders of the corpus, one a plugin.
func Plugins() []string {
	return []string{"explain-tree", "check-endpoints", "guard-rollout", "trace-dns"}
}

// Case is one folder: a scene in a namespace of its own, what is asked about
// it, and what the answer must be.
type Case struct {
	Plugin string `json:"-"`
	Name   string `json:"-"`

	Story string `json:"story"` // one sentence: what is wrong, or what only looks so

	// Do are shell lines that make the scene, in the folder, with kubectl bound
	// to the namespace; `kubectl apply -f manifests.yaml` if there is none. In
	// them and in the folder's manifests $NS is the namespace.
	Do   []string `json:"do,omitempty"`
	Undo []string `json:"undo,omitempty"` // takes away what is outside the namespace

	Ask       string   `json:"ask"`                 // as typed behind the plugin's name
	Meanwhile []string `json:"meanwhile,omitempty"` // shell lines while guard-rollout watches, once it rolls
	Patience  string   `json:"patience,omitempty"`  // how long the answer may take to become certain; 100s if unset

	// Of a fault.
	First    string   `json:"first,omitempty"`    // the code of the first finding: the root cause
	Object   string   `json:"object,omitempty"`   // its object's kind
	Severity string   `json:"severity,omitempty"` // its severity
	Says     string   `json:"says,omitempty"`     // a regular expression for the summary and its message
	Follows  []string `json:"follows,omitempty"`  // codes of findings that must be told as consequences
	Also     []string `json:"also,omitempty"`     // codes that must stand there too
	Before   []string `json:"before,omitempty"`   // codes that may come first, as errors, until the root cause is certain
	Decide   string   `json:"decide,omitempty"`   // why a person must decide, though a command is printed that does not only look

	// Of a healthy look-alike.
	Healthy bool   `json:"healthy,omitempty"`
	Mild    bool   `json:"mild,omitempty"`   // it may have warnings, or wait for something outside
	Beside  string `json:"beside,omitempty"` // a question about something healthy in a fault's scene

	Never []string `json:"never,omitempty"` // codes that must not be said, beside all others of a healthy thing
	Exit  *int     `json:"exit,omitempty"`  // the exit code, where it is not what follows from the above

	// Of a rollout.
	Held  bool   `json:"held,omitempty"`  // no Service may be said to have lost endpoints below its floor
	Grace string `json:"grace,omitempty"` // how long nothing must have changed before the verdict is certain
}

// Recording is the file beside the case that holds what the plugin read.
func (c Case) Recording() string {
	if c.Watches() {
		return "recording.ndjson.gz"
	}
	return "recording.yaml.gz"
}

// BesideRecording is the same for the healthy thing beside a fault.
const BesideRecording = "beside.yaml.gz"

// Watches says whether the question follows a rollout.
func (c Case) Watches() bool {
	return c.Plugin == "guard-rollout" && !strings.Contains(c.Ask, "--preflight")
}

// Folder is where the case stands in the corpus.
func (c Case) Folder() string { return path.Join(c.Plugin, c.Name) }

// Read reads all cases, in the order of the plugins and of the folders' names.
func Read(corpus fs.FS) ([]Case, error) {
	var cases []Case
	for _, plugin := range Plugins() {
		files, err := fs.Glob(corpus, plugin+"/*/case.yaml")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			text, err := fs.ReadFile(corpus, file)
			if err != nil {
				return nil, err
			}
			c := Case{Plugin: plugin, Name: path.Base(path.Dir(file))}
			if err := yaml.UnmarshalStrict(text, &c); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if err := c.valid(); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			cases = append(cases, c)
		}
	}
	return cases, nil
}

func (c Case) valid() error {
	if _, err := regexp.Compile(c.Says); err != nil {
		return err
	}
	switch {
	case c.Story == "":
		return errors.New("story is empty: say in one sentence what is wrong")
	case c.Ask == "":
		return errors.New("ask is empty: say what is typed behind the plugin's name")
	case c.Healthy == (c.First != ""):
		return errors.New("a case is either healthy or has a first finding")
	case c.Healthy && (c.Beside != "" || c.Decide != "" || len(c.Follows) > 0 || len(c.Also) > 0 || len(c.Before) > 0):
		return errors.New("what belongs to a fault is said of a healthy thing")
	case len(c.Meanwhile) > 0 && !c.Watches():
		return errors.New("meanwhile is for guard-rollout")
	}
	return nil
}
