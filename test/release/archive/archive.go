// Package archive reads what a release packs.
package archive

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// File is a regular file of an archive.
type File struct {
	Name    string
	Mode    fs.FileMode
	Changed time.Time
	Content []byte
}

// Read reads a .tar.gz or .zip.
func Read(path string) ([]File, error) {
	read := readTar
	if strings.HasSuffix(path, ".zip") {
		read = readZip
	}
	files, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return files, nil
}

func readTar(path string) ([]File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var files []File
	for r := tar.NewReader(unzipped); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		files = append(files, File{header.Name, header.FileInfo().Mode(), header.ModTime, content})
	}
}

func readZip(path string) ([]File, error) {
	r, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var files []File
	for _, entry := range r.File {
		if entry.FileInfo().IsDir() {
			continue
		}
		opened, err := entry.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(opened)
		opened.Close()
		if err != nil {
			return nil, err
		}
		files = append(files, File{entry.Name, entry.Mode(), entry.Modified, content})
	}
	return files, nil
}
