// Package scenes keeps scenes of the judges' tests as snapshots. The page of a
// finding that no recording of the corpus shows has its example from there.
package scenes

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/source/snapshot"
)

// Folder is where the scenes are, from the top of the repository: a file of the
// finding's name in the folder of its domain.
const Folder = "test/docs/testdata/scenes"

// Scene is a kept scene: what is asked of it, and where it is.
type Scene struct {
	Code string
	Args []string // the command first
	File string
}

// Keep holds the file of a scene against the scene, or writes it. All kinds that
// are built in count as looked at, so that what is not there is not there; more
// are those that are not built in.
func Keep(t testing.TB, update bool, code, args string, store *source.Store, more ...source.Kind) {
	t.Helper()
	store.SetKinds(append(scheme.Kinds(), more...), nil)
	for _, k := range scheme.Kinds() {
		store.Cover(source.Query{Kind: k.GroupKind()})
	}
	var scene bytes.Buffer
	fmt.Fprintf(&scene, "# %s\n", args)
	if err := snapshot.Write(&scene, store.Contents()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(top(t), filepath.FromSlash(Folder), filepath.FromSlash(code)+".yaml")
	if update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, scene.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(kept, scene.Bytes()) {
		t.Errorf("%s is not the scene of the test; write it with: go test %s -update", file, t.Name())
	}
}

func top(t testing.TB) string {
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for !exists(filepath.Join(folder, "go.mod")) {
		if folder = filepath.Dir(folder); folder == filepath.Dir(folder) {
			t.Fatal("not inside of the repository")
		}
	}
	return folder
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// Read finds the scenes in a folder.
func Read(folder string) ([]Scene, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*", "*.yaml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var scenes []Scene
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		args, _, _ := strings.Cut(strings.TrimPrefix(string(text), "# "), "\n")
		code := filepath.Base(filepath.Dir(file)) + "/" + strings.TrimSuffix(filepath.Base(file), ".yaml")
		scenes = append(scenes, Scene{Code: code, Args: strings.Fields(args), File: file})
	}
	return scenes, nil
}
