package snapshot

import (
	"archive/tar"
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

type limits struct {
	file, total int64
	files       int
}

func limitsOf(o Options) limits {
	return limits{cmp.Or(o.MaxFile, 1<<30), cmp.Or(o.MaxTotal, 4<<30), cmp.Or(o.MaxFiles, 100_000)}
}

// walker finds the files of a dump, in folders and archives, within limits.
type walker struct {
	limits limits
	files  int
	bytes  int64
	member func(name string, data []byte)
	refuse func(name, why string)
}

// errFull ends the walk: what was read before counts.
var errFull = errors.New("limit reached")

func (w *walker) walk(root string, stdin io.Reader) error {
	err := w.open(root, stdin)
	if errors.Is(err, errFull) {
		w.refuse(root, fmt.Sprintf("not read to the end: it holds more than %d files or %d bytes; give the folders or files that matter, each with a --snapshot of its own", w.limits.files, w.limits.total))
		return nil
	}
	return err
}

func (w *walker) open(root string, stdin io.Reader) error {
	if root == "-" {
		if stdin == nil {
			return errors.New("there is no standard input")
		}
		return w.sniff("-", stdin)
	}
	info, err := os.Stat(root)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return w.file(root)
	}
	return filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			w.refuse(name, err.Error())
			return nil
		case entry.IsDir() || !wanted(name):
			return nil
		case !entry.Type().IsRegular():
			w.refuse(name, "not a regular file, and links are not followed: name the file itself, with a --snapshot of its own")
			return nil
		}
		err = w.file(name)
		if err != nil && !errors.Is(err, errFull) {
			w.refuse(name, err.Error())
			return nil
		}
		return err
	})
}

// wanted says which files of a folder or archive are part of a dump.
func wanted(name string) bool {
	name = strings.ToLower(filepath.ToSlash(name))
	if path.Base(name) == "logs.txt" {
		return true
	}
	switch path.Ext(strings.TrimSuffix(name, ".gz")) {
	case ".yaml", ".yml", ".json", ".tar":
		return true
	}
	return strings.HasSuffix(name, ".tgz")
}

func (w *walker) file(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return w.sniff(name, f)
}

// sniff goes by content, not by name: gzip, then tar, then text.
func (w *walker) sniff(name string, r io.Reader) error {
	br := bufio.NewReaderSize(r, 64<<10)
	br, err := unpack(br)
	if err != nil {
		w.refuse(name, "cannot be unpacked: "+err.Error())
		return nil
	}
	if head, _ := br.Peek(262); len(head) == 262 && string(head[257:]) == "ustar" {
		return w.archive(name, tar.NewReader(br))
	}
	return w.text(name, br)
}

func (w *walker) text(name string, r io.Reader) error {
	if w.files++; w.files > w.limits.files {
		return errFull
	}
	data, err := io.ReadAll(io.LimitReader(r, min(w.limits.file, w.limits.total-w.bytes)+1))
	w.bytes += int64(len(data))
	switch {
	case w.bytes > w.limits.total:
		return errFull
	case errors.Is(err, errInflated):
		w.refuse(name, err.Error())
		return nil
	case int64(len(data)) > w.limits.file:
		w.refuse(name, tooLarge(w.limits.file))
		return nil
	case err != nil:
		w.refuse(name, "cut off: "+err.Error())
	}
	w.member(name, data)
	return nil
}

func tooLarge(most int64) string {
	return fmt.Sprintf("larger than %d bytes: take it apart, or dump one namespace or kind at a time", most)
}

// archive reads regular members. Nothing is ever written to disk; names that
// point outside are refused all the same, since they are no honest dump's.
func (w *walker) archive(name string, tr *tar.Reader) error {
	seen := map[string]bool{}
	for {
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			w.refuse(name, "not read to the end: "+err.Error())
			return nil
		}
		inner := name + "!" + header.Name
		if w.files++; w.files > w.limits.files {
			return errFull
		}
		if header.Typeflag == tar.TypeDir || header.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		if why := w.unfit(header); why != "" {
			w.refuse(inner, why)
			continue
		}
		if !wanted(header.Name) {
			continue
		}
		if place := path.Clean(header.Name); seen[place] {
			w.refuse(inner, "the archive has this name twice, and the first of them was read: pack it anew")
			continue
		} else {
			seen[place] = true
		}
		w.files-- // text counts it
		if err := w.packed(inner, tr); err != nil {
			return err
		}
	}
}

// unfit says why a member of an archive is not read, whatever its name ends in.
func (w *walker) unfit(header *tar.Header) string {
	sparse := false
	for key := range header.PAXRecords {
		sparse = sparse || strings.HasPrefix(key, "GNU.sparse.")
	}
	switch {
	case sparse || header.Typeflag == tar.TypeGNUSparse:
		return "a member with holes, which may be of any size, is not read: pack it anew, without --sparse"
	case header.Typeflag != tar.TypeReg:
		return "a link or device in an archive is not followed: pack the files themselves (tar --dereference)"
	case !filepath.IsLocal(filepath.FromSlash(header.Name)):
		return "its name points outside the archive: pack it anew, from within its folder"
	case wanted(header.Name) && header.Size > w.limits.file:
		return tooLarge(w.limits.file)
	}
	return ""
}

// packed reads a member, which may be compressed but no archive itself.
func (w *walker) packed(name string, r io.Reader) error {
	br := bufio.NewReader(r)
	br, err := unpack(br)
	if err != nil {
		w.refuse(name, "cannot be unpacked: "+err.Error())
		return nil
	}
	if head, _ := br.Peek(262); len(head) == 262 && string(head[257:]) == "ustar" {
		w.refuse(name, "an archive within an archive is not read: unpack it, and give it a --snapshot of its own")
		return nil
	}
	return w.text(name, br)
}
