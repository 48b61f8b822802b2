package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestALayerHoldsFoldersLinksAndFiles(t *testing.T) {
	data, err := Layer(
		File{Path: "bin/", Mode: 0o755},
		File{Path: "tmp/", Mode: 0o777 | os.ModeSticky},
		File{Path: "/bin/busybox", Mode: 0o755, Data: []byte("elf")},
		File{Path: "bin/sh", Link: "busybox"},
	)
	if err != nil {
		t.Fatal(err)
	}
	want := []tar.Header{
		{Name: "bin/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777},
		{Name: "bin/busybox", Typeflag: tar.TypeReg, Mode: 0o755, Size: 3},
		{Name: "bin/sh", Typeflag: tar.TypeSymlink, Mode: 0o777, Linkname: "busybox"},
	}
	r := tar.NewReader(bytes.NewReader(data))
	for _, w := range want {
		h, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if h.Name != w.Name || h.Typeflag != w.Typeflag || h.Mode != w.Mode || h.Size != w.Size || h.Linkname != w.Linkname {
			t.Errorf("entry = %+v, want %+v", *h, w)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("after the last entry: %v, want EOF", err)
	}
}

func TestALayerIsTheSameBytesForTheSameFiles(t *testing.T) {
	a, err := Layer(File{Path: "a", Data: []byte("1")})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Layer(File{Path: "a", Data: []byte("1")})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("two layers of the same files differ")
	}
}

func TestALayoutSharesLayersAndNamesItsImages(t *testing.T) {
	dir := t.TempDir()
	layer := []byte("layer")
	images := []Image{
		{Name: "docker.io/library/web:1", Layers: [][]byte{layer}, Env: []string{"VERSION=1"}, Ports: []string{"80/tcp"}},
		{Name: "docker.io/library/web:2", Layers: [][]byte{layer}, Env: []string{"VERSION=2"}},
	}
	if err := WriteLayout(dir, images); err != nil {
		t.Fatal(err)
	}
	var index Index
	data, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &index); err != nil {
		t.Fatal(err)
	}
	if len(index.Manifests) != 2 || index.Manifests[0].Digest == index.Manifests[1].Digest {
		t.Fatalf("manifests = %+v, want two that differ", index.Manifests)
	}
	if name := index.Manifests[1].Annotations[AnnotationName]; name != "docker.io/library/web:2" {
		t.Errorf("name = %q", name)
	}
	blobs, err := os.ReadDir(filepath.Join(dir, "blobs", "sha256"))
	if err != nil {
		t.Fatal(err)
	}
	if len(blobs) != 5 { // two manifests, two configs, one layer
		t.Errorf("%d blobs, want 5", len(blobs))
	}
	var manifest struct{ Config Descriptor }
	digest := strings.TrimPrefix(index.Manifests[0].Digest, "sha256:")
	data, err = os.ReadFile(filepath.Join(dir, "blobs", "sha256", digest))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(manifest.Config.Digest, "sha256:")))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"VERSION=1", `"80/tcp"`, `"diff_ids":["sha256:`} {
		if !strings.Contains(string(config), want) {
			t.Errorf("config %s lacks %s", config, want)
		}
	}
}
