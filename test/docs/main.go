// Command docs writes the reference documentation from what the code itself
// says, or checks that what is written is still true.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	check := flag.Bool("check", false, "write nothing; fail when a page is not what the code says")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: docs [-check] FOLDER")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *check); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

func run(folder string, check bool) error {
	pages, err := pages()
	if err != nil {
		return err
	}
	var stale []error
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		file := filepath.Join(folder, filepath.FromSlash(name))
		if !check {
			if err := write(file, pages[name]); err != nil {
				return err
			}
			continue
		}
		written, err := os.ReadFile(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			stale = append(stale, fmt.Errorf("%s is missing", file))
		case err != nil:
			return err
		case !bytes.Equal(written, pages[name]):
			stale = append(stale, fmt.Errorf("%s is stale at line %d", file, firstDifference(written, pages[name])))
		}
	}
	orphans, err := orphans(folder, pages)
	if err != nil {
		return err
	}
	for _, file := range orphans {
		if !check {
			if err := os.Remove(file); err != nil {
				return err
			}
			continue
		}
		stale = append(stale, fmt.Errorf("%s is written by nothing", file))
	}
	if len(stale) > 0 {
		return errors.Join(append(stale, errors.New("write them anew with: make docs"))...)
	}
	return nil
}

// orphans are the files in the folders that are written here which no longer
// are: the page of a finding that was renamed, say.
func orphans(folder string, pages map[string][]byte) ([]string, error) {
	var files []string
	for _, ours := range []string{"commands", "findings", "images"} {
		err := filepath.WalkDir(filepath.Join(folder, ours), func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			name, err := filepath.Rel(folder, file)
			if _, known := pages[filepath.ToSlash(name)]; err == nil && !known {
				files = append(files, file)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return files, nil
}

func write(file string, page []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, page, 0o644)
}

func firstDifference(a, b []byte) int {
	as, bs := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(as), len(bs)) {
		if !bytes.Equal(as[i], bs[i]) {
			return i + 1
		}
	}
	return min(len(as), len(bs))
}
