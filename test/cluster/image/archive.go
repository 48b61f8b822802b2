package image

import (
	"archive/tar"
	"fmt"
	"os"
)

// Archive packs a layout into one tar, the form that containerd imports.
func Archive(layout, path string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("archive the images: %w", err)
	}
	w := tar.NewWriter(f)
	if err := w.AddFS(os.DirFS(layout)); err != nil {
		f.Close()
		return fmt.Errorf("archive the images: %w", err)
	}
	if err := w.Close(); err != nil {
		f.Close()
		return fmt.Errorf("archive the images: %w", err)
	}
	return f.Close()
}
