// Package image builds container images from files, without a registry, a
// daemon or a network, as an OCI image layout that containerd imports and that
// package registry serves.
package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// File is one entry of a layer: a directory when Path ends in a slash, a
// symbolic link when Link is set, a regular file otherwise.
type File struct {
	Path string
	Mode fs.FileMode
	Data []byte
	Link string
}

// Layer returns the files as an uncompressed tar, the same bytes for the same files.
func Layer(files ...File) ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		h := &tar.Header{Name: strings.TrimPrefix(f.Path, "/"), Mode: int64(f.Mode.Perm()), Typeflag: tar.TypeReg, Size: int64(len(f.Data))}
		switch {
		case strings.HasSuffix(f.Path, "/"):
			h.Typeflag = tar.TypeDir
			if f.Mode&fs.ModeSticky != 0 {
				h.Mode |= 0o1000
			}
		case f.Link != "":
			h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, f.Link, 0o777
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("layer file %s: %w", f.Path, err)
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, fmt.Errorf("layer file %s: %w", f.Path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("close the layer: %w", err)
	}
	return buf.Bytes(), nil
}

// Image is what runs: layers from the bottom up, and how to start it.
type Image struct {
	Name       string // with registry, repository and tag
	Layers     [][]byte
	Env        []string
	Entrypoint []string
	Cmd        []string
	Ports      []string // such as 80/tcp
}

// The media types of the OCI image specification, v1.1.
const (
	TypeIndex    = "application/vnd.oci.image.index.v1+json"
	TypeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar"
	// AnnotationName is the annotation by which containerd names an imported image.
	AnnotationName = "io.containerd.image.name"
)

// Descriptor points to a blob.
type Descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Index is the index.json of a layout.
type Index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []Descriptor `json:"manifests"`
}

// WriteLayout writes the images as an OCI image layout into dir.
func WriteLayout(dir string, images []Image) error {
	blobs := filepath.Join(dir, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return fmt.Errorf("write images: %w", err)
	}
	index := Index{SchemaVersion: 2, MediaType: TypeIndex}
	for _, img := range images {
		d, err := writeImage(blobs, img)
		if err != nil {
			return fmt.Errorf("write image %s: %w", img.Name, err)
		}
		d.Annotations = map[string]string{AnnotationName: img.Name}
		index.Manifests = append(index.Manifests, d)
	}
	data, err := json.Marshal(index)
	if err != nil {
		return fmt.Errorf("write images: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "index.json"), data, 0o644); err != nil {
		return fmt.Errorf("write images: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644)
}

func writeImage(blobs string, img Image) (Descriptor, error) {
	config := map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config":       runConfig(img),
	}
	var layers []Descriptor
	var diffIDs []string
	for _, l := range img.Layers {
		d, err := writeBlob(blobs, typeLayer, l)
		if err != nil {
			return Descriptor{}, err
		}
		layers, diffIDs = append(layers, d), append(diffIDs, d.Digest)
	}
	config["rootfs"] = map[string]any{"type": "layers", "diff_ids": diffIDs}
	c, err := writeJSON(blobs, typeConfig, config)
	if err != nil {
		return Descriptor{}, err
	}
	return writeJSON(blobs, TypeManifest, map[string]any{
		"schemaVersion": 2, "mediaType": TypeManifest, "config": c, "layers": layers,
	})
}

func runConfig(img Image) map[string]any {
	c := map[string]any{"Env": append([]string{"PATH=/usr/local/bin:/usr/bin:/bin:/sbin"}, img.Env...)}
	if img.Entrypoint != nil {
		c["Entrypoint"] = img.Entrypoint
	}
	if img.Cmd != nil {
		c["Cmd"] = img.Cmd
	}
	ports := map[string]struct{}{}
	for _, p := range img.Ports {
		ports[p] = struct{}{}
	}
	if len(ports) > 0 {
		c["ExposedPorts"] = ports
	}
	return c
}

func writeJSON(blobs, mediaType string, v any) (Descriptor, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return Descriptor{}, err
	}
	return writeBlob(blobs, mediaType, data)
}

func writeBlob(blobs, mediaType string, data []byte) (Descriptor, error) {
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:])
	d := Descriptor{MediaType: mediaType, Digest: "sha256:" + name, Size: int64(len(data))}
	path := filepath.Join(blobs, name)
	if info, err := os.Stat(path); err == nil && info.Size() == d.Size {
		return d, nil // layers are shared between images
	}
	return d, os.WriteFile(path, data, 0o644)
}
